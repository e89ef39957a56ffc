"""Does the deconfounded reward find what texts are worth, and do its diagnostics speak up when they should?

    python benchmarks/deconfound.py rewards     [--seeds 20] [--rows 6000] [--entanglements 0 0.3 0.6 0.9] [--pool TEXTS]
    python benchmarks/deconfound.py diagnostics [--seeds 20] [--rows 6000] [--entanglements 0.5]
    python benchmarks/deconfound.py speed       [--rows 1000000] [--confounders 20] [--texts 50000]
    python benchmarks/deconfound.py check       minutes, exit status 1 if a target is missed

rewards and diagnostics draw logs of headlines whose worth f is known (`training/deconfound/simulated.py`); every arm learns
a ridge regression on embeddings by the packaged MiniLM, its penalty chosen by folds of observational rows, and is asked
about headlines that are not in the log: correlation with f, and share of pairs within a subject put in the right order.
Nothing that chooses anything sees f or a randomised outcome. Arms: `ours`; `oracle`, the outcome less the true effects;
`outcome`, which ignores the confounders; `input`, which takes them as features beside the embedding and holds them at their
mean; `residual`, Y − E[Y | C]; `invariant`, whose reward must not correlate with them, as ODIN's (Chen et al. 2024).

Every draw is a line in a file of --folder; what is there is not drawn again. Means are given with 95 % intervals over seeds.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from numpy.typing import NDArray

from leucippus.training.deconfound.embed import embed_texts
from leucippus.training.deconfound.logs import Floats, Ints, Logs
from leucippus.training.deconfound.reward import deconfound
from leucippus.training.deconfound.reward_model import fit_reward_model
from leucippus.training.deconfound.ridge import PENALTIES, Sums, held_out_loss, path, text_folds, total
from leucippus.training.deconfound.simulated import draw, every_text, truth

Vectors = NDArray[np.float32]
UNSEEN, PAIRS = 4_000, 20_000
FLAWS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "none, texts repeat": {"pool": 1_000},
    "none, users repeat": {"users": 1_000},
    "none, instrument": {"instrument": True},
    "unmeasured": {"flaw": "unmeasured"},
    "interaction": {"flaw": "interaction"},
    "curved": {"flaw": "curved"},
    "weak instrument": {"flaw": "weak instrument"},
    "invalid instrument": {"flaw": "invalid instrument"},
}
SHOWS: Mapping[str, str] = {
    "unmeasured": "experiment",
    "interaction": "varying",
    "curved": "curved",
    "weak instrument": "weak instrument",
    "invalid instrument": "experiment",
}
"""Flaw → the finding that should fire."""


@dataclass(frozen=True, eq=False)
class Unseen:
    """Texts that no log of the draw shows."""

    e: Vectors
    f: Floats
    pairs: NDArray[np.int64]
    """(q, 2) of one subject and different worth."""


def judged(score: Floats, unseen: Unseen) -> dict[str, float]:
    """How a reward for unseen texts compares with what they are worth."""
    first, second = unseen.pairs.T
    right = (score[first] > score[second]) == (unseen.f[first] > unseen.f[second])
    return {"correlation": float(np.corrcoef(score, unseen.f)[0, 1]), "ranked": float(right.mean())}


def linear(x: Floats, y: Floats, code: Ints, seed: int) -> tuple[Floats, float]:
    """Ridge regression on rows, its penalty chosen by folds of texts: coefficients, and the penalty in natural units."""
    fold = text_folds(int(code.max()) + 1, 5, seed)[code]
    parts = []
    for f in range(5):
        a, b = x[fold == f], y[fold == f]
        parts.append(
            Sums(float(len(b)), a.sum(0), a.T @ a, (a.T @ b)[:, None], np.array([b.sum()]), np.array([(b**2).sum()]))
        )
    whole = total(parts)
    losses = np.sum([held_out_loss(path(whole - part), part) for part in parts], axis=0)[:, 0]
    fit, penalty = path(whole), float(PENALTIES[int(losses.argmin())])
    return fit.weights(penalty, 0), penalty * fit.unit


def arms(logs: Logs, e: Vectors, oracle: Floats, seed: int) -> tuple[dict[str, Callable[[Vectors], Floats]], Any]:
    """Arm → scores of any embeddings; and what deconfounding said."""
    used = logs.observational
    found = deconfound(logs, e, seed=seed)
    c, y, code = np.asarray(logs.c[used]), logs.y[used], logs.text_of[used]
    c = (c - c.mean(0)) / c.std(0)
    on_c = np.column_stack([np.ones(len(y)), c])
    residual = logs.y.copy()
    residual[used] -= on_c @ np.linalg.lstsq(on_c, y, rcond=None)[0]
    mean, scale = e[code].mean(0), 1 / float(np.sqrt(e[code].var(0).mean()))
    x = np.asarray((e[code] - mean) * scale, dtype=np.float64)
    with_c, _ = linear(np.column_stack([x, c]), y, code, seed)
    alone, penalty = linear(x, y, code, seed)
    # Least squares with a penalty, under the constraint that the reward has no covariance with any confounder.
    inverse = np.linalg.inv((x - x.mean(0)).T @ (x - x.mean(0)) + penalty * np.eye(x.shape[1]))
    across = x.T @ (c - c.mean(0))
    invariant = alone - inverse @ across @ np.linalg.solve(across.T @ inverse @ across, across.T @ alone)
    rewards = {"ours": found.r, "oracle": oracle, "outcome": logs.y, "residual": residual}
    models = {name: fit_reward_model(e, r, logs.text_of, rows=used, seed=seed).score for name, r in rewards.items()}
    fixed = {"input": with_c[: x.shape[1]], "invariant": invariant}
    return {**models, **{name: (lambda v, w=w: v @ w) for name, w in fixed.items()}}, found  # type: ignore[misc]


def measured(
    logs: Logs, e: Vectors, oracle: Floats, gamma: Sequence[float], unseen: Unseen, seed: int
) -> dict[str, Any]:
    """One line of a table."""
    began = time.perf_counter()
    score, found = arms(logs, e, oracle, seed)
    return {
        "arms": {name: judged(of(unseen.e), unseen) for name, of in score.items()},
        "gamma": found.gamma.tolist(),
        "se": found.gamma_se.tolist(),
        "true": list(gamma),
        "method": found.method,
        "fired": [finding.name for finding in found.fired],
        "texts": len(np.unique(logs.text_of)),
        "seconds": time.perf_counter() - began,
    }


class Headlines:
    """All headlines and their embeddings."""

    def __init__(self, folder: Path) -> None:
        self.texts = every_text()
        self._e = embed_texts(self.texts, folder, progress)
        self._at = {text: i for i, text in enumerate(self.texts)}
        self._f = np.array([truth(text) for text in self.texts])
        self._subject = np.array([text.split(": ")[1].split(",")[0] for text in self.texts])

    def vectors(self, texts: Sequence[str]) -> Vectors:
        return np.asarray(self._e[[self._at[text] for text in texts]])

    def unseen(self, shown: Sequence[str], seed: int) -> Unseen:
        random = np.random.default_rng([seed, 1])
        seen = np.zeros(len(self.texts), dtype=bool)
        seen[[self._at[text] for text in shown]] = True
        chosen = random.choice(np.flatnonzero(~seen), UNSEEN, replace=False)
        f = self._f[chosen]
        pairs = random.integers(UNSEEN, size=(PAIRS * 30, 2))
        same = self._subject[chosen][pairs[:, 0]] == self._subject[chosen][pairs[:, 1]]
        pairs = pairs[same & (np.abs(f[pairs[:, 0]] - f[pairs[:, 1]]) > 1e-9)][:PAIRS]
        return Unseen(np.asarray(self._e[chosen]), f, pairs)


def simulated(
    headlines: Headlines, entanglement: float, rows: int, seed: int, given: Mapping[str, Any]
) -> dict[str, Any]:
    """One draw of headlines."""
    drawn = draw(entanglement, rows, seed, **given)
    logs = drawn.logs()
    unseen = headlines.unseen(logs.texts, seed)
    return measured(logs, headlines.vectors(logs.texts), drawn.oracle, drawn.gamma, unseen, seed)


def speed(rows: int, confounders: int, texts: int, folder: Path) -> dict[str, float]:
    """Seconds of embedding and of everything else, from a file to a reward model."""
    from leucippus.serving.encoder import Encoder
    from leucippus.training.deconfound.logs import LogSpec
    from leucippus.training.deconfound.reading import read_logs

    random = np.random.default_rng(0)
    every = every_text()
    chosen = random.choice(len(every), texts, replace=False)
    names = tuple(f"x{j}" for j in range(confounders))
    file = folder / f"speed-{rows}-{confounders}-{texts}.parquet"
    if not file.exists():
        write_log(file, [every[i] for i in chosen], rows, names, random)
    began = time.perf_counter()
    logs = read_logs(file, LogSpec("headline", "outcome", names))
    read = time.perf_counter() - began
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sample = random.choice(len(logs.texts), min(4_096, len(logs.texts)), replace=False)
    encoder = Encoder()
    encoder.encode(logs.texts[:64])
    began = time.perf_counter()
    encoder.encode([logs.texts[i] for i in sample])
    embedding = (time.perf_counter() - began) * len(logs.texts) / len(sample)
    headlines = Headlines(folder)
    e = headlines.vectors(logs.texts)
    began = time.perf_counter()
    found = deconfound(logs, e)
    step = time.perf_counter() - began
    began = time.perf_counter()
    fit_reward_model(e, found.r, logs.text_of)
    return {
        "rows": rows,
        "confounders": confounders,
        "texts": len(logs.texts),
        "reading": read,
        "embedding": embedding,
        "deconfounding": step,
        "reward model": time.perf_counter() - began,
        "MiB after reading": before / 1024,
        "MiB at most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def write_log(file: Path, texts: Sequence[str], rows: int, names: Sequence[str], random: np.random.Generator) -> None:
    """Rows in which every confounder goes with the worth of the text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    f = np.array([truth(text) for text in texts])
    kept: Any = None
    for start in range(0, rows, 100_000):
        n = min(100_000, rows - start)
        at = random.integers(len(texts), size=n)
        c = 0.3 * f[at][:, None] + random.standard_normal((n, len(names)))
        y = f[at] + c.sum(1) / len(names) + random.standard_normal(n)
        columns = {"headline": [texts[i] for i in at], "outcome": y, **dict(zip(names, c.T, strict=True))}
        table = pa.table(columns)
        kept = kept or pq.ParquetWriter(file, table.schema)
        kept.write_table(table)
    kept.close()


