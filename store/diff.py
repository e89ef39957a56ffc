"""What two runs say differently, over canonical concepts: edges that only one has, and edges they read unlike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leucippus.errors import InputError
from leucippus.store.database import Store
from leucippus.store.links import prevailing
from leucippus.store.query import Support
from leucippus.store.triples import Sign

_SHOWN = 10
"""Runs listed where one was not found."""


@dataclass(frozen=True)
class Reading:
    """What the claims of one run about one cause and one effect come to. Counts are of claims, but for documents."""

    claims: int
    documents: int
    positive: int
    negative: int
    denied: int
    support: Support

    @property
    def sign(self) -> Sign:
        """The sign that more claims bear; none where as many bear the other, or none does."""
        return prevailing(self.positive, self.negative)

    @property
    def negated(self) -> bool:
        """Whether more claims deny the effect than assert it."""
        return self.denied > self.claims - self.denied


@dataclass(frozen=True)
class Difference:
    """One edge as either run reads it; None: the run does not have it."""

    cause_id: str
    cause: str
    effect_id: str
    effect: str
    one: Reading | None
    other: Reading | None


@dataclass(frozen=True)
class Diff:
    """Differences, those with most claims first, and how many there are in all. `same`: edges read alike."""

    run_a: str
    run_b: str
    only_a: tuple[Difference, ...]
    only_b: tuple[Difference, ...]
    changed: tuple[Difference, ...]
    edges_only_a: int
    edges_only_b: int
    edges_changed: int
    same: int


def diff(store: Store, run_a: str, run_b: str, *, limit: int = 100) -> Diff:
    """Compare the edges of two runs. Concepts are as last woven; what is not woven yet means itself.

    A claim is of the run that wrote it first: what a reader read in one run is not read again in the next, so runs of
    two readers over the same documents compare as wholes, and two runs of one reader compare what each was first to
    read. Claims of a concept about itself make no edge.

    Parameters
    ----------
    run_a, run_b : ids, or how they begin.
    limit : differences of each kind at most; the counts are of all.

    Raises
    ------
    InputError : no run, or more than one, begins like this.
    """
    one, other = _run(store, run_a), _run(store, run_b)
    rows = store.rows(
        """
        WITH said AS (
            SELECT run_id, coalesce(source.root_id, cause_concept) AS cause,
                   coalesce(target.root_id, effect_concept) AS effect, claim_id, document_id, quote, negated, hedged,
                   confidence, CASE sign WHEN '+' THEN 1 WHEN '-' THEN -1 ELSE 0 END
                   * coalesce(source.turn, 1) * coalesce(target.turn, 1) AS way
            FROM claims LEFT JOIN meanings AS source ON source.concept_id = cause_concept
            LEFT JOIN meanings AS target ON target.concept_id = effect_concept
            WHERE run_id IN ($one, $other)
        ),
        read AS (
            SELECT run_id, cause, effect, count(*) AS claims, {
                'claims': claims, 'documents': count(DISTINCT document_id),
                'positive': count(*) FILTER (NOT negated AND way > 0),
                'negative': count(*) FILTER (NOT negated AND way < 0),
                'denied': count(*) FILTER (negated),
                'best': arg_min({'claim_id': claim_id, 'document_id': document_id, 'quote': quote},
                                (negated, hedged, -coalesce(confidence, 0), claim_id))
            } AS reading
            FROM said WHERE cause <> effect GROUP BY run_id, cause, effect
        ),
        pairs AS (
            SELECT cause, effect, a.reading AS here, b.reading AS there,
                   coalesce(a.claims, 0) + coalesce(b.claims, 0) AS claims
            FROM (SELECT * FROM read WHERE run_id = $one) AS a
            FULL JOIN (SELECT * FROM read WHERE run_id = $other) AS b USING (cause, effect)
        ),
        sorted AS (
            SELECT *, CASE WHEN there IS NULL THEN 'a' WHEN here IS NULL THEN 'b'
                           WHEN sign(here.positive - here.negative) <> sign(there.positive - there.negative)
                                OR (2 * here.denied > here.claims) <> (2 * there.denied > there.claims) THEN 'changed'
                           ELSE 'same' END AS kind
            FROM pairs
        ),
        ranked AS (
            SELECT *, count(*) OVER (PARTITION BY kind) AS counted,
                   row_number() OVER (PARTITION BY kind ORDER BY claims DESC, cause, effect) AS place
            FROM sorted
        )
        SELECT kind, counted, cause, coalesce(source.name, cause), effect, coalesce(target.name, effect), here, there
        FROM ranked LEFT JOIN concepts AS source ON source.concept_id = cause
        LEFT JOIN concepts AS target ON target.concept_id = effect
        WHERE place = 1 OR (kind <> 'same' AND place <= $limit) ORDER BY kind, place
        """,
        {"one": one, "other": other, "limit": limit},
    )
    counts = {kind: counted for kind, counted, *_ in rows}
    found: dict[str, list[Difference]] = {"a": [], "b": [], "changed": [], "same": []}
    for kind, _, cause_id, cause, effect_id, effect, here, there in rows:
        found[kind].append(Difference(cause_id, cause, effect_id, effect, _reading(here), _reading(there)))
    only_a, only_b, changed = (tuple(found[kind][:limit]) for kind in ("a", "b", "changed"))
    return Diff(one, other, only_a, only_b, changed, *(counts.get(kind, 0) for kind in ("a", "b", "changed", "same")))


def _reading(row: dict[str, Any] | None) -> Reading | None:
    if row is None:
        return None
    return Reading(
        claims=row["claims"],
        documents=row["documents"],
        positive=row["positive"],
        negative=row["negative"],
        denied=row["denied"],
        support=Support(**row["best"]),
    )


def _run(store: Store, begins: str) -> str:
    rows = store.rows(
        "SELECT run_id, run_id || ' (' || command || ', ' || strftime(started_at, '%Y-%m-%d %H:%M') || ')' FROM runs"
        " ORDER BY started_at DESC, run_id"
    )
    known = [str(run_id) for run_id, _ in rows]
    if begins in known:
        return begins
    meant = [run_id for run_id in known if begins and run_id.startswith(begins)]
    if len(meant) == 1:
        return meant[0]
    shown = [told for run_id, told in rows if not meant or run_id in meant]
    raise InputError(
        f"{len(meant)} runs begin with {begins[:80]!r}." if meant else f"There is no run {begins[:80]!r}.",
        expected="the id of a run, or how it alone begins",
        next_step=_listed(shown) if shown else "The store holds no runs: extract documents into it first.",
    )


def _listed(told: Sequence[str]) -> str:
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return f"The runs, the latest first: {', '.join(told[:_SHOWN])}{more}."
