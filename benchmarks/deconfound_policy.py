"""Is what a model writes after tuning worth more? True values, on logs whose truth is known.

    python benchmarks/deconfound_policy.py --out results.jsonl [--seeds 5] [--entanglement 0 0.5 0.9] [--effect 1 -1]
        [--rows 10000] [--pairs 1000] [--only ours --only oracle] [--cache DIR] [--table]

Headlines (training/deconfound/simulated.py) of a log in which popularity moves the outcome, how concrete an offer is (which
moves the outcome too) and how loud the opener is (which does not). A decoder of 1.4 million weights learns to write as
the log does; then the same DPO, from the same number of pairs, tunes it by each of these rewards:

    ours                Y − γ̂ᵀ(C − C̄), as `leucippus train deconfound` makes it
    ignore C            Y
    C as a feature      ridge regression of Y on embedding and C together, scored at C̄
    Y − E[Y|C]          what C does not tell of the outcome
    decorrelated        ridge regression of Y on embeddings from which every direction that goes with C was taken: what an
                        invariance penalty (ODIN) comes to at full strength
    oracle              Y − γᵀ(C − C̄) with the true γ: the noise is there, the confounding is not
    true f              what texts are truly worth, without noise: what the decoder and DPO can reach at all

--effect is what popularity does to the outcome. At 1 it pushes the outcome where concrete offers push it, so that ignoring C
exaggerates what is true; at -1 (concrete offers go to those who respond least) it hides or turns what is true.

The value of a policy is the mean true f of what it writes, 16 texts a context; f is centred, so that chance is worth 0.
Gains are over the untuned decoder. No setting is chosen by a true value, and no row is of an experiment. A result is
written as soon as it is there; what is in --out is not computed again. Intervals are over seeds (t, 95%), differences paired.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from leucippus.training.deconfound.arms import arms_of, judge
from leucippus.training.deconfound.embed import embed_texts
from leucippus.training.deconfound.logs import Floats, Logs
from leucippus.training.deconfound.pairs import Pair, PairRecipe, preference_pairs
from leucippus.training.deconfound.reward import Deconfounded, deconfound
from leucippus.training.deconfound.reward_model import fit_reward_model
from leucippus.training.deconfound.simulated import (
    SUBJECTS,
    SimulatedLog,
    context_of,
    draw,
    every_text,
    features,
    truth,
)
from leucippus.training.deconfound.small_policy import SmallRecipe, train_small_policy
from leucippus.training.deconfound.tune import tune
from leucippus.training.deconfound.tuning import TuneRecipe
from leucippus.training.deconfound.writing import Policy

METHODS = ("ours", "ignore C", "C as a feature", "Y − E[Y|C]", "decorrelated", "oracle", "true f")
BASELINES = METHODS[1:5]
BASE = "untuned"
EACH = 16
TUNING = TuneRecipe(batch=16, learning_rate=1e-3, longest=96, save_every=10_000)


@dataclass(frozen=True, eq=False)
class Reward:
    """What a method makes of a log."""

    rows: Floats
    """(n,) a reward for every row."""
    predicted: Floats
    """(m,) for every text."""
    se: Floats
    """(m,)."""


def with_effect(log: SimulatedLog, effect: float) -> SimulatedLog:
    """The same log, had popularity another effect on the outcome."""
    at = log.spec.confounders.index("popularity")
    outcome = log.columns["outcome"] + (effect - log.gamma[at]) * log.columns["popularity"]
    gamma = tuple(effect if j == at else each for j, each in enumerate(log.gamma))
    return replace(log, columns=log.columns | {"outcome": outcome}, gamma=gamma)


def modelled(logs: Logs, e: Any, r: Floats) -> Reward:
    """A reward of rows, and the reward model fitted to it."""
    model = fit_reward_model(e, r, logs.text_of)
    return Reward(r, model.score(e), model.standard_error(e))


def as_a_feature(logs: Logs, e: Any) -> Reward:
    """C beside the embedding, each column as long as one of the embedding's; scored at its mean."""
    one = float(np.sqrt((np.asarray(e, dtype=np.float64) - np.mean(e, axis=0)).var(axis=0).mean()))
    c = (one * (logs.c - logs.c.mean(axis=0)) / logs.c.std(axis=0)).astype(np.float32)
    model = fit_reward_model(np.hstack([np.asarray(e)[logs.text_of], c]), logs.y)
    at_mean = np.hstack([np.asarray(e), np.zeros((len(e), c.shape[1]), dtype=np.float32)])
    return Reward(
        logs.y - c.astype(np.float64) @ model.weights[-c.shape[1] :],
        model.score(at_mean),
        model.standard_error(at_mean),
    )


