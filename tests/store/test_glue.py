"""Parts of a store as stores, and stores glued together."""

from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leucippus.errors import InputError, StoreError, StoreLocked, StoreMissing
from leucippus.store.concepts import concept_id, concept_name
from leucippus.store.database import Store, open_store
from leucippus.store.glue import GluedStores, glue_stores
from leucippus.store.links import all_links, conflicts
from leucippus.store.merges import Merge, Turn, merges, record_merges, undo_merge
from leucippus.store.migrations import MIGRATIONS
from leucippus.store.query import stats, unfinished_runs, without_vectors
from leucippus.store.search import search_passages
from leucippus.store.slices import said, take_slice
from leucippus.store.triples import Claim, Document, Passage, Reader, Sign
from leucippus.store.weave import not_woven, weave
from leucippus.store.write import (
    PassageResult,
    Planned,
    add_concept_vectors,
    add_documents,
    add_passages,
    finish_run,
    plan,
    record_batch,
    start_run,
)

READER = Reader(model="test", prompt_version="1")
WEIGHTS = {"one": -1.0, "sources": 2.0, "denied": -3.0, "confidence": 1.0}
TABLES = (
    "sources", "documents", "passages", "readers", "runs", "readings", "claims", "concepts", "aliases",
    "concept_vectors", "failures", "merges", "echoes", "topics",
)  # fmt: skip
Said = tuple[str, str, Sign]
Make = Callable[..., Path]
Whole = tuple[list[Said], list[Merge], list[Merge]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(name: str, said: Sequence[Said], merged: Sequence[Merge] = (), *, parted: Sequence[Merge] = ()) -> Path:
        return fill(tmp_path / f"{name}.duckdb", said, merged, parted=parted)

    return made


def fill(
    path: Path, said: Sequence[Said], merged: Sequence[Merge] = (), *, parted: Sequence[Merge] = (), done: bool = True
) -> Path:
    """A store with one document a claim; equal claims are one document wherever they are."""
    with open_store(path, threads=1) as store:
        run_id = start_run(store, command="extract", settings={"folder": path.name}, reader=READER)
        for at, (cause, effect, sign) in enumerate(said):
            text = f"{cause} changes {effect} ({sign})."
            document = Document.of(text, media_type="text/plain", title=text)
            passage = Passage.of(document, 0, len(text))
            add_documents(store, [(document, f"/corpus/{cause}/{effect}.txt")])
            add_passages(store, [passage])
            plan(store, run_id, READER, [Planned(passage.passage_id, 0, at)])
            target = len(cause) + len(" changes ")
            ends = (0, len(cause)), (target, target + len(effect))
            claim = Claim(
                claim_id=Claim.id_of(READER.reader_id, document.document_id, *ends),
                document_id=document.document_id, passage_id=passage.passage_id, reader_id=READER.reader_id,
                cause=cause, cause_start=0, cause_end=len(cause), relation="changes", effect=effect,
                effect_start=target, effect_end=target + len(effect), sign=sign, negated=False, hedged=False,
                quote=text, start=0, end=len(text), confidence=0.25,
            )  # fmt: skip
            if done:
                record_batch(store, run_id, READER.reader_id, [PassageResult(passage.passage_id, (claim,))])
        finish_run(store, run_id, "finished" if done else "interrupted")
        record_merges(store, parted)
        for one in merges(store):
            undo_merge(store, one.merge_id)
        record_merges(store, merged)
        ids = [concept for concept, _ in without_vectors(store)]
        add_concept_vectors(store, ids, np.ones((len(ids), 384), np.float32))
    return path


def contents(path: Path) -> dict[str, list[str]]:
    """Every table but when merges were decided."""
    with open_store(path, threads=1) as store:
        return {
            table: sorted(map(repr, store.rows(f"SELECT COLUMNS(c -> c <> 'decided_at') FROM {table}")))
            for table in TABLES
        }


def woven(path: Path) -> tuple[object, ...]:
    """Edges and conflicts, with all that is known of them."""
    with open_store(path, threads=1) as store:
        weave(store, WEIGHTS)
        return (
            sorted(all_links(store), key=lambda link: (link.cause, link.effect)),
            sorted(map(repr, conflicts(store))),
            store.rows("SELECT name, phrases FROM nodes ORDER BY 1"),
        )


def glue_all(out: Path, *paths: Path) -> GluedStores:
    return glue_stores(out, paths, force=True)


POSITIVE, NEGATIVE = Sign.POSITIVE, Sign.NEGATIVE
A = [("smoking", "cancer", POSITIVE), ("tar", "cancer", POSITIVE), ("tax", "smoking", NEGATIVE)]
B = [("smoking", "cancer", POSITIVE), ("smoking", "cancer", NEGATIVE), ("cancer", "tar", POSITIVE)]


def test_what_two_stores_hold_is_held_once(make: Make, tmp_path: Path) -> None:
    done = glue_all(tmp_path / "out.duckdb", make("a", A), make("b", B))

    assert (done.stores, done.documents, done.claims, done.repeated, done.runs) == (2, 5, 5, 1, 2)
    with open_store(tmp_path / "out.duckdb") as store:
        assert not_woven(store) == 5
        weave(store, WEIGHTS)
        assert {(one.kind, one.cause, one.effect) for one in conflicts(store)} == {
            ("sign", "smoking", "cancer"),
            ("direction", *sorted(("tar", "cancer"), key=concept_id)),
        }
        (link,) = [one for one in all_links(store) if one.cause == "smoking"]
        assert (link.documents, link.positive, link.negative) == (2, 1, 1)
        assert search_passages(store, "tax")
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".duckdb"] * 3


