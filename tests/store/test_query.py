"""What the small graph of conftest.py answers."""

import numpy as np

from leucippus.store.concepts import concept_id, concept_name
from leucippus.store.database import Store
from leucippus.store.paths import paths
from leucippus.store.query import Edge, Stats, causes, claims, effects, pending, stats, unfinished_runs, unread
from leucippus.store.search import find_concepts, nearest_concepts, search_passages
from leucippus.store.triples import Document, Failure, Passage, Reader, Sign
from leucippus.store.write import (
    PassageResult,
    Planned,
    add_concept_vectors,
    add_documents,
    add_passages,
    finish_run,
    plan,
    rebuild_search_index,
    record_batch,
    start_run,
)


def concept(phrase: str) -> str:
    return concept_id(concept_name(phrase))


def brief(edges: list[Edge]) -> list[tuple[str, str, bool, int, int, int]]:
    return [(e.name, e.sign.value, e.negated, e.claims, e.documents, e.hedged) for e in edges]


def test_stats(filled: Store) -> None:
    assert stats(filled) == Stats(
        documents=12, passages=12, claims=12, negated=3, hedged=1, concepts=10, runs=1, rejected=12, failures=0,
        prompt_tokens=84, output_tokens=36, seconds=6.0,
    )  # fmt: skip


def test_stats_of_an_empty_store(store: Store) -> None:
    assert stats(store) == Stats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0)


def test_claims_come_back_as_written(filled: Store, results: list[PassageResult]) -> None:
    rows = claims(filled)
    assert {row.claim.claim_id: row.claim for row in rows} == {r.claims[0].claim_id: r.claims[0] for r in results}
    assert all(row.uri == f"file:///{row.title}" for row in rows)
    assert [row.claim.claim_id for row in claims(filled, limit=5, offset=7)] == [r.claim.claim_id for r in rows[7:]]


def test_claims_of_concepts_and_of_documents(filled: Store, documents: list[Document]) -> None:
    assert {r.claim.cause for r in claims(filled, concept_ids=[concept("tar")])} == {"smoking", "tar"}
    assert [r.claim.cause for r in claims(filled, document=documents[3].document_id)] == ["asbestos"]
    assert claims(filled, concept_ids=[concept("tar")], document=documents[3].document_id) == []
    assert claims(filled, concept_ids=[]) == []
    assert claims(filled, document="' OR 1=1 --") == []


def test_causes_keep_denials_apart(filled: Store) -> None:
    found = causes(filled, [concept("lung cancer")])
    assert brief(found)[0] == ("smoking", "+", False, 2, 2, 1)
    assert sorted(brief(found)[1:]) == [
        ("asbestos", "+", False, 1, 1, 0),
        ("lung damage", "+", False, 1, 1, 0),
        ("smoking", "+", True, 1, 1, 0),
        ("vitamin c", "-", True, 1, 1, 0),
    ]
    # the claim that does not hedge comes first
    assert [support.quote for support in found[0].support] == [
        "Smoking changes lung cancer.",
        "smoking changes the lung cancers.",
    ]


def test_effects(filled: Store) -> None:
    assert brief(effects(filled, [concept("taxes"), concept("coffee")])) in (
        [("death", "none", True, 1, 1, 0), ("smoking", "-", False, 1, 1, 0)],
        [("smoking", "-", False, 1, 1, 0), ("death", "none", True, 1, 1, 0)],
    )
    assert effects(filled, [concept("death")]) == []
    assert effects(filled, []) == []
    assert len(effects(filled, [concept("smoking")], limit=1)) == 1


def test_concepts_asked_for_together_are_one(filled: Store) -> None:
    assert [e.name for e in effects(filled, [concept("smoking"), concept("tar"), concept("lung damage")])] == [
        "lung cancer",
        "lung cancer",
    ]


def test_paths_are_shortest_first_and_follow_no_denial(filled: Store) -> None:
    found = paths(filled, [concept("advertising")], [concept("death")], max_hops=5)
    assert [[step.effect for step in chain] for chain in found] == [
        ["smoking", "lung cancer", "death"],
        ["smoking", "tar", "lung damage", "lung cancer", "death"],
    ]
    assert found[0][1].documents == 2 and found[0][1].support.quote == "Smoking changes lung cancer."
    assert [[s.effect for s in chain] for chain in paths(filled, [concept("taxes")], [concept("smoking")])] == [
        ["smoking"]
    ]
    assert paths(filled, [concept("taxes")], [concept("smoking")])[0][0].sign is Sign.NEGATIVE
    assert paths(filled, [concept("coffee")], [concept("death")]) == []  # only a denial leads there
    assert paths(filled, [concept("vitamin c")], [concept("death")]) == []
    assert paths(filled, [concept("death")], [concept("smoking")]) == []  # against the arrows
    assert paths(filled, [concept("smoking")], [concept("smoking")]) == []
    assert len(paths(filled, [concept("advertising")], [concept("death")], max_hops=5, limit=1)) == 1
    assert paths(filled, [concept("advertising")], [concept("death")], max_hops=2) == []