def less_what_c_tells(logs: Logs) -> Floats:
    """Y − Ê[Y|C] + Ȳ, by a regression with squares and products."""
    c = (logs.c - logs.c.mean(axis=0)) / logs.c.std(axis=0)
    products = [c[:, i] * c[:, j] for i in range(c.shape[1]) for j in range(i, c.shape[1])]
    x = np.column_stack([np.ones(len(c)), c, *products])
    fitted = x @ np.linalg.lstsq(x, logs.y, rcond=None)[0]
    return np.asarray(logs.y - fitted + logs.y.mean())


def decorrelated(logs: Logs, e: Any) -> Reward:
    """r(e) with cov(r, C) = 0 for every confounder."""
    rows = np.asarray(e, dtype=np.float64)[logs.text_of]
    direction, _ = np.linalg.qr((rows - rows.mean(axis=0)).T @ (logs.c - logs.c.mean(axis=0)))
    free = np.asarray(e, dtype=np.float64)
    free = (free - (free @ direction) @ direction.T).astype(np.float32)
    found = modelled(logs, free, logs.y)
    # A row's own outcome holds what C did to it: the model's word alone is free of that.
    return replace(found, rows=found.predicted[logs.text_of])


def rewards(log: SimulatedLog, logs: Logs, e: Any, found: Deconfounded) -> Mapping[str, Any]:
    """Method → what makes its reward."""
    return {
        "ours": lambda: modelled(logs, e, found.r),
        "ignore C": lambda: modelled(logs, e, logs.y),
        "C as a feature": lambda: as_a_feature(logs, e),
        "Y − E[Y|C]": lambda: modelled(logs, e, less_what_c_tells(logs)),
        "decorrelated": lambda: decorrelated(logs, e),
        "oracle": lambda: modelled(logs, e, log.oracle),
        "true f": lambda: modelled(logs, e, log.f),
    }


def pairs_by(logs: Logs, found: Deconfounded, made: Reward, gamma_se: Floats, most: int, seed: int) -> tuple[Pair, ...]:
    """As `train deconfound` would make them of this reward."""
    arms = arms_of(logs, replace(found, r=made.rows, noise=float(made.rows.std())))
    judged = judge(arms, made.predicted, made.se)
    share = most // len(SUBJECTS) + 1
    return preference_pairs(logs, arms, judged, gamma_se, PairRecipe(most=most, per_context=share, seed=seed))


def values(policy: Policy, seed: int) -> dict[str, float]:
    """Mean true value of what it writes, and how much of it is headlines at all."""
    written = policy.write([context_of(subject) for subject in SUBJECTS], each=EACH, tokens=40, seed=seed)
    texts = [text for texts in written for text in texts]
    found = [features(text) for text in texts]
    levels = [each for each in found if each is not None]
    return {
        "value": float(np.mean([truth(text) for text in texts])),
        "headlines": len(levels) / len(texts),
        "a": float(np.mean([each.a for each in levels])) if levels else float("nan"),
        "b": float(np.mean([each.b for each in levels])) if levels else float("nan"),
    }


def cases(given: argparse.Namespace, done: set[tuple[float, float, int, str]]) -> Iterator[dict[str, Any]]:
    """One result after the other; the effect of popularity leaves texts, and so the decoder, as they are."""
    everything = every_text()
    e_all = embed_texts(everything, given.cache)
    place = {text: at for at, text in enumerate(everything)}
    for seed in range(given.seeds):
        for entanglement in given.entanglement:
            effects = given.effect if entanglement > 0 else given.effect[:1]
            missing = [
                (effect, name)
                for effect in effects
                for name in (BASE, *(given.only or METHODS))
                if (entanglement, effect, seed, name) not in done
            ]
            if not missing:
                continue
            drawn = draw(entanglement, given.rows, seed, experiment=0)
            with tempfile.TemporaryDirectory() as folder:
                base = Path(folder) / "base"
                train_small_policy(drawn.contexts, drawn.texts, base, SmallRecipe(steps=given.base_steps, seed=seed))
                untuned = values(Policy(base), seed)
                for effect in effects:
                    wanted = [name for of, name in missing if of == effect]
                    log = with_effect(drawn, effect)
                    logs = log.logs()
                    e = np.asarray(e_all)[[place[text] for text in logs.texts]]
                    found = deconfound(logs, e, seed=seed) if set(wanted) - {BASE} else None
                    for name in wanted:
                        case = {"entanglement": entanglement, "effect": effect, "seed": seed, "method": name}
                        if name == BASE:
                            yield case | untuned
                        elif found is not None:
                            out = Path(folder) / f"{METHODS.index(name)} {effect}"
                            yield case | tuned_by(name, log, logs, e, found, base, out, given.pairs, seed)


