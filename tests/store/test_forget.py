"""Forgetting a document leaves a store as if it had never been read."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leucippus.errors import InputError, StoreReadOnly
from leucippus.store.concepts import concept_id, concept_name
from leucippus.store.database import Store, open_store
from leucippus.store.forget import forget
from leucippus.store.links import all_links
from leucippus.store.merges import Merge, merges, record_merges, undo_merge
from leucippus.store.query import without_vectors
from leucippus.store.search import search_passages
from leucippus.store.triples import Claim, Document, Failure, Passage, Reader, Sign
from leucippus.store.weave import not_woven, weave
from leucippus.store.write import (
    PassageResult,
    Planned,
    add_concept_vectors,
    add_documents,
    add_passages,
    plan,
    rebuild_search_index,
    record_batch,
    start_run,
)

READER = Reader(model="test", prompt_version="1")
TABLES = (
    "sources", "documents", "passages", "readers", "runs", "readings", "claims", "concepts", "aliases",
    "concept_vectors", "failures", "merges", "echoes", "topics", "meanings", "nodes", "edges", "edges_by_effect",
    "conflicts",
)  # fmt: skip


def contents(store: Store) -> dict[str, list[str]]:
    """Every table but when things were done."""
    return {
        table: sorted(map(repr, store.rows(f"SELECT COLUMNS(c -> NOT regexp_matches(c, '(_at|_seen)$')) FROM {table}")))
        for table in TABLES
    }


def write(store: Store, run_id: str, title: str, pairs: list[tuple[str, str]]) -> str:
    """A document with one passage and one claim a pair; all the phrases get vectors."""
    text = f"{title}. " + " ".join(f"{cause} raises {effect}." for cause, effect in pairs)
    document = Document.of(text, media_type="text/plain", title=title)
    passage = Passage.of(document, 0, len(text))
    add_documents(store, [(document, f"/corpus/{title}.txt"), (document, f"/copy/{title}.txt")])
    add_passages(store, [passage])
    plan(store, run_id, READER, [Planned(passage.passage_id, 0, 0)])
    claims, at = [], len(title) + 2
    for cause, effect in pairs:
        target = at + len(cause) + len(" raises ")
        ends = (at, at + len(cause)), (target, target + len(effect))
        claims.append(
            Claim(
                claim_id=Claim.id_of(READER.reader_id, document.document_id, *ends),
                document_id=document.document_id, passage_id=passage.passage_id, reader_id=READER.reader_id,
                cause=cause, cause_start=ends[0][0], cause_end=ends[0][1], relation="raises",
                effect=effect, effect_start=ends[1][0], effect_end=ends[1][1],
                sign=Sign.POSITIVE, negated=False, hedged=False, quote=text[at : ends[1][1]], start=at, end=ends[1][1],
            )
        )  # fmt: skip
        at = ends[1][1] + 2
    rejected = Failure(item=passage.passage_id, stage="ground", error="NotFound", message="not there")
    record_batch(store, run_id, READER.reader_id, [PassageResult(passage.passage_id, tuple(claims), (rejected,))])
    embed(store)
    return document.document_id


def embed(store: Store) -> None:
    ids = [concept for concept, _ in without_vectors(store)]
    add_concept_vectors(store, ids, np.ones((len(ids), 384), np.float32))


_pairs = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=5)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_pairs, min_size=1, max_size=3), _pairs, st.lists(st.sampled_from("abcdef"), max_size=3), st.booleans())
def test_what_is_added_and_forgotten_was_never_there(
    tmp_path_factory: pytest.TempPathFactory,
    others: list[list[tuple[str, str]]],
    pairs: list[tuple[str, str]],
    merged: list[str],
    echo: bool,
) -> None:
    with open_store(tmp_path_factory.mktemp("store") / "s.duckdb", threads=1) as store:
        run_id = start_run(store, command="extract", settings={}, reader=READER)
        first, *_ = [write(store, run_id, f"other {at}", other) for at, other in enumerate(others)]
        mentioned = {phrase for other in others for pair in other for phrase in pair}
        record_merges(store, [Merge(phrase, "before", 1, "rule", "") for phrase in sorted(mentioned)[:2]])
        embed(store)
        weave(store, {})
        before = contents(store)

        document = write(store, run_id, "the one", pairs)
        new = {phrase for pair in pairs for phrase in pair} - mentioned
        record_merges(store, [Merge(phrase, f"root {phrase}", 1, "rule", "") for phrase in merged if phrase in new])
        if echo:
            with store.transaction() as cursor:
                cursor.execute("INSERT INTO echoes VALUES (?, ?, 0.9)", [document, first])
        weave(store, {})
        done = forget(store, document)

        assert done.claims == len(pairs) and (done.passages, done.readings, done.failures) == (1, 1, 1)
        assert (not_woven(store) > 0) == bool(pairs)
        weave(store, {})
        assert contents(store) == before


def test_exactly_the_claims_of_the_document_go(filled: Store, documents: list[Document]) -> None:
    weave(filled, {})
    before = {claim for (claim,) in filled.rows("SELECT claim_id FROM claims")}
    rows = filled.rows("SELECT claim_id FROM claims WHERE document_id = ?", [documents[3].document_id])
    done = forget(filled, documents[3].document_id)

    assert {claim for (claim,) in filled.rows("SELECT claim_id FROM claims")} == before - {claim for (claim,) in rows}
    assert (done.title, done.places, done.claims, done.concepts) == ("line 3", ("file:///line 3",), 1, 1)
    assert not filled.rows("FROM concepts WHERE name = 'asbestos'")
    assert filled.rows("FROM concepts WHERE name = 'lung cancer'")


def test_no_quote_survives_even_before_weaving(filled: Store, documents: list[Document]) -> None:
    weave(filled, {})
    forget(filled, documents[3].document_id)

    assert not filled.rows(
        "FROM edges WHERE quote LIKE 'asbestos%' UNION ALL FROM edges_by_effect WHERE quote LIKE 'asbestos%'"
    )
    assert not_woven(filled) > 0


def test_as_many_claims_written_as_forgotten_still_need_weaving(store: Store) -> None:
    run_id = start_run(store, command="extract", settings={}, reader=READER)
    old = write(store, run_id, "old", [("a", "b")])
    weave(store, {})
    write(store, run_id, "new", [("c", "d")])
    forget(store, old)

    assert not_woven(store) > 0
    weave(store, {})
    assert [(link.cause, link.effect) for link in all_links(store)] == [("c", "d")]


def test_a_concept_that_others_are_merged_into_stays(store: Store) -> None:
    run_id = start_run(store, command="extract", settings={}, reader=READER)
    write(store, run_id, "kept", [("car", "noise")])
    gone = write(store, run_id, "gone", [("automobile", "dust"), ("lorry", "dust")])
    record_merges(store, [Merge("car", "automobile", 1, "vector", "near"), Merge("lorry", "car", 1, "vector", "near")])
    done = forget(store, gone)

    assert {name for (name,) in store.rows("SELECT name FROM concepts")} == {"automobile", "car", "noise"}
    assert [(one.name, one.into) for one in merges(store)] == [("car", "automobile")]
    assert (done.concepts, done.merges, done.aliases, done.vectors) == (2, 1, 2, 2)


def test_what_was_parted_stays_parted(store: Store) -> None:
    run_id = start_run(store, command="extract", settings={}, reader=READER)
    write(store, run_id, "kept", [("x", "y")])
    gone = write(store, run_id, "gone", [("z", "y")])
    record_merges(store, [Merge("z", "x", 1, "vector", "near")])
    undo_merge(store, merges(store)[0].merge_id)
    forget(store, gone)
    assert not store.rows("FROM concepts WHERE name = 'z'")

    write(store, run_id, "again", [("z", "y")])
    assert record_merges(store, [Merge("z", "x", 1, "vector", "near")]).vetoed == 1


def test_those_that_echoed_it_echo_one_of_them(filled: Store, documents: list[Document]) -> None:
    ids = [document.document_id for document in documents]
    with filled.transaction() as cursor:
        for at, likeness in ((1, 0.8), (2, 0.95), (3, 0.9)):
            cursor.execute("INSERT INTO echoes VALUES (?, ?, ?)", [ids[at], ids[0], likeness])
    forget(filled, ids[0])

    assert sorted(filled.rows("FROM echoes")) == sorted([(ids[1], ids[2], 0.8), (ids[3], ids[2], 0.9)])


def test_a_place_names_a_document_and_its_end_will_do(filled: Store) -> None:
    assert forget(filled, "file:///line 1").title == "line 1"
    assert forget(filled, "line 2").title == "line 2"


def test_an_ambiguous_place_lists_the_documents(store: Store) -> None:
    run_id = start_run(store, command="extract", settings={}, reader=READER)
    one, two = write(store, run_id, "a", []), write(store, run_id, "b", [])
    for pattern in ("/corpus/*.txt", "/c*"):
        with pytest.raises(InputError, match="2 documents") as caught:
            forget(store, pattern)
        assert one in caught.value.problem and two in caught.value.problem
    assert len(store.rows("FROM documents")) == 2


def test_an_unknown_document_is_not_guessed(filled: Store) -> None:
    with pytest.raises(InputError, match="no document 'file:///lime 3'") as caught:
        forget(filled, "file:///lime 3")
    assert "file:///line 3" in caught.value.next_step
    with pytest.raises(InputError, match="no document"):
        forget(filled, "ж" * 1_000_000)
    with pytest.raises(InputError, match="no document"):
        forget(filled, "")


def test_an_empty_store_has_nothing_to_forget(store: Store) -> None:
    with pytest.raises(InputError, match="holds no documents"):
        forget(store, "a.txt")


def test_its_words_leave_the_search_index(filled: Store, documents: list[Document]) -> None:
    rebuild_search_index(filled)
    forget(filled, documents[3].document_id)

    assert not filled.rows("FROM fts_main_passages.dict WHERE term LIKE 'asbest%'")
    assert search_passages(filled, "smoking") and not search_passages(filled, "asbestos")


def test_a_store_open_for_reading_forgets_nothing(filled: Store, path: Path) -> None:
    filled.close()
    with open_store(path, "read") as reading, pytest.raises(StoreReadOnly):
        forget(reading, "line 1")


def test_a_topic_forgets_what_was_said_of_it_and_stays_asked(store: Store) -> None:
    run_id = start_run(store, command="elicit", settings={}, reader=READER)
    document = write(store, run_id, "said", [("a", "b")])
    with store.transaction() as cursor:
        cursor.execute(
            "INSERT INTO topics (topic_id, run_id, path, depth, position, state, document_id)"
            " VALUES ('t', ?, ['root'], 0, 0, 'done', ?)",
            [run_id, document],
        )
    forget(store, document)

    assert store.rows("SELECT state, document_id FROM topics") == [("done", None)]
    assert concept_id(concept_name("a")) not in {key for (key,) in store.rows("SELECT concept_id FROM concepts")}
