"""The answer in plain sentences: how much, for whom, how sure; or that there is none, why, and what would help."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leucippus.agents.answer import Answer
from leucippus.agents.designs.result import Bounds, Estimate
from leucippus.agents.inquiry.finding import Finding, Refusal
from leucippus.agents.inquiry.numerals import cell, number, p_value, percent, points, whole
from leucippus.agents.inquiry.page import Block, Items, Paragraph, Table

ESTIMANDS = {
    "ATE": "the average effect",
    "ATT": "the average effect on those who were treated",
    "ATC": "the average effect on those who were not treated",
    "ATO": "the average effect among those who could have been on either side",
    "ITT": "the average effect of being assigned",
    "LATE": "the average effect on those whom the instrument moves",
    "effect at the cutoff": "the effect at the cutoff",
    "indirect effect": "the part of the effect that runs through the mediator",
    "direct effect": "the part of the effect that does not run through the mediator",
    "level shift": "the jump of the series at the change",
    "hazard ratio": "how many times as fast the event comes",
    "RMST difference": "the time without the event that is gained",
}
_REASONS = {
    "no question": "No question could be read",
    "not causal": "The question does not ask for an effect",
    "not English": "The question is not in English",
    "column missing": "The data lack a column that the question needs",
    "no comparison": "There is nobody to compare with",
    "no overlap": "Those treated and those not treated are too different to compare",
    "no support at the cutoff": "There are too few rows at the cutoff",
    "no period before": "There is no period before the treatment",
    "set together": "The treatment was set together with something else",
    "assumption fails": "An assumption that the answer needs fails in these data",
    "declined": "The analysis was declined",
}


def conclusion(finding: Finding) -> Iterator[Block]:
    """The blocks that come first after the question."""
    found = finding.answer
    if found is not None and found.estimate is not None:
        yield Paragraph(headline(found, found.estimate), "lead")
        yield Paragraph(certainty(found.estimate))
        yield Paragraph(about(found.estimate))
        doubts = [(check.name, check.sentence) for check in found.vetting.failures]
        doubts += [(asked.name, asked.sentence) for asked in found.challenges if asked.verdict == "doubt"]
        if doubts:
            yield Paragraph("Before you rely on it:")
            yield Items(tuple(doubts))
        yield key_numbers(found.estimate)
        return
    refusal = finding.refusal
    yield Paragraph(
        f"There is no number. {_REASONS.get(refusal.reason, 'No design will do')}."
        if refusal
        else "There is no number.",
        "lead",
    )
    if refusal is not None:
        yield Paragraph(refusal.sentence)
    yield from _grounds(found, refusal)
    if found is not None and found.bounds is not None:
        yield from _bounds(found.bounds)


def _grounds(found: Answer | None, refusal: Refusal | None) -> Iterator[Block]:
    said = refusal.sentence if refusal else ""
    evidence = [*(refusal.evidence if refusal else ()), *(found.reasons if found else ())]
    remedies = [*(refusal.remedies if refusal else ()), *(found.remedies if found else ())]
    evidence = [sentence for sentence in dict.fromkeys(evidence) if sentence != said]
    if evidence:
        yield Paragraph("What shows it:")
        yield Items(tuple(("", sentence) for sentence in evidence))
    if remedies:
        yield Paragraph("What would make it answerable:")
        yield Items(tuple(("", sentence) for sentence in dict.fromkeys(remedies)))


def _bounds(bounds: Bounds) -> Iterator[Block]:
    yield Paragraph("What can be said all the same:")
    yield Paragraph(bounds.sentence)
    yield Table(("Lowest", "Highest", "Of"), ((number(bounds.low), number(bounds.high), bounds.estimand),))
    yield Paragraph("This takes for granted:")
    yield Items(tuple(("", assumption) for assumption in bounds.assumptions))


def headline(found: Answer, estimate: Estimate) -> str:
    """One sentence with the number."""
    design = found.vetting.design
    per = per_what(found, estimate)
    size = number(abs(estimate.estimate))
    guess = "" if is_clear(estimate) else "No clear effect. The best guess: "
    if estimate.estimand == "hazard ratio":
        return f"{guess}{'the' if guess else 'The'} event comes {size} times as fast because of {design.treatment} ({per})."
    if estimate.estimate == 0:
        return f"{design.outcome} does not differ because of {design.treatment} ({per})."
    way = "higher" if estimate.estimate > 0 else "lower"
    shares = f", {points(abs(estimate.estimate))}," if is_share(found) else ""
    kind = {"indirect effect": ", by way of the mediator", "direct effect": ", past the mediator"}.get(
        estimate.estimand, ""
    )
    return f"{guess}{design.outcome} is {size}{shares} {way} because of {design.treatment}{kind} ({per})."


def is_clear(estimate: Estimate) -> bool:
    """Whether the interval leaves out no effect."""
    nothing = 1 if estimate.estimand == "hazard ratio" else 0
    return estimate.ci_low > nothing or estimate.ci_high < nothing


def per_what(found: Answer, estimate: Estimate) -> str:
    """What one unit of the estimate is per: the units without the outcome they begin with."""
    whose = (f"{found.vetting.design.outcome}, ", "ratio of hazards (1: no effect), ")
    return next((estimate.units[len(one) :] for one in whose if estimate.units.startswith(one)), estimate.units)


def certainty(estimate: Estimate) -> str:
    """What the interval says."""
    low, high = number(estimate.ci_low), number(estimate.ci_high)
    span = f"The {percent(estimate.level)} interval goes from {low} to {high}"
    if is_clear(estimate):
        return f"{span}: chance alone is an unlikely reason for a difference of this size."
    return f"{span}. No effect at all lies within it, so these data do not show that there is one."


def about(estimate: Estimate) -> str:
    """Which effect, on whom."""
    kind = ESTIMANDS.get(estimate.estimand, estimate.estimand)
    name = "" if estimate.estimand in kind else f" ({estimate.estimand})"
    return f"This is {kind}{name}. It is about {estimate.population}."


def is_share(found: Answer) -> bool:
    """Whether the effect is a difference of two shares: the outcome is yes or no."""
    if found.estimate is None or found.vetting.design.strategy == "survival":
        return False
    return bool(np.isin(found.vetting.study.y, (0, 1)).all())


def key_numbers(estimate: Estimate) -> Table:
    rows = [
        ("Estimate", number(estimate.estimate)),
        ("In units of", estimate.units),
        ("Standard error", number(estimate.se)),
        (f"{percent(estimate.level)} interval", f"{number(estimate.ci_low)} to {number(estimate.ci_high)}"),
    ]
    if estimate.p_value is not None:
        rows.append(("p-value against no effect", p_value(estimate.p_value)))
    rows.append(("Rows used", whole(estimate.n_used)))
    counts = (
        ("Treated rows", estimate.n_treated),
        ("Untreated rows", estimate.n_control),
        ("Clusters", estimate.clusters),
    )
    rows += [(name, whole(count)) for name, count in counts if count is not None]
    return Table(("", "Value"), tuple(rows))


def details(estimate: Estimate) -> Iterator[Block]:
    """What belongs to the design alone: bandwidth, first stage, weights …; long paths stay in result.json."""
    plain = [(name, value) for name, value in estimate.details.items() if not _nested(value)]
    if plain:
        yield Table(("Detail", "Value"), tuple((name, cell(value)) for name, value in plain))


def _nested(value: object) -> bool:
    """Whether a value is more than one line of a table should hold."""
    if isinstance(value, dict):
        return len(value) > 12 or any(isinstance(item, dict | list | tuple) for item in value.values())
    if isinstance(value, list | tuple):
        return len(value) > 12 or any(isinstance(item, dict | list | tuple) for item in value)
    return value is None
