"""What the models of nuisance see of a text: its embedding, and which words stand in it.

An embedding blurs: of a phrase that decides the outcome it tells most, not all, and what it does not tell stays in both
residuals and biases γ̂ as much as text and confounder go together. Words and pairs of words are hashed into a few hundred
signed counts beside it. A reward model for new texts sees embeddings alone.

References
----------
Weinberger et al. (2009), ICML: feature hashing. Chernozhukov et al. (2018): the bias is the product of the two errors.
"""

import re
from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from leucippus.training.deconfound.logs import Floats, Ints

_MANY = 20_000
"""Texts from which on there are enough to learn twice the words."""
_BUCKETS = 512
_MOST_WORDS = 256
_WORD = re.compile(r"\w+|[^\w\s]")


class Features:
    """Rows (m, D) of centred features in two parts, the embeddings and the words; dense only where asked for."""

    def __init__(self, e: NDArray[np.float32], count: Floats, words: Any = None) -> None:
        """`count` (m,) weighs the texts in mean and scale; `words` is sparse, (m, buckets)."""
        self._e, self._words = e, words
        total = max(float(count.sum()), np.finfo(float).tiny)
        self._e_mean, self._e_scale = _moments(e, count, total)
        if words is not None:
            mean = np.asarray(words.T @ count).ravel() / total
            square = np.asarray(words.multiply(words).T @ count).ravel() / total
            self._w_mean = mean.astype(np.float32)
            self._w_scale = np.float32(1 / max(float(np.sqrt((square - mean**2).mean())), 1e-12))

    def __len__(self) -> int:
        return len(self._e)

    @property
    def width(self) -> int:
        return int(self._e.shape[1] + (0 if self._words is None else self._words.shape[1]))

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers of first features that make sense by themselves: the embeddings, and all."""
        d = int(self._e.shape[1])
        return (d,) if self._words is None else (d, self.width)

    @property
    def centre(self) -> Floats:
        """(d,) mean of the embeddings."""
        return np.asarray(self._e_mean, dtype=np.float64)

    @property
    def scale(self) -> float:
        """What embeddings are multiplied with once they are centred."""
        return float(self._e_scale)

    def alone(self) -> "Features":
        """The embeddings without the words."""
        other = Features.__new__(Features)
        other._e, other._words, other._e_mean, other._e_scale = self._e, None, self._e_mean, self._e_scale
        return other

    def block(self, at: Ints) -> NDArray[np.float32]:
        """(len(at), D)."""
        e = (self._e[at] - self._e_mean) * self._e_scale
        if self._words is None:
            return np.asarray(e, dtype=np.float32)
        words = (self._words[at].toarray() - self._w_mean) * self._w_scale
        return np.concatenate([e, words], axis=1, dtype=np.float32)


def features_of(e: NDArray[np.float32], count: Floats, texts: Sequence[str] | None) -> Features:
    """Embeddings (m, d) and, where the texts are given, their words."""
    return Features(e, count, None if texts is None else hashed_words(texts))


def hashed_words(texts: Sequence[str]) -> Any:
    """Sparse (m, buckets) rows of unit length: words and pairs of words, each in a bucket and with a sign."""
    from scipy.sparse import csr_matrix

    buckets = _BUCKETS * (1 + (len(texts) >= _MANY))
    known: dict[str, int] = {}
    starts, places, values = array("q", [0]), array("i"), array("f")
    for text in texts:
        words = _WORD.findall(text.lower())[:_MOST_WORDS]
        found: dict[int, int] = {}
        for term in {*words, *map(" ".join, pairwise(words))}:
            code = known.get(term)
            if code is None:
                code = known[term] = crc32(term.encode())
            place = code % buckets
            found[place] = found.get(place, 0) + (1 if code >> 31 else -1)
        length = sum(value * value for value in found.values()) ** 0.5 or 1.0
        places.extend(found)
        values.extend(value / length for value in found.values())
        starts.append(len(places))
        if len(known) > 1_000_000:
            known.clear()
    return csr_matrix(
        (np.array(values), np.array(places), np.array(starts)),
        shape=(len(texts), buckets),
    )


def _moments(e: NDArray[np.float32], count: Floats, total: float) -> tuple[NDArray[np.float32], np.float32]:
    """Weighted mean (d,) and one over the root mean variance."""
    mean, square = np.zeros(e.shape[1]), 0.0
    for start in range(0, len(e), 8_192):
        part = np.asarray(e[start : start + 8_192], dtype=np.float64)
        weight = count[start : start + 8_192]
        mean += weight @ part
        square += float(weight @ (part**2).mean(axis=1))
    mean /= total
    variance = square / total - float((mean**2).mean())
    return mean.astype(np.float32), np.float32(1 / max(variance, 1e-24) ** 0.5)
