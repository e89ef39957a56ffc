"""Which phrases mean the same concept: decisions as rows, each of which can be undone.

A decision says that more (or less) of one phrase is more of another. Those in force make a forest; what each phrase
means is the root of its tree. Nothing is rewritten: claims keep the concepts of their own words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from leucippus.errors import InputError
from leucippus.store.concepts import concept_id
from leucippus.store.database import Store
from leucippus.store.triples import stable_id

Method = Literal["rule", "abbreviation", "vector", "model", "person"]
Turn = Literal[1, -1]


@dataclass(frozen=True)
class Merge:
    """`name` stands for `into`: two names as `concept_name` makes them. The second may be new to the store."""

    name: str
    into: str
    turn: Turn
    method: Method
    reason: str
    score: float | None = None


@dataclass(frozen=True)
class Decided:
    """A merge as it is on record."""

    merge_id: str
    name: str
    into: str
    turn: Turn
    method: Method
    reason: str
    score: float | None
    undone: bool


@dataclass(frozen=True)
class Written:
    """What became of proposed merges. Contrary: the two are on record as opposites, or as turning the other way."""

    made: int
    known: int
    vetoed: int
    contrary: int


def record_merges(store: Store, proposed: Iterable[Merge]) -> Written:
    """Write decisions down, the first proposed first. Writing one twice is writing it once.

    The root of the one tree is put under the root of the other, so a phrase that is spoken for already takes its whole
    tree along. A pair that was ever undone stays apart, whichever way it would be joined.
    """
    merges = list(proposed)
    ids = {name: concept_id(name) for merge in merges for name in (merge.name, merge.into)}
    forest = _Forest(store)
    now = datetime.now(UTC).replace(tzinfo=None)
    rows, counts = [], {"known": 0, "vetoed": 0, "contrary": 0}
    for merge in merges:
        (low, low_turn), (high, high_turn) = forest.root(ids[merge.name]), forest.root(ids[merge.into])
        turn: int = low_turn * merge.turn * high_turn
        if low == high:
            counts["known" if turn == 1 else "contrary"] += 1
        elif forest.vetoed(low, high):
            counts["vetoed"] += 1
        else:
            forest.join(low, high, turn)
            merge_id = stable_id("merge", low, high, turn, merge.method)
            rows.append((merge_id, low, high, turn, merge.method, merge.reason, merge.score, now))
    with store.transaction() as cursor:
        named = [list(ids.values()), list(ids)]
        cursor.execute(
            "INSERT INTO concepts SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[]) ON CONFLICT DO NOTHING", named
        )
        cursor.execute(
            "INSERT INTO aliases SELECT unnest($2::VARCHAR[]), unnest($1::VARCHAR[]), 'name' ON CONFLICT DO NOTHING",
            named,
        )
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            cursor.execute(
                "INSERT INTO merges SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[]), unnest($3::VARCHAR[]),"
                " unnest($4::TINYINT[]), unnest($5::VARCHAR[]), unnest($6::VARCHAR[]), unnest($7::DOUBLE[]),"
                " unnest($8::TIMESTAMP[]), NULL",
                columns,
            )
    return Written(len(rows), **counts)


def undo_merge(store: Store, merge_id: str) -> Decided:
    """Take a decision back, for good; the next weaving parts the two.

    Raises
    ------
    InputError : there is no such decision in force.
    """
    with store.transaction() as cursor:
        changed = cursor.execute(
            "UPDATE merges SET undone_at = ? WHERE merge_id = ? AND undone_at IS NULL RETURNING merge_id",
            [datetime.now(UTC).replace(tzinfo=None), merge_id],
        ).fetchall()
    if not changed:
        raise InputError(
            f"No merge {merge_id!r} is in force.", next_step="`leucippus lcm merges` lists those that are."
        )
    return merges(store, merge_ids=[merge_id], undone=True)[0]


def merges(
    store: Store,
    *,
    about: Sequence[str] | None = None,
    merge_ids: Sequence[str] | None = None,
    undone: bool = False,
    limit: int = 1_000_000,
) -> list[Decided]:
    """Decisions, the surest last; of these concept ids on either side, or with these ids; with `undone`, those too."""
    wanted = ["TRUE" if undone else "undone_at IS NULL"]
    given: dict[str, object] = {"limit": limit}
    if about is not None:
        wanted.append("(list_contains($about, merges.concept_id) OR list_contains($about, into_id))")
        given["about"] = list(about)
    if merge_ids is not None:
        wanted.append("list_contains($ids, merge_id)")
        given["ids"] = list(merge_ids)
    rows = store.rows(
        f"""
        SELECT merge_id, coalesce(low.name, merges.concept_id), coalesce(high.name, into_id), turn, method, reason,
               score, undone_at IS NOT NULL
        FROM merges LEFT JOIN concepts AS low ON low.concept_id = merges.concept_id
        LEFT JOIN concepts AS high ON high.concept_id = into_id
        WHERE {" AND ".join(wanted)} ORDER BY score NULLS LAST, high.name, low.name LIMIT $limit
        """,
        given,
    )
    return [Decided(*row) for row in rows]


class _Forest:
    """Roots and turns by concept id, as merges in force and those made here have them."""

    def __init__(self, store: Store) -> None:
        rows = store.rows("SELECT concept_id, into_id, turn, undone_at IS NOT NULL FROM merges")
        self._up = {low: (high, int(turn)) for low, high, turn, undone in rows if not undone}
        self._apart = [(low, high) for low, high, _, undone in rows if undone]

    def root(self, concept: str) -> tuple[str, int]:
        path, at, turn = [], concept, 1
        while at in self._up:
            path.append((at, turn))
            at, step = self._up[at]
            turn *= step
        for passed, before in path:  # shorter next time
            self._up[passed] = (at, turn * before)
        return at, turn

    def vetoed(self, one: str, other: str) -> bool:
        return any({self.root(low)[0], self.root(high)[0]} == {one, other} for low, high in self._apart)

    def join(self, low: str, high: str, turn: int) -> None:
        self._up[low] = (high, turn)
