"""JOB weave: the claims of a store → its large causal model. Reads top to bottom.

Documents that repeat others are found, phrases that are new to the model are given their concepts, and nodes, edges and
conflicts are made anew. What was decided before stands: only pairs with a new phrase are looked at.
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np

from leucippus.agents.credibility import default_weights
from leucippus.graphs.abbreviations import unambiguous
from leucippus.graphs.canonical import Adjudicate, adjudicated, propose
from leucippus.graphs.echoes import echoes, sketch
from leucippus.serving.encoder import Encode
from leucippus.store.database import Store
from leucippus.store.echoes import record_echoes
from leucippus.store.merges import Merge, Written, record_merges
from leucippus.store.query import concept_vectors, spoken_of, without_vectors
from leucippus.store.weave import Woven, weave
from leucippus.store.write import add_concept_vectors

_ENCODED_AT_ONCE = 10_000
_TEXTS_AT_ONCE = 500


@dataclass(frozen=True)
class Weaving:
    """What came of it: phrases looked at for the first time, merges, pairs left in doubt, echoes, and the model."""

    fresh: int
    merges: Written
    doubtful: int
    echoes: int
    woven: Woven

    def as_dict(self) -> dict[str, object]:
        return {
            "claims": self.woven.claims,
            "concepts": self.woven.nodes,
            "edges": self.woven.edges,
            "conflicts": self.woven.conflicts,
            "claims_of_a_concept_about_itself": self.woven.selfish,
            "new_phrases": self.fresh,
            "merges": self.merges.made,
            "merges_kept_apart": self.merges.vetoed,
            "merges_contrary": self.merges.contrary,
            "pairs_in_doubt": self.doubtful,
            "documents_that_repeat_others": self.echoes,
        }

    def in_words(self) -> str:
        woven = self.woven
        return (
            f"{woven.claims} claims → {woven.nodes} concepts, {woven.edges} edges, {woven.conflicts} conflicts; "
            f"{self.merges.made} phrases merged, {self.echoes} documents repeat others."
        )


def weave_store(store: Store, encode: Encode | None = None, judge: Adjudicate | None = None) -> Weaving:
    """Make the large causal model of a store, or bring it up to date.

    Parameters
    ----------
    encode : sentences → vectors; none = phrases are compared by their words alone.
    judge : asked about pairs of phrases that neither words nor vectors decide; none = they stay apart.

    Raises
    ------
    StoreError : the store cannot be written.
    """
    heard = record_echoes(store, sketch, echoes)
    known = _known(store)
    fresh = frozenset(name for _, name, _ in spoken_of(store)) - known
    # A judge has not been asked about what was in doubt before.
    seen = fresh if judge is None else fresh | known
    written, doubtful = Written(0, 0, 0, 0), 0
    while seen:
        if encode is not None:
            add_vectors(store, encode)
        merges, doubtful = _merges(store, seen, encode is not None, judge)
        more = record_merges(store, merges)
        written = Written(*(sum(pair) for pair in zip(astuple(written), astuple(more), strict=True)))
        # What phrases were merged into may be new itself, and then another name for something.
        seen = frozenset(merge.into for merge in merges) - fresh - known if more.made else frozenset()
        fresh |= seen
    return Weaving(len(fresh), written, doubtful, heard.echoes, weave(store, default_weights()))


def add_vectors(store: Store, encode: Encode) -> None:
    """Give every concept a vector that has none yet."""
    new = without_vectors(store)
    for at in range(0, len(new), _ENCODED_AT_ONCE):
        some = new[at : at + _ENCODED_AT_ONCE]
        add_concept_vectors(store, [concept for concept, _ in some], encode([name for _, name in some]))


def _known(store: Store) -> frozenset[str]:
    """The names that earlier weavings have looked at."""
    return frozenset(name for (name,) in store.rows("SELECT name FROM meanings JOIN concepts USING (concept_id)"))


def _merges(
    store: Store, fresh: frozenset[str], with_vectors: bool, judge: Adjudicate | None
) -> tuple[list[Merge], int]:
    spoken = spoken_of(store)
    names, counts = [name for _, name, _ in spoken], [claims for *_, claims in spoken]
    vectors = None
    if with_vectors:
        known = concept_vectors(store)
        vectors = np.stack([known[concept] for concept, *_ in spoken])
    found = propose(names, counts, vectors, unambiguous(_texts(store)), fresh=fresh)
    merges = list(found.merges)
    if judge is not None:
        merges += adjudicated(found.doubtful, judge)
    return merges, len(found.doubtful)


def _texts(store: Store) -> Iterator[str]:
    """The texts of all documents, some at a time."""
    last = store.rows("SELECT coalesce(max(rowid), -1) FROM documents")[0][0]
    for first in range(0, last + 1, _TEXTS_AT_ONCE):
        for (text,) in store.rows(
            "SELECT text FROM documents WHERE rowid BETWEEN ? AND ? AND text LIKE '%(%'",
            [first, first + _TEXTS_AT_ONCE - 1],
        ):
            yield text
