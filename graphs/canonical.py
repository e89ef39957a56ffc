"""Names of concepts → proposals which of them mean the same, each with its reason. Pure; who records them is not known here.

Names are read first by rules, then through abbreviations; of what is left, those with forms of the same words are merged
if their vectors agree. Vectors alone merge nothing: what only they bring together is doubtful, for a model or a person.
Every step looks names up by a key and compares few of them, so that time grows with their number, not their pairs.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leucippus.graphs.neighbours import near_pairs
from leucippus.graphs.normal import normal_form
from leucippus.graphs.wording import conflict, plain_words, run_together, same_thing, slips, stem
from leucippus.store.merges import Merge, Method, Turn

LEAST_COSINE_OF_FORMS = 0.92
"""Between names with forms of the same words ("economic", "economical"). This and the next three were chosen on the pairs
in tests/graphs/name_pairs.py."""
LEAST_COSINE_OF_ONE_THING = 0.75
"""Between names with words for one thing ("renal", "kidney")."""
LEAST_COSINE_OF_SLIPS = 0.75
"""Between names that a slip of the pen parts."""
LEAST_COSINE_OF_DOUBT = 0.7
"""Below it nobody is asked."""
TIMES_A_SLIP = 5.0
"""A word is a slip for another only if that one is so many times as frequent."""
_SHORTEST_RUN_TOGETHER = 7
"""Letters of a name in which a missing space is overlooked: "no where" and "nowhere"."""
_MOST_COMPARED = 64
"""Names with one key that a name is compared with."""
_MOST_ASKED = 3
"""Doubtful pairs a name."""

Adjudicate = Callable[[Sequence[tuple[str, str]]], Sequence[bool | None]]
"""Pairs of names → whether the two mean the same concept; None where it cannot be said."""


@dataclass(frozen=True)
class Doubtful:
    """Two names close in their vectors, whose words neither join nor part them. `name` is the less frequent."""

    name: str
    into: str
    cosine: float


@dataclass(frozen=True)
class Proposal:
    """Merges in the order they should be recorded in, and pairs to be judged, the closest first."""

    merges: tuple[Merge, ...]
    doubtful: tuple[Doubtful, ...]


def propose(
    names: Sequence[str],
    counts: Sequence[int],
    vectors: NDArray[np.float32] | None = None,
    abbreviations: Mapping[str, str] | None = None,
    *,
    fresh: frozenset[str] | None = None,
    seed: int = 0,
) -> Proposal:
    """Which of these names mean the same concept. Equal arguments give equal proposals, in whatever order the names come.

    The less frequent name goes into the more frequent, of equals the longer into the shorter; but the core of a rule and
    the long form of an abbreviation are always what is merged into, even where they are no name of the store yet.

    Parameters
    ----------
    names : as `concept_name` makes them, each once.
    counts : claims of each name.
    vectors : unit length, shape (len(names), dimensions). A core that is not among the names has none, so it takes part
        in what needs vectors only when it is among them, the next time.
    abbreviations : short form → long form, both as names (`abbreviations.unambiguous`).
    fresh : if given, only pairs with one of these names are proposed.

    Raises
    ------
    ValueError : the lengths differ, or a name comes twice.
    """
    if len(names) != len(counts) or (vectors is not None and len(vectors) != len(names)):
        raise ValueError("as many counts, and vectors, as names are needed")
    if len(set(names)) != len(names):
        raise ValueError("a name comes twice")
    work = _Work(names, counts, vectors)
    _by_rule(work)
    _by_abbreviation(work, abbreviations or {})
    _by_words(work)
    doubtful: list[Doubtful] = []
    if vectors is not None and len(names):
        _by_forms(work, vectors)
        _by_slips(work, vectors)
        doubtful = _in_doubt(work, vectors, seed)
    if fresh is None:
        return Proposal(tuple(work.merges), tuple(doubtful))
    # Old spellings of one core were not worth a merge as long as they were alone.
    fresh |= {normal_form(name).core for name in fresh}
    return Proposal(
        tuple(merge for merge in work.merges if merge.name in fresh or merge.into in fresh),
        tuple(pair for pair in doubtful if pair.name in fresh or pair.into in fresh),
    )


def adjudicated(doubtful: Sequence[Doubtful], judge: Adjudicate) -> list[Merge]:
    """Those of the doubtful pairs that a judge takes for one concept, as merges.

    Raises
    ------
    ValueError : as many answers as pairs are needed.
    """
    answers = judge([(pair.name, pair.into) for pair in doubtful])
    return [
        Merge(pair.name, pair.into, 1, "model", f"a model was asked; cosine {pair.cosine:.2f}", pair.cosine)
        for pair, same in zip(doubtful, answers, strict=True)
        if same
    ]


class _Work:
    """Names and what became of them so far. A name that was merged is out of the game; `roots` are still in."""

    def __init__(self, names: Sequence[str], counts: Sequence[int], vectors: NDArray[np.float32] | None) -> None:
        self.row = {name: at for at, name in enumerate(names)}
        self.weight: dict[str, float] = dict(sorted(zip(names, map(float, counts), strict=True)))
        self.words = {name: plain_words(name) for name in self.weight}
        self.up: dict[str, str] = {}
        self.merges: list[Merge] = []

    def root(self, name: str) -> str:
        while name in self.up:
            name = self.up[name]
        return name

    def rank(self, name: str) -> tuple[float, int, str]:
        return -self.weight[name], len(name), name

    def roots(self) -> list[str]:
        """The names left, the most frequent first."""
        return sorted((name for name in self.weight if name not in self.up), key=self.rank)

    def merge(self, name: str, into: str, turn: Turn, method: Method, reason: str, score: float = 1.0) -> None:
        if into not in self.weight:
            self.weight[into], self.words[into] = 0.0, plain_words(into)
        self.merges.append(Merge(name, into, turn, method, reason, score))
        self.up[name] = into
        self.weight[self.root(into)] += self.weight[name]


def _by_rule(work: _Work) -> None:
    found = {name: normal_form(name) for name in work.weight}
    families = Counter(normal.core for normal in found.values())
    for name, normal in found.items():
        # Another order or spelling of what nobody says otherwise is not worth a new name.
        if normal.core == name or (not normal.dropped and families[normal.core] == 1):
            continue
        if normal.dropped:
            reason = f"'{' '.join(normal.dropped)}' taken off"
        else:
            reason = _difference(name.split(), normal.core.split())
        work.merge(name, normal.core, normal.turn, "rule", reason)


def _by_abbreviation(work: _Work, abbreviations: Mapping[str, str]) -> None:
    firsts = {short.split()[0] for short in abbreviations if short}
    for name in work.roots():
        if firsts.isdisjoint(name.split()):
            continue
        long = abbreviations.get(name)
        if long is not None:
            normal, reason = normal_form(long), f"defined as {long!r}"
        else:  # "copd exacerbation", "heart failure hf": only if the same is said in full elsewhere
            words = tuple(name.split())
            shorts = [word for word in words if word in abbreviations]
            normal = normal_form(_in_full(words, abbreviations))
            reason = f"{', '.join(map(repr, shorts))} in full"
            if not shorts or normal.core not in work.weight:
                continue
        if normal.core and work.root(normal.core) != name:
            work.merge(name, normal.core, normal.turn, "abbreviation", reason)


def _in_full(words: Sequence[str], abbreviations: Mapping[str, str]) -> str:
    full: list[str] = []
    for word in words:
        long = abbreviations.get(word, word).split()
        if len(long) == 1 or full[-len(long) :] != long:  # "congestive heart failure chf" says it twice
            full += long
    return " ".join(full)


def _by_words(work: _Work) -> None:
    """The same words in another order, plural or spacing."""
    of_key: dict[str, str] = {}
    for name in work.roots():
        words = work.words[name]
        key = run_together(words)
        into = of_key.setdefault(key, name)
        if into == name or (len(key) < _SHORTEST_RUN_TOGETHER and words != work.words[into]):
            continue
        work.merge(name, into, 1, "rule", _difference(name.split(), into.split()))


def _by_forms(work: _Work, vectors: NDArray[np.float32]) -> None:
    """Forms of the same words, if the vectors agree. A name joins the first it agrees with; those joined are not joined
    again, so two names of one concept are never further apart than either is from the most frequent."""
    leaders: dict[str, list[str]] = defaultdict(list)
    for name in work.roots():
        if name not in work.row:
            continue
        same_key = leaders[_stems(work.words[name])]
        for into in same_key[:_MOST_COMPARED]:
            cosine = _cosine(work, vectors, name, into)
            words, other = work.words[name], work.words[into]
            one_thing = [same_thing(word) for word in words] == [same_thing(word) for word in other]
            least = LEAST_COSINE_OF_ONE_THING if one_thing else LEAST_COSINE_OF_FORMS
            if cosine >= least and conflict(words, other) is None:
                work.merge(name, into, 1, "vector", f"cosine {cosine:.2f}, {_difference(words, other)}", cosine)
                break
        else:
            same_key.append(name)


def _by_slips(work: _Work, vectors: NDArray[np.float32]) -> None:
    weights: dict[str, float] = defaultdict(float)
    for name in work.row:
        for word in set(work.words[name]):
            weights[word] += work.weight[name]
    meant = slips(weights, times=TIMES_A_SLIP)
    roots = [name for name in work.roots() if name in work.row]
    of_words = {work.words[name]: name for name in reversed(roots)}
    for name in reversed(roots):  # the least frequent first: what was merged away is nobody's target
        words = work.words[name]
        into = of_words.get(tuple(meant.get(word, word) for word in words), name)
        if into == name or work.rank(into) > work.rank(name):
            continue
        cosine = _cosine(work, vectors, name, into)
        if cosine >= LEAST_COSINE_OF_SLIPS and conflict(words, work.words[into]) is None:
            work.merge(name, into, 1, "vector", f"cosine {cosine:.2f}, {_difference(words, work.words[into])}", cosine)


def _in_doubt(work: _Work, vectors: NDArray[np.float32], seed: int) -> list[Doubtful]:
    roots = [name for name in work.roots() if name in work.row]
    rows = np.array([work.row[name] for name in roots], dtype=np.int64)
    near = near_pairs(vectors[rows], least=LEAST_COSINE_OF_DOUBT, seed=seed)
    asked: dict[str, int] = defaultdict(int)
    doubtful = []
    for at in np.lexsort((near.other, near.one, -near.cosine)).tolist():
        into, name = roots[near.one[at]], roots[near.other[at]]  # roots come by rank
        if asked[name] < _MOST_ASKED and conflict(work.words[name], work.words[into]) is None:
            asked[name] += 1
            doubtful.append(Doubtful(name, into, float(near.cosine[at])))
    return doubtful


def _cosine(work: _Work, vectors: NDArray[np.float32], name: str, into: str) -> float:
    return float(vectors[work.row[name]] @ vectors[work.row[into]])


def _stems(words: Iterable[str]) -> str:
    return " ".join(map(stem, words))


def _difference(words: Sequence[str], other: Sequence[str]) -> str:
    """What parts two names, in words."""
    here = [word for word in words if word not in other]
    there = [word for word in other if word not in words]
    if here == ["of"] or here == ["to"] or not here and not there:
        return "same words in another order"
    if run_together(words) == run_together(other):
        return "same letters, other spaces"
    return f"{' '.join(map(repr, here)) or 'nothing'} for {' '.join(map(repr, there)) or 'nothing'}"
