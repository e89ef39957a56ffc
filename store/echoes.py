"""Which documents repeat which, on record: texts are read in blocks, the table is written in one transaction.

How two texts are compared is not known here: a sketch of a text and a comparison of sketches are handed in, since the
store may not import the pure functions of `graphs/echoes.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from leucippus.store.database import Store

Kept = TypeVar("Kept")
"""What is kept of a text: small, since it is held for all documents at once."""

_BLOCK_CHARS = 4_000_000
"""Characters of text held at once; a single longer document is held alone."""


@dataclass(frozen=True)
class Compared:
    """What came of it: documents read, echoes on record, and how many of their rows are new or changed."""

    documents: int
    echoes: int
    changed: int


def record_echoes(
    store: Store,
    keep: Callable[[str], Kept],
    compare: Callable[[Sequence[Kept]], Sequence[tuple[int, int, float]]],
) -> Compared:
    """Find the documents that repeat another and write them down; rows that still hold are left alone.

    The verdict depends on the documents there are, not on the order in which they came: one that is added last but
    bears the earliest date becomes the origin. What one language model said is one source, however often it was asked:
    its documents are echoes of the first. So is what was measured in one data set, however often it was analysed.

    Parameters
    ----------
    keep : text → what is kept of it (`leucippus.graphs.echoes.sketch`).
    compare : those of all documents, the oldest first → (later, origin, likeness) by position.
    """
    held: dict[str, Kept] = {}
    for first, last in _blocks(store):
        for document, text in store.rows(
            "SELECT document_id, text FROM documents WHERE kind = 'read' AND rowid BETWEEN ? AND ?", [first, last]
        ):
            held[document] = keep(text)
    documents = [
        document
        for (document,) in store.rows(
            "SELECT document_id FROM documents WHERE kind = 'read'"
            " ORDER BY nullif(published, '') NULLS LAST, added_at, document_id"
        )
    ]
    found = compare([held[document] for document in documents])
    rows = {documents[later]: (documents[origin], float(share)) for later, origin, share in found}
    rows |= _of_one_knower(store)
    columns: list[Any] = [list(rows), [origin for origin, _ in rows.values()], [share for _, share in rows.values()]]
    with store.transaction() as cursor:
        cursor.execute(
            """
            CREATE OR REPLACE TEMP TABLE heard AS
            SELECT unnest($1::VARCHAR[]) AS document_id, unnest($2::VARCHAR[]) AS origin_id,
                   unnest($3::DOUBLE[]) AS likeness
            """,
            columns,
        )
        changed = cursor.execute("SELECT count(*) FROM (FROM heard EXCEPT FROM echoes)").fetchone()
        cursor.execute("DELETE FROM echoes WHERE document_id NOT IN (SELECT document_id FROM heard)")
        cursor.execute("INSERT OR REPLACE INTO echoes FROM (FROM heard EXCEPT FROM echoes)")
        cursor.execute("DROP TABLE heard")
    assert changed is not None
    return Compared(len(documents), len(rows), int(changed[0]))


def _blocks(store: Store) -> list[tuple[int, int]]:
    """First and last rows of blocks of about equal text: a range of rows is read without the rest of the table."""
    blocks: list[tuple[int, int]] = []
    held = _BLOCK_CHARS
    for row, chars in store.rows("SELECT rowid, chars FROM documents WHERE kind = 'read' ORDER BY rowid"):
        if held + chars > _BLOCK_CHARS:
            blocks.append((row, row))
            held = 0
        blocks[-1] = (blocks[-1][0], row)
        held += chars
    return blocks


def _of_one_knower(store: Store) -> dict[str, tuple[str, float]]:
    """What each model said → what it said first; what was measured in each data set → what was measured first."""
    rows = store.rows(
        """
        WITH known AS (
            SELECT DISTINCT document_id, added_at, kind,
                   CASE kind WHEN 'elicited' THEN model ELSE coalesce(settings ->> 'data', settings ->> 'source') END AS knower
            FROM documents JOIN claims USING (document_id) JOIN readers USING (reader_id)
            LEFT JOIN runs ON runs.run_id = claims.run_id
            WHERE kind IN ('elicited', 'measured')
        )
        SELECT document_id, min(first_id) FROM (
            SELECT document_id,
                   first_value(document_id) OVER (PARTITION BY kind, knower ORDER BY added_at, document_id) AS first_id
            FROM known WHERE knower IS NOT NULL
        ) WHERE document_id <> first_id GROUP BY document_id
        """
    )
    return {document: (origin, 1.0) for document, origin in rows}
