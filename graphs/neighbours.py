"""Which of many vectors lie close together, without comparing all pairs.

Sorted neighbourhoods: every vector gets the bits that say on which side of random planes it lies, and is compared with
those next to it when all are put in the order of their bits, several times over with other planes. Charikar, "Similarity
estimation techniques from rounding algorithms", STOC 2002. Few vectors are compared all with all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ALL_PAIRS = 4000
"""Vectors up to which all pairs are looked at: 16 million products, half a second."""
_BITS = 60
_AT_ONCE = 65536
"""Vectors worked on at a time: 100 MB."""


@dataclass(frozen=True)
class Near:
    """Pairs of rows with `one < other`, each once, in that order; arrays of shape (pairs,)."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    cosine: NDArray[np.float32]


def near_pairs(vectors: NDArray[np.float32], *, least: float, passes: int = 8, beside: int = 8, seed: int = 0) -> Near:
    """Pairs of rows with a cosine of at least `least`.

    Time is proportional to n · (passes · beside + log n) for n rows. Not all pairs are found among more than 4,000 rows:
    the closer two are and the fewer there are, the likelier.

    Parameters
    ----------
    vectors : unit length, shape (n, dimensions).
    passes : orders they are put in. beside : how many that follow in an order each is compared with.
    """
    count = len(vectors)
    found = _all_pairs(vectors, least) if count <= _ALL_PAIRS else _beside(vectors, least, passes, beside, seed)
    keys = [low * count + high for low, high, _ in found]
    cosines = [cosine for _, _, cosine in found]
    if not keys:
        return Near(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    unique, first = np.unique(np.concatenate(keys), return_index=True)
    return Near(unique // count, unique % count, np.concatenate(cosines)[first])


_Found = list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]


def _all_pairs(vectors: NDArray[np.float32], least: float) -> _Found:
    found: _Found = []
    for start in range(0, len(vectors), 1000):
        block = vectors[start : start + 1000] @ vectors[start:].T
        row, column = np.nonzero(block >= least)
        later = column > row
        row, column = row[later].astype(np.int64), column[later].astype(np.int64)
        found.append((row + start, column + start, block[row, column]))
    return found


def _beside(vectors: NDArray[np.float32], least: float, passes: int, beside: int, seed: int) -> _Found:
    count, dimensions = vectors.shape
    random = np.random.default_rng(seed)
    weights = (1 << np.arange(_BITS, dtype=np.int64))[::-1]
    found: _Found = []
    for _ in range(passes):
        planes = random.standard_normal((dimensions, _BITS), dtype=np.float32)
        sides = np.concatenate(
            [(vectors[at : at + _AT_ONCE] @ planes > 0) @ weights for at in range(0, count, _AT_ONCE)]
        )
        order = np.argsort(sides, kind="stable")
        for at in range(0, count, _AT_ONCE):
            chosen = order[at : at + _AT_ONCE + beside]
            block = vectors[chosen]
            for step in range(1, min(beside, len(chosen) - 1) + 1):
                cosine = np.einsum("ij,ij->i", block[:-step], block[step:])[:_AT_ONCE]
                (close,) = np.nonzero(cosine >= least)
                one, other = chosen[close], chosen[close + step]
                found.append((np.minimum(one, other), np.maximum(one, other), cosine[close]))
    return found
