"""Do messages along edges and across triangles place concepts better than their words alone? And what do they cost?

    python benchmarks/manifold.py STORE [--seeds 5]             a store of claims; nothing is written to it
    python benchmarks/manifold.py FOLDER [FOLDER …]             texts, read with the packaged extractor first
    python benchmarks/manifold.py --scale [--nodes 100000] [--edges 300000] [--epochs 3] [--threads 2]

Quality: a fifth of the edges is held out, another one for each seed, and every method answers the same questions. A row
is the mean over seeds, its interval the mean of their bootstrap intervals; gains are of reciprocal rank, edge by edge.
The recipe was settled on other documents than one should report on. Scale: an invented graph with hubs and triangles.
"""

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leucippus.graphs.held_out import Interval
from leucippus.graphs.layout import clusters, lay_out
from leucippus.graphs.link_prediction import Recipe
from leucippus.graphs.manifold import METHODS, Comparison, Score, compare, learn
from leucippus.graphs.triangles import filled_triangles

Arrays = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int8], NDArray[np.float32]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", type=Path, help="a store, or folders of texts")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--scale", action="store_true")
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=300_000)
    parser.add_argument("--epochs", type=int, default=3, help="of the scale run")
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    parser.add_argument("--no-layout", action="store_true", help="leave the picture out of the scale run")
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    if given.scale:
        scale(given.nodes, given.edges, given.epochs, not given.no_layout)
    elif not given.sources:
        sys.exit("Name a store or folders of texts, or --scale.")
    elif given.sources[0].is_file():
        quality(from_store(given.sources[0]), given.seeds)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            store = Path(temporary) / "store.duckdb"
            asyncio.run(read(given.sources, store))
            quality(from_store(store), given.seeds)


async def read(folders: Sequence[Path], path: Path) -> None:
    """Texts → a woven store, as `leucippus extract` does it."""
    from leucippus.agents.extract import extract
    from leucippus.agents.extractors import connect_extractor
    from leucippus.config import load_settings
    from leucippus.serving.encoder import encode
    from leucippus.store.database import open_store
    from leucippus.store.weave import weave

    settings = load_settings()
    extractor = connect_extractor(settings)
    try:
        with open_store(path) as store:
            await extract(store, extractor, [str(folder) for folder in folders], settings.extract, encode=encode)
            weave(store, {"one": -1.0, "sources": 1.0})
    finally:
        await extractor.close()


def from_store(path: Path) -> Arrays:
    """Vectors of the nodes and the edges between them, each as strong as it is credible."""
    from leucippus.store.database import open_store

    with open_store(path, mode="read") as store:
        vectors = store.rows(
            "SELECT vector FROM nodes LEFT JOIN concept_vectors USING (concept_id) ORDER BY node",
        )
        edges = store.rows("SELECT cause, effect, sign(positive::INT - negative::INT), credibility FROM edges")
    if not edges or any(vector is None for (vector,) in vectors):
        sys.exit(f"{path} is not woven, or has concepts without vectors: `leucippus extract` makes both.")
    numbers = np.array(edges)
    features = np.array([vector for (vector,) in vectors], dtype=np.float32)
    return features, numbers[:, :2].astype(np.int64), numbers[:, 2].astype(np.int8), numbers[:, 3].astype(np.float32)


