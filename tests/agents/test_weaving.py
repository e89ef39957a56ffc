"""From the claims of a store to its large causal model."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from leucippus.agents.weaving import weave_store
from leucippus.serving.encoder import encode
from leucippus.store import migrations
from leucippus.store.concepts import concept_id
from leucippus.store.database import Store, open_store
from leucippus.store.links import links_between
from leucippus.store.merges import merges, undo_merge
from leucippus.store.triples import Document, Passage, Reader, Sign
from leucippus.store.weave import not_woven
from leucippus.store.write import PassageResult, Planned, add_documents, add_passages, plan, record_batch, start_run
from tests.store.claims import claim_in

READER = Reader(model="test", prompt_version="1")
SAID = [
    ("Smoking", "lung cancer", Sign.POSITIVE),
    ("A reduction in smoking", "lung cancer", Sign.NEGATIVE),
    ("cigarette price", "smoking", Sign.NEGATIVE),
    ("the price of cigarettes", "a lack of smoking", Sign.POSITIVE),
]


def say(store: Store, said: Sequence[tuple[str, str, Sign]], where: str = "a") -> None:
    """One document a claim."""
    texts = [f"{where}: {cause} bears on {effect}." for cause, effect, _ in said]
    documents = [Document.of(text, media_type="text/plain", title=text) for text in texts]
    passages = [Passage.of(document, 0, len(document.text)) for document in documents]
    add_documents(store, [(document, f"file:{document.title}") for document in documents])
    add_passages(store, passages)
    run = start_run(store, command="extract", settings={"where": where}, reader=READER)
    plan(store, run, READER, [Planned(passage.passage_id, 0, at) for at, passage in enumerate(passages)])
    results = []
    for passage, (cause, effect, sign) in zip(passages, said, strict=True):
        claim = claim_in(passage, READER, cause, effect, relation="bears on", sign=sign, confidence=0.8)
        results.append(PassageResult(passage.passage_id, (claim,)))
    record_batch(store, run, READER.reader_id, results)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store.duckdb", threads=1)


def test_phrases_become_concepts_and_signs_are_composed(store: Store) -> None:
    say(store, SAID)
    made = weave_store(store, encode)

    (harm,) = links_between(store, [concept_id("smoking")], [concept_id("lung cancer")])
    assert (harm.claims, harm.positive, harm.negative) == (2, 2, 0)  # less smoking, less cancer
    (price,) = links_between(store, [concept_id("cigarette price")], [concept_id("smoking")])
    assert (price.claims, price.negative) == (2, 2)  # dearer cigarettes, a lack of smoking
    assert made.merges.made == 3 and not_woven(store) == 0


def test_a_merge_taken_back_stays_so_however_often_it_is_woven(store: Store) -> None:
    say(store, SAID)
    weave_store(store, encode)
    (wrong,) = [one for one in merges(store) if one.name == "lack of smoking"]
    undo_merge(store, wrong.merge_id)

    say(store, [("stress", "a lack of smoking", Sign.POSITIVE)], "b")
    weave_store(store, encode)
    assert links_between(store, [concept_id("stress")], [concept_id("lack of smoking")])
    assert not links_between(store, [concept_id("stress")], [concept_id("smoking")])


def test_new_claims_join_what_was_decided_before(store: Store) -> None:
    say(store, SAID[:1])
    assert weave_store(store, encode).fresh == 2
    say(store, [("reduced smoking", "cancer of the lung", Sign.NEGATIVE)], "b")
    assert weave_store(store, encode).fresh == 2
    (harm,) = links_between(store, [concept_id("smoking")], [concept_id("lung cancer")])
    assert (harm.positive, harm.documents, harm.sources) == (2, 2, 2)


def test_a_document_that_repeats_another_is_no_second_source(store: Store) -> None:
    long = "Smoking bears on lung cancer. " + " ".join(f"It was seen in ward {n} of the hospital." for n in range(40))
    for at, end in enumerate(("", " Printed again.")):
        document = Document.of(long + end, media_type="text/plain", title=f"{at}")
        add_documents(store, [(document, f"file:{at}")])
    made = weave_store(store, encode)
    assert made.echoes == 1


def test_an_empty_store_is_woven_into_nothing(store: Store) -> None:
    made = weave_store(store, encode)
    assert (made.fresh, made.woven.edges, made.woven.nodes) == (0, 0, 0)


def test_a_judge_is_asked_about_what_stays_in_doubt(store: Store) -> None:
    say(store, [("paracetamol", "liver failure", Sign.POSITIVE), ("acetaminophen", "liver injury", Sign.POSITIVE)])
    asked: list[tuple[str, str]] = []

    def judge(pairs: Sequence[tuple[str, str]]) -> list[bool | None]:
        asked.extend(pairs)
        return [{*pair} == {"paracetamol", "acetaminophen"} for pair in pairs]

    weave_store(store, encode, judge)
    assert [one.method for one in merges(store)] == ["model"] * any(
        {*pair} == {"paracetamol", "acetaminophen"} for pair in asked
    )


def test_strange_claims_are_woven_and_nothing_is_dropped(store: Store) -> None:
    """Circles, a concept about itself, a megabyte, other scripts, signs alone, control characters."""
    long = "rain " * 200_000
    said = [
        ("rain", "floods", Sign.POSITIVE),
        ("floods", "rain", Sign.POSITIVE),
        ("rain", "rain", Sign.POSITIVE),
        (long.strip(), "floods", Sign.POSITIVE),
        ("курение", "рак лёгких", Sign.POSITIVE),
        ("喫煙", "肺がん", Sign.POSITIVE),
        ("!!!", "\x1b[31mfloods\x1b[0m", Sign.NONE),
    ]
    say(store, said)
    say(store, [("rain", "floods", Sign.NEGATIVE)], "b")
    made = weave_store(store, encode)

    assert (made.woven.claims, made.woven.selfish) == (len(said) + 1, 1)
    kinds = {kind for (kind,) in store.rows("SELECT kind FROM conflicts")}
    assert kinds == {"sign", "direction"}
    assert links_between(store, [concept_id("курение")], [concept_id("рак лёгких")])


def test_a_store_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old.duckdb"
    with monkeypatch.context() as then:
        then.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        then.setattr(migrations, "NEWEST", 1)
        then.setattr("leucippus.store.database.NEWEST", 1)
        with open_store(path) as old, old.transaction() as cursor:
            cursor.execute(
                f"INSERT INTO concepts VALUES ('{concept_id('rain')}', 'rain'), ('{concept_id('flood')}', 'flood')"
            )
            cursor.execute(
                "INSERT INTO claims VALUES ('c', 'd', 'p', 'r', 'run', 'Rain', 0, 4, ?, 'causes', 'floods', 12, 18, ?, '+',"
                " FALSE, FALSE, NULL, 'Rain causes floods.', 0, 19, 0.9)",
                [concept_id("rain"), concept_id("flood")],
            )
    with open_store(path) as now:
        assert weave_store(now, encode).woven.edges == 1
        assert now.rows("SELECT evidence, population FROM claims") == [("unstated", None)]
