"""What must hold of an elicitation that was killed and taken up again: nothing lost, nothing said or asked twice."""

from pathlib import Path
from typing import Any

from leucippus.store.concepts import concept_name
from leucippus.store.database import open_store
from leucippus.store.weave import not_woven

Row = tuple[Any, ...]
_ASKED = "state <> 'left' AND (state <> 'open' OR document_id IS NOT NULL)"
_DOUBLES = {
    "claims": "SELECT document_id, cause_start, cause_end, effect_start, effect_end FROM claims",
    "failures": "SELECT item, stage, error, message, detail FROM failures",
    "documents": f"SELECT document_id FROM topics WHERE {_ASKED} AND document_id IS NOT NULL",
    "merges": "SELECT concept_id FROM merges WHERE undone_at IS NULL",
}
"""What no two rows may have in common."""
_WRONG = {
    "runs that are not finished": "SELECT status FROM runs WHERE status <> 'finished'",
    "topics left waiting": "SELECT path FROM topics WHERE state = 'open'",
    "topics with an answer and no document": "SELECT path FROM topics WHERE state = 'done' AND document_id IS NULL",
    "topics with nothing said and no failure on record":
        "SELECT path FROM topics WHERE state = 'failed' AND topic_id NOT IN (SELECT item FROM failures)",
    "documents without a topic": "SELECT title FROM documents WHERE document_id NOT IN (SELECT document_id FROM topics "
        "WHERE document_id IS NOT NULL)",
    "passages that are not read": "SELECT passage_id FROM readings WHERE state = 'planned'",
    "passages without a reading": "SELECT passage_id FROM passages WHERE passage_id NOT IN (SELECT passage_id FROM readings)",
    "claims of no document, or with other words than its":
        'SELECT claim_id FROM claims LEFT JOIN documents USING (document_id)'
        ' WHERE text IS NULL OR text[start + 1:"end"] <> quote OR text[cause_start + 1:cause_end] <> cause'
        " OR text[effect_start + 1:effect_end] <> effect",
    "claims that are not elicited": "SELECT claim_id FROM claims WHERE evidence <> 'elicited'",
    "a budget that was exceeded":
        "SELECT run_id FROM runs JOIN topics USING (run_id) GROUP BY run_id, settings"
        " HAVING sum(topics.prompt_tokens + topics.output_tokens) > (settings -> 'elicit' ->> 'budget')::BIGINT",
}  # fmt: skip
"""What there may be no rows of once a run is finished."""


def recorded(path: Path) -> frozenset[Row]:
    """What no kill may lose or change: topics that were asked about, with what it cost; claims, failures, readings."""
    asked = (
        f"SELECT 'topic', topic_id, document_id, prompt_tokens, output_tokens FROM topics WHERE {_ASKED}",
        "SELECT 'claim', claim_id, quote, sign, negated FROM claims",
        "SELECT 'failure', failure_id, item, error, detail FROM failures",
        "SELECT 'reading', passage_id, batch, position, state FROM readings WHERE state <> 'planned'",
    )
    with open_store(path, "read") as store:
        return frozenset(row for sql in asked for row in store.rows(sql))


def faults(path: Path, before: frozenset[Row]) -> list[str]:
    """What is wrong with the store of an elicitation that is finished; `before`: what was recorded in earlier lives."""
    found = [f"lost: {row}" for row in sorted(before - recorded(path), key=repr)]
    with open_store(path, "read") as store:
        for what, sql in _DOUBLES.items():
            rows = store.rows(sql)
            if len(set(rows)) < len(rows):
                found.append(f"{len(rows) - len(set(rows))} {what} twice")
        topics = [concept_name(path[-1]) for (path,) in store.rows("SELECT path FROM topics")]
        if len(set(topics)) < len(topics):
            found.append(f"{len(topics) - len(set(topics))} topics twice")
        said = [line for (text,) in store.rows("SELECT text FROM documents") for line in text.split("\n")]
        if len(set(said)) < len(said):
            found.append(f"{len(said) - len(set(said))} statements twice")
        for what, sql in _WRONG.items():
            if rows := store.rows(sql):
                found.append(f"{what}: {rows[:3]}")
        if not_woven(store):
            found.append(f"{not_woven(store)} claims that are not woven")
    return found
