"""Sentences made by a grammar are annotated as their words say, and every kind occurs."""

import pytest

from leucippus.store.triples import Sign
from leucippus.training.examples import Example, Mark, Span
from leucippus.training.grammar import SOURCE, generate

SENTENCES = generate(500, seed=0)
MARKS = [(example, mark) for example in SENTENCES for mark in example.marks]


def _spans(mark: Mark) -> list[Span]:
    assert mark.link is not None
    return sorted([mark.cause, mark.effect, mark.link])


def _share(wanted: list[bool]) -> float:
    return sum(wanted) / len(wanted)


def _said(example: Example, mark: Mark) -> tuple[str, str]:
    return example.text[slice(*mark.cause)], example.text[slice(*mark.effect)]


def test_the_same_seed_makes_the_same_sentences_and_another_others() -> None:
    assert generate(500, seed=0) == SENTENCES
    assert generate(500, seed=1) != SENTENCES


def test_as_many_are_made_as_asked_and_a_longer_run_begins_like_a_shorter_one() -> None:
    assert generate(0, seed=0) == []
    assert generate(40, seed=0) == SENTENCES[:40]


def test_hardly_any_sentence_is_made_twice() -> None:
    assert len({example.text for example in SENTENCES}) > 490


def test_spans_are_whole_words_of_the_text() -> None:
    for example, mark in MARKS:
        for start, end in _spans(mark):
            assert 0 <= start < end <= len(example.text)
            words = example.text[start:end]
            assert words == words.strip() and words[0].isalnum()
            assert not example.text[start - 1 : start].isalnum() and not example.text[end : end + 1].isalnum()


def test_cause_effect_and_link_of_a_claim_never_overlap() -> None:
    for _, mark in MARKS:
        first, second, third = _spans(mark)
        assert first[1] <= second[0] and second[1] <= third[0]


def test_no_two_claims_of_a_sentence_have_the_same_spans() -> None:
    for example in SENTENCES:
        assert len({(mark.cause, mark.effect) for mark in example.marks}) == len(example.marks)


def test_everything_is_annotated() -> None:
    assert {example.source for example in SENTENCES} == {SOURCE}
    assert all(example.fully_annotated for example in SENTENCES)
    assert not any(None in (mark.link, mark.sign, mark.negated, mark.hedged) for _, mark in MARKS)


@pytest.mark.parametrize("attitude", ["negated", "hedged"])
def test_denied_and_doubted_claims_occur(attitude: str) -> None:
    assert 0.05 < _share([getattr(mark, attitude) for _, mark in MARKS]) < 0.4


def test_nothing_is_denied_and_doubted_at_once() -> None:
    assert not any(mark.negated and mark.hedged for _, mark in MARKS)


@pytest.mark.parametrize("sign", Sign)
def test_each_sign_occurs(sign: Sign) -> None:
    assert _share([mark.sign is sign for _, mark in MARKS]) > 0.02


@pytest.mark.parametrize("attitude", ["said", "negated", "hedged"])
@pytest.mark.parametrize("sign", Sign)
def test_each_sign_comes_affirmed_denied_and_doubted(sign: Sign, attitude: str) -> None:
    many = [mark for example in generate(3000, seed=0) for mark in example.marks if mark.sign is sign]
    assert any((mark.negated, mark.hedged) == (attitude == "negated", attitude == "hedged") for mark in many)


def test_sentences_without_a_claim_and_with_one_and_with_two_occur() -> None:
    assert 0.3 < _share([not example.marks for example in SENTENCES]) < 0.5
    assert {len(example.marks) for example in SENTENCES} == {0, 1, 2}


def test_causes_come_before_effects_and_behind_them() -> None:
    assert 0.2 < _share([mark.cause < mark.effect for _, mark in MARKS]) < 0.8


def test_words_are_one_space_apart() -> None:
    for example in SENTENCES:
        assert example.text == " ".join(example.text.split()) and " ," not in example.text and " ." not in example.text


def test_the_first_letter_is_upper_case() -> None:
    assert [example.text for example in SENTENCES if not example.text[0].isupper()] == []


def test_a_question_claims_nothing() -> None:
    questions = [example for example in SENTENCES if example.text.endswith("?")]
    assert questions and not any(example.marks for example in questions)


@pytest.mark.parametrize(
    ("words", "sign"),
    [("caused", Sign.POSITIVE), ("led to", Sign.POSITIVE), ("prevented", Sign.NEGATIVE), ("affected", Sign.NONE)],
)
def test_the_sign_is_that_of_the_linking_words(words: str, sign: Sign) -> None:
    marks = [(e, m) for e in generate(3000, seed=0) for m in e.marks if m.link and e.text[slice(*m.link)] == words]
    assert marks and {mark.sign for _, mark in marks} == {sign}


def test_because_puts_the_cause_behind_it_and_by_too() -> None:
    for example, mark in MARKS:
        assert mark.link is not None
        link = example.text[slice(*mark.link)]
        if link in ("because of", "because") or link.endswith(" by"):
            assert mark.cause[0] == mark.link[1] + 1, _said(example, mark)


def test_denied_claims_say_so() -> None:
    words = ("not", "never", "no", "nothing")
    for example, mark in MARKS:
        if mark.negated:
            assert any(f" {word} " in example.text for word in words), example.text
