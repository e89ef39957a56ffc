"""What the language model is taught to write is what it will be let write when it is asked."""

import json
from functools import cache
from typing import Any

import pytest
import xgrammar

from leucippus.agents.asking import Brief, Pairs
from leucippus.serving.calls import Answer, Copied, RawAnswer, Usage
from leucippus.serving.copying import copy_grammar
from leucippus.serving.structured import parse
from leucippus.training.adapter import Recipe, conversation, copied, drawn
from leucippus.training.examples import Example, Mark, Span, joined, written
from leucippus.training.grammar import generate

SHARES = "Shares fell 8 % (the most since May) because “soft”  demand hit the\nlow-cost lines."


@cache
def _compiler() -> xgrammar.GrammarCompiler:
    every_byte = [bytes([value]) for value in range(256)]
    return xgrammar.GrammarCompiler(xgrammar.TokenizerInfo([*every_byte, b"<end>"], stop_token_ids=[256]))


def _example(text: str, *pairs: tuple[str, str]) -> Example:
    def place(words: str) -> Span:
        return text.index(words), text.index(words) + len(words)

    marks = [Mark(place(cause), place(effect)) for cause, effect in pairs]
    return Example(text, tuple(marks), "written")


def _completion(example: Example) -> str:
    row = conversation(example)
    assert row is not None
    (message,) = row["completion"]
    assert message["role"] == "assistant"
    return str(message["content"])


def _shape(example: Example) -> Copied:
    (call,) = Brief().calls(example.text, adapter=None, max_tokens=256)
    assert isinstance(call.shape, Copied)
    return call.shape


def _accepted(example: Example) -> bool:
    """Whether a model held to the grammar of the call could write the completion and then stop."""
    shape = _shape(example)
    compiled = _compiler().compile_grammar(copy_grammar(shape.model, shape.sources))
    matcher = xgrammar.GrammarMatcher(compiled, terminate_without_stop_token=True)
    return matcher.accept_string(_completion(example)) and matcher.is_completed()


def _parsed(example: Example) -> list[tuple[str, str]]:
    answer = parse(RawAnswer(_completion(example), Usage(), False, None), _shape(example))
    assert isinstance(answer, Answer), answer
    assert isinstance(answer.value, Pairs)
    return [(pair.cause, pair.effect) for pair in answer.value.claims]


EXAMPLES = {
    "plain": _example("Heavy rain caused floods.", ("Heavy rain", "floods")),
    "two": _example("Rain caused floods, which cut roads.", ("Rain", "floods"), ("floods", "roads")),
    "none": _example("The talks go on."),
    "spacing": _example(SHARES, ("“soft”  demand", "Shares fell 8 % (the most since May)")),
    "quotes": _example('The song "Rain\\fall" led to "wet" sales.', ('The song "Rain\\fall"', '"wet" sales')),
    "accents": _example("Die Dürre führte zu Brotunruhen, sagt Łódź.", ("Die Dürre", "Brotunruhen")),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_the_grammar_of_the_call_lets_a_model_write_the_completion(example: Example) -> None:
    assert _accepted(example)


def test_words_that_the_text_does_not_say_would_not_be_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leucippus.training.adapter.copied", lambda text, span: "Heavy snow")
    assert not _accepted(EXAMPLES["plain"])


def test_generated_and_joined_and_written_texts_are_accepted_too() -> None:
    examples = [*generate(20, seed=0), *joined(generate(30, seed=1), 10, seed=0), *written("heldout")[:30]]
    assert [example.text for example in examples if not _accepted(example)] == []


def test_every_completion_is_parsed_and_each_string_is_a_run_of_words_of_the_text() -> None:
    for example in [*generate(200, seed=0), *written("heldout")]:
        text = " ".join(example.text.split())
        pairs = _parsed(example)
        assert len(pairs) == len({(mark.cause, mark.effect) for mark in example.marks})
        for words in [words for pair in pairs for words in pair]:
            padded = f" {text} "
            at = padded.index(words)
            assert not padded[at - 1].isalnum() and not padded[at + len(words)].isalnum(), words


def test_the_claims_stand_in_their_order_as_cause_and_effect() -> None:
    assert _parsed(EXAMPLES["two"]) == [("Rain", "floods"), ("floods", "roads")]


def test_the_completion_is_bare_json_without_spaces() -> None:
    assert _completion(EXAMPLES["plain"]) == '{"claims":[{"cause":"Heavy rain","effect":"floods"}]}'
    assert "Dürre" in _completion(EXAMPLES["accents"])


def test_an_example_without_claims_says_so() -> None:
    assert _completion(EXAMPLES["none"]) == '{"claims":[]}'


def test_the_prompt_is_what_is_asked_in_service() -> None:
    row: dict[str, Any] | None = conversation(EXAMPLES["spacing"])
    (call,) = Brief().calls(SHARES, adapter=None, max_tokens=256)
    assert row is not None and row["prompt"] == list(call.messages)
    assert row["prompt"][-1]["content"] == " ".join(SHARES.split())


def test_two_claims_of_the_same_words_are_written_once() -> None:
    text = "Rain caused floods, and rain did not cause mud."
    once = _example(text, ("Rain", "floods"))
    assert _completion(Example(text, once.marks * 2, "written")) == _completion(once)


def test_an_example_with_a_span_that_holds_no_word_is_left_out() -> None:
    assert conversation(_example("Prices rose 8 % because of $ !", ("$ !", "Prices rose"))) is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Shares fell 8 %", "Shares fell 8"),
        ("(the most since May)", "the most since May"),
        ("fell 8 % (the most since May) because", "fell 8 % (the most since May) because"),
        ("“soft”  demand", "soft” demand"),
        (" demand hit the\nlow-cost", "demand hit the low-cost"),
        ("low-cost lines.", "low-cost lines"),
        pytest.param("%", ""),
    ],
)
def test_what_is_copied_loses_punctuation_at_its_edges_and_keeps_its_spacing(words: str, expected: str) -> None:
    start = SHARES.index(words)
    assert copied(SHARES, (start, start + len(words))) == expected


def test_half_a_word_is_copied_whole() -> None:
    assert copied("Linezolid-induced anaemia", (0, 9)) == "Linezolid-induced"


def test_the_completion_is_plain_json_to_anybody() -> None:
    for example in EXAMPLES.values():
        assert list(json.loads(_completion(example))) == ["claims"]


@pytest.mark.parametrize("texts, silent, expected", [(100, 0.2, (20, 80)), (100, 0.0, (0, 100)), (10**6, 0.5, None)])
def test_of_the_texts_drawn_a_set_share_makes_no_claim(
    texts: int, silent: float, expected: tuple[int, int] | None
) -> None:
    examples = written("heldout")
    found = drawn(examples, Recipe(texts=texts, silent=silent))
    assert len({example.text for example in found}) == len(found)
    without = sum(not example.marks for example in found)
    of_all = sum(not example.marks for example in examples)
    assert (without, len(found) - without) == (expected or (of_all, len(examples) - of_all))
    assert found == drawn(examples, Recipe(texts=texts, silent=silent))
    assert found[:50] != drawn(examples, Recipe(texts=texts, silent=silent, seed=1))[:50]
