"""Writing down which documents repeat which."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from leucippus.errors import StoreReadOnly
from leucippus.graphs.echoes import Sketch, echoes, sketch
from leucippus.store import echoes as module
from leucippus.store.concepts import concept_id
from leucippus.store.database import Store, open_store
from leucippus.store.echoes import Compared, record_echoes
from leucippus.store.links import links_between
from leucippus.store.triples import Document, Passage, Reader
from leucippus.store.weave import weave
from leucippus.store.write import PassageResult, Planned, add_documents, add_passages, plan, record_batch, start_run
from tests.store.claims import claim_in

NEWS = "Officials said on Monday that smoking causes lung cancer in many towns of the county, and that taxes help."


def _document(text: str, published: str | None = None) -> Document:
    return Document.of(text, media_type="text/plain", title="t", published=published)


def _add(store: Store, *documents: Document) -> None:
    add_documents(store, [(document, f"file:///{document.document_id}") for document in documents])


def _record(store: Store) -> Compared:
    return record_echoes(store, sketch, echoes)


def _on_record(store: Store) -> dict[str, str]:
    return dict(store.rows("SELECT document_id, origin_id FROM echoes"))


def test_the_earliest_date_is_the_origin_whenever_it_came(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_CHARS", 150)  # a block a document or two
    paper, other = _document(NEWS, "2020-05-02"), _document("Rain fell on the hills for days and nothing came of it.")
    undated = _document(NEWS.upper())
    _add(store, undated, other, paper)
    assert _record(store) == Compared(3, 1, 1)
    assert _on_record(store) == {undated.document_id: paper.document_id}
    assert _record(store) == Compared(3, 1, 0)

    first = _document(f"{NEWS} (Agency)", "2020-05-01")
    _add(store, first)
    assert _record(store) == Compared(4, 2, 2)
    assert _on_record(store) == dict.fromkeys([undated.document_id, paper.document_id], first.document_id)


def test_what_no_longer_holds_is_taken_off_the_record(store: Store) -> None:
    one, two = _document(NEWS), _document(NEWS.lower())
    _add(store, one)
    _add(store, two)
    _record(store)
    with store.transaction() as cursor:
        cursor.execute("DELETE FROM documents WHERE document_id = ?", [one.document_id])
    assert _record(store).echoes == 0
    assert _on_record(store) == {}


def test_one_transaction(store: Store, path: Path) -> None:
    _add(store, _document(NEWS), _document(NEWS.lower()))
    _record(store)
    before = _on_record(store)

    def broken(kept: Sequence[Sketch]) -> list[tuple[int, int, float]]:
        return [(1, 0, 1.0), (0, 1, float("nan")), (7, 0, 1.0)]

    with pytest.raises(IndexError):
        record_echoes(store, sketch, broken)
    assert _on_record(store) == before
    store.close()
    with open_store(path, "read") as read, pytest.raises(StoreReadOnly):
        _record(read)


def _claimed(store: Store, document: Document, model: str, settings: Mapping[str, str] | None = None) -> None:
    _add(store, document)
    reader = Reader(model=model, prompt_version="1")
    text = document.text.lower()
    passage = Passage.of(document, 0, len(document.text))
    add_passages(store, [passage])
    run_id = start_run(store, command="test", settings=settings or {"document": document.document_id}, reader=reader)
    plan(store, run_id, reader, [Planned(passage.passage_id, 0, 0)])
    smoking, cancer = (
        document.text[(at := text.index(words)) : at + len(words)] for words in ("smoking", "lung cancer")
    )
    claim = claim_in(passage, reader, smoking, cancer)
    record_batch(store, run_id, reader.reader_id, [PassageResult(passage.passage_id, (claim,))])


def test_echoes_and_repeated_answers_are_one_source(store: Store) -> None:
    _claimed(store, _document(NEWS), "m")
    _claimed(store, _document(NEWS.replace("Officials", "Sources")), "m")
    _claimed(store, _document("A study of nurses found that smoking causes lung cancer."), "m")
    for model, answer in (("a", "Smoking causes lung cancer."), ("a", "Yes: smoking gives lung cancer."),
                          ("b", "Of course, smoking brings lung cancer about.")):  # fmt: skip
        _claimed(store, Document.of(answer, media_type="text/plain", title="t", kind="elicited"), model)
    _record(store)
    weave(store, {"one": 0.0, "sources": 1.0})
    (link,) = links_between(store, [concept_id("smoking")], [concept_id("lung cancer")])
    assert (link.documents, link.sources) == (6, 4)


def test_what_was_measured_in_one_data_set_is_one_source(store: Store) -> None:
    said: list[dict[str, str]] = [{"source": "a.csv"}] * 2
    said += [{"source": "b.csv", "data": "1f"}, {"source": "c.csv", "data": "1f"}, {}]
    for at, settings in enumerate(said):
        text = f"Analysis {at}: smoking raised lung cancer."
        document = Document.of(text, media_type="text/plain", title="t", kind="measured")
        _claimed(store, document, f"design {at}", settings)
    assert _record(store) == Compared(0, 2, 2)
    weave(store, {"one": 0.0, "sources": 1.0})
    (link,) = links_between(store, [concept_id("smoking")], [concept_id("lung cancer")])
    assert (link.documents, link.sources) == (5, 3)
    with store.transaction() as cursor:
        cursor.execute("DELETE FROM runs")  # as in a store that was loaded without them
    assert _record(store).echoes == 0
