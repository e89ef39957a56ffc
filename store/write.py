"""Everything that changes a store. Each function is one transaction, and writing anything twice is writing it once.

Knows what is written together, so that a process killed at any moment leaves whole batches; knows no models or files.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import duckdb
import numpy as np
from numpy.typing import NDArray

from leucippus._version import __version__
from leucippus.errors import DocumentError, StoreError
from leucippus.store.concepts import concept_id, concept_name
from leucippus.store.database import Store
from leucippus.store.triples import Claim, Document, Failure, Passage, Reader, stable_id

VECTOR_SIZE = 384


@dataclass(frozen=True)
class Planned:
    """One line of a run's plan: this passage is the `position`-th of that batch, or skipped without being read."""

    passage_id: str
    batch: int
    position: int
    skipped: bool = False


@dataclass(frozen=True)
class PassageResult:
    """What reading one passage came to: the claims found, the candidates rejected, or the reason there is neither."""

    passage_id: str
    claims: tuple[Claim, ...] = ()
    rejected: tuple[Failure, ...] = ()
    failure: Failure | None = None
    prompt_tokens: int = 0
    output_tokens: int = 0


def add_documents(store: Store, documents: Iterable[tuple[Document, str]]) -> None:
    """Write documents, each with the place it was found. One text in two places is one document and two sources.

    Raises
    ------
    DocumentError : a text holds half a surrogate pair, which UTF-8 and so DuckDB cannot hold.
    """
    found = list(documents)
    with store.transaction() as cursor:
        insert_documents(cursor, found)


def add_passages(store: Store, passages: Iterable[Passage]) -> None:
    """Write passages of documents already written."""
    with store.transaction() as cursor:
        insert_passages(cursor, passages)


def start_run(
    store: Store,
    *,
    command: str,
    settings: Mapping[str, Any],
    reader: Reader | None = None,
    started_at: datetime | None = None,
) -> str:
    """Record that a run begins, and who reads in it; returns its id, a function of all that is given here."""
    began = _now() if started_at is None else started_at.astimezone(UTC).replace(tzinfo=None)
    stored = json.dumps(settings, sort_keys=True, default=str)
    reader_id = reader.reader_id if reader else None
    run_id = stable_id("run", command, stored, reader_id, began.isoformat())
    with store.transaction() as cursor:
        if reader is not None:
            cursor.execute(
                "INSERT INTO readers VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [reader.reader_id, reader.model, reader.adapter, reader.prompt_version, reader.seed],
            )
        cursor.execute(
            "INSERT INTO runs (run_id, command, settings, code_version, reader_id, started_at, status)"
            " VALUES (?, ?, ?, ?, ?, ?, 'running') ON CONFLICT DO NOTHING",
            [run_id, command, stored, __version__, reader_id, began],
        )
    return run_id


def plan(store: Store, run_id: str, reader: Reader, rows: Iterable[Planned]) -> None:
    """Write down what the run is going to read, and in which batches.

    A passage this reader has already read or skipped is left as it is. One that an earlier run failed on, or planned
    and never came to, becomes part of this run.
    """
    with store.transaction() as cursor:
        insert_plan(cursor, run_id, reader.reader_id, rows)


def record_batch(
    store: Store, run_id: str, reader_id: str, results: Sequence[PassageResult], *, seconds: float = 0.0
) -> None:
    """Write what reading these passages came to: claims, concepts, rejected candidates, failures and progress.

    All of it or, if the process dies, none of it. What was recorded for a passage before stays; the rest is ignored.

    Parameters
    ----------
    seconds : how long the batch took, shared out evenly among its passages.

    Raises
    ------
    StoreError : a passage is not in the plan of this run.
    """
    by_passage = {result.passage_id: result for result in results}
    with store.transaction() as cursor:
        states = dict(
            cursor.execute(
                "SELECT passage_id, state FROM readings"
                " WHERE reader_id = $1 AND run_id = $2 AND passage_id IN (SELECT unnest($3::VARCHAR[]))",
                [reader_id, run_id, list(by_passage)],
            ).fetchall()
        )
        if unplanned := sorted(by_passage.keys() - states.keys()):
            raise StoreError(
                f"{len(unplanned)} passages are not in the plan of run {run_id}: {', '.join(unplanned[:3])} …",
                next_step="Plan them first.",
            )
        fresh = [result for key, result in by_passage.items() if states[key] == "planned"]
        if not fresh:
            return
        claims = list({claim.claim_id: claim for result in fresh for claim in result.claims}.values())
        _insert_claims(cursor, run_id, claims)
        insert_failures(cursor, run_id, [f for r in fresh for f in (*r.rejected, *((r.failure,) if r.failure else ()))])
        _mark_read(cursor, reader_id, fresh, seconds / len(results))


