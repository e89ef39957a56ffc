"""Forgetting a document: it goes with all that rests on it alone, and nothing else goes.

What a run did and what it cost stays on record, as do merges that were undone: they keep apart what may be met again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from leucippus.errors import InputError
from leucippus.store.database import Store
from leucippus.store.slices import documents_named, unknown_document
from leucippus.store.write import rebuild_search_index

_SHOWN = 10
"""Candidates named where several documents are meant."""


@dataclass(frozen=True)
class Forgotten:
    """What was deleted, in rows. `places`: where the document had been found."""

    document_id: str
    title: str
    places: tuple[str, ...]
    claims: int
    passages: int
    readings: int
    failures: int
    concepts: int
    aliases: int
    vectors: int
    merges: int
    echoes: int


def forget(store: Store, document: str) -> Forgotten:
    """Delete a document, in all places it was found, with its claims and what only these mention. Weave afterwards.

    A concept goes if no other claim mentions it and no concept that stays is merged into it. Documents that echo this
    one echo the likest of them from now on. All in one transaction. DuckDB overwrites what was deleted when it needs
    the room; to leave no trace in the file, glue the store into a new one.

    Parameters
    ----------
    document : its id, or a place where it was found, or the end of one.

    Raises
    ------
    InputError : there is no such document, or there are several.
    StoreReadOnly : the store was opened for reading.
    """
    document_id = _the_one(store, document)
    indexed = bool(store.rows("SELECT 1 FROM duckdb_schemas() WHERE schema_name = 'fts_main_passages'"))
    with store.transaction() as cursor:
        title = cursor.execute("SELECT title FROM documents WHERE document_id = ?", [document_id]).fetchone()
        _doom_concepts(cursor, document_id)
        of_document = "document_id = $document"
        of_passages = "{} IN (SELECT passage_id FROM passages WHERE document_id = $document)"
        readings = _delete(cursor, "readings", of_passages.format("passage_id"), document_id)
        failures = _delete(cursor, "failures", of_passages.format("item"), document_id)
        passages = _delete(cursor, "passages", of_document, document_id)
        claims = _delete(cursor, "claims", of_document, document_id)
        places = cursor.execute("DELETE FROM sources WHERE document_id = ? RETURNING uri", [document_id]).fetchall()
        aliases, vectors, concepts = (
            _delete(cursor, table, "concept_id IN (FROM doomed)")
            for table in ("aliases", "concept_vectors", "concepts")
        )
        merges = _delete(cursor, "merges", "undone_at IS NULL AND concept_id IN (FROM doomed)")
        echoes = _delete_echoes(cursor, document_id)
        cursor.execute("UPDATE topics SET document_id = NULL WHERE document_id = ?", [document_id])
        _delete(cursor, "documents", of_document, document_id)
        # The model as woven: no edge may show words of the document until it is woven anew, and no number of claims
        # written meanwhile may make the weaving look up to date.
        for table in ("edges", "edges_by_effect"):
            _delete(cursor, table, of_document, document_id)
        if claims:
            cursor.execute("UPDATE weavings SET claims = -1")
        if indexed:
            cursor.execute("PRAGMA drop_fts_index('passages')")
        cursor.execute("DROP TABLE doomed")
    if indexed:
        rebuild_search_index(store)
    return Forgotten(
        document_id,
        title[0] if title else "",
        tuple(sorted(uri for (uri,) in places)),
        claims, passages, readings, failures, concepts, aliases, vectors, merges, echoes,
    )  # fmt: skip


def _the_one(store: Store, document: str) -> str:
    found = documents_named(store, document)
    if not found:
        raise unknown_document(store, document)
    if len(found) > 1:
        raise InputError(
            f"{document!r} is {len(found)} documents: {_listed(found)}.",
            expected="one document",
            next_step="Name it by its id, the first word of each line.",
        )
    return found[0][0]


def _listed(found: Sequence[tuple[str, str]]) -> str:
    shown = "".join(f"\n  {document_id}  {uri}" for document_id, uri in found[:_SHOWN])
    return shown + (f"\n  … and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")


def _doom_concepts(cursor: duckdb.DuckDBPyConnection, document_id: str) -> None:
    """The concepts that nothing but this document leads to: of its phrases and up the trees of merges from them, those
    that are not reached from any other claim, nor from any concept that is none of these."""
    up = "SELECT into_id FROM {0} JOIN merges USING (concept_id) WHERE undone_at IS NULL"
    cursor.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE doomed AS
        WITH RECURSIVE reached(concept_id) AS (
            SELECT cause_concept FROM claims WHERE document_id = $document
            UNION SELECT effect_concept FROM claims WHERE document_id = $document
            UNION {up.format("reached")}
        ),
        kept(concept_id) AS (
            SELECT cause_concept FROM claims WHERE document_id <> $document AND cause_concept IN (FROM reached)
            UNION SELECT effect_concept FROM claims WHERE document_id <> $document AND effect_concept IN (FROM reached)
            UNION SELECT into_id FROM merges WHERE undone_at IS NULL AND concept_id NOT IN (FROM reached)
            UNION {up.format("kept")}
        )
        SELECT concept_id FROM reached WHERE concept_id NOT IN (FROM kept)
        """,
        {"document": document_id},
    )


def _delete_echoes(cursor: duckdb.DuckDBPyConnection, document_id: str) -> int:
    deleted = _delete(cursor, "echoes", "document_id = $document", document_id)
    heir = cursor.execute(
        "DELETE FROM echoes WHERE document_id = (SELECT document_id FROM echoes WHERE origin_id = $1"
        " ORDER BY likeness DESC, document_id LIMIT 1) RETURNING document_id",
        [document_id],
    ).fetchone()
    if heir:
        cursor.execute("UPDATE echoes SET origin_id = ? WHERE origin_id = ?", [heir[0], document_id])
    return deleted + bool(heir)


def _delete(cursor: duckdb.DuckDBPyConnection, table: str, condition: str, document_id: str | None = None) -> int:
    # Both are SQL of this module, never data.
    given = {} if document_id is None else {"document": document_id}
    row = cursor.execute(f"DELETE FROM {table} WHERE {condition}", given).fetchone()
    return int(row[0]) if row else 0
