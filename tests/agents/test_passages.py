"""Sentences and passages: offsets are exact, nothing is lost, and a sentence ends where a reader would end it."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leucippus.agents.passages import LONGEST_SENTENCE, passages, sentences
from leucippus.store.triples import Document


def _texts(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def _document(text: str) -> Document:
    return Document.of(text, media_type="text/plain", title="t")


PROSE = st.lists(
    st.sampled_from(
        ["Dr. Smith fell. ", "\n", "\n\n", "- item", "# Head", "1. ", "“", "« a. ", "é😀", "\r\n", "\f", "word ", "3.5%",
         "=====", "| a | b |", "\u2028", "\u2029", "。", "x" * 700, "\t", "\x1c", "\ud800", "\u3000", "\ufeff"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@example(text="a" * 5000, max_chars=1)
@example(text="\ud800 x. y", max_chars=40)
@given(text=st.one_of(st.text(st.characters(exclude_categories=[])), PROSE), max_chars=st.integers(1, 400))
def test_passages_hold_every_character_exactly_once(text: str, max_chars: int) -> None:
    document = _document(text)
    found = passages(document, max_chars=max_chars)
    times = [0] * len(text)
    last = 0
    for passage in found:
        assert document.text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip()
        assert passage.start >= last
        last = passage.end
        for position in range(passage.start, passage.end):
            times[position] += 1
    assert all(count == 1 for count, character in zip(times, text, strict=True) if not character.isspace())


@settings(max_examples=200, deadline=None)
@given(text=PROSE, max_chars=st.integers(1, 400))
def test_passages_are_whole_sentences_within_the_limit(text: str, max_chars: int) -> None:
    spans = sentences(text)
    starts, ends = {start for start, _ in spans}, {end for _, end in spans}
    for passage in passages(_document(text), max_chars=max_chars):
        assert passage.start in starts and passage.end in ends
        assert passage.end - passage.start <= max_chars or (passage.start, passage.end) in spans
        assert "\n\n" not in passage.text
    assert all(end - start <= LONGEST_SENTENCE for start, end in spans)


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith and Mr. Jones left early.",
        "Some metals, e.g. copper, rose in price.",
        "Prices rose by 3.5% in Jan. 2020 alone.",
        "The U.S. Army closed two bases.",
        "He met J. K. Rowling in St. Louis.",
        "The effect is shown in Fig. 3 (i.e. the last one).",
    ],
)
def test_abbreviations_and_numbers_do_not_end_a_sentence(sentence: str) -> None:
    assert _texts(f"It rained. {sentence} Then it stopped.") == ["It rained.", sentence, "Then it stopped."]


def test_offsets_count_characters_not_bytes() -> None:
    text = "Élan 😀 vital. Ünïted demand fell. 価格が上昇した。 End."
    assert _texts(text) == ["Élan 😀 vital.", "Ünïted demand fell.", "価格が上昇した。", "End."]


def test_wrapped_lines_are_one_sentence() -> None:
    text = "The pump failed because the operator in\nNew York had closed the wrong valve on\nTuesday. Nobody saw it."
    assert _texts(text) == [text[:-15], "Nobody saw it."]


def test_a_blank_line_ends_a_sentence() -> None:
    assert _texts("Summary\n\nthe pump failed\n \t\nand so on") == ["Summary", "the pump failed", "and so on"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Causes:\n- heat\n- rain\n  and wind", ["Causes:", "- heat", "- rain\n  and wind"]),
        ("Causes:\n1. heat\n2) rain\n(b) wind", ["Causes:", "1. heat", "2) rain", "(b) wind"]),
        ("## Root cause\nA valve stuck.", ["## Root cause", "A valve stuck."]),
        ("Root cause\n==========\nA valve stuck.", ["Root cause\n==========", "A valve stuck."]),
        ("| cause | effect |\n|---|---|\n| heat | fire |", ["| cause | effect |", "|---|---|", "| heat | fire |"]),
        (
            "Power supply\nCooling\nA very long name of a part",
            ["Power supply", "Cooling", "A very long name of a part"],
        ),
        (
            "Root cause\nA valve stuck because rust had built up there\non the stem over many years of neglect.",
            ["Root cause", "A valve stuck because rust had built up there\non the stem over many years of neglect."],
        ),
        (
            "The outage was caused by\nDNS servers that answered with addresses long gone.",
            ["The outage was caused by\nDNS servers that answered with addresses long gone."],
        ),
    ],
)
def test_lists_headings_and_tables(text: str, expected: list[str]) -> None:
    assert _texts(text) == expected


def test_an_endless_sentence_is_cut_at_a_clause() -> None:
    pieces = _texts("rates rose and demand fell sharply, " * 200)
    assert len(pieces) > 3
    assert all(len(piece) <= LONGEST_SENTENCE and piece.endswith(",") for piece in pieces)


def test_passages_join_up_to_the_limit_and_never_across_a_paragraph() -> None:
    text = "One two. Three four. Five six.\n\nSeven."
    assert [p.text for p in passages(_document(text), max_chars=20)] == ["One two. Three four.", "Five six.", "Seven."]
    assert [p.text for p in passages(_document(text), max_chars=400)] == [text[:30], "Seven."]
    assert [p.text for p in passages(_document(text), max_chars=3)] == _texts(text)


@pytest.mark.parametrize("text", ["", " \n\n\t ", "\f\f"])
def test_no_text_no_passages(text: str) -> None:
    assert passages(_document(text), max_chars=100) == []


@pytest.mark.parametrize(
    "unit", ["The firm lost money because demand fell. ", "« a. ", "- a\n", "(" * 50, "Ab cd ef gh ij kl mn op.\n\n"]
)
def test_a_megabyte_takes_seconds(unit: str) -> None:
    document = _document(unit * (1_000_000 // len(unit)))
    begun = time.process_time()
    assert passages(document, max_chars=240)
    assert time.process_time() - begun < 8  # about 2 s at worst on a slow core; quadratic time would be minutes