def add_failures(store: Store, run_id: str, failures: Iterable[Failure]) -> None:
    """Write down what could not be done outside any batch: a file that cannot be read."""
    with store.transaction() as cursor:
        insert_failures(cursor, run_id, list(failures))


def finish_run(
    store: Store,
    run_id: str,
    status: Literal["finished", "interrupted", "failed"],
    *,
    metrics: Mapping[str, Any] | None = None,
) -> None:
    """Close the run and write its counts, derived from what it wrote.

    Parameters
    ----------
    metrics : what a training run came to; numbers that are none (NaN, infinite) are written as null. None leaves what
        was written before.

    Raises
    ------
    StoreError : there is no such run.
    """
    stored = None if metrics is None else json.dumps(_finite(metrics), sort_keys=True, default=str)
    with store.transaction() as cursor:
        changed = cursor.execute(
            """
            UPDATE runs SET
                status = $status, finished_at = $now, metrics = coalesce($metrics::JSON, metrics),
                documents = done.documents, passages = done.passages, skipped = done.skipped, read = done.read,
                claims = (SELECT count(*) FROM claims WHERE run_id = $run),
                rejected = (SELECT count(*) FROM failures WHERE run_id = $run AND stage = 'ground'),
                failures = (SELECT count(*) FROM failures WHERE run_id = $run AND stage <> 'ground'),
                prompt_tokens = done.prompt_tokens, output_tokens = done.output_tokens, seconds = done.seconds
            FROM (
                SELECT count(DISTINCT document_id) AS documents, count(*) AS passages,
                       count(*) FILTER (state = 'skipped') AS skipped, count(*) FILTER (state = 'read') AS read,
                       coalesce(sum(prompt_tokens), 0) AS prompt_tokens,
                       coalesce(sum(output_tokens), 0) AS output_tokens,
                       coalesce(sum(seconds), 0) AS seconds
                FROM readings LEFT JOIN passages USING (passage_id) WHERE run_id = $run
            ) AS done
            WHERE run_id = $run
            RETURNING run_id
            """,
            {"run": run_id, "status": status, "now": _now(), "metrics": stored},
        ).fetchall()
    if not changed:
        raise StoreError(f"There is no run {run_id}.", next_step="Start it with start_run.")


def rebuild_search_index(store: Store) -> None:
    """Index the words of every passage; until then a search scans the passages written since the last time."""
    with store.transaction() as cursor:
        # The default drops every sign but a-z: no digits, and nothing at all of a text in Cyrillic.
        cursor.execute(
            "PRAGMA create_fts_index('passages', 'passage_id', 'text', ignore = '[^\\p{L}\\p{N}]+', overwrite = 1)"
        )


