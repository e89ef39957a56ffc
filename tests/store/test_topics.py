"""The frontier of an elicitation in the store: written once, counted right."""

import pytest

from leucippus.store.database import Store
from leucippus.store.merges import Merge, record_merges
from leucippus.store.query import pending
from leucippus.store.topics import (
    Said,
    add_roots,
    concepts_with,
    contested_words,
    leave_open,
    record_said,
    run_topics,
    said_so_far,
    settle,
    topic_id,
)
from leucippus.store.triples import Document, Evidence, Failure, Passage, Reader
from leucippus.store.weave import weave
from leucippus.store.write import PassageResult, record_batch, start_run
from tests.store.claims import claim_in


@pytest.fixture
def elicitation(filled: Store, reader: Reader) -> str:
    """A run with two roots in a store that holds a graph about smoking."""
    run_id = start_run(filled, command="elicit", settings={}, reader=reader)
    add_roots(filled, run_id, ["tobacco", "towns"])
    return run_id


def said(run_id: str, name: str, lines: list[tuple[str, str]], subtopics: tuple[str, ...] = ()) -> Said:
    text = "\n".join(f"{cause} changes {effect}." for cause, effect in lines)
    document = Document.of(text, media_type="text/plain", title=name, kind="elicited")
    passages, start = [], 0
    for line in text.split("\n"):
        passages.append(Passage.of(document, start, start + len(line)))
        start += len(line) + 1
    failure = Failure(item=name, stage="elicit", error="echo", message="not used")
    return Said(
        topic_id(run_id, [name]),
        document,
        f"elicited:{name}",
        tuple(passages),
        frozenset(),
        subtopics,
        (failure,),
        70,
        30,
    )


def read(store: Store, run_id: str, reader: Reader) -> None:
    """Read what is planned: "A changes B." is a claim; of zoning, that it does not."""
    for batch in pending(store, run_id):
        results = []
        for passage in batch:
            cause, effect = passage.text.rstrip(".").split(" changes ")
            claim = claim_in(passage, reader, cause, effect, negated=cause == "zoning", evidence=Evidence.ELICITED)
            results.append(PassageResult(passage.passage_id, (claim,)))
        record_batch(store, run_id, reader.reader_id, results)


def test_what_was_said_is_written_whole_and_once(filled: Store, elicitation: str, reader: Reader) -> None:
    told = [
        said(elicitation, "tobacco", [("smoking", "tar"), ("snuff", "sneezing")], ("cigars", "snuff")),
        Said(topic_id(elicitation, ["towns"]), None, "", prompt_tokens=5),
    ]
    record_said(filled, elicitation, reader.reader_id, told)
    record_said(filled, elicitation, reader.reader_id, told)
    add_roots(filled, elicitation, ["tobacco", "towns"])

    tobacco, towns, cigars, snuff = run_topics(filled, elicitation)
    assert (tobacco.state, towns.state, cigars.state) == ("open", "failed", "open")
    assert (tobacco.tokens, towns.tokens) == (100, 5)
    assert (cigars.path, cigars.depth, cigars.parent_id) == (("tobacco", "cigars"), 1, tobacco.topic_id)
    assert [topic.position for topic in (tobacco, towns, cigars, snuff)] == [0, 1, 2, 3]
    assert said_so_far(filled, elicitation) == ["smoking changes tar.\nsnuff changes sneezing."]
    assert [len(batch) for batch in pending(filled, elicitation)] == [2]
    assert filled.rows("SELECT count(*) FROM failures WHERE run_id = ?", [elicitation]) == [(1,)]
    assert filled.rows("SELECT kind, title FROM documents WHERE kind <> 'read'") == [("elicited", "tobacco")]


def test_edges_are_new_that_no_claim_had_before(filled: Store, elicitation: str, reader: Reader) -> None:
    record_merges(filled, [Merge("puffing", "smoking", 1, "person", "for the test")])
    record_merges(filled, [Merge("traffic", "cars", 1, "person", "for the test")])
    record_said(
        filled,
        elicitation,
        reader.reader_id,
        [
            # The store knows smoking → tar; puffing is smoking.
            said(elicitation, "tobacco", [("Puffing", "the tar"), ("snuff", "sneezing"), ("cars", "traffic")]),
            said(elicitation, "towns", [("snuff", "sneezing"), ("traffic", "noise"), ("cars", "noise")]),
        ],
    )
    read(filled, elicitation, reader)
    settle(filled, elicitation)
    settle(filled, elicitation)

    tobacco, towns = run_topics(filled, elicitation)
    assert (tobacco.state, tobacco.claims, tobacco.new_edges) == ("done", 3, 1)
    assert (towns.state, towns.claims, towns.new_edges) == ("done", 3, 1)


def test_what_a_run_said_before_is_not_new(filled: Store, elicitation: str, reader: Reader) -> None:
    record_said(filled, elicitation, reader.reader_id, [said(elicitation, "tobacco", [("snuff", "sneezing")])])
    read(filled, elicitation, reader)
    settle(filled, elicitation)
    record_said(filled, elicitation, reader.reader_id, [said(elicitation, "towns", [("the snuff", "sneezing")])])
    read(filled, elicitation, reader)
    settle(filled, elicitation)
    assert [topic.new_edges for topic in run_topics(filled, elicitation)] == [1, 0]


def test_the_same_words_in_a_later_run_are_known(filled: Store, elicitation: str, reader: Reader) -> None:
    for run_id in (elicitation, start_run(filled, command="elicit", settings={"again": 1}, reader=reader)):
        add_roots(filled, run_id, ["tobacco"])
        record_said(filled, run_id, reader.reader_id, [said(run_id, "tobacco", [("snuff", "sneezing")])])
        read(filled, run_id, reader)
        settle(filled, run_id)
    assert [(topic.state, topic.claims, topic.new_edges) for topic in run_topics(filled, run_id)] == [("done", 1, 0)]
    assert filled.rows("SELECT count(*) FROM claims WHERE evidence = 'elicited'") == [(1,)]


def test_topics_nobody_pays_for_are_left(filled: Store, elicitation: str, reader: Reader) -> None:
    record_said(filled, elicitation, reader.reader_id, [said(elicitation, "tobacco", [("a cold", "sneezing")])])
    assert leave_open(filled, elicitation) == 1
    assert [topic.state for topic in run_topics(filled, elicitation)] == ["open", "left"]


def test_what_the_store_holds_near_a_topic(filled: Store, elicitation: str, reader: Reader) -> None:
    assert concepts_with(filled, ["lung", "smoking", "unheard", "'; DROP TABLE topics; --"]) == {
        "lung": 2,
        "smoking": 1,
    }
    told = said(elicitation, "towns", [("zoning", "city rents"), ("the zoning", "city rents"), ("bars", "noise")])
    record_said(filled, elicitation, reader.reader_id, [told])
    read(filled, elicitation, reader)
    assert contested_words(filled, elicitation) == {"zoning", "city", "rent"}
    assert contested_words(filled, "another run") == set()
    weave(filled, {})
    assert contested_words(filled, "another run") == {"zoning", "city", "rent", "smoking", "lung", "cancer"}
