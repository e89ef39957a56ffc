"""Definitions of abbreviations in texts."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leucippus.graphs.abbreviations import definitions, unambiguous


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("Patients with congestive heart failure (CHF) were seen.", "CHF", "congestive heart failure"),
        ("AIDS (acquired immune deficiency syndrome) spread.", "AIDS", "acquired immune deficiency syndrome"),
        ("Heat shock transcription factor (HSF) binds.", "HSF", "Heat shock transcription factor"),
        ("tumour necrosis factor alpha (TNF-alpha) rose", "TNF-alpha", "tumour necrosis factor alpha"),
        ("One. Then women on combined oral contraceptives (COCs).", "COCs", "combined oral contraceptives"),
        ("The gross domestic product [GDP] fell.", "GDP", "gross domestic product"),
        ("the consumer price index (CPI; see Table 2) rose", "CPI", "consumer price index"),
        ("was given acetylsalicylic acid (ASA), twice", "ASA", "acetylsalicylic acid"),
    ],
)
def test_a_definition_and_where_it_stands(text: str, short: str, long: str) -> None:
    (found,) = definitions(text)

    assert (found.short, found.long) == (short, long)
    assert text[found.start : found.end] == long
    assert text[found.short_start : found.short_end] == short


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Prices rose (see Figure 2).",
        "It fell (p<0.05) in March (2019).",
        "Contrast media (PRC) were used.",
        "Heart failure rose. In all (HF) cases",  # another sentence
        "a rise in x (because it was wet)",
        "the heart (heart) beats",
    ],
)
def test_no_definition(text: str) -> None:
    assert definitions(text) == []


def test_an_abbreviation_with_two_meanings_has_none() -> None:
    chronic, congestive = "chronic heart failure (CHF)", "congestive heart failure (CHF)"

    assert unambiguous([chronic, chronic]) == {"chf": "chronic heart failure"}
    assert unambiguous([chronic, congestive]) == {}
    assert unambiguous([chronic] * 9 + [congestive]) == {"chf": "chronic heart failure"}
    assert unambiguous([chronic] * 8 + [congestive]) == {}


def test_spellings_of_one_long_form_count_together() -> None:
    texts = ["tumour growth factor (TGF)", "tumor growth factor (TGF)", "tumor growth factors (TGF)"]

    assert unambiguous(texts) == {"tgf": "tumor growth factor"}


def test_an_ordinary_word_is_no_abbreviation() -> None:
    defined = "computed axial tomography (CAT) was done"

    assert unambiguous([defined]) == {"cat": "computed axial tomography"}
    assert unambiguous([defined, "the cat sat on the mat"]) == {}


def test_what_the_letters_hardly_support_is_left_out() -> None:
    assert unambiguous(["the City of Los Angeles (the City)", "and software of the firm (ADI)"]) == {}


@given(st.text(alphabet="ab AB12().;,[]é癌\n", max_size=80))
def test_offsets_always_hold(text: str) -> None:
    for found in definitions(text):
        assert text[found.start : found.end] == found.long
        assert text[found.short_start : found.short_end] == found.short
        assert len(found.long) > len(found.short)


def test_a_megabyte_of_brackets_takes_no_time() -> None:
    began = time.perf_counter()
    for text in (
        "(" * 1_000_000,
        "(A" * 300_000 + ")",
        "a" * 1_000_000 + "(AA)",
        "癌 (CA) " * 20_000,
        "x" * 1_000_000,
    ):
        definitions(text)
    assert time.perf_counter() - began < 30
