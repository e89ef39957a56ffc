"""Where concepts stand and what goes together, when nobody said: quick, seeded, arithmetic alone.

Communities by label propagation (Raghavan, Albert and Kumara 2007). Places: communities as discs, their members on a
spiral, then rounds in which links pull and concepts push each other away (Fruchterman and Reingold 1991).
"""

import math

import numpy as np
from numpy.typing import NDArray

Ends = NDArray[np.int64]
"""Numbers of nodes at one end of each link, shape (links,)."""
Points = NDArray[np.float64]
"""Places, shape (nodes, 2)."""

_ROUNDS = 12
"""Rounds of label propagation; labels seldom change after the tenth."""
_STEPS = 60
"""Rounds of pulling and pushing."""
_EXACT = 700
"""Up to as many nodes each pushes every other; of more, the middles of the largest groups push, as heavy as they are."""
_BODIES = 64
"""Groups that push from afar."""
_NEAR = 8
"""Nodes close by that push as well, found by sorting into cells."""
_HOME = 0.5
"""Pull to the middle over the distance from it: parts without a link between them fill a disc, half a node a unit of area
or less, and do not drift apart."""
_GOLDEN = math.pi * (3 - math.sqrt(5))


def communities(
    causes: Ends, effects: Ends, weights: Points, nodes: int, *, most: int = 20, seed: int = 0
) -> NDArray[np.int64]:
    """A community for every node, numbered from the largest, shape (nodes,).

    Parameters
    ----------
    weights : of the links, shape (links,).
    most : communities beyond as many join a larger one that they are linked with; what has no such link stays apart.
    """
    random = np.random.default_rng(seed)
    labels = np.arange(nodes)
    here, there = np.concatenate([causes, effects]), np.concatenate([effects, causes])
    weight = np.concatenate([weights, weights])
    for _ in range(_ROUNDS):
        keys, places = np.unique(here * nodes + labels[there], return_inverse=True)
        totals = np.bincount(places, weights=weight, minlength=len(keys))
        order = np.lexsort((keys, -totals, keys // nodes))
        node, first = np.unique(keys[order] // nodes, return_index=True)
        best = keys[order][first] % nodes
        # Half of the nodes at a time: all at once would swap labels for ever.
        moves = random.random(len(node)) < 0.5
        labels[node[moves]] = best[moves]
    return _by_size(_absorbed(_by_size(labels), causes, effects, weights, most))


def _absorbed(groups: NDArray[np.int64], causes: Ends, effects: Ends, weights: Points, most: int) -> NDArray[np.int64]:
    """Groups beyond the `most` largest join the one of those that most of their weight leads to, in a few rounds."""
    count = int(groups.max()) + 1
    goes = np.arange(count)
    for _ in range(_ROUNDS):
        small = goes >= most
        if not small.any():
            break
        one, other = goes[groups[causes]], goes[groups[effects]]
        here, there, weight = np.concatenate([one, other]), np.concatenate([other, one]), np.concatenate([weights] * 2)
        outwards = (here >= most) & (there < most)
        totals = np.bincount(here[outwards] * most + there[outwards], weight[outwards], count * most)
        tied = totals.reshape(count, most)
        goes = np.where((goes >= most) & (tied[goes].sum(axis=1) > 0), tied[goes].argmax(axis=1), goes)
    return goes[groups]


def _by_size(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups numbered from 0, the largest first."""
    _, numbered, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[numbered]


def places(causes: Ends, effects: Ends, groups: NDArray[np.int64], *, seed: int = 0) -> Points:
    """A place for every node; nodes of one group start together, the best linked in its middle.

    Parameters
    ----------
    groups : a group for every node, numbered from 0, shape (nodes,).
    """
    nodes = len(groups)
    degrees = np.bincount(causes, minlength=nodes) + np.bincount(effects, minlength=nodes)
    points = _discs(groups, degrees)
    if nodes < 3:
        return points
    random = np.random.default_rng(seed)
    # Hubs are drawn less by each of their many links, or everything would end in one heap around them.
    ease = 1 / np.sqrt(np.minimum(degrees[causes], degrees[effects]).clip(1))
    hottest = math.sqrt(nodes) / 8
    for step in range(_STEPS):
        apart = points[effects] - points[causes]
        drawn = apart * (np.sqrt((apart**2).sum(1)) * ease)[:, None]
        moved = _repulsion(points, groups, random) - _HOME * points
        for axis in (0, 1):
            moved[:, axis] += np.bincount(causes, drawn[:, axis], nodes) - np.bincount(effects, drawn[:, axis], nodes)
        length = np.sqrt((moved**2).sum(1)) + 1e-9
        heat = hottest * (1 - step / _STEPS) ** 2 + 0.02
        points += moved * (np.minimum(length, heat) / length)[:, None]
    return _gathered(points)


def _gathered(points: Points) -> Points:
    """What lies far outside is brought to the rim, or a few stray pairs would shrink everything else."""
    from_middle = points - np.median(points, axis=0)
    distance = np.sqrt((from_middle**2).sum(1))
    rim = 1.15 * float(np.quantile(distance, 0.97)) + 1e-9
    kept = np.where(distance > rim, rim * (1 + 0.08 * np.log(np.maximum(distance, rim) / rim)), distance)
    return np.asarray(from_middle * (kept / np.maximum(distance, 1e-9))[:, None])


def _repulsion(points: Points, groups: NDArray[np.int64], random: np.random.Generator) -> Points:
    """Push of one over the distance (Fruchterman and Reingold 1991), from afar and from close by; shape (nodes, 2)."""
    nodes = len(points)
    if nodes <= _EXACT:
        return _push(points, points, np.ones(nodes))
    heavy = groups < _BODIES
    masses = np.bincount(groups[heavy], minlength=_BODIES).astype(np.float64)
    sums = np.stack([np.bincount(groups[heavy], points[heavy, axis], _BODIES) for axis in (0, 1)], axis=1)
    pushed = _push(points, sums / masses.clip(1)[:, None], masses, softening=masses.clip(1))
    # Neighbours in the order of cells: a grid laid anew each time, so that no border between cells stays.
    cells = np.floor((points + random.random(2) * 3) / 3).astype(np.int64)
    order = np.lexsort((random.random(nodes), cells[:, 1], cells[:, 0]))
    for step in range(1, _NEAR + 1):
        here, there = order[:-step], order[step:]
        apart = points[here] - points[there]
        push = apart / ((apart**2).sum(1) + 0.05)[:, None]
        pushed[here] += push
        pushed[there] -= push
    return pushed


def _push(points: Points, bodies: Points, masses: Points, *, softening: Points | float = 1e-3) -> Points:
    across = points[:, 0, None] - bodies[None, :, 0]
    down = points[:, 1, None] - bodies[None, :, 1]
    weight = masses / (across**2 + down**2 + softening)
    return np.stack([(across * weight).sum(1), (down * weight).sum(1)], axis=1)


def _discs(groups: NDArray[np.int64], degrees: NDArray[np.int64]) -> Points:
    """Each group a disc of spirally placed members, the discs on a spiral of their own, the largest in the middle."""
    sizes = np.bincount(groups)
    radii = np.sqrt(sizes)
    by_size = np.argsort(-sizes, kind="stable")
    centres = np.zeros((len(sizes), 2))
    covered = 0.0
    for turn, group in enumerate(by_size):
        # Discs cover the plane outwards: as much area inside as has been placed so far, and some air.
        distance = 1.1 * math.sqrt(covered) + (radii[group] if turn else 0.0)
        centres[group] = distance * np.array([math.cos(turn * _GOLDEN), math.sin(turn * _GOLDEN)])
        covered += float(radii[group]) ** 2
    order = np.lexsort((-degrees, groups))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    within = np.empty(len(groups), dtype=np.int64)
    within[order] = np.arange(len(groups)) - starts[groups[order]]
    spread = np.sqrt(within + 0.5)
    spiral = np.stack([np.cos(within * _GOLDEN), np.sin(within * _GOLDEN)], axis=1)
    return np.asarray(centres[groups] + spread[:, None] * spiral)