def tuned_by(
    name: str, log: SimulatedLog, logs: Logs, e: Any, found: Deconfounded, base: Path, out: Path, most: int, seed: int
) -> dict[str, Any]:
    """The decoder tuned by one reward, and what it writes."""
    made = rewards(log, logs, e, found)[name]()
    # Only ours has an estimated γ̂ whose error could have made a difference.
    gamma_se = found.gamma_se if name == "ours" else np.zeros_like(found.gamma_se)
    pairs = pairs_by(logs, found, made, gamma_se, most, seed)
    tuned = tune(str(base), out, replace(TUNING, seed=seed), pairs, lambda *_: None)
    better = [truth(pair.chosen) - truth(pair.rejected) for pair in pairs]
    return values(Policy(base, out), seed) | {
        "pairs": len(pairs),
        "pairs_right": float(np.mean(np.sign(better)) / 2 + 0.5),
        "reward_and_truth": float(np.corrcoef(made.predicted, [truth(text) for text in logs.texts])[0, 1]),
        "seconds": tuned.seconds,
        "gamma_0": float(found.gamma[0]),
    }


def interval(values: Sequence[float]) -> str:
    """Mean and 95% interval of a few numbers (t)."""
    from leucippus.agents.estimators.regression import t_quantile

    found = np.asarray(values)
    half = t_quantile(0.95, len(found) - 1) * found.std(ddof=1) / len(found) ** 0.5 if len(found) > 1 else float("nan")
    return f"{found.mean():.3f} ± {half:.3f}"


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Markdown, one table for each world."""
    lines = []
    for world in sorted({(row["entanglement"], row["effect"]) for row in results}):
        by: dict[str, dict[int, Mapping[str, Any]]] = {}
        for row in results:
            if (row["entanglement"], row["effect"]) == world:
                by.setdefault(row["method"], {})[row["seed"]] = row
        base, ours, oracle = (by.get(name, {}) for name in (BASE, "ours", "oracle"))
        untuned = interval([row["value"] for row in base.values()])
        lines += [
            f"\nentanglement {world[0]:g}, effect of popularity {world[1]:+g}, {len(base)} seeds; untuned {untuned}\n",
            "| reward | true value | gain | share of the oracle's gain | ours less it | pairs right | corr(r, f) | a | b | headlines |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for name in METHODS:
            rows = {seed: row for seed, row in by.get(name, {}).items() if seed in base}
            if not rows:
                continue
            gain = {seed: row["value"] - base[seed]["value"] for seed, row in rows.items()}
            both = [s for s in gain if s in oracle]
            share = ""
            if both:  # of means: a single seed's oracle may hardly gain
                share = f"{sum(gain[s] for s in both) / sum(oracle[s]['value'] - base[s]['value'] for s in both):.0%}"
            less = [ours[s]["value"] - rows[s]["value"] for s in gain if s in ours]
            means = [
                f"{np.mean([row[what] for row in rows.values()]):{form}}"
                for what, form in (
                    ("pairs_right", ".1%"), ("reward_and_truth", ".3f"), ("a", ".2f"), ("b", ".2f"), ("headlines", ".1%")
                )
            ]  # fmt: skip
            lines.append(
                f"| {name} | {interval([row['value'] for row in rows.values()])} | {interval(list(gain.values()))} | {share} | "
                f"{interval(less) if less and name != 'ours' else ''} | {' | '.join(means)} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="JSON lines; added to")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--entanglement", type=float, nargs="+", default=[0.0, 0.5, 0.9])
    parser.add_argument("--effect", type=float, nargs="+", default=[1.0, -1.0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--base-steps", type=int, default=300)
    parser.add_argument("--only", action="append", choices=METHODS)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "leucippus-embeddings")
    parser.add_argument("--table", action="store_true", help="only print what --out holds")
    given = parser.parse_args()
    lines = given.out.read_text(encoding="utf-8").splitlines() if given.out.exists() else []
    results = [json.loads(line) for line in lines]
    if not given.table:
        done = {(row["entanglement"], row["effect"], row["seed"], row["method"]) for row in results}
        for result in cases(given, done):
            results.append(result)
            with given.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result, ensure_ascii=False) + "\n")
            print(json.dumps(result, ensure_ascii=False), file=sys.stderr, flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
