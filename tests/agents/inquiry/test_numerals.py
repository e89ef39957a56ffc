"""Numbers as they are written, and the check that each comes from the result."""

import pytest

from leucippus.agents.inquiry.numerals import Known, cell, number, p_value, percent, points


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.15234, "0.152"),
        (1.0199, "1.02"),
        (-12.44, "−12.4"),
        (1234.6, "1,235"),
        (-12345.6, "−12,350"),
        (9.996, "10.0"),
        (0.99996, "1.00"),
        (2.0, "2"),
        (0.01, "0.01"),
        (-0.5, "−0.5"),
        (0.5000001, "0.500"),
        (0.0, "0"),
        (-0.0, "0"),
        (1234567, "1,234,567"),
        (0.00001234, "1.23e−05"),
        (1.5e20, "1.5e20"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (None, "–"),
    ],
)
def test_numbers(value: float | None, written: str) -> None:
    assert number(value) == written


def test_kinds() -> None:
    assert percent(0.07) == "7%" and percent(0.95) == "95%" and points(0.1234) == "12.3 percentage points"
    assert p_value(0.00004) == "below 0.001" and p_value(0.04321) == "0.0432"
    assert cell(2011) == cell(2011.0) == "2011" and cell(True) == "yes" and cell(None) == "–"
    assert cell({"a": 1.234, "b": [1, "x"]}) == "a: 1.23; b: 1, x"


RESULT = {"estimate": -1.0234, "p": 0.00002, "n": 12345, "texts": ["born after 1961", "x7", "3"], "share": 0.123}


@pytest.mark.parametrize(
    "text",
    [
        "The estimate is −1.02.",
        "It is 1.02 lower.",
        "p is below 0.001",
        "12,345 rows, x9 and x7",
        "Those born after 1961 only.",
        "12.3% of them",
        "group 3, and 0.123",
        "no number",
    ],
)
def test_what_the_result_has(text: str) -> None:
    assert Known(RESULT).stray([text]) == ()


@pytest.mark.parametrize(
    ("text", "stray"),
    [
        ("The estimate is 1.03.", "1.03"),
        ("The estimate is −0.123.", "−0.123"),
        ("Born in 1961.", "1961"),
        ("group 3.5", "3.5"),
        ("12,346 rows", "12,346"),
        ("33 of them", "33"),
        ("1.0234000001", "1.0234000001"),
    ],
)
def test_what_it_has_not(text: str, stray: str) -> None:
    assert Known(RESULT).stray([text]) == (stray,)
