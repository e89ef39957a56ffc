"""A small store with a known graph: what is asked of it can be read off the table below."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leucippus.store.database import Store, open_store
from leucippus.store.triples import Document, Failure, Passage, Reader, Sign
from leucippus.store.write import PassageResult, Planned, add_documents, add_passages, plan, record_batch, start_run
from tests.store.claims import claim_in

# cause, effect, sign, negated, hedged; one document a line
GRAPH = [
    ("Smoking", "lung cancer", Sign.POSITIVE, False, False),
    ("smoking", "the lung cancers", Sign.POSITIVE, False, True),
    ("smoking", "lung cancer", Sign.POSITIVE, True, False),
    ("asbestos", "lung cancer", Sign.POSITIVE, False, False),
    ("vitamin c", "lung cancer", Sign.NEGATIVE, True, False),
    ("smoking", "tar", Sign.POSITIVE, False, False),
    ("tar", "lung damage", Sign.POSITIVE, False, False),
    ("lung damage", "lung cancer", Sign.POSITIVE, False, False),
    ("lung cancer", "death", Sign.POSITIVE, False, False),
    ("advertising", "smoking", Sign.POSITIVE, False, False),
    ("taxes", "smoking", Sign.NEGATIVE, False, False),
    ("coffee", "death", Sign.NONE, True, False),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.duckdb"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with open_store(path, threads=1) as opened:
        yield opened


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader(model="test", prompt_version="1")


@pytest.fixture(scope="session")
def documents() -> list[Document]:
    return [
        Document.of(f"{cause} changes {effect}. That is line {at}.", media_type="text/plain", title=f"line {at}")
        for at, (cause, effect, *_) in enumerate(GRAPH)
    ]


@pytest.fixture(scope="session")
def passages(documents: list[Document]) -> list[Passage]:
    return [Passage.of(document, 0, document.text.index(".") + 1) for document in documents]


@pytest.fixture(scope="session")
def results(passages: list[Passage], reader: Reader) -> list[PassageResult]:
    """One claim and one rejected candidate a passage."""
    made = []
    for passage, (cause, effect, sign, negated, hedged) in zip(passages, GRAPH, strict=True):
        claim = claim_in(passage, reader, cause, effect, sign=sign, negated=negated, hedged=hedged, confidence=0.5)
        rejected = Failure(item=passage.passage_id, stage="ground", error="NotFound", message="not in the passage")
        made.append(PassageResult(passage.passage_id, (claim,), (rejected,), prompt_tokens=7, output_tokens=3))
    return made


@pytest.fixture
def run_id(store: Store, documents: list[Document], passages: list[Passage], reader: Reader) -> str:
    """A run whose plan is three batches of four passages."""
    add_documents(store, [(document, f"file:///{document.title}") for document in documents])
    add_passages(store, passages)
    run_id = start_run(store, command="extract", settings={"folder": "x"}, reader=reader)
    plan(store, run_id, reader, [Planned(p.passage_id, at // 4, at % 4) for at, p in enumerate(passages)])
    return run_id


@pytest.fixture
def filled(store: Store, run_id: str, reader: Reader, results: list[PassageResult]) -> Store:
    record_batch(store, run_id, reader.reader_id, results, seconds=6.0)
    return store
