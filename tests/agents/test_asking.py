"""What is asked about a passage, and how answers become candidates, for both ways of asking."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.agents.asking import Anchored, Claims, Open, Pair, asking
from leucippus.serving.calls import Answer, Call, Copied, Failed, FailureKind, Usage

TWO = "Heavy rain caused floods. The floods damaged the bridge."


def _calls(text: str) -> list[Call]:
    return Anchored().calls(text, adapter=None, max_tokens=60)


def _sides(call: Call) -> tuple[str, str]:
    """The texts that cause and effect are copied from."""
    assert isinstance(call.shape, Copied) and call.shape.model is Pair
    return call.shape.sources["cause"].text.strip(" ,."), call.shape.sources["effect"].text.strip(" ,.")


def _answer(value: Any, probability: float | None = None) -> Answer[Any]:
    return Answer(value, "", Usage(), probability)


SIDES = [
    ("Heavy rain caused floods.", ("Heavy rain", "floods")),
    ("The floods were caused by heavy rain.", ("heavy rain", "The floods")),
    ("The town flooded because the drains were blocked.", ("the drains were blocked", "The town flooded")),
    ("Because the pump had failed, the cellar flooded.", ("the pump had failed", "the cellar flooded")),
    ("It rained all night. As a result, the town flooded.", ("It rained all night", "the town flooded")),
    ("It is cold. Heavy rain caused floods. Birds sang.", ("Heavy rain", "floods")),
]


@pytest.mark.parametrize(("text", "sides"), SIDES, ids=[text for text, _ in SIDES])
def test_cause_and_effect_are_copied_from_the_two_sides(text: str, sides: tuple[str, str]) -> None:
    (call,) = _calls(text)
    assert _sides(call) == sides


def test_each_expression_is_a_call() -> None:
    assert [_sides(call) for call in _calls(TWO)] == [("Heavy rain", "floods"), ("The floods", "the bridge")]


@pytest.mark.parametrize(
    "text",
    [
        "He left after the concert.",
        "If it rains, we stay.",
        "She has lived here since May.",
        "The museum opens at nine.",
        "As a result, the town flooded.",
        "Because, the town flooded.",
        "What this caused.",
        "",
    ],
)
def test_weak_and_one_sided_expressions_are_not_asked_about(text: str) -> None:
    assert _calls(text) == []


def test_the_message_shows_the_sentence_on_one_line_and_the_expression() -> None:
    (call,) = _calls("It is cold. Heavy\n  rain caused floods. Birds sang.")
    assert call.messages[-1]["content"] == "Text: Heavy rain caused floods.\nExpression: caused"


def test_the_sentence_before_is_shown_where_it_holds_the_cause() -> None:
    (call,) = _calls("It rained. As a result, the town flooded.")
    assert call.messages[-1]["content"].startswith("Text: It rained. As a result, the town flooded.")


@pytest.mark.parametrize("way", [Anchored(), Open()], ids=["anchored", "open"])
def test_adapter_and_token_limit_reach_every_call(way: Anchored | Open) -> None:
    calls = way.calls(TWO, adapter="lora", max_tokens=17)
    assert calls and all((call.adapter, call.max_tokens, call.temperature) == ("lora", 17, 0.0) for call in calls)


def test_candidates_pair_each_answer_with_its_expression() -> None:
    answers = [_answer(Pair(cause="rain", effect="floods"), 0.9), _answer(Pair(cause="floods", effect="bridge"))]
    first, second = Anchored().candidates(TWO, answers)
    assert (first.cause, first.relation, first.effect, first.probability) == ("rain", "caused", "floods", 0.9)
    assert (second.cause, second.relation, second.effect, second.probability) == ("floods", "damaged", "bridge", None)


def test_a_candidate_may_only_stand_on_its_own_sides() -> None:
    _, second = Anchored().candidates(TWO, [_answer(Pair(cause="a", effect="b"))] * 2)
    assert second.cause_window and TWO[slice(*second.cause_window)].strip() == "The floods"
    assert second.effect_window and TWO[slice(*second.effect_window)].strip() == "the bridge."


def test_a_failed_answer_is_skipped_and_the_next_keeps_its_expression() -> None:
    answers: list[Answer[Any] | Failed] = [
        Failed(FailureKind.UNPARSABLE, "no"),
        _answer(Pair(cause="floods", effect="bridge")),
    ]
    (only,) = Anchored().candidates(TWO, answers)
    assert only.relation == "damaged"


def test_open_asks_once_and_lets_everything_be_copied_from_the_passage() -> None:
    (call,) = Open().calls(TWO, adapter=None, max_tokens=60)
    assert isinstance(call.shape, Copied) and call.shape.model is Claims
    assert {name: source.text for name, source in call.shape.sources.items()} == {"": TWO}
    assert call.messages[-1]["content"] == f"Text: {TWO}"


def test_open_takes_every_claim_of_an_answer_and_none_of_a_failure() -> None:
    said = [{"cause": "rain", "relation": "caused", "effect": "floods"}, {"cause": "a", "relation": "b", "effect": "c"}]
    answers: list[Answer[Any] | Failed] = [
        Failed(FailureKind.TRUNCATED, "cut"),
        _answer(Claims.model_validate({"claims": said}), 0.4),
    ]
    found = Open().candidates(TWO, answers)
    assert [(c.cause, c.relation, c.effect, c.probability) for c in found] == [
        ("rain", "caused", "floods", 0.4),
        ("a", "b", "c", 0.4),
    ]
    assert all(c.cause_window is None and c.effect_window is None for c in found)


def test_the_settings_name_the_way() -> None:
    assert isinstance(asking("anchored"), Anchored) and isinstance(asking("open"), Open)


PIECES = [
    "rain",
    "caused",
    "Because",
    "as a result,",
    "was reduced by",
    "led to",
    ",",
    ". ",
    "? ",
    "\n",
    "\n\n",
    "é",
    "x",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map(" ".join) | st.text(max_size=80))
def test_calls_and_candidates_align_on_any_text(text: str) -> None:
    calls = _calls(text)
    found = Anchored().candidates(text, [_answer(Pair(cause="a", effect="b"))] * len(calls))
    assert len(found) == len(calls)
    for call, candidate in zip(calls, found, strict=True):
        assert isinstance(call.shape, Copied) and candidate.cause_window and candidate.effect_window
        assert call.shape.sources["cause"].text == text[slice(*candidate.cause_window)]
        assert call.shape.sources["effect"].text == text[slice(*candidate.effect_window)]
        assert any(sign.isalnum() for sign in call.shape.sources["cause"].text)
        assert any(sign.isalnum() for sign in call.shape.sources["effect"].text)
