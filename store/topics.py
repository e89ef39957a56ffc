"""The topics a model was asked about: the frontier of an elicitation, and what asking brought. Reads and writes rows.

A topic is *open* until what was said of it is written; with its document it stays open until that document is read
(`settle`), and then it is *done*, or *failed* if nothing usable was said. What no budget was left for is *left*.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import duckdb

from leucippus.store.database import Store
from leucippus.store.triples import Document, Failure, Passage, stable_id
from leucippus.store.write import Planned, insert_documents, insert_failures, insert_passages, insert_plan

State = Literal["open", "done", "failed", "left"]


@dataclass(frozen=True)
class Topic:
    """A topic of a run; `path` leads from its root to it. Tokens are those of asking about it."""

    topic_id: str
    run_id: str
    parent_id: str | None
    path: tuple[str, ...]
    depth: int
    position: int
    state: State
    document_id: str | None = None
    prompt_tokens: int = 0
    output_tokens: int = 0
    claims: int = 0
    new_edges: int = 0

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.output_tokens


@dataclass(frozen=True)
class Said:
    """What a model said of one topic: a document and its passages, or none; subtopics; what could not be used."""

    topic_id: str
    document: Document | None
    uri: str
    passages: tuple[Passage, ...] = ()
    unworthy: frozenset[str] = frozenset()
    """Ids of passages that are not worth reading."""
    subtopics: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = field(default=(), repr=False)
    prompt_tokens: int = 0
    output_tokens: int = 0


def topic_id(run_id: str, path: Sequence[str]) -> str:
    return stable_id("topic", run_id, *path)


def add_roots(store: Store, run_id: str, roots: Sequence[str]) -> None:
    """Write the root topics of a run; again is once."""
    with store.transaction() as cursor:
        _insert_topics(cursor, run_id, None, (), roots, 0)


def run_topics(store: Store, run_id: str) -> list[Topic]:
    """All topics of a run in the order in which they were found."""
    rows = store.rows(
        """
        SELECT topic_id, run_id, parent_id, path, depth, position, state, document_id, prompt_tokens, output_tokens,
               claims, new_edges
        FROM topics WHERE run_id = ? ORDER BY position
        """,
        [run_id],
    )
    return [Topic(identity, run, parent, tuple(path), *rest) for identity, run, parent, path, *rest in rows]


def said_so_far(store: Store, run_id: str) -> list[str]:
    """The texts of the documents of a run: what the model has stated."""
    rows = store.rows(
        "SELECT text FROM topics JOIN documents USING (document_id) WHERE run_id = ? ORDER BY position", [run_id]
    )
    return [text for (text,) in rows]


def record_said(store: Store, run_id: str, reader_id: str, said: Iterable[Said]) -> None:
    """Write what a model said of some topics, all of it or none: documents, the plan of reading them, subtopics,
    failures, tokens. What was said of a topic before stays; the rest is ignored.
    """
    with store.transaction() as cursor:
        waiting = {
            identity: (list(path), depth)
            for identity, path, depth in cursor.execute(
                "SELECT topic_id, path, depth FROM topics WHERE run_id = ? AND state = 'open' AND document_id IS NULL",
                [run_id],
            ).fetchall()
        }
        (number,) = cursor.execute(
            "SELECT coalesce(max(batch), -1) + 1 FROM readings WHERE run_id = ?", [run_id]
        ).fetchall()[0]
        read = 0
        for one in said:
            if one.topic_id not in waiting:
                continue
            path, depth = waiting.pop(one.topic_id)
            if one.document is not None:
                insert_documents(cursor, [(one.document, one.uri)])
                insert_passages(cursor, one.passages)
                insert_plan(cursor, run_id, reader_id, _planned(one, number, read))
                read += len(one.passages)
            _insert_topics(cursor, run_id, one.topic_id, path, one.subtopics, depth + 1)
            insert_failures(cursor, run_id, one.failures)
            cursor.execute(
                "UPDATE topics SET state = ?, document_id = ?, prompt_tokens = ?, output_tokens = ? WHERE topic_id = ?",
                [
                    "failed" if one.document is None else "open",
                    None if one.document is None else one.document.document_id,
                    one.prompt_tokens,
                    one.output_tokens,
                    one.topic_id,
                ],
            )


def settle(store: Store, run_id: str) -> None:
    """Close the topics whose documents are read, and count what they brought.

    An edge is new if its two concepts, all merges in force followed, are not linked by any claim that was there before;
    if two topics bring it, it is that of the first. A claim of a concept about itself is no edge.
    """
    with store.transaction() as cursor:
        cursor.execute(
            """
            CREATE OR REPLACE TEMP TABLE fresh AS
            SELECT topic_id, position, document_id FROM topics
            WHERE run_id = ? AND state = 'open' AND document_id IS NOT NULL
            """,
            [run_id],
        )
        cursor.execute(
            """
            CREATE OR REPLACE TEMP TABLE told AS
            SELECT topic_id, position, claim_id, claims.run_id, cause_concept, effect_concept
            FROM fresh JOIN claims USING (document_id)
            """
        )
        cursor.execute(
            """
            CREATE OR REPLACE TEMP TABLE up AS
            WITH RECURSIVE up(concept_id, reached) AS (
                SELECT concept_id, concept_id
                FROM (SELECT cause_concept AS concept_id FROM told UNION SELECT effect_concept FROM told)
                UNION
                SELECT up.concept_id, into_id FROM up JOIN merges ON merges.concept_id = reached AND undone_at IS NULL
            )
            SELECT up.concept_id, reached AS root FROM up
            WHERE reached NOT IN (SELECT concept_id FROM merges WHERE undone_at IS NULL)
            """
        )
        cursor.execute(
            """
            CREATE OR REPLACE TEMP TABLE down AS
            WITH RECURSIVE down(root, concept_id) AS (
                SELECT DISTINCT root, root FROM up
                UNION
                SELECT root, merges.concept_id FROM down
                JOIN merges ON into_id = down.concept_id AND undone_at IS NULL
            )
            SELECT * FROM down
            """
        )
        cursor.execute(
            """
            WITH known AS (
                SELECT DISTINCT source.root AS cause, target.root AS effect FROM claims
                JOIN down AS source ON source.concept_id = cause_concept
                JOIN down AS target ON target.concept_id = effect_concept
                WHERE run_id <> $run OR document_id NOT IN (SELECT document_id FROM fresh)
            ),
            brought AS (
                SELECT arg_min(topic_id, position) AS topic_id FROM (
                    SELECT topic_id, position, source.root AS cause, target.root AS effect FROM told
                    JOIN up AS source ON source.concept_id = cause_concept
                    JOIN up AS target ON target.concept_id = effect_concept
                    WHERE source.root <> target.root
                ) ANTI JOIN known USING (cause, effect)
                GROUP BY cause, effect
            )
            UPDATE topics SET
                state = 'done',
                claims = (SELECT count(DISTINCT claim_id) FROM told WHERE told.topic_id = topics.topic_id),
                new_edges = (SELECT count(*) FROM brought WHERE brought.topic_id = topics.topic_id)
            WHERE topic_id IN (SELECT topic_id FROM fresh)
            """,
            {"run": run_id},
        )
        for table in ("fresh", "told", "up", "down"):
            cursor.execute(f"DROP TABLE {table}")


def leave_open(store: Store, run_id: str) -> int:
    """Mark the topics that nobody will be asked about any more; returns how many."""
    with store.transaction() as cursor:
        changed = cursor.execute(
            "UPDATE topics SET state = 'left' WHERE run_id = ? AND state = 'open' AND document_id IS NULL"
            " RETURNING topic_id",
            [run_id],
        ).fetchall()
    return len(changed)


def concepts_with(store: Store, words: Collection[str]) -> dict[str, int]:
    """How many concepts of the store hold each of these words; a word that none holds is left out."""
    if not words:
        return {}
    rows = store.rows(
        """
        SELECT word, count(*) FROM (
            SELECT unnest(list_distinct(string_split(name, ' '))) AS word FROM concepts
        ) WHERE word IN (SELECT unnest($1::VARCHAR[])) GROUP BY word
        """,
        [list(words)],
    )
    return dict(rows)


def contested_words(store: Store, run_id: str) -> set[str]:
    """Words of the concepts that claims disagree about: as last woven, and within this run."""
    rows = store.rows(
        """
        WITH disputed AS (
            SELECT cause_concept AS one, effect_concept AS other FROM claims WHERE run_id = $run
            GROUP BY ALL
            HAVING count(DISTINCT sign) FILTER (NOT negated AND sign <> 'none') > 1 OR count(DISTINCT negated) > 1
        )
        SELECT name FROM disputed JOIN concepts ON concept_id IN (one, other)
        UNION
        SELECT name FROM conflicts JOIN nodes ON node IN (conflicts.cause, conflicts.effect)
        """,
        {"run": run_id},
    )
    return {word for (name,) in rows for word in name.split(" ")}


def _insert_topics(
    cursor: duckdb.DuckDBPyConnection,
    run_id: str,
    parent: str | None,
    path: Sequence[str],
    names: Sequence[str],
    depth: int,
) -> None:
    (first,) = cursor.execute(
        "SELECT coalesce(max(position), -1) + 1 FROM topics WHERE run_id = ?", [run_id]
    ).fetchall()[0]
    for position, name in enumerate(names, start=first):
        whole = [*path, name]
        cursor.execute(
            "INSERT INTO topics (topic_id, run_id, parent_id, path, depth, position, state)"
            " VALUES (?, ?, ?, ?, ?, ?, 'open') ON CONFLICT DO NOTHING",
            [topic_id(run_id, whole), run_id, parent, whole, depth, position],
        )


def _planned(said: Said, number: int, position: int) -> list[Planned]:
    """The reading of a document's passages as part of batch `number`, from this position on."""
    return [
        Planned(passage.passage_id, -1 if skipped else number, position + at, skipped)
        for at, passage in enumerate(said.passages)
        for skipped in (passage.passage_id in said.unworthy,)
    ]