def test_concepts_are_found_by_name_then_by_words(filled: Store) -> None:
    assert [hit.name for hit in find_concepts(filled, "The Lung Cancers")][:2] == ["lung cancer", "lung damage"]
    assert find_concepts(filled, "lung cancer")[0].claims == 7
    assert find_concepts(filled, "What causes lung cancer in men?")[0].name == "lung cancer"
    assert [hit.name for hit in find_concepts(filled, "smok")] == ["smoking"]
    assert find_concepts(filled, "lung") == find_concepts(filled, "lung")
    assert [hit.name for hit in find_concepts(filled, "lung", limit=1)] == ["lung cancer"]
    assert find_concepts(filled, "zebras") == []
    assert find_concepts(filled, "%") == []
    assert find_concepts(filled, "'; DROP TABLE claims; --") == []
    assert find_concepts(filled, "") == []


def test_passages_are_found_with_and_without_an_index(filled: Store, passages: list[Passage]) -> None:
    for _ in range(2):
        found = search_passages(filled, "What does asbestos do?")
        assert [hit.passage for hit in found] == [passages[3]]
        assert found[0].title == "line 3"
        assert search_passages(filled, "zebras") == []
        assert search_passages(filled, "%'; DROP TABLE passages; --") == []
        rebuild_search_index(filled)
    assert search_passages(filled, "smokes")[0].passage.text.lower().startswith("smoking")  # the index knows stems


def test_a_passage_written_after_the_index_is_found(filled: Store) -> None:
    rebuild_search_index(filled)
    document = Document.of("Курение вызывает рак 2024", media_type="text/plain", title="ru")
    passage = Passage.of(document, 0, len(document.text))
    add_documents(filled, [(document, "ru")])
    add_passages(filled, [passage])
    assert [hit.passage for hit in search_passages(filled, "рак")] == [passage]
    rebuild_search_index(filled)
    assert [hit.passage for hit in search_passages(filled, "рак")] == [passage]
    assert [hit.passage for hit in search_passages(filled, "2024")] == [passage]


def test_nearest_concepts(filled: Store) -> None:
    vectors = np.eye(3, 384, dtype=np.float32)
    add_concept_vectors(filled, [concept("tar"), concept("smoking"), concept("death")], vectors)
    asked = (vectors[1] + vectors[2] / 2).tolist()
    hits = nearest_concepts(filled, asked, limit=2)
    assert [(hit.name, hit.claims) for hit in hits] == [("smoking", 6), ("death", 2)]
    assert abs(hits[0].score - 1 / 1.25**0.5) < 1e-6


def test_what_is_pending(
    store: Store, run_id: str, reader: Reader, passages: list[Passage], results: list[PassageResult]
) -> None:
    record_batch(store, run_id, reader.reader_id, [results[0], *results[4:8]])
    assert list(pending(store, run_id)) == [passages[1:4], passages[8:12]]
    assert [(run.run_id, run.pending) for run in unfinished_runs(store)] == [(run_id, 7)]
    finish_run(store, run_id, "interrupted")
    assert [run.settings for run in unfinished_runs(store)] == ['{"folder": "x"}']
    finish_run(store, run_id, "finished")
    assert unfinished_runs(store) == []


def test_batches_are_fetched_as_they_are_asked_for(
    store: Store, run_id: str, reader: Reader, results: list[PassageResult]
) -> None:
    seen = 0
    for batch in pending(store, run_id):
        seen += len(batch)
        record_batch(
            store, run_id, reader.reader_id, [r for r in results if r.passage_id in {p.passage_id for p in batch}]
        )
    assert seen == len(results)
    assert list(pending(store, run_id)) == []


def test_what_a_reader_has_not_read(
    store: Store, run_id: str, reader: Reader, passages: list[Passage], results: list[PassageResult]
) -> None:
    asked = [passage.passage_id for passage in passages[2::-1]]
    assert unread(store, reader.reader_id, asked) == passages[2::-1]
    failed = PassageResult(passages[1].passage_id, failure=Failure(item="", stage="parse", error="E", message=""))
    record_batch(store, run_id, reader.reader_id, [results[0], failed])
    assert unread(store, reader.reader_id, asked) == [passages[2], passages[1]]
    assert unread(store, "another reader", asked) == passages[2::-1]
    other = Reader(model="other", prompt_version="1")
    run = start_run(store, command="extract", settings={}, reader=other)
    plan(store, run, other, [Planned(passages[2].passage_id, 0, 0, skipped=True)])
    assert unread(store, other.reader_id, asked) == [passages[1], passages[0]]