def drawn(file: Path, todo: Sequence[tuple[dict[str, Any], Callable[[], dict[str, Any]]]]) -> list[dict[str, Any]]:
    """Lines of a table: those of the file, and what is missing."""
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    at = {json.dumps(line["of"], sort_keys=True): line for line in lines}
    found = []
    for i, (of, work) in enumerate(todo):
        key = json.dumps(of, sort_keys=True)
        if key not in at:
            at[key] = {"of": of, **work()}
            with file.open("a") as out:
                out.write(json.dumps(at[key]) + "\n")
            progress(file.stem, i + 1, len(todo), at[key]["seconds"])
        found.append(at[key])
    return found


def progress(what: str, done: int, of: int, number: float) -> None:
    """To standard error, so that a table can be piped."""
    print(f"{what} {done}/{of} {number:.1f}", file=sys.stderr, flush=True)


def interval(values: Sequence[float]) -> str:
    """Mean and half the width of its 95 % interval."""
    from scipy.stats import t

    v = np.asarray(values, dtype=np.float64)
    half = float(t.ppf(0.975, len(v) - 1)) * v.std(ddof=1) / len(v) ** 0.5 if len(v) > 1 else float("nan")
    return f"{v.mean():.3f} ±{half:.3f}"


def groups(lines: Sequence[Mapping[str, Any]], by: str) -> Iterator[tuple[Any, list[Mapping[str, Any]]]]:
    """Lines of like setting, in order."""
    for setting in dict.fromkeys(line["of"][by] for line in lines):
        yield setting, [line for line in lines if line["of"][by] == setting]


