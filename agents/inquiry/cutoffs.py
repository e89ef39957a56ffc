"""Where the cutoff of a running variable is: what the words say, and where the data jump."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leucippus.agents.columns import Floats, coded, zero_one
from leucippus.agents.inquiry.case import Case

_MONTH = r"jan\w*|feb\w*|mar\w*|apr\w*|may|june?|july?|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*"
_NUMBER = re.compile(
    rf"(?<![\w.])[-−]?\d+(?:,\d{{3}})*(?:\.\d+)?(?![\w]|\.\d|(?:st|nd|rd|th)? (?:{_MONTH})\b)", re.IGNORECASE
)
_NEAR_LINE = re.compile(
    r"cut-?off|threshold|limit|line|at least|or (more|less|over|under|above|below|older|younger|higher|lower)|below|above|"
    r"under|over|exceed|reach|minimum|maximum|pass|eligib|qualif|turn|win|won|majority|fewer|birthday|age|score|points?|"
    r"up to|from|mark|at \d",
    re.IGNORECASE,
)
_WINNING = re.compile(r"\b(w[io]n|wins|winning|winner|victory|majority|elected|lost|losing|loser)\b", re.IGNORECASE)
_CENTRED = re.compile(
    r"\b(cent(re|er)ed|normali[sz]ed|relative to|distance (to|from)|minus|above the|margin|difference from|negative)\b",
    re.IGNORECASE,
)
_BELOW = re.compile(
    r"\b(below|under|fewer than|less than|at most|no more than|or (less|fewer|below|under|younger|lower)|up to|poor(er|est)?|"
    r"fell short|short of|did not reach)\b",
    re.IGNORECASE,
)  # fmt: skip
_MOST_NUMBERS = 6
_JUMP = 0.1
_END = 0.03
"""Of its range, how near its ends a number tells of the range and not of a line within it."""
_SYMMETRIC = 0.01
"""Of its range, how near the middle of a running variable has to be to a round number to be taken for its cutoff."""


@dataclass(frozen=True)
class Cutoff:
    """A value, and what speaks for it."""

    value: float
    weight: float
    words: str


def find(case: Case, running: str, treatment: str, outcome: str) -> Iterator[tuple[float, float, str, str | None]]:
    """(share, cutoff, treated side, column that jumps there or None), the likeliest first."""
    values = coded(case.dataset.frame((running,))[running])
    found = sorted(_cutoffs(case, running, values), key=lambda one: -one.weight)
    chosen = []
    for cutoff in found:
        indicator, clear = _jumping(case, running, values, cutoff.value, treatment, outcome)
        chosen.append((cutoff.weight * (1.0 if clear else 0.4), cutoff, indicator))
    chosen.sort(key=lambda one: -one[0])
    for weight, cutoff, indicator in chosen[:2]:
        side = "below" if _BELOW.search(cutoff.words) else "above"
        yield weight, cutoff.value, side, indicator


def _cutoffs(case: Case, running: str, values: Floats) -> Iterator[Cutoff]:
    """From thresholds in the data, from numbers in the words, and 0 where the variable is centred."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    said = case.description.columns.get(running, "")
    told = [case.reading.told, said, case.question.text]
    prose = [s for s in case.description.sentences if s != case.reading.told and _NEAR_LINE.search(s)]
    stated: dict[float, Cutoff] = {}
    for weight, texts in ((0.8, told), (0.5, prose)):
        for text in texts:
            for match in list(_NUMBER.finditer(text))[:_MOST_NUMBERS]:
                value = float(match[0].replace(",", "").replace("−", "-"))
                around = text[max(0, match.start() - 40) : match.end() + 25]
                year = 1800 <= value <= 2100 and not low <= value <= high
                if year or not _NEAR_LINE.search(around):
                    continue
                ends = min(abs(value - low), abs(value - high)) <= _END * (high - low)
                share = weight if low < value <= high and not ends else 0.1 * weight
                if value not in stated or stated[value].weight < share:
                    stated[value] = Cutoff(value, share, around)
    everything = f"{said} {case.reading.told} {case.question.text}"
    if low < 0 < high and (_CENTRED.search(everything) or _WINNING.search(everything)):
        stated[0.0] = Cutoff(0.0, 0.9, case.reading.told)
    elif (
        low >= 0
        and high <= 0
        or _WINNING.search(case.question.text)
        and re.search("margin", f"{running} {said}", re.IGNORECASE)
    ):
        stated.setdefault(0.0, Cutoff(0.0, 0.6, case.question.text))
    elif low < 0 < high:
        stated.setdefault(0.0, Cutoff(0.0, 0.4, case.reading.told))
    if _WINNING.search(everything) and re.search("share|vote", f"{running} {said}", re.IGNORECASE):
        half = 0.5 if high <= 1 else 50.0
        stated.setdefault(half, Cutoff(half, 0.7, case.question.text))
    middle = round((low + high) / 2)
    clear = any(one.weight > 0.3 for one in stated.values())
    if (
        not clear
        and case.question.effect == "at the cutoff"
        and abs(middle - (low + high) / 2) <= _SYMMETRIC * (high - low)
    ):
        stated[float(middle)] = Cutoff(float(middle), 0.5, "")  # files are often cut out evenly around their cutoff
    for threshold in case.profile.thresholds:
        if threshold.running == running and case.role(threshold.treatment, "outcome") < 0.5:
            near = min(stated, key=lambda v: abs(v - threshold.cutoff), default=None)
            spread = (high - low) or 1.0
            if near is not None and abs(near - threshold.cutoff) <= 0.02 * spread:
                stated[near] = Cutoff(near, stated[near].weight + 0.4, stated[near].words)
            else:
                weight = 0.6 if case.role(threshold.treatment, "treatment", "instrument", "same") > 0.3 else 0.2
                stated[threshold.cutoff] = Cutoff(threshold.cutoff, weight, case.reading.told)
    yield from stated.values()


def _jumping(
    case: Case, running: str, values: Floats, cutoff: float, treatment: str, outcome: str
) -> tuple[str | None, bool]:
    """The column that changes at the cutoff and is the treatment, and whether anything was seen to change there."""
    ruled = [name for name, other in case.decided.items() if other == running and name != outcome]
    # A treatment that another column decides is not this one's: the winner of the last election, not of this.
    first = ruled[0] if ruled and case.decided.get(treatment, running) != running else treatment
    candidates = [first] + [
        column.name
        for column in case.profile.columns
        if column.kind == "binary"
        and column.name not in (treatment, outcome, running)
        and case.role(column.name, "treatment", "same", "instrument") > 0.2
    ]
    above = values >= cutoff
    if not above.any() or above.all():
        return None, False
    spread = np.nanquantile(np.abs(values - cutoff), 0.3)
    near = np.abs(values - cutoff) <= spread
    for name in candidates:
        column = case.by_name[name]
        if name in (running, outcome) or column.kind in ("text", "identifier", "date", "empty", "constant"):
            continue
        if column.kind == "binary":
            state = zero_one(coded(case.dataset.frame((name,))[name]))
        elif column.numeric and name == first:
            state = coded(case.dataset.frame((name,))[name])
        else:
            continue
        here = near & np.isfinite(state)
        if (here & above).sum() < 3 or (here & ~above).sum() < 3:
            continue
        jump = state[here & above].mean() - state[here & ~above].mean()
        if abs(jump) > _JUMP * (np.nanmax(state) - np.nanmin(state)):
            return name, True
    return None, treatment == running
