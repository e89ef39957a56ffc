"""Filled triangles (2-simplices) of a directed graph: i → j, j → k and i → k are all there.

Knows only pairs of node numbers. An open path i → j → k is no triangle, and neither is a circle i → j → k → i.
"""

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

CAP = 32
"""Triangles kept for each node that owns some; a node with 100,000 neighbours then costs no more than another."""
_PAIRS_AT_ONCE = 2_000_000
"""Pairs of neighbours looked at together: about 100 MB."""


def filled_triangles(
    edges: NDArray[np.int64], nodes: int, *, weights: NDArray[np.float32] | None = None, cap: int = CAP
) -> NDArray[np.int64]:
    """The filled triangles among `edges`.

    Each belongs to the one of its three nodes with the fewest neighbours (of equals, the lower number), and each node
    keeps the `cap` of its own whose weakest edge is strongest (of equals, the lowest numbers). So there are at most
    `cap` × `nodes`, whatever the degrees, and the order of `edges` does not matter. Nodes are ordered by degree and
    triangles looked for from their lowest node (Chiba & Nishizeki 1985): O(m^1.5) pairs at worst.

    Parameters
    ----------
    edges : shape (m, 2), source and target; loops and repeated edges are passed over.
    weights : shape (m,), how strong each edge is; none = all alike. A repeated edge is as strong as its strongest.

    Returns
    -------
    Shape (t, 3): i, j, k, in ascending order.
    """
    edges = edges.astype(np.int64, copy=False).reshape(-1, 2)
    strengths = np.ones(len(edges), dtype=np.float32) if weights is None else weights.astype(np.float32)
    proper = edges[:, 0] != edges[:, 1]
    edges, strengths = edges[proper], strengths[proper]
    if not len(edges):
        return np.empty((0, 3), dtype=np.int64)
    keys, which = np.unique(edges[:, 0] * nodes + edges[:, 1], return_inverse=True)
    strongest = np.full(len(keys), -np.inf, dtype=np.float32)
    np.maximum.at(strongest, which, strengths)

    low, high = np.minimum(*edges.T), np.maximum(*edges.T)
    pairs = np.unique(low * nodes + high)
    low, high = np.divmod(pairs, nodes)
    degree = np.bincount(low, minlength=nodes) + np.bincount(high, minlength=nodes)
    rank = np.empty(nodes, dtype=np.int64)
    rank[np.lexsort((np.arange(nodes), degree))] = np.arange(nodes)
    swapped = rank[low] > rank[high]
    owner, other = np.where(swapped, high, low), np.where(swapped, low, high)
    order = np.lexsort((other, owner))
    owner, other = owner[order], other[order]
    starts = np.searchsorted(owner, np.arange(nodes + 1))

    found = [np.empty((0, 3), dtype=np.int64)]
    for first, last in _shares(np.diff(starts)):
        corners = _corners(other, starts, first, last)
        closed = np.isin(np.minimum(*corners[:, 1:].T) * nodes + np.maximum(*corners[:, 1:].T), pairs)
        found.append(_best(corners[closed], keys, strongest, nodes, cap))
    triangles = np.concatenate(found)
    return np.asarray(triangles[np.lexsort(triangles.T[::-1])])


def _shares(counts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Runs of owners with about as many pairs of neighbours as may be looked at together; a run is never empty."""
    total = np.cumsum(counts * (counts - 1) // 2)
    runs, first = [], 0
    while first < len(counts):
        before = total[first - 1] if first else 0
        last = max(int(np.searchsorted(total, before + _PAIRS_AT_ONCE, side="right")), first + 1)
        runs.append((first, last))
        first = last
    return runs


def _corners(other: NDArray[np.int64], starts: NDArray[np.int64], first: int, last: int) -> NDArray[np.int64]:
    """Each owner of the run with every pair of its higher neighbours, shape (pairs, 3)."""
    counts = starts[first + 1 : last + 1] - starts[first:last]
    # Position p of a list of d neighbours is paired with the d - 1 - p after it.
    positions = np.arange(starts[first], starts[last])
    ends = np.repeat(starts[first + 1 : last + 1], counts)
    after = ends - positions - 1
    one = np.repeat(positions, after)
    within = np.arange(len(one)) - np.repeat(np.cumsum(after) - after, after)
    owners = np.repeat(np.repeat(np.arange(first, last), counts), after)
    return np.column_stack((owners, other[one], other[one + 1 + within]))


def _best(
    corners: NDArray[np.int64], keys: NDArray[np.int64], strongest: NDArray[np.float32], nodes: int, cap: int
) -> NDArray[np.int64]:
    """The `cap` best filled triangles of each owner, the first of `corners`, in whichever orders they are filled."""
    made, owners, scores = [], [], []
    for turned in permutations(range(3)):
        i, j, k = corners[:, turned].T
        sides = np.column_stack((i * nodes + j, j * nodes + k, i * nodes + k))
        at = np.searchsorted(keys, sides).clip(max=len(keys) - 1)
        filled = (keys[at] == sides).all(axis=1)
        made.append(np.column_stack((i, j, k))[filled])
        owners.append(corners[filled, 0])
        scores.append(strongest[at[filled]].min(axis=1))
    triangles, owner, score = np.concatenate(made), np.concatenate(owners), np.concatenate(scores)
    order = np.lexsort((*triangles.T[::-1], -score, owner))
    triangles, owner = triangles[order], owner[order]
    place = np.arange(len(owner)) - np.searchsorted(owner, owner)
    return np.asarray(triangles[place < cap])