def show_rewards(lines: Sequence[Mapping[str, Any]], by: str = "entanglement") -> bool:
    """Print the tables of rewards; whether the targets are met."""
    met = True
    for setting, some in groups(lines, by):
        bias = [line["gamma"][0] / line["true"][0] - 1 for line in some]
        cover = np.mean(
            [
                abs(g - t) <= 1.96 * s
                for one in some
                for g, t, s in zip(one["gamma"], one["true"], one["se"], strict=True)
            ]
        )
        second = [line["gamma"][1] / line["true"][1] - 1 for line in some]
        print(
            f"\n{by} {setting}: {len(some)} seeds, γ̂/γ − 1 {interval(bias)} and {interval(second)}, intervals cover "
            f"{cover:.0%}, findings in {np.mean([bool(line['fired']) for line in some]):.0%}"
        )
        print(f"{'reward':10} {'correlation':>15} {'of oracle':>15} {'ranked':>15} {'of oracle':>15}")
        for arm in some[0]["arms"]:
            cells = []
            for measure in ("correlation", "ranked"):
                values = [line["arms"][arm][measure] for line in some]
                of_oracle = [line["arms"][arm][measure] / line["arms"]["oracle"][measure] for line in some]
                cells += [interval(values), interval(of_oracle)]
                met &= arm != "ours" or float(np.mean(of_oracle)) >= 0.95
            print(f"{arm:10} " + " ".join(f"{cell:>15}" for cell in cells))
        met &= max(abs(float(np.mean(bias))), abs(float(np.mean(second)))) <= 0.05
    return bool(met)


