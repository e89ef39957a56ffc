"""The deconfounded reward on real sentences: what people said of them is their worth, the confounder is drawn.

    python benchmarks/deconfound_real.py SDIST [--seeds 20] [--repeats 4] [--texts 6000] [--entanglements 0 0.3 0.6 0.9]

The worth of a sentence is the mean rating of twenty people (Hutto and Gilbert 2014), standardised; popularity goes with it
as strongly as is asked and adds to the outcome. No embedding tells a rating well, so this is the hard case: with --repeats 1
every sentence is shown once, and what the embedding misses stays in both residuals; with more, sentences have means of
their own. Arms and measures are those of `deconfound.py`, about sentences that the log does not show.

SDIST is the source distribution of vaderSentiment 3.3.2 (MIT), which holds the sentences and the ratings:
pip download --no-deps --no-binary :all: vaderSentiment==3.3.2
"""

import argparse
import tarfile
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from deconfound import PAIRS, Unseen, drawn, measured, progress, show_rewards

from leucippus.training.deconfound.embed import embed_texts
from leucippus.training.deconfound.logs import Floats, Logs, LogSpec
from leucippus.training.deconfound.simulated import GAMMA


def real_texts(sdist: Path) -> tuple[list[str], Floats]:
    """Sentences and the mean rating of each, standardised: from tweets, films, products and editorials."""
    found: dict[str, float] = {}
    with tarfile.open(sdist) as outer:
        inner = next(name for name in outer.getnames() if name.endswith("hutto_ICWSM_2014.tar.gz"))
        held = outer.extractfile(inner)
        assert held is not None
        with tarfile.open(fileobj=BytesIO(held.read())) as archive:
            for name in sorted(archive.getnames()):
                if name.endswith("_GroundTruth.txt") and "/._" not in name:
                    member = archive.extractfile(name)
                    assert member is not None
                    for line in member.read().decode("utf-8", "replace").splitlines():
                        cells = line.split("\t")
                        if len(cells) == 3 and 10 <= len(cells[2].strip()) <= 400:
                            found.setdefault(cells[2].strip(), float(cells[1]))
    f = np.array(list(found.values()))
    return list(found), (f - f.mean()) / f.std()


def real(sdist: Path, folder: Path, most: int) -> Callable[[float, int, int], dict[str, Any]]:
    """(entanglement, repeats, seed) → one draw over real sentences."""
    texts, f = real_texts(sdist)
    kept = np.sort(np.random.default_rng(0).permutation(len(texts))[: 2 * most])
    texts, f = [texts[i] for i in kept], f[kept]
    e = np.asarray(embed_texts(texts, folder, progress))

    def one(entanglement: float, repeats: int, seed: int) -> dict[str, Any]:
        random = np.random.default_rng([seed, repeats, round(1000 * entanglement)])
        order = random.permutation(len(texts))
        shown, left = order[: len(texts) // 2], order[len(texts) // 2 :]
        text_of = np.repeat(np.arange(len(shown)), repeats)
        n = len(text_of)
        of_row = f[shown][text_of]
        popularity = entanglement * of_row + np.sqrt(1 - entanglement**2) * random.standard_normal(n)
        weekend = (random.random(n) < 2 / 7).astype(np.float64)
        effects = GAMMA[0] * popularity + GAMMA[1] * weekend
        y = of_row + effects + random.standard_normal(n)
        spec = LogSpec("sentence", "outcome", ("popularity", "weekend"))
        c = np.asfortranarray(np.column_stack([popularity, weekend]))
        logs = Logs(
            spec, [texts[i] for i in shown], text_of, y, c, spec.confounders, None, None, None, None, None, None, None, "", {}
        )  # fmt: skip
        pairs = random.integers(len(left), size=(PAIRS, 2))
        pairs = pairs[np.abs(f[left][pairs[:, 0]] - f[left][pairs[:, 1]]) > 0.5]
        return measured(logs, e[shown], y - effects + effects.mean(), GAMMA, Unseen(e[left], f[left], pairs), seed)

    return one


def main() -> int:
    """Draw and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sdist", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--entanglements", type=float, nargs="+", default=[0.0, 0.3, 0.6, 0.9])
    parser.add_argument("--repeats", type=int, default=4, help="rows of each sentence")
    parser.add_argument("--texts", type=int, default=6_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "leucippus-deconfound")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    one = real(given.sdist, given.folder, given.texts)
    todo = [
        ({"entanglement": level, "repeats": given.repeats, "texts": given.texts, "seed": seed},
         lambda level=level, seed=seed: one(level, given.repeats, seed))
        for level in given.entanglements for seed in range(given.seeds)
    ]  # fmt: skip
    return 0 if show_rewards(drawn(given.folder / "real.jsonl", todo)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
