"""Writing twice is writing once, and a killed process leaves whole batches."""

import json
import math
import random
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from leucippus.errors import DocumentError, StoreError
from leucippus.store import migrations
from leucippus.store.database import Store, open_store
from leucippus.store.triples import Document, Failure, Passage, Reader, stable_id
from leucippus.store.write import (
    PassageResult,
    Planned,
    add_concept_vectors,
    add_documents,
    add_failures,
    add_passages,
    finish_run,
    plan,
    rebuild_search_index,
    record_batch,
    start_run,
)

TABLES = (
    "sources", "documents", "passages", "readers", "runs", "readings", "claims", "concepts", "aliases",
    "concept_vectors", "failures", "migrations",
)  # fmt: skip


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    return {table: sorted(store.rows(f"FROM {table}"), key=repr) for table in TABLES}


def test_everything_written_twice_is_written_once(
    store: Store,
    documents: list[Document],
    passages: list[Passage],
    results: list[PassageResult],
    reader: Reader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = datetime(2026, 1, 2, 3, 4, 5)
    monkeypatch.setattr("leucippus.store.write._now", lambda: began)

    def write() -> None:
        add_documents(store, [(document, f"file:///{document.title}") for document in [*documents, *documents]])
        add_passages(store, [*passages, *passages])
        run_id = start_run(store, command="extract", settings={"b": 1, "a": 2}, reader=reader, started_at=began)
        rows = [Planned(p.passage_id, at // 4, at % 4, skipped=at == 11) for at, p in enumerate(passages)]
        plan(store, run_id, reader, rows)
        broken = Failure(item=passages[10].passage_id, stage="parse", error="NotJson", message="no")
        read = [*results[:10], PassageResult(passages[10].passage_id, failure=broken, prompt_tokens=5)]
        record_batch(store, run_id, reader.reader_id, read, seconds=11)
        add_failures(store, run_id, [Failure(item="a.pdf", stage="read", error="Encrypted", message="no key")] * 2)
        add_concept_vectors(store, ["x", "y"], np.eye(2, 384, dtype=np.float32))
        rebuild_search_index(store)
        finish_run(store, run_id, "finished")

    write()
    once = contents(store)
    write()
    assert contents(store) == once
    assert {table: len(rows) for table, rows in once.items()} == {
        "sources": 12, "documents": 12, "passages": 12, "readers": 1, "runs": 1, "readings": 12, "claims": 10,
        "concepts": 8, "aliases": 8, "concept_vectors": 2, "failures": 12, "migrations": 3,
    }  # fmt: skip
    counts = "documents, passages, skipped, read, claims, rejected, failures, prompt_tokens, output_tokens, seconds"
    assert store.rows(f"SELECT status, {counts} FROM runs") == [("finished", 12, 12, 1, 10, 10, 10, 2, 75, 30, 11.0)]


def test_a_second_answer_for_a_passage_is_ignored(
    filled: Store, run_id: str, reader: Reader, results: list[PassageResult]
) -> None:
    before = contents(filled)
    other = results[1].claims[0].model_copy(update={"claim_id": "another", "passage_id": results[0].passage_id})
    record_batch(filled, run_id, reader.reader_id, [PassageResult(results[0].passage_id, (other,), prompt_tokens=99)])
    assert contents(filled) == before


def test_a_claim_in_two_overlapping_passages_is_one(
    store: Store, run_id: str, reader: Reader, results: list[PassageResult]
) -> None:
    again = [PassageResult(result.passage_id, results[0].claims) for result in results]
    record_batch(store, run_id, reader.reader_id, again[:2])
    record_batch(store, run_id, reader.reader_id, again[2:])
    assert store.rows("SELECT claim_id FROM claims") == [(results[0].claims[0].claim_id,)]


def test_a_passage_outside_the_plan_is_refused(
    store: Store, run_id: str, reader: Reader, results: list[PassageResult]
) -> None:
    with pytest.raises(StoreError, match="1 passages are not in the plan"):
        record_batch(store, run_id, reader.reader_id, [results[0], PassageResult("nowhere")])
    assert store.rows("SELECT count(*) FROM claims") == [(0,)]


def test_a_later_run_takes_over_what_was_not_read(
    store: Store, run_id: str, reader: Reader, passages: list[Passage], results: list[PassageResult]
) -> None:
    broken = Failure(item="1", stage="parse", error="NotJson", message="no")
    record_batch(store, run_id, reader.reader_id, [results[0], PassageResult(passages[1].passage_id, failure=broken)])
    later = start_run(store, command="extract", settings={"second": True}, reader=reader)
    plan(store, later, reader, [Planned(p.passage_id, 0, at) for at, p in enumerate(passages[:3])])
    rows = store.rows("SELECT passage_id, run_id, state FROM readings WHERE batch = 0 ORDER BY position")
    assert rows[:3] == [
        (passages[0].passage_id, run_id, "read"),
        (passages[1].passage_id, later, "planned"),
        (passages[2].passage_id, later, "planned"),
    ]


def test_an_alias_given_to_another_concept_is_followed(
    store: Store, run_id: str, reader: Reader, results: list[PassageResult]
) -> None:
    with store.transaction() as cursor:
        cursor.execute("INSERT INTO aliases VALUES ('smoking', 'tobacco-use', 'hand')")
    record_batch(store, run_id, reader.reader_id, results)
    assert store.rows("SELECT DISTINCT cause_concept FROM claims WHERE lower(cause) = 'smoking'") == [("tobacco-use",)]


def test_a_run_that_does_not_exist_cannot_be_finished(store: Store) -> None:
    with pytest.raises(StoreError, match="no run nope"):
        finish_run(store, "nope", "finished")


def test_names_that_are_not_utf8_are_kept_readable(store: Store) -> None:
    document = Document.of("text", media_type="text/plain", title="caf\udce9")
    add_documents(store, [(document, "file:///caf\udce9.txt")])
    add_failures(store, "run", [Failure(item="caf\udce9", stage="read", error="E", message="\udce9")])
    assert store.rows("SELECT uri FROM sources") == [("file:///caf\\udce9.txt",)]
    assert store.rows("SELECT item, message FROM failures") == [("caf\\udce9", "\\udce9")]


def test_text_that_is_not_utf8_is_refused(store: Store) -> None:
    document = Document.of("half \ud83d", media_type="text/plain", title="t")
    with pytest.raises(DocumentError, match="character 5"):
        add_documents(store, [(document, "a.txt")])
    assert store.rows("SELECT count(*) FROM documents") == [(0,)]


def test_sql_in_the_data_is_data(store: Store, reader: Reader) -> None:
    nasty = "Robert'); DROP TABLE claims; -- \" $1 ? \x00 {x}"
    document = Document.of(nasty, media_type=nasty, title=nasty)
    add_documents(store, [(document, nasty)])
    add_passages(store, [Passage.of(document, 0, len(nasty))])
    add_failures(store, nasty, [Failure(item=nasty, stage=nasty, error=nasty, message=nasty, detail=nasty)])
    assert store.rows("SELECT text, title, media_type FROM documents") == [(nasty, nasty, nasty)]
    assert store.rows("SELECT text FROM passages") == [(nasty,)]
    assert store.rows("SELECT item, detail FROM failures") == [(nasty, nasty)]


def test_vectors_of_another_shape_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="shape"):
        add_concept_vectors(store, ["a"], np.zeros((1, 3), dtype=np.float32))


def test_a_vector_is_stored_as_given_and_replaced(store: Store) -> None:
    first = np.random.default_rng(0).standard_normal((3, 384), dtype=np.float32)
    add_concept_vectors(store, ["a", "b", "c"], first)
    add_concept_vectors(store, ["b"], -first[1:2])
    stored = dict(store.rows("SELECT concept_id, vector FROM concept_vectors"))
    assert np.array_equal(np.array([stored["a"], stored["b"], stored["c"]], dtype=np.float32), first * [[1], [-1], [1]])


KILLED = """
import os, signal, sys
from leucippus.store import write
from leucippus.store.database import open_store
from leucippus.store.triples import Claim, Document, Passage, Reader, Sign
from leucippus.store.write import PassageResult, Planned

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

SIZE, reader, store = 20, Reader(model="m", prompt_version="1"), open_store(sys.argv[1], threads=1)
documents = [Document.of(f"tea {i} soothes {i} nerves", media_type="text/plain", title=str(i)) for i in range(SIZE * 200)]
passages = [Passage.of(d, 0, len(d.text)) for d in documents]
write.add_documents(store, [(d, d.title) for d in documents])
write.add_passages(store, passages)
run_id = write.start_run(store, command="extract", settings={}, reader=reader)
write.plan(store, run_id, reader, [Planned(p.passage_id, i // SIZE, i % SIZE) for i, p in enumerate(passages)])

def result(i, p):
    claim = Claim(
        claim_id=f"{i}", document_id=p.document_id, passage_id=p.passage_id, reader_id=reader.reader_id,
        cause=f"tea {i}", cause_start=0, cause_end=3, relation="soothes", effect=f"{i} nerves", effect_start=0,
        effect_end=3, sign=Sign.NEGATIVE, negated=False, hedged=False, quote=p.text, start=0, end=len(p.text))
    return PassageResult(p.passage_id, (claim,))

for batch in range(200):
    if batch == 2 and sys.argv[2] == "inside":
        write._mark_read = kill
    if batch == 2 and sys.argv[2] == "after":
        kill()
    at = range(batch * SIZE, (batch + 1) * SIZE)
    write.record_batch(store, run_id, reader.reader_id, [result(i, passages[i]) for i in at])
    if batch == 1:
        print("going", flush=True)
"""


@pytest.mark.parametrize("moment", ["inside", "after", "any"])
def test_a_killed_process_leaves_whole_batches(path: Path, moment: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), moment], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "going\n"
        if moment == "any":
            time.sleep(random.uniform(0, 0.5))
            process.kill()
    assert process.returncode == -signal.SIGKILL
    with open_store(path) as store:
        batches = store.rows(
            """
            SELECT batch, count(*) FILTER (state = 'read'), count(claim_id), count(cause.name), count(effect.name)
            FROM readings LEFT JOIN claims USING (passage_id)
            LEFT JOIN concepts AS cause ON cause.concept_id = cause_concept
            LEFT JOIN concepts AS effect ON effect.concept_id = effect_concept
            GROUP BY batch ORDER BY batch
            """
        )
        done = sum(read == 20 for _, read, *_ in batches)
        assert [row[1:] for row in batches] == [(20, 20, 20, 20)] * done + [(0, 0, 0, 0)] * (200 - done)
        assert done >= 2 if moment == "any" else done == 2


def test_ids_do_not_change() -> None:
    assert stable_id("a", 1) == "c25807dbd8416470"
    assert Reader(model="m", prompt_version="1").reader_id == "05b5a134af9791d5"


def test_what_a_training_run_came_to_is_kept(store: Store) -> None:
    run_id = start_run(store, command="train axiomatic", settings={})
    metrics = {"loss": 0.25, "curve": [1.0, math.nan, math.inf], "out": Path("model ünï"), "by": {7: {"f1": 1}}}
    finish_run(store, run_id, "finished", metrics=metrics)
    kept = {"by": {"7": {"f1": 1}}, "curve": [1.0, None, None], "loss": 0.25, "out": "model ünï"}

    assert json.loads(store.rows("SELECT metrics FROM runs")[0][0]) == kept
    assert store.rows("SELECT (metrics->>'loss')::DOUBLE FROM runs") == [(0.25,)]
    finish_run(store, run_id, "finished")  # without metrics, those there are stay
    assert json.loads(store.rows("SELECT metrics FROM runs")[0][0]) == kept


def test_runs_of_older_stores_have_no_metrics_until_they_get_some(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as then:
        then.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:2])
        then.setattr(migrations, "NEWEST", 2)
        then.setattr("leucippus.store.database.NEWEST", 2)
        with open_store(path) as old:
            run_id = start_run(old, command="train extractor", settings={"out": "x"})
    with open_store(path) as now:
        assert now.rows("SELECT run_id, settings->>'out', metrics FROM runs") == [(run_id, "x", None)]
        finish_run(now, run_id, "finished", metrics={"f1": 0.5})
        assert now.rows("SELECT status, metrics->>'f1' FROM runs") == [("finished", "0.5")]