def add_concept_vectors(store: Store, concept_ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Write one vector a concept, replacing what it had. `vectors` has the shape (len(concept_ids), 384).

    Raises
    ------
    ValueError : the shape is another.
    """
    if vectors.shape != (len(concept_ids), VECTOR_SIZE):
        raise ValueError(f"vectors have the shape {vectors.shape}, expected {(len(concept_ids), VECTOR_SIZE)}")
    with store.transaction() as cursor:
        # A column a number: DuckDB takes nested lists forty times slower, and 2-D arrays not at all.
        columns: dict[str, NDArray[Any]] = {f"v{at}": np.ascontiguousarray(vectors[:, at]) for at in range(VECTOR_SIZE)}
        cursor.register("numbers", columns | {"place": np.arange(1, len(concept_ids) + 1)})
        cursor.execute(
            f"""
            INSERT OR REPLACE INTO concept_vectors
            SELECT concept_id, array_value({", ".join(f"v{at}::FLOAT" for at in range(VECTOR_SIZE))})
            FROM (SELECT unnest($1::VARCHAR[]) AS concept_id, generate_subscripts($1::VARCHAR[], 1) AS place)
            JOIN numbers USING (place)
            """,
            [list(concept_ids)],
        )
        cursor.unregister("numbers")


# For those who write these together with something else, in a transaction of their own.


def insert_documents(cursor: duckdb.DuckDBPyConnection, found: Sequence[tuple[Document, str]]) -> None:
    """As `add_documents`."""
    now = _now()
    for document, uri in found:
        try:
            document.text.encode()
        except UnicodeEncodeError as error:
            raise DocumentError(
                f"{_printable(uri)}: character {error.start} of the text is half a surrogate pair.",
                expected="text that can be encoded as UTF-8",
                next_step="Replace such characters when decoding the file.",
            ) from error
    _insert(
        cursor,
        "documents",
        "VARCHAR VARCHAR VARCHAR VARCHAR VARCHAR BIGINT VARCHAR TIMESTAMP VARCHAR",
        [
            (
                document.document_id,
                hashlib.sha256(document.text.encode()).hexdigest(),
                document.media_type,
                _printable(document.title),
                document.published,
                len(document.text),
                document.text,
                now,
                document.kind,
            )
            for document, _ in found
        ],
    )
    _insert(
        cursor,
        "sources",
        "VARCHAR VARCHAR VARCHAR VARCHAR TIMESTAMP",
        [
            (
                stable_id("source", uri, document.document_id),
                _printable(uri),
                document.media_type,
                document.document_id,
                now,
            )
            for document, uri in found
        ],
    )


def insert_passages(cursor: duckdb.DuckDBPyConnection, passages: Iterable[Passage]) -> None:
    """As `add_passages`."""
    rows = [(p.passage_id, p.document_id, p.start, p.end, p.text) for p in passages]
    _insert(cursor, "passages", "VARCHAR VARCHAR BIGINT BIGINT VARCHAR", rows)


def insert_plan(cursor: duckdb.DuckDBPyConnection, run_id: str, reader_id: str, rows: Iterable[Planned]) -> None:
    """As `plan`."""
    planned = [
        (reader_id, row.passage_id, run_id, row.batch, row.position, "skipped" if row.skipped else "planned")
        for row in rows
    ]
    _insert(
        cursor,
        "readings (reader_id, passage_id, run_id, batch, position, state)",
        "VARCHAR VARCHAR VARCHAR INTEGER INTEGER VARCHAR",
        planned,
        on_conflict="ON CONFLICT DO UPDATE SET run_id = excluded.run_id, batch = excluded.batch, position = excluded.position,"
        " state = excluded.state WHERE state IN ('planned', 'failed') AND run_id <> excluded.run_id",
    )


def _insert_claims(cursor: duckdb.DuckDBPyConnection, run_id: str, claims: Sequence[Claim]) -> None:
    # Two passages that overlap can hold one claim. Looked up here instead of left to a primary key, which makes loading
    # a million claims four times slower and their file twice as large.
    known = {
        claim_id
        for (claim_id,) in cursor.execute(
            "SELECT claim_id FROM claims WHERE claim_id IN (SELECT unnest($1::VARCHAR[]))",
            [[claim.claim_id for claim in claims]],
        ).fetchall()
    }
    claims = [claim for claim in claims if claim.claim_id not in known]
    concepts = _concepts_of(cursor, {phrase for claim in claims for phrase in (claim.cause, claim.effect)})
    _insert(
        cursor,
        "claims",
        "VARCHAR VARCHAR VARCHAR VARCHAR VARCHAR VARCHAR BIGINT BIGINT VARCHAR VARCHAR VARCHAR BIGINT BIGINT VARCHAR"
        " VARCHAR BOOLEAN BOOLEAN VARCHAR VARCHAR BIGINT BIGINT DOUBLE VARCHAR VARCHAR VARCHAR VARCHAR",
        [
            (
                c.claim_id,
                c.document_id,
                c.passage_id,
                c.reader_id,
                run_id,
                c.cause,
                c.cause_start,
                c.cause_end,
                concepts[c.cause],
                c.relation,
                c.effect,
                c.effect_start,
                c.effect_end,
                concepts[c.effect],
                c.sign.value,
                c.negated,
                c.hedged,
                c.conditions,
                c.quote,
                c.start,
                c.end,
                c.confidence,
                c.evidence.value,
                c.population,
                c.place,
                c.period,
            )
            for c in claims
        ],
        on_conflict="",
    )


def _concepts_of(cursor: duckdb.DuckDBPyConnection, phrases: Iterable[str]) -> dict[str, str]:
    """The concept id of each phrase, making the concepts that are not there yet."""
    names = {phrase: concept_name(phrase) for phrase in phrases}
    wanted = sorted(set(names.values()))
    # An alias may have been given to another concept than the one of its own name.
    known = dict(
        cursor.execute(
            "SELECT alias, concept_id FROM aliases WHERE alias IN (SELECT unnest($1::VARCHAR[]))", [wanted]
        ).fetchall()
    )
    new = [(name, concept_id(name)) for name in wanted if name not in known]
    _insert(cursor, "concepts", "VARCHAR VARCHAR", [(identity, name) for name, identity in new])
    _insert(cursor, "aliases", "VARCHAR VARCHAR VARCHAR", [(name, identity, "name") for name, identity in new])
    known.update(new)
    return {phrase: known[name] for phrase, name in names.items()}


def insert_failures(cursor: duckdb.DuckDBPyConnection, run_id: str, failures: Iterable[Failure]) -> None:
    """As `add_failures`."""
    now = _now()
    rows = []
    for failure in failures:
        item, message = _printable(failure.item), _printable(failure.message)
        detail = None if failure.detail is None else _printable(failure.detail)
        failure_id = stable_id("failure", run_id, item, failure.stage, failure.error, message, detail or "")
        rows.append((failure_id, run_id, item, failure.stage, failure.error, message, detail, now))
    _insert(cursor, "failures", "VARCHAR VARCHAR VARCHAR VARCHAR VARCHAR VARCHAR VARCHAR TIMESTAMP", rows)


def _mark_read(
    cursor: duckdb.DuckDBPyConnection, reader_id: str, results: Sequence[PassageResult], seconds_each: float
) -> None:
    accepted = [len({claim.claim_id for claim in result.claims}) for result in results]
    cursor.execute(
        """
        UPDATE readings SET
            state = done.state, candidates = done.accepted + done.rejected, accepted = done.accepted,
            prompt_tokens = done.prompt_tokens, output_tokens = done.output_tokens, seconds = $seconds
        FROM (SELECT unnest($passage::VARCHAR[]) AS passage_id, unnest($state::VARCHAR[]) AS state,
                     unnest($accepted::INTEGER[]) AS accepted, unnest($rejected::INTEGER[]) AS rejected,
                     unnest($prompt::INTEGER[]) AS prompt_tokens, unnest($output::INTEGER[]) AS output_tokens) AS done
        WHERE readings.reader_id = $reader AND readings.passage_id = done.passage_id
        """,
        {
            "reader": reader_id,
            "seconds": seconds_each,
            "passage": [result.passage_id for result in results],
            "state": ["failed" if result.failure else "read" for result in results],
            "accepted": accepted,
            "rejected": [len(result.rejected) for result in results],
            "prompt": [result.prompt_tokens for result in results],
            "output": [result.output_tokens for result in results],
        },
    )


def _insert(
    cursor: duckdb.DuckDBPyConnection,
    target: str,
    types: str,
    rows: Sequence[tuple[Any, ...]],
    *,
    on_conflict: str = "ON CONFLICT DO NOTHING",
) -> None:
    """Insert rows whose columns have `types`; one parameter a column, which DuckDB takes 50 times faster than rows.

    `target`, `types` and `on_conflict` are SQL of this module, never data.
    """
    if not rows:
        return
    columns = ", ".join(f"unnest(${at}::{kind}[])" for at, kind in enumerate(types.split(), start=1))
    cursor.execute(
        f"INSERT INTO {target} SELECT {columns} {on_conflict}",
        [list(column) for column in zip(*rows, strict=True)],
    )


def _printable(text: str) -> str:
    """`text` as DuckDB can hold it: a file name that is not UTF-8 reaches us with half surrogate pairs."""
    return text.encode("utf-8", "backslashreplace").decode()


def _finite(value: Any) -> Any:
    """As JSON can hold it, which knows no NaN and no infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(held) for held in value]
    return value


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
