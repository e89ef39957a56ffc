"""Where concepts are drawn, and the clusters they fall into, with names. The same input gives the same picture.

Knows rows of numbers and names; where they come from is graphs/manifold.py.
"""

import math
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.store.concepts import concept_words, singular

FEWEST_FOR_UMAP = 10
"""With fewer concepts UMAP has no neighbourhoods to keep, and the two principal directions are drawn instead."""
_NEIGHBOURS = 15
_SPECTRAL_UP_TO = 20_000
"""Beyond, eigenvectors of the neighbour graph take longer than all the rest; the principal directions start it instead."""
_PER_CLUSTER = 40
_MOST_CLUSTERS = 60
"""More than can be told apart on a picture, and than anybody reads."""
_LEARNT_FROM = 20_000
"""Concepts that the centres are found with; the others join the nearest."""
_WORDS = 3
_LONGEST_WORD, _LONGEST_NAME = 30, 80
_EMPTY = frozenset({
    "a", "all", "an", "and", "any", "are", "as", "at", "be", "been", "being", "but", "by", "can", "could", "did", "do",
    "does", "due", "for", "from", "had", "has", "have", "he", "her", "his", "how", "if", "in", "into", "is", "it", "its",
    "may", "might", "more", "most", "much", "no", "not", "of", "on", "or", "other", "our", "out", "over", "own", "she",
    "should", "so", "some", "such", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this",
    "those", "to", "too", "under", "up", "very", "was", "we", "were", "what", "when", "which", "while", "who", "will",
    "with", "would", "you", "your",
})  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """A picture. `method` says how it was drawn: umap or pca."""

    places: NDArray[np.float32]
    """Shape (n, 2) or (n, 3), about the middle, the farthest at distance 1."""
    method: str


@dataclass(frozen=True)
class Cluster:
    """Concepts that lie together. No two clusters of a call bear one name."""

    name: str
    central: int
    """The member nearest to the middle."""
    members: NDArray[np.int64]
    """Ascending."""


def lay_out(representation: NDArray[np.float32], *, dimensions: int = 2, seed: int = 42) -> Layout:
    """Draw rows so that those alike by cosine lie close: UMAP (McInnes, Healy & Melville 2018), or for few rows PCA.

    Parameters
    ----------
    representation : shape (n, width). dimensions : 2 or 3.

    Raises
    ------
    InputError : not rows of numbers, or another number of dimensions.
    """
    _check(representation)
    if dimensions not in (2, 3):
        raise InputError(f"A picture of {dimensions} dimensions.", expected="2 or 3")
    unit = _unit(representation)
    start = _principal(unit, dimensions)
    # Rows all alike have no nearest ones; UMAP would place them by chance.
    if len(unit) < FEWEST_FOR_UMAP or not start.any():
        return Layout(_framed(start), "pca")
    from umap import UMAP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed means one thread, and a graph in pieces is placed piece by piece
        drawn = UMAP(
            n_components=dimensions,
            n_neighbors=min(_NEIGHBOURS, len(unit) - 1),
            metric="cosine",
            init="spectral" if _spectral(len(unit), dimensions) else "pca",
            random_state=seed,
            n_jobs=1,
        ).fit_transform(_nowhere_else(unit))
    return Layout(_framed(np.asarray(drawn, dtype=np.float64)), "umap")


def clusters(
    representation: NDArray[np.float32], names: Sequence[str], *, count: int | None = None, seed: int = 42
) -> list[Cluster]:
    """Concepts in groups by k-means on unit rows, that is by cosine; the largest group first.

    K-means, as every concept then has a cluster and as many are found as can be shown: density (HDBSCAN) calls most
    short phrases noise, and communities of the graph follow its pieces, of which a store of few documents has as many
    as claims.

    Parameters
    ----------
    representation : shape (n, width). names : of the concepts, n.
    count : of clusters; none = one for each 40 concepts, 60 at most. Fewer come back where rows are alike.

    Raises
    ------
    InputError : not rows of numbers, not as many names, or no cluster asked for.
    """
    _check(representation)
    if len(names) != len(representation):
        raise InputError(f"{len(names)} names for {len(representation)} concepts.", expected="one each")
    if count is not None and count < 1:
        raise InputError(f"{count} clusters.", expected="1 or more")
    if not len(names):
        return []
    unit = _unit(representation)
    label = _labels(unit, count or min(_MOST_CLUSTERS, max(1, round(len(names) / _PER_CLUSTER))), seed)
    groups = [np.flatnonzero(label == at) for at in np.unique(label)]
    groups.sort(key=lambda members: (-len(members), int(members[0])))
    central = [_central(unit, members) for members in groups]
    named = _names(names, groups, central)
    return [Cluster(*one) for one in zip(named, central, groups, strict=True)]


