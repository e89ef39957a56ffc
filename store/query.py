"""Reading a store back as values: counts, claims, causes and effects, and the work of a run that is still to be done.

Only rows and their order; which answer they make is for others to say. Words are found by `store/search.py`, chains
of claims by `store/paths.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from leucippus.store.database import Store
from leucippus.store.triples import Claim, Passage, Sign


@dataclass(frozen=True)
class Stats:
    """How much the store holds. Tokens and seconds are those of every reading so far, finished run or not."""

    documents: int
    passages: int
    claims: int
    negated: int
    hedged: int
    concepts: int
    runs: int
    rejected: int
    failures: int
    prompt_tokens: int
    output_tokens: int
    seconds: float


@dataclass(frozen=True)
class ClaimRow:
    """A claim, the concepts it links and the document it stands in. `uri` is the first place that was found."""

    claim: Claim
    cause_concept: str
    effect_concept: str
    title: str
    uri: str


@dataclass(frozen=True)
class Support:
    """The words of one claim, to show for many."""

    claim_id: str
    document_id: str
    quote: str


@dataclass(frozen=True)
class Edge:
    """What the claims that share a sign and a polarity say about one other concept."""

    concept_id: str
    name: str
    sign: Sign
    negated: bool
    claims: int
    documents: int
    hedged: int
    support: tuple[Support, ...]


@dataclass(frozen=True)
class UnfinishedRun:
    """A run that was interrupted, or whose process died: a store is held by one process, so none can be running."""

    run_id: str
    command: str
    settings: str
    reader_id: str | None
    started_at: datetime
    pending: int


def stats(store: Store) -> Stats:
    """Counts over the whole store."""
    rows = store.rows(
        """
        SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages), claims.*,
               (SELECT count(*) FROM concepts), (SELECT count(*) FROM runs), failures.*, readings.*
        FROM (SELECT count(*), count(*) FILTER (negated), count(*) FILTER (hedged) FROM claims) AS claims,
             (SELECT count(*) FILTER (stage = 'ground'), count(*) FILTER (stage <> 'ground') FROM failures) AS failures,
             (SELECT coalesce(sum(prompt_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(seconds), 0)
              FROM readings) AS readings
        """
    )
    return Stats(*rows[0])


def claims(
    store: Store,
    *,
    concept_ids: Sequence[str] | None = None,
    document: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[ClaimRow]:
    """Claims in the order they stand in their documents; of these concepts on either side, of this document id."""
    wanted = "TRUE"
    if concept_ids is not None:
        wanted += " AND (list_contains($concepts, cause_concept) OR list_contains($concepts, effect_concept))"
    if document is not None:
        wanted += " AND document_id = $document"
    given: dict[str, Any] = {"concepts": list(concept_ids or ()), "document": document}
    return _claims(
        store,
        f"{wanted} ORDER BY document_id, start, claim_id LIMIT $limit OFFSET $offset",
        {key: value for key, value in given.items() if f"${key}" in wanted} | {"limit": limit, "offset": offset},
    )


def _claims(store: Store, condition: str, given: dict[str, Any]) -> list[ClaimRow]:
    # `condition` is SQL of this module, never data.
    rows = store.rows(
        f"""
        WITH page AS (
            SELECT * FROM claims WHERE {condition}
        )
        SELECT {", ".join(f'page."{field}"' for field in Claim.model_fields)}, cause_concept, effect_concept,
               coalesce(title, ''), coalesce(uri, '')
        FROM page
        LEFT JOIN documents USING (document_id)
        LEFT JOIN (
            SELECT document_id, arg_min(uri, (first_seen, uri)) AS uri FROM sources
            WHERE document_id IN (SELECT document_id FROM page) GROUP BY document_id
        ) USING (document_id)
        ORDER BY document_id, page.start, claim_id
        """,
        given,
    )
    names = tuple(Claim.model_fields)
    return [ClaimRow(Claim.model_validate(dict(zip(names, row, strict=False))), *row[len(names) :]) for row in rows]


def claims_by_id(store: Store, claim_ids: Sequence[str]) -> list[ClaimRow]:
    """These claims, in the order of their ids; an id that is not there is left out."""
    rows = {
        row.claim.claim_id: row for row in _claims(store, "list_contains($ids, claim_id)", {"ids": list(claim_ids)})
    }
    return [rows[claim_id] for claim_id in claim_ids if claim_id in rows]


def causes(
    store: Store, concept_ids: Sequence[str], *, among: Sequence[str] | None = None, limit: int = 50, support: int = 3
) -> list[Edge]:
    """What is said to bring these concepts about, best supported first: most documents, then most claims.

    The concepts count as one: what they are said to do to each other is left out.

    Parameters
    ----------
    among : only these concepts as causes.
    """
    return _edges(store, "effect_concept", "cause_concept", concept_ids, among, limit, support)


def effects(
    store: Store, concept_ids: Sequence[str], *, among: Sequence[str] | None = None, limit: int = 50, support: int = 3
) -> list[Edge]:
    """What these concepts are said to bring about; as `causes`."""
    return _edges(store, "cause_concept", "effect_concept", concept_ids, among, limit, support)


def without_vectors(store: Store) -> list[tuple[str, str]]:
    """(concept id, name) of the concepts that have no vector yet."""
    rows = store.rows(
        "SELECT concept_id, name FROM concepts ANTI JOIN concept_vectors USING (concept_id) ORDER BY name"
    )
    return [(concept_id, name) for concept_id, name in rows]


def concept_vectors(store: Store) -> dict[str, NDArray[np.float32]]:
    """Concept id → its vector of shape (384,), of the concepts that have one."""
    found = store.columns("SELECT concept_id, vector FROM concept_vectors ORDER BY concept_id")
    return dict(zip(found["concept_id"].tolist(), found["vector"], strict=True))


def spoken_of(store: Store) -> list[tuple[str, str, int]]:
    """(concept id, name, claims on either side) of the concepts that claims are about or that phrases were merged into,
    in the order of names."""
    rows = store.rows(
        """
        SELECT concept_id, name, sum(claims)::BIGINT FROM (
            SELECT cause_concept AS concept_id, count(*) AS claims FROM claims GROUP BY ALL
            UNION ALL SELECT effect_concept, count(*) FROM claims GROUP BY ALL
            UNION ALL SELECT DISTINCT into_id, 0 FROM merges WHERE undone_at IS NULL
        ) JOIN concepts USING (concept_id) GROUP BY ALL ORDER BY name
        """
    )
    return [(concept_id, name, claims) for concept_id, name, claims in rows]


def pending(store: Store, run_id: str) -> Iterator[list[Passage]]:
    """The batches of the plan that are not done yet, in order; of a batch, the passages that are not done.

    Batches are fetched as they are asked for, so that a plan of millions fits; what is recorded meanwhile is not seen.
    """
    batches = store.rows(
        "SELECT DISTINCT batch FROM readings WHERE run_id = ? AND state = 'planned' ORDER BY batch", [run_id]
    )
    for (batch,) in batches:
        rows = store.rows(
            """
            SELECT passage_id, document_id, start, "end", text FROM readings JOIN passages USING (passage_id)
            WHERE run_id = ? AND batch = ? AND state = 'planned' ORDER BY position, passage_id
            """,
            [run_id, batch],
        )
        if rows:
            yield [_passage(row) for row in rows]


def unfinished_runs(store: Store) -> list[UnfinishedRun]:
    """The runs that can be taken up again, oldest first."""
    rows = store.rows(
        """
        SELECT runs.run_id, command, settings, runs.reader_id, started_at, count(readings.run_id)
        FROM runs LEFT JOIN readings ON readings.run_id = runs.run_id AND readings.state = 'planned'
        WHERE status IN ('running', 'interrupted') GROUP BY ALL ORDER BY started_at, runs.run_id
        """
    )
    return [
        UnfinishedRun(run_id, command, settings, reader_id, started_at.replace(tzinfo=UTC), waiting)
        for run_id, command, settings, reader_id, started_at, waiting in rows
    ]


def unread(store: Store, reader_id: str, passage_ids: Sequence[str]) -> list[Passage]:
    """Those of these passages that this reader has neither read nor skipped, in the order given."""
    rows = store.rows(
        """
        SELECT passage_id, document_id, start, "end", text
        FROM passages
        JOIN (SELECT unnest($1::VARCHAR[]) AS passage_id, generate_subscripts($1::VARCHAR[], 1) AS place) AS asked
            USING (passage_id)
        WHERE passage_id NOT IN (
            SELECT passage_id FROM readings WHERE reader_id = $2 AND state IN ('read', 'skipped')
        )
        ORDER BY place
        """,
        [list(dict.fromkeys(passage_ids)), reader_id],
    )
    return [_passage(row) for row in rows]


def _edges(
    store: Store,
    given: Literal["cause_concept", "effect_concept"],
    other: Literal["cause_concept", "effect_concept"],
    concept_ids: Sequence[str],
    among: Sequence[str] | None,
    limit: int,
    support: int,
) -> list[Edge]:
    wanted = f"AND {other} IN (SELECT unnest($among::VARCHAR[]))" if among is not None else ""
    # `given` and `other` are column names of ours, never data.
    rows = store.rows(
        f"""
        WITH edges AS (
            SELECT {other} AS concept_id, sign, negated, count(*) AS claims,
                   count(DISTINCT document_id) AS documents, count(*) FILTER (hedged) AS hedged,
                   arg_min((claim_id, document_id, quote), (hedged, -coalesce(confidence, 0), claim_id), $support)
                       AS support
            FROM claims
            WHERE {given} IN (SELECT unnest($concepts::VARCHAR[]))
              AND {other} NOT IN (SELECT unnest($concepts::VARCHAR[])) {wanted}
            GROUP BY ALL ORDER BY documents DESC, claims DESC, concept_id, sign, negated LIMIT $limit
        )
        SELECT concept_id, coalesce(name, concept_id), sign, negated, claims, documents, hedged, support
        FROM edges LEFT JOIN concepts USING (concept_id)
        ORDER BY documents DESC, claims DESC, concept_id, sign, negated
        """,
        {"concepts": list(concept_ids), "limit": limit, "support": support}
        | ({"among": list(among)} if among is not None else {}),
    )
    return [
        Edge(
            concept_id, name, Sign(sign), negated, said, documents, hedged,
            tuple(Support(*quoted) for quoted in quotes),
        )
        for concept_id, name, sign, negated, said, documents, hedged, quotes in rows
    ]  # fmt: skip


def _passage(row: tuple[Any, ...]) -> Passage:
    passage_id, document_id, start, end, text = row
    return Passage(passage_id=passage_id, document_id=document_id, start=start, end=end, text=text)
