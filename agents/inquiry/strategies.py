"""How likely each strategy is, before any design is tried: the words, and what question and data leave of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from leucippus.agents.inquiry import periods
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.features import cues
from leucippus.agents.inquiry.roles import sides_of

_LACKING = 0.1
"""What is left of a strategy's probability where what it needs is nowhere to be seen."""
_MARKET = 0.5
"""Probability that treatment and outcome are set together from which nothing but an instrument will do."""
_OFFERS = 0.3
"""Probability that a column is an instrument from which a line that decides it speaks for a discontinuity."""
_ONE_UNIT = 2.0
"""What a few treated units and one date add to the odds of a synthetic control, and take from those of comparing changes."""
_PANEL, _WITHIN_UNITS = 2.0, 8.0
"""What units seen again and again add to the odds of comparing changes, and what a question about such changes does."""
_ONE_SERIES = 0.5
"""Odds of an interrupted series, at least, where the data are one series and something is known to begin within it."""
_TOLD_GROUP = 4.0
"""What it adds to the odds of comparing changes that the words name a group, and data seen more than once have it."""
_BY_EFFECT: Mapping[str, Mapping[str, float]] = {
    "indirect": {"mediation": 4.0},
    "direct": {"mediation": 2.0},
    "of the offer": {"rct": 2.0, "iv": 0.2},
    "of taking it up": {"iv": 3.0},
    "at the cutoff": {"rd": 6.0},
}
"""What the effect that is asked for does to the odds of strategies."""
_WITHIN = re.compile(
    r"\b(within (the )?(same )?\w+|same (person|people|firm|worker|town|state|unit|school|shop|household|man|woman)|itself|themselves|"
    r"stays? the same|fixed effects?|netting out|over time)\b",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"\b(cut-?offs?|thresholds?|eligib\w+|margins?|barely|narrowly|just (above|below|over|under|turn\w*|miss\w*|pass\w*)|"
    r"at least \d|\d+ or (more|above|over|older|less|below|younger)|minimum age|majority|birthday|close elections?)\b",
    re.IGNORECASE,
)


def strategies(case: Case) -> dict[str, float]:
    """Strategy → probability: what the reader makes of the words, times what question and data leave of it."""
    factors = {**_BY_EFFECT.get(case.question.effect, {})}
    if case.profile.panel is not None:
        factors["did"] = _WITHIN_UNITS if _WITHIN.search(case.question.text) else _PANEL
    elif case.profile.series is None and periods.told_group(case) is not None:
        factors["did"] = _TOLD_GROUP
    treatment, outcome = sides_of(case)
    if any(one.sharp and one.treatment == treatment for one in case.profile.thresholds):
        factors |= {"rd": 10.0, "rct": 0.1, "backdoor": 0.1, "iv": 0.1}
    elif _RULE.search(_words(case)) and any(
        one.treatment == treatment or one.sharp and case.role(one.treatment, "instrument") > _OFFERS
        for one in case.profile.thresholds
    ):
        factors |= {"rd": 5.0, "iv": 0.3}
    if case.profile.series is not None:
        # That everybody was treated at once leaves nothing to compare with, unless one series runs through it.
        factors |= dict.fromkeys(("rct", "backdoor", "did", "rd", "iv", "mediation", "none"), 0.05) | {"its": 5.0}
    if case.profile.panel is not None:
        factors |= {"rct": 0.3, "backdoor": 0.3}
    if in_a_market(case):
        factors["backdoor"] = 0.05
    if any(True for _ in periods.synthetic_control(case, outcome)):
        factors |= {"synthetic_control": _ONE_UNIT, "did": 1 / _ONE_UNIT}
    there = _there(case)
    found = {
        name: p * factors.get(name, 1.0) * (1.0 if there.get(name, True) else _LACKING)
        for name, p in case.reading.strategies.items()
    }
    if begins_in_series(case):
        found["its"] = max(found["its"], _ONE_SERIES)
    if case.question.instruments:
        found = {name: p * (1.0 if name == "iv" else 0.05) for name, p in found.items()}
        found["iv"] = max(found["iv"], 0.5)
    total = sum(found.values())
    return {name: p / total for name, p in found.items()}


def begins_in_series(case: Case) -> bool:
    """Whether the data are one series and something is known to begin within it."""
    treatment, outcome = sides_of(case)
    return case.profile.series is not None and any(True for _ in periods.its(case, outcome, treatment))


def in_a_market(case: Case) -> bool:
    """Whether treatment and outcome are set together, as prices and quantities are."""
    return case.reading.assignment.get("market", 0.0) >= _MARKET and not begins_in_series(case)


def _there(case: Case) -> dict[str, bool]:
    """Strategy → whether data and words have what it needs."""
    said = cues(_words(case))
    seen = case.profile
    return {
        "rct": "lot" in said,
        "did": seen.panel is not None or (seen.series is None and periods.time_of(case) is not None),
        "synthetic_control": seen.panel is not None,
        "its": seen.panel is None and seen.series is not None,
        "rd": case.question.effect == "at the cutoff" or _RULE.search(_words(case)) is not None,
        "iv": bool(said & {"lot", "moved", "shifter"}),
        "mediation": case.question.effect in ("indirect", "direct"),
    }


def _words(case: Case) -> str:
    return f"{case.description.prose} {case.question.text}"