def _labels(unit: NDArray[np.float64], count: int, seed: int) -> NDArray[np.int64]:
    different = len(np.unique(unit.round(9), axis=0)) if len(unit) <= _LEARNT_FROM else count
    count = min(count, different)
    if count == 1:
        return np.zeros(len(unit), dtype=np.int64)
    from sklearn.cluster import KMeans

    learnt = unit
    if len(unit) > _LEARNT_FROM:
        learnt = unit[np.sort(np.random.default_rng(seed).permutation(len(unit))[:_LEARNT_FROM])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that fewer rows differ than clusters are asked for: then fewer come back
        found = KMeans(count, n_init=3, random_state=seed).fit(learnt)
    return np.asarray(found.predict(unit), dtype=np.int64)


def _central(unit: NDArray[np.float64], members: NDArray[np.int64]) -> int:
    likeness = unit[members] @ unit[members].mean(axis=0)
    return int(members[int(likeness.round(9).argmax())])


def _names(names: Sequence[str], groups: Sequence[NDArray[np.int64]], central: Sequence[int]) -> list[str]:
    """The words that tell each cluster from the others: many of its concepts bear them, few others do (c-TF-IDF)."""
    within = [Counter(word for at in members for word in _telling(names[int(at)])) for members in groups]
    overall: Counter[str] = Counter()
    for counts in within:
        overall.update(counts)
    mean = sum(overall.values()) / len(groups)
    found: list[str] = []
    for counts, middle in zip(within, central, strict=True):
        most = sorted(counts, key=lambda word: (-counts[word] * math.log(1 + mean / overall[word]), word))
        words = [word for word in most if counts[word] > 1 or len(counts) <= _WORDS][:_WORDS]
        name = ", ".join(words) or _short(names[middle]) or "other"
        if name in found:
            name = f"{name}: {_short(names[middle])}"
        number = 2
        while name in found:  # several clusters without one word of their own
            name, number = f"{name.rsplit(' (', 1)[0]} ({number})", number + 1
        found.append(name)
    return found


def _telling(name: str) -> set[str]:
    """The words of a name that may stand for a cluster, each once."""
    words = {singular(word[:_LONGEST_WORD]) for word in concept_words(_short(name))}
    return {word for word in words if word not in _EMPTY and len(word) > 1 and not word.isdecimal()}


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…"


def _unit(representation: NDArray[np.float32]) -> NDArray[np.float64]:
    rows = representation.astype(np.float64)
    long = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(long > 0, long, 1.0))


def _nowhere_else(unit: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows of zeros get a direction of their own, which no other row has any of."""
    zero = ~unit.any(axis=1, keepdims=True)
    return np.concatenate((unit, zero), axis=1).astype(np.float32) if zero.any() else unit.astype(np.float32)


def _principal(unit: NDArray[np.float64], dimensions: int) -> NDArray[np.float64]:
    """The rows along their first directions of greatest spread; shape (n, dimensions), missing directions are 0."""
    if not len(unit):
        return np.zeros((0, dimensions))
    about = unit - unit.mean(axis=0)
    about[np.abs(about) < 1e-9] = 0.0
    _, directions = np.linalg.eigh(about.T @ about)
    directions = directions[:, ::-1][:, :dimensions]
    # A direction and its opposite are as good: its largest number is made positive, so that the picture is one.
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=0)[None, :], axis=0)
    drawn = about @ (directions * np.where(largest < 0, -1.0, 1.0))
    return np.pad(drawn, ((0, 0), (0, dimensions - drawn.shape[1])))


def _spectral(rows: int, dimensions: int) -> bool:
    # The eigenvectors need a few more rows than they are many.
    return 2 * dimensions + 4 < rows <= _SPECTRAL_UP_TO


def _framed(places: NDArray[np.float64]) -> NDArray[np.float32]:
    if not len(places):
        return places.astype(np.float32)
    about = places - places.mean(axis=0)
    farthest = float(np.linalg.norm(about, axis=1).max())
    return np.asarray(about / (farthest or 1.0), dtype=np.float32)


def _check(representation: NDArray[np.float32]) -> None:
    if representation.ndim != 2 or representation.shape[1] == 0:
        raise InputError(f"A representation of shape {representation.shape}.", expected="one row of numbers a concept")
    if not np.isfinite(representation).all():
        bad = int(np.flatnonzero(~np.isfinite(representation).all(axis=1))[0])
        raise InputError(f"Row {bad} holds something that is no number.", next_step="Place the concepts again.")