def show_diagnostics(lines: Sequence[Mapping[str, Any]]) -> bool:
    """Print how often each finding fired; whether the targets are met."""
    met = True
    for entanglement, level in groups(lines, "entanglement"):
        print(f"\nentanglement {entanglement}\n{'flaw':22} {'seeds':>5} {'any':>6} {'its own':>8}  fired")
        for flaw, some in groups(level, "flaw"):
            fired = [set(line["fired"]) for line in some]
            share = float(np.mean([bool(each) for each in fired]))
            own = float(np.mean([SHOWS[flaw] in each for each in fired])) if flaw in SHOWS else float("nan")
            named = {name: sum(name in each for each in fired) for name in sorted(set().union(*fired))}
            print(f"{flaw:22} {len(some):5} {share:6.0%} {own:8.0%}  {named}")
            met &= own >= 0.9 if flaw in SHOWS else share <= 0.1
    return met


def main() -> int:
    """Read what is asked for, measure it and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=("rewards", "diagnostics", "speed", "check"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--entanglements", type=float, nargs="+")
    parser.add_argument("--pool", type=int, help="at most so many different texts, so that they repeat")
    parser.add_argument("--texts", type=int)
    parser.add_argument("--confounders", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "leucippus-deconfound")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.table == "speed":
        print(
            json.dumps(speed(given.rows or 1_000_000, given.confounders, given.texts or 50_000, given.folder), indent=1)
        )
        return 0
    quick = given.table == "check"
    rows, seeds = given.rows or (3_000 if quick else 6_000), min(3, given.seeds) if quick else given.seeds
    headlines = Headlines(given.folder)
    met = True
    if given.table in ("rewards", "check"):
        todo = [
            ({"entanglement": level, "rows": rows, "pool": given.pool, "seed": seed},
             lambda level=level, seed=seed: simulated(headlines, level, rows, seed, {"pool": given.pool}))
            for level in given.entanglements or ([0.9] if quick else [0.0, 0.3, 0.6, 0.9]) for seed in range(seeds)
        ]  # fmt: skip
        met &= show_rewards(drawn(given.folder / "rewards.jsonl", todo))
    if given.table in ("diagnostics", "check"):
        todo = [
            ({"flaw": flaw, "entanglement": level, "rows": rows, "seed": seed},
             lambda flaw=flaw, level=level, seed=seed: simulated(headlines, level, rows, 1_000 + seed, FLAWS[flaw]))
            for level in given.entanglements or [0.5] for flaw in FLAWS for seed in range(1 if quick else seeds)
        ]  # fmt: skip
        met &= show_diagnostics(drawn(given.folder / "diagnostics.jsonl", todo))
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