def test_a_store_glued_to_itself_is_itself(make: Make, tmp_path: Path) -> None:
    path = make("a", A, [Merge("tar", "soot", -1, "rule", ""), Merge("smog", "tar", 1, "vector", "", 0.9)],
                parted=[Merge("tax", "cancer", 1, "vector", "")])  # fmt: skip
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(path.read_bytes())
    for at, parts in enumerate([(path,), (path, path), (path, copy)]):
        glue_all(tmp_path / f"{at}.duckdb", *parts)
        assert contents(tmp_path / f"{at}.duckdb") == contents(path)


_names = st.sampled_from(["p", "q", "r", "s"])
_merge = st.builds(
    Merge,
    name=_names,
    into=_names,
    turn=st.sampled_from([1, -1]),
    method=st.sampled_from(["rule", "vector", "person"]),
    reason=st.just(""),
    score=st.sampled_from([None, 0.5, 0.9]),
)
_said = st.lists(st.tuples(_names, _names, st.sampled_from(Sign)), max_size=4, unique=True)
_stores = st.tuples(_said, st.lists(_merge, max_size=3), st.lists(_merge, max_size=1))


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_stores, _stores, _stores)
def test_order_changes_nothing_that_is_woven(
    tmp_path_factory: pytest.TempPathFactory, one: Whole, two: Whole, three: Whole
) -> None:
    folder = tmp_path_factory.mktemp("stores")
    a, b, c = (
        fill(folder / f"{at}.duckdb", said, merged, parted=parted)
        for at, (said, merged, parted) in enumerate((one, two, three))
    )
    glue_all(folder / "abc", a, b, c)
    glue_all(folder / "cab", c, a, b)

    assert contents(folder / "abc") == contents(folder / "cab")
    assert woven(folder / "abc") == woven(folder / "cab")


def test_gluing_in_steps_weaves_the_same(make: Make, tmp_path: Path) -> None:
    a = make("a", A, [Merge("tar", "soot", 1, "rule", "")])
    b, c = make("b", B), make("c", [("soot", "cancer", NEGATIVE)])
    glue_all(tmp_path / "ab", a, b)
    glue_all(tmp_path / "ab-c", tmp_path / "ab", c)
    glue_all(tmp_path / "bc", b, c)
    glue_all(tmp_path / "a-bc", a, tmp_path / "bc")
    glue_all(tmp_path / "abc", a, b, c)

    assert contents(tmp_path / "ab-c") == contents(tmp_path / "a-bc") == contents(tmp_path / "abc")
    assert woven(tmp_path / "ab-c") == woven(tmp_path / "a-bc") == woven(tmp_path / "abc")


def test_what_one_store_parted_another_does_not_join(make: Make, tmp_path: Path) -> None:
    joined, parted = Merge("tar", "soot", 1, "vector", "near", 0.9), Merge("soot", "tar", 1, "vector", "near")
    for at, paths in enumerate([(make("a", A, [joined]), make("b", B, parted=[parted])), (make("c", B, parted=[parted]), make("d", A, [joined]))]):  # fmt: skip
        done = glue_all(tmp_path / f"out{at}", *paths)
        assert (done.merges.made, done.merges.vetoed, done.parted) == (0, 1, 1)
        with open_store(tmp_path / f"out{at}") as store:
            assert not merges(store) and len(merges(store, undone=True)) == 1


