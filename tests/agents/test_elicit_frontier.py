"""Where to ask next: an order that follows from what asking has brought."""

from dataclasses import replace
from typing import Literal

from leucippus.agents.elicitation.frontier import Asking, Knowledge, batch, content_words, expected_values, ranked
from leucippus.store.topics import Topic

NOTHING = Knowledge({}, ())
STRATEGIES: tuple[Literal["active", "uniform"], ...] = ("active", "uniform")
ROOT = Topic("root", "run", None, ("climate",), 0, 0, "done", "d", 500, 100, 4, 4)


def child(name: str, position: int, parent: Topic = ROOT, new_edges: int | None = None) -> Topic:
    """A subtopic: done with so many new edges, or open."""
    path = (*parent.path, name)
    topic = Topic("/".join(path), "run", parent.topic_id, path, parent.depth + 1, position, "open")
    if new_edges is None:
        return topic
    return replace(topic, state="done", prompt_tokens=500, output_tokens=100, new_edges=new_edges)


def names(topics: list[Topic]) -> list[str]:
    return [topic.name for topic in topics]


def test_uniform_goes_level_by_level() -> None:
    rich = child("rich", 1, new_edges=9)
    topics = [ROOT, rich, child("deep", 2, rich), child("wide", 3), child("wider", 4)]
    order = ranked(topics, "uniform", NOTHING)
    assert names(order) == ["wide", "wider", "deep"]
    chosen = batch(order, "uniform", 10_000, 3, 3, lambda _: 1000, 600)
    assert [(asking.topic.name, asking.subtopics) for asking in chosen] == [("wide", True), ("wider", True)]


def test_active_goes_where_asking_brought_most() -> None:
    rich, poor = child("rich", 1, new_edges=9), child("poor", 2, new_edges=0)
    topics = [ROOT, rich, poor, child("aaa", 3, poor), child("bbb", 4, rich), child("ccc", 5)]
    assert names(ranked(topics, "active", NOTHING)) == ["bbb", "ccc", "aaa"]


def test_a_branch_that_repeats_itself_is_left() -> None:
    rich = child("rich", 1, new_edges=9)
    spent = [child(f"spent {at}", 10 + at, rich, new_edges=0) for at in range(6)]
    topics = [ROOT, rich, *spent, child("more", 20, rich), child("other", 21)]
    assert names(ranked(topics, "active", NOTHING)) == ["other", "more"]


def test_unseen_words_and_disputes_draw() -> None:
    topics = [ROOT, child("rain", 1), child("hail", 2), child("snow", 3)]
    knowledge = Knowledge({"rain": 1000, "hail": 1000}, {"hail"})
    assert names(ranked(topics, "active", knowledge)) == ["hail", "snow", "rain"]


def test_dear_branches_are_worth_less() -> None:
    cheap, dear = child("cheap", 1, new_edges=4), replace(child("dear", 2, new_edges=4), prompt_tokens=3000)
    topics = [ROOT, cheap, dear, child("aaa", 3, dear), child("bbb", 4, cheap)]
    assert names(ranked(topics, "active", NOTHING)) == ["bbb", "aaa"]


def test_no_subtopics_are_asked_for_that_nobody_can_pay_for() -> None:
    topics = [child(f"t{at}", at) for at in range(9)]

    def subtopics(left: int) -> list[bool]:
        return [asking.subtopics for asking in batch(topics, "active", left, 10, 3, lambda _: 1000, 600)]

    assert subtopics(60_000)[:4] == [True] * 4
    assert subtopics(7_200) == [True, True, False, False]  # 12 topics can be paid for: 18 open ones are enough
    assert subtopics(3_000) == [False] * 3
    assert not any(asking.subtopics for asking in batch(topics, "active", 60_000, 10, 1, lambda _: 1000, 600))


def test_before_anything_was_asked_the_order_is_that_of_the_roots() -> None:
    roots = [Topic(name, "run", None, (name,), 0, at, "open") for at, name in enumerate(("b", "a", "c"))]
    assert names(ranked(roots, "active", NOTHING)) == ["b", "a", "c"]
    assert all(value > 0 for value in expected_values(roots, NOTHING).values())


def test_no_batch_can_cost_more_than_is_left() -> None:
    topics = [child(f"t{at}", at) for at in range(20)]

    def most(asking: Asking) -> int:
        return (1000 if asking.topic.position else 5000) + 200 * asking.subtopics

    for strategy in STRATEGIES:
        for left in range(0, 12_000, 700):
            chosen = batch(topics, strategy, left, 10, 3, most, 600)
            assert sum(map(most, chosen)) <= left
            assert chosen or left < 1200


def test_small_words_say_nothing_about_a_topic() -> None:
    assert content_words("the Price of Sea Walls") == ("price", "sea", "wall")
    assert content_words("of") == ("of",)
