"""Documents that repeat another: the same news in two papers, a press release quoted whole in a longer article.

Pure: words in, echoes out. Two texts are compared by their shingles, runs of five words, hashed; of a text only the
smallest hashes are kept, one in eight, so that what is kept of two texts is the same sample of what they share (Broder,
1997, On the resemblance and containment of documents). Who shares any hash with whom is found by sorting all hashes,
never by comparing all pairs; each hash is known for its first few documents only, so that a sentence that stands in
everything costs no more than any other.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

SHINGLE = 5
"""Words in a row. Shorter runs are common turns of phrase, longer ones are lost to every small edit."""
LIKE = 0.6
"""Share of the shingles of the one that stand in the other. One word in ten exchanged leaves 0.9⁵ = 0.59."""
LEAST_PART = 0.2
"""How much of a later document its origin makes up: a quoted paragraph does not make a book an echo."""
_KEPT = 8
"""Of so many hashes one is kept."""
_ALWAYS_KEPT = 48
"""Hashes that are kept in any case: a short text has no others."""
_ENOUGH = 8
"""Hashes of a sample that tell anything about the text."""
_OWNERS = 8
"""Documents that a hash is known for."""
_PARTS = 16
"""The hashes are sorted a part at a time, to need less memory."""
_WORD = re.compile(r"\w+")
_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class Sketch:
    """What is kept of one text: its smallest hashes, sorted, all of which are at most `up_to`."""

    hashes: Hashes
    shingles: int
    up_to: int


class Echo(NamedTuple):
    """The document at position `document` repeats the one at `origin`, which repeats none itself."""

    document: int
    origin: int
    likeness: float


def sketch(text: str) -> Sketch:
    """The sketch of a text; case, marks and white space do not count. A function of the text alone."""
    words = _WORD.findall(text.casefold())
    if not words:
        return Sketch(np.empty(0, np.uint64), 0, 2**64 - 1)
    known: dict[str, int] = {}
    for word in words:
        if word not in known:
            digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            known[word] = int.from_bytes(digest, "little")
    numbers = np.fromiter((known[word] for word in words), np.uint64, len(words))
    size = min(SHINGLE, len(words))
    total = np.zeros(len(words) - size + 1, np.uint64)
    for at in range(size):  # an order of words has its own number: each place is mixed in anew
        total = _mixed(total + numbers[at : len(numbers) - size + 1 + at])
    hashes = np.unique(total)
    kept = max(_ALWAYS_KEPT, len(hashes) // _KEPT)
    if len(hashes) <= kept:
        return Sketch(hashes, len(hashes), 2**64 - 1)
    return Sketch(hashes[:kept].copy(), len(hashes), int(hashes[kept - 1]))


def contained(one: Sketch, other: Sketch) -> float:
    """The share of the shingles of `one` that stand in `other`, about; 0 where the samples are too small to tell."""
    up_to = np.uint64(min(one.up_to, other.up_to))
    own = one.hashes[: np.searchsorted(one.hashes, up_to, side="right")]
    if not len(own) or (len(own) < _ENOUGH and len(own) < one.shingles):
        return 0.0
    return len(np.intersect1d(own, other.hashes, assume_unique=True)) / len(own)


def likeness(earlier: Sketch, later: Sketch) -> float:
    """How far the later document repeats the earlier: 0, or a share of `LIKE` and more.

    Either its own words stand in the earlier one, or the earlier one stands in it and makes up a good part of it.
    """
    taken = contained(later, earlier)
    quoted = contained(earlier, later)
    if earlier.shingles < LEAST_PART * later.shingles:
        quoted = 0.0
    best = max(taken, quoted)
    return best if best >= LIKE else 0.0


def echoes(sketches: Sequence[Sketch]) -> list[Echo]:
    """Which documents repeat which, by position.

    Parameters
    ----------
    sketches : of all documents, the oldest first. Of several that a document repeats, the oldest is its origin, or the
        origin of that.
    """
    found: dict[int, Echo] = {}
    later: int
    earlier: int
    for later, earlier in _candidates(sketches).tolist():  # in the order of the later, then of the earlier
        if later in found:
            continue
        if share := likeness(sketches[earlier], sketches[later]):
            origin = found[earlier].origin if earlier in found else earlier
            found[later] = Echo(later, origin, share)
    return list(found.values())


def _candidates(sketches: Sequence[Sketch]) -> NDArray[np.int64]:
    """(n, 2): later and earlier documents that share enough hashes to be worth a look, sorted."""
    if len(sketches) < 2:
        return np.empty((0, 2), np.int64)
    lengths = np.array([len(one.hashes) for one in sketches])
    hashes = np.concatenate([one.hashes for one in sketches])
    owners = np.repeat(np.arange(len(sketches), dtype=np.int64), lengths)
    part = hashes >> np.uint64(60)  # the upper four bits: 16 parts, each closed under equality
    codes: list[NDArray[np.int64]] = []
    for number in range(_PARTS):
        chosen = np.flatnonzero(part == number)
        order = chosen[np.lexsort((owners[chosen], hashes[chosen]))]
        codes.append(_shared(hashes[order], owners[order], len(sketches)))
    pairs, shared = np.unique(np.concatenate(codes), return_counts=True)
    later, earlier = np.divmod(pairs, len(sketches))
    # A sample cut down to that of a longer text can be smaller than its own: hence a fifth of LIKE, not all of it.
    least = np.maximum(1, np.minimum(np.minimum(lengths[later], lengths[earlier]) * LIKE / 5, _ENOUGH * LIKE))
    worth = shared >= least
    return np.stack([later[worth], earlier[worth]], axis=1)


def _shared(hashes: Hashes, owners: NDArray[np.int64], documents: int) -> NDArray[np.int64]:
    """later × documents + earlier for every hash that two documents share, of its first owners with all the others."""
    if not len(hashes):
        return np.empty(0, np.int64)
    first = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
    begins = np.repeat(first, np.diff(np.concatenate([first, [len(hashes)]])))
    place = np.arange(len(hashes)) - begins
    found = []
    for nth in range(_OWNERS):
        later = np.flatnonzero(place > nth)
        found.append(owners[later] * documents + owners[begins[later] + nth])
    return np.concatenate(found)


def _mixed(numbers: Hashes) -> Hashes:
    """Each number spread over all 64 bits (the finaliser of splitmix64); sums wrap around, as they should."""
    numbers = numbers + _MIX[0]
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _MIX[1]
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _MIX[2]
    return numbers ^ (numbers >> np.uint64(31))