def quality(arrays: Arrays, seeds: int) -> None:
    features, edges, _, weights = arrays
    degree = np.bincount(edges.reshape(-1), minlength=len(features))
    corners = filled_triangles(edges, len(features), weights=weights)
    print(
        f"{len(features)} concepts, {len(edges)} edges, {len(corners)} filled triangles;"
        f" {(degree == 1).mean():.0%} of concepts have one edge",
        flush=True,
    )
    found: list[Comparison] = []
    for seed in range(seeds):
        began = time.monotonic()
        found.append(compare(*arrays, recipe=Recipe(seed=seed)))
        asked, linked = found[-1].asked, found[-1].linked
        print(f"seed {seed}: {asked} asked, {linked} linked, {time.monotonic() - began:.0f} s", flush=True)
    print("| method | AUC, random | AUC, plausible | direction | MRR | MRR, linked |\n|---|---|---|---|---|---|")
    for at, method in enumerate(METHODS):
        scores: list[Score] = [one.scores[at] for one in found]
        cells = [
            said([score.auc_random for score in scores]),
            said([score.auc_plausible for score in scores]),
            said([score.direction for score in scores]),
            said([score.mrr for score in scores]),
            said([score.mrr_linked for score in scores]),
        ]
        print(f"| {method} | {' | '.join(cells)} |")
    print("| gain in MRR | mean [95%] | seeds whose interval is above 0 | below 0 |\n|---|---|---|---|")
    for pair in found[0].gains:
        gains = [one.gains[pair] for one in found]
        above, below = sum(gain.low > 0 for gain in gains), sum(gain.high < 0 for gain in gains)
        print(f"| {pair[0]} over {pair[1]} | {said(gains)} | {above}/{seeds} | {below}/{seeds} |")


def said(intervals: Sequence[Interval]) -> str:
    mean, low, high = np.array([(one.mean, one.low, one.high) for one in intervals]).mean(axis=0)
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def invented(nodes: int, edges: int, seed: int = 0) -> Arrays:
    """Features in 200 groups; edges between hubs and others, and shortcuts i → k of paths i → j → k."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((200, 384), dtype=np.float32)
    features = centres[random.integers(0, 200, nodes)] + random.standard_normal((nodes, 384), dtype=np.float32)
    drawn = (random.random((2 * edges, 2)) ** 2 * nodes).astype(np.int64)
    first, rest = drawn[: edges // 2], drawn[edges // 2 :]
    ordered = first[np.argsort(first[:, 0], kind="stable")]
    low, high = (np.searchsorted(ordered[:, 0], first[:, 1], side=side) for side in ("left", "right"))
    onward = high > low
    further = ordered[(low + random.random(len(first)) * (high - low)).astype(np.int64)[onward], 1]
    every = np.concatenate((first, np.column_stack((first[onward, 0], further)), rest))
    every = every[every[:, 0] != every[:, 1]]
    _, where = np.unique(every, axis=0, return_index=True)
    every = every[np.sort(where)[:edges]]
    signs = random.integers(-1, 2, len(every)).astype(np.int8)
    return features, every, signs, random.integers(1, 4, len(every)).astype(np.float32)


def scale(nodes: int, edges: int, epochs: int, picture: bool) -> None:
    arrays = invented(nodes, edges)
    print(f"{nodes} nodes, {len(arrays[1])} edges; {memory():.1f} GB at the start", flush=True)
    began, processor = time.monotonic(), time.process_time()
    corners = filled_triangles(arrays[1], nodes, weights=arrays[3])
    print(f"{len(corners)} filled triangles in {time.monotonic() - began:.1f} s", flush=True)

    def report(epoch: int, loss: float, seconds: float) -> None:
        print(f"epoch {epoch}: loss {loss:.3f}, {seconds:.0f} s so far, {memory():.1f} GB at most", flush=True)

    began, processor = time.monotonic(), time.process_time()
    learned = learn(*arrays, "triangles", recipe=Recipe(epochs=epochs), report=report)
    seconds, busy = time.monotonic() - began, time.process_time() - processor
    print(
        f"{learned.epochs} epochs in {seconds:.0f} s ({seconds / max(learned.epochs, 1):.0f} s each,"
        f" {busy / max(learned.epochs, 1):.0f} s of processor); {memory():.1f} GB at most",
        flush=True,
    )
    if picture:
        began = time.monotonic()
        found = clusters(learned.representation, [f"concept {at}" for at in range(nodes)])
        print(f"{len(found)} clusters in {time.monotonic() - began:.0f} s", flush=True)
        for dimensions in (2, 3):
            began = time.monotonic()
            drawn = lay_out(learned.representation, dimensions=dimensions)
            print(f"{drawn.method}, {dimensions}-D, in {time.monotonic() - began:.0f} s; {memory():.1f} GB", flush=True)


def memory() -> float:
    """The most this process held so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
