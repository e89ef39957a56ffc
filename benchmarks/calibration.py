"""Are the engine's intervals honest, and do its checks see what is broken? Every world of the tests, over many draws.

    python benchmarks/calibration.py [--draws 200] [--only TEXT] [--workers 2]

For a world with a known truth: how many draws got a number, the share of 95% intervals that hold the truth (92-98% is
wanted), the share that exclude 0 (2-8% where the truth is 0), bias in standard deviations, and mean standard error over
standard deviation. For every world: the share of draws in which the check it breaks fails (90% is wanted), or, in a
clean one, in which a fatal check fails (10% at most).
"""

import argparse
import importlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests.agents.designs.simulation import Coverage, World, caught, cover

WORLDS = ROOT / "tests" / "agents" / "designs" / "worlds"


def worlds(only: str) -> Iterator[tuple[str, int, World]]:
    """(module, position, world): a world holds functions that do not pickle, so workers look it up again."""
    for path in sorted(WORLDS.glob("*.py")):
        if path.stem == "__init__":
            continue
        module = f"tests.agents.designs.worlds.{path.stem}"
        for position, world in enumerate(importlib.import_module(module).WORLDS):
            if only in f"{path.stem}: {world.name}":
                yield module, position, world


def measure(module: str, position: int, draws: int) -> tuple[Coverage | None, float | None]:
    world: World = importlib.import_module(module).WORLDS[position]
    if world.truth is not None:
        return cover(world, draws), None
    return None, caught(world, draws)


def verdict(world: World, found: Coverage | None, share: float | None) -> str:
    """The row's last cell: what is outside the limits."""
    if share is not None:
        return "ok" if share >= 0.9 else "CAUGHT TOO SELDOM"
    assert found is not None
    wrong = []
    if found.answered < 0.9 * found.draws:
        wrong.append("REFUSED TOO OFTEN")
    if not 0.92 <= found.covered <= 0.98:
        wrong.append("COVERAGE")
    if world.truth == 0 and not 0.02 <= found.rejected <= 0.08:
        wrong.append("FALSE POSITIVES")
    return ", ".join(wrong) or "ok"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--only", default="", help="worlds whose 'design: name' holds this text")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    rows = list(worlds(given.only))
    print("| world | truth | answered | covered | excludes 0 | bias/sd | se/sd | caught | |")
    print("|---|---|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(given.workers) as pool:
        jobs = [pool.submit(measure, module, position, given.draws) for module, position, _ in rows]
        for (module, _, world), job in zip(rows, jobs, strict=True):
            found, share = job.result()
            cells = (
                f" | | | | | {share:.1%}"
                if found is None
                else f"{found.answered}/{found.draws} | {found.covered:.1%} | {found.rejected:.1%} | {found.bias:+.2f} | "
                f"{found.se_ratio:.2f} | "
            )
            truth = "" if world.truth is None else f"{world.truth:g}"
            print(
                f"| {module.rsplit('.', 1)[1]}: {world.name} | {truth} | {cells} | {verdict(world, found, share)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