@pytest.mark.parametrize("turns", [(1, -1), (-1, 1)])
def test_contrary_turns_are_counted_and_the_surest_decides(
    make: Make, tmp_path: Path, turns: tuple[Turn, Turn]
) -> None:
    a = make("a", A, [Merge("tar", "clean air", turns[0], "vector", "near", 0.9)])
    b = make("b", B, [Merge("tar", "clean air", turns[1], "person", "I know")])
    for out, paths in (("ab", (a, b)), ("ba", (b, a))):
        done = glue_all(tmp_path / out, *paths)
        assert (done.merges.made, done.merges.contrary) == (1, 1)
        with open_store(tmp_path / out) as store:
            assert [(one.turn, one.method) for one in merges(store)] == [(turns[1], "person")]


def test_a_passage_read_anywhere_is_read(make: Make, tmp_path: Path) -> None:
    planned, read = fill(tmp_path / "planned.duckdb", A, done=False), make("read", A[:2])
    for out, paths in (("pr", (planned, read)), ("rp", (read, planned))):
        glue_all(tmp_path / out, *paths)
        with open_store(tmp_path / out) as store:
            assert sorted(store.rows("SELECT state FROM readings")) == [("planned",), ("read",), ("read",)]
            assert [run.pending for run in unfinished_runs(store)] == [1]


def test_none_echoes_an_echo(make: Make, tmp_path: Path) -> None:
    for name, rows in {
        "a": [("d1", "d0", 0.9), ("d3", "d1", 0.8)],
        "b": [("d2", "d1", 0.95), ("x", "y", 0.9)],
        "c": [("y", "x", 0.9)],
    }.items():
        with open_store(make(name, []), threads=1) as store, store.transaction() as cursor:
            cursor.executemany("INSERT INTO echoes VALUES (?, ?, ?)", rows)
    glue_all(tmp_path / "out", *(tmp_path / f"{name}.duckdb" for name in "cba"))

    with open_store(tmp_path / "out") as store:
        assert sorted(store.rows("FROM echoes")) == [
            ("d1", "d0", 0.9), ("d2", "d0", 0.95), ("d3", "d0", 0.8), ("y", "x", 0.9),
        ]  # fmt: skip


def test_slices_glued_are_the_store_again(make: Make, tmp_path: Path) -> None:
    path = make(
        "whole", [*A, *B[1:]], [Merge("tar", "soot", -1, "rule", "")], parted=[Merge("tax", "tar", 1, "rule", "")]
    )
    with open_store(path, "read") as store:
        one = take_slice(store, tmp_path / "one.duckdb", documents=["/corpus/smoking/*"])
        other = take_slice(store, tmp_path / "other.duckdb", documents=["/corpus/ta*", "/corpus/cancer/tar.txt"])
    assert (one.documents, one.claims, other.documents, other.claims) == (2, 2, 3, 3)
    glue_all(tmp_path / "out.duckdb", tmp_path / "one.duckdb", tmp_path / "other.duckdb")

    assert contents(tmp_path / "out.duckdb") == contents(path)
    assert woven(tmp_path / "out.duckdb") == woven(path)


def test_a_slice_holds_exactly_what_it_is_of(filled: Store, documents: list[Document], tmp_path: Path) -> None:
    record_merges(filled, [Merge("asbestos", "fibre", 1, "rule", ""), Merge("coffee", "drink", 1, "rule", "")])
    take_slice(filled, tmp_path / "part.duckdb", documents=[documents[3].document_id, "file:///line 6"])

    with open_store(tmp_path / "part.duckdb", "read") as part:
        held = stats(part)
        assert (held.documents, held.passages, held.claims, held.rejected) == (2, 2, 2, 2)
        assert {name for (name,) in part.rows("SELECT name FROM concepts")} == {
            "asbestos", "fibre", "lung cancer", "tar", "lung damage",
        }  # fmt: skip
        assert [one.name for one in merges(part)] == ["asbestos"]
        assert part.rows("SELECT DISTINCT state FROM readings") == [("read",)]
        text, start, end, quote = part.rows('SELECT text, start, "end", quote FROM claims JOIN documents USING (document_id)')[0]  # fmt: skip
        assert text[start:end] == quote


def test_a_slice_about_a_concept_reaches_as_far_as_asked(filled: Store, tmp_path: Path) -> None:
    record_merges(filled, [Merge("tar", "soot", 1, "rule", "")])
    weave(filled, WEIGHTS)
    near = take_slice(filled, tmp_path / "near.duckdb", about=[concept_id("soot")])
    far = take_slice(filled, tmp_path / "far.duckdb", about=[concept_id("soot")], hops=2)
    assert (near.claims, near.documents, near.passages) == (2, 2, 2)
    assert far.claims == 8  # all but what links asbestos, vitamin c and coffee to cancer and death, and these two
    assert len(said(filled, about=[concept_id("soot")], hops=9)) == 12
    assert len(said(filled, about=[concept_id("soot")], documents=["line 5"])) == 1


