"""How numbers are written in a report, and whether every number that is written is one of the result's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from math import floor, isfinite, log10
from typing import Any

_SMALLEST_P = 0.001
_FEW_DIGITS = 10_000
_NUMERAL = re.compile(r"(?<![\w.,])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-−+]?\d+)?(?!\d)")


def number(value: float | None) -> str:
    """Three significant digits, four from a thousand on: 0.152, 1.02, −12.4, 1,235, 12,350; exact numbers in full."""
    if value is None or not isfinite(value):
        return "–"
    if value == int(value) and abs(value) < 1e15:
        return whole(int(value))
    size = floor(log10(abs(value)))
    if not -4 <= size < 15:
        return f"{value:.3g}".replace("-", "−").replace("+", "")
    # 9.996 is 10.0, not 10.00: the size is that of the rounded number.
    size = floor(log10(abs(float(f"{value:.3g}" if size < 3 else f"{value:.4g}"))))
    rounded = round(value, 2 - size) if size < 3 else round(value, 3 - size)
    written = f"{rounded:,.{max(0, 2 - size)}f}".replace("-", "−")
    # A bandwidth of 0.5 that somebody chose has one digit; an estimate that rounds to 0.500 has three.
    return written.rstrip("0") if rounded == value and "." in written else written


def whole(value: int) -> str:
    """A count, in full."""
    return f"{value:,}".replace("-", "−")


def percent(share: float) -> str:
    return f"{_hundredfold(share)}%"


def points(share: float) -> str:
    """A difference of two shares."""
    return f"{_hundredfold(share)} percentage points"


def _hundredfold(share: float) -> str:
    return number(round(100 * share, 12))  # 100 × 0.07 is 7.000000000000001


def p_value(p: float) -> str:
    return f"below {_SMALLEST_P:g}" if p < _SMALLEST_P else number(p)


def cell(value: object) -> str:
    """A value in a table. A whole number of four digits may be a year, so it gets no comma."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            year = isfinite(value) and value == int(value) and abs(value) < _FEW_DIGITS
            return f"{int(value)}".replace("-", "−") if year else number(value)
        case Mapping():
            return "; ".join(f"{key}: {cell(item)}" for key, item in value.items())
        case list() | tuple():
            return ", ".join(map(cell, value))
        case _:
            return str(value)


class Known:
    """The numbers and the texts of a result, plain JSON values."""

    def __init__(self, result: object) -> None:
        self._numerals: set[str] = set()
        texts: set[str] = set()
        for leaf in _leaves(result):
            if isinstance(leaf, str):
                texts.add(" ".join(leaf.split()))
            else:
                self._numerals.update(_written(leaf))
        self._texts = sorted((text for text in texts if any(map(str.isdigit, text))), key=len, reverse=True)

    def stray(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The numerals in these texts that neither a number of the result, as displayed, nor a whole text of it has."""
        return tuple(numeral for text in texts for numeral in self._stray(text))

    def _stray(self, text: str) -> Iterator[str]:
        left = " ".join(text.split())
        for known in self._texts:
            if known in left:
                left = _without(left, known)
        for found in _NUMERAL.finditer(left):
            if found[0].replace("-", "−") not in self._numerals:
                yield found[0]


def _without(text: str, known: str) -> str:
    """Less each place where the known text stands by itself: `1` does not stand in `15` or in `1.5`."""
    before = r"(?<![\w.,−-])" if known[0].isalnum() else ""
    after = r"(?!\w|[.,]\d)" if known[-1].isalnum() else ""
    return re.sub(f"{before}{re.escape(known)}{after}", " ", text)


def _leaves(value: object) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield value


def _written(value: float) -> Iterator[str]:
    """Every way a report may write a number; a negative one also as `lower by` its size."""
    for one in {value, abs(value)}:
        forms = (number(one), cell(one), percent(one), p_value(one) if 0 <= one <= 1 else "")
        for form in forms:
            yield from (found[0] for found in _NUMERAL.finditer(form))