def test_what_is_said_is_said_of_canonical_concepts(filled: Store, documents: list[Document]) -> None:
    record_merges(filled, [Merge("tar", "clean air", -1, "person", "")])
    with filled.transaction() as cursor:
        cursor.execute("INSERT INTO echoes VALUES (?, 'elsewhere', 0.9)", [documents[5].document_id])
    weave(filled, WEIGHTS)

    (one,) = said(filled, documents=["line 5"])
    assert (one.cause, one.effect, one.sign, one.source) == ("smoking", "clean air", NEGATIVE, "elsewhere")
    assert one.quote == documents[5].text.split(".")[0] + "."
    assert len(said(filled)) == 12


def test_a_domain_is_what_a_model_was_asked_about(filled: Store, documents: list[Document], tmp_path: Path) -> None:
    with filled.transaction() as cursor:
        cursor.execute(
            "INSERT INTO topics (topic_id, run_id, path, depth, position, state, document_id) SELECT 't', run_id,"
            " ['Health', 'Lungs'], 1, 0, 'done', ? FROM runs",
            [documents[0].document_id],
        )
    assert len(said(filled, domain="lungs")) == len(said(filled, domain="HEALTH")) == 1
    assert take_slice(filled, tmp_path / "part.duckdb", domain="health").claims == 1
    with pytest.raises(InputError, match="asked about 'economics'") as caught:
        said(filled, domain="economics")
    assert "Health" in caught.value.expected


def test_a_slice_of_nothing_known_is_refused(filled: Store, tmp_path: Path) -> None:
    out = tmp_path / "part.duckdb"
    with pytest.raises(InputError, match="which part"):
        take_slice(filled, out)
    with pytest.raises(InputError, match="no document 'line 99'") as caught:
        take_slice(filled, out, documents=["line 1", "line 99"])
    assert "file:///line 9" in caught.value.next_step
    with pytest.raises(InputError, match="no concept"):
        take_slice(filled, out, about=["x" * 1_000_000])
    with pytest.raises(InputError, match="hops = 0"):
        take_slice(filled, out, about=[concept_id("tar")], hops=0)
    assert not out.exists()


def test_odd_names_of_files_are_names(filled: Store, tmp_path: Path) -> None:
    folder = tmp_path / "it's [1]"
    take_slice(filled, folder / "pa'rt.duckdb", documents=["line 1"])
    glue_all(folder / "o'ut", folder / "pa'rt.duckdb")

    assert contents(folder / "o'ut") == contents(folder / "pa'rt.duckdb")


def test_nothing_is_overwritten_unless_asked(filled: Store, make: Make, tmp_path: Path) -> None:
    path, out = make("a", A), tmp_path / "out.duckdb"
    out.write_text("mine")
    with pytest.raises(InputError, match="There is a file"):
        glue_stores(out, [path])
    with pytest.raises(InputError, match="There is a file"):
        take_slice(filled, out, documents=["line 1"])
    with pytest.raises(InputError, match="one of the stores"):
        glue_stores(path, [path], force=True)
    with pytest.raises(InputError, match="is a folder"):
        glue_stores(tmp_path, [path], force=True)
    with pytest.raises(InputError, match="no stores"):
        glue_stores(out, [])
    assert out.read_text() == "mine"
    assert glue_stores(out, [path], force=True).claims == 3


def test_a_store_that_cannot_be_read_is_named(make: Make, tmp_path: Path) -> None:
    path = make("a", A)
    with pytest.raises(StoreMissing):
        glue_stores(tmp_path / "out", [path, tmp_path / "none"])
    with open_store(path), pytest.raises(StoreLocked):
        glue_stores(tmp_path / "out", [path])
    with duckdb.connect(tmp_path / "old.duckdb") as old:
        old.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, name VARCHAR, applied_at TIMESTAMP)")
        MIGRATIONS[0][2](old)
        old.execute("INSERT INTO migrations VALUES (1, 'first schema', now())")
    with pytest.raises(StoreError, match=r"old.duckdb. Its schema is older") as caught:
        glue_stores(tmp_path / "out", [path, tmp_path / "old.duckdb"])
    assert "mode='write'" in caught.value.next_step
    assert not (tmp_path / "out").exists()


def test_mixed_scripts_and_long_words_are_glued(make: Make, tmp_path: Path) -> None:
    hard = [("копоть " * 1000, "रोग", POSITIVE), ("😀", '"; DROP TABLE claims; --', NEGATIVE)]
    done = glue_all(tmp_path / "out", make("a", hard), make("b", A))

    assert done.claims == 5
    with open_store(tmp_path / "out") as store:
        assert store.rows("SELECT count(*) FROM concepts WHERE name = ?", [concept_name(hard[0][0])]) == [(1,)]
