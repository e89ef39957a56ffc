"""A case and its ranking in words: what was read from where, why this design, what was asked for and not done."""

from __future__ import annotations

import re
from collections.abc import Iterator

from leucippus.agents.designs.base import Design, plain
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.finding import Read, strategy_in_words
from leucippus.agents.inquiry.rank import Judged, Ranking
from leucippus.agents.inquiry.values import rows_meant


def read_as(case: Case, design: Design) -> Iterator[Read]:
    """What the question was read as, with the words it was read from."""
    question = case.question
    yield Read("treatment", design.derived.get(design.treatment, design.treatment), question.treatment_words)
    yield Read("outcome", design.derived.get(design.outcome, design.outcome), question.outcome_words)
    if design.treated_value is not None:
        yield Read(
            "compared", f"{design.treated_value} with {design.control_value or 'all others'}", question.treatment_words
        )
    if design.subset:
        yield Read("rows", design.subset, rows_in_words(case, design))
    if question.effect != "total":
        yield Read("effect", question.effect, question.spans.get("effect", ""))
    if question.adjust:
        yield Read("asked to adjust for", ", ".join(question.adjust), question.spans.get("adjust", ""))
    if question.instruments:
        yield Read("asked to use as instrument", ", ".join(question.instruments), question.spans.get("instrument", ""))


def rows_in_words(case: Case, design: Design) -> str:
    """The words from which the rows were read; empty where the design's own logic chose them."""
    rows = rows_meant(case, case.question.rows_words, (design.treatment, design.outcome))
    return rows.words if rows is not None and rows.expression in design.subset else ""


def choice_in_words(case: Case, ranking: Ranking) -> str:
    """Why this design, in two sentences."""
    assert ranking.choice is not None
    chosen = ranking.choice
    told = f" (“{case.reading.told}”)" if case.reading.told and "description" in chosen.candidate.sources else ""
    first = f"{strategy_in_words(chosen.candidate.design.strategy).capitalize()}: {chosen.candidate.why}{told}."
    vetting = chosen.vetting
    assert vetting is not None
    passed = sum(check.verdict == "passed" for check in vetting.checks)
    second = f"Of its checks against the data {passed} passed and {len(vetting.failures)} failed, none of them fatal"
    rivals = [one for one in ranking.judged if one is not chosen]
    if rivals:
        second += f"; {strategy_in_words(rivals[0].candidate.design.strategy)} {_lost(rivals[0], chosen)}"
    return f"{first} {second}."


def _lost(rival: Judged, chosen: Judged) -> str:
    if not rival.stands:
        return "did not hold against the data"
    return "fits what is said less well" if rival.candidate.weight < chosen.candidate.weight else "failed more checks"


def why_lost(rival: Judged, chosen: Judged | None) -> str:
    """One sentence for the list of runners-up."""
    if not rival.stands:
        return rival.why
    lost = _lost(rival, chosen) if chosen is not None else "was not chosen"
    return f"It {lost}." + (f" {rival.why}" if rival.why else "")


def not_followed(case: Case, design: Design) -> Iterator[str]:
    """Requests of the question that the design does not follow, and why not; and what was not said."""
    used = {plain(control) for control in design.controls} | {*design.derived}
    logged = {expression for expression in design.derived.values()}
    before = case.timing(design.treatment, design.outcome)
    for name in case.question.adjust:
        if name in used or f"log({name})" in logged or name in (design.treatment, design.outcome):
            continue
        if name in getattr(design, "instrument", ()) or name == getattr(design, "running_variable", None):
            continue
        if name == getattr(design, "mediator", None):
            reason = "it is the path that is asked about"
        elif name in before and before[name].when == "after":
            reason = f"it was measured after the treatment ({before[name].why}), so to adjust for it takes away part of the effect"
        elif case.role(name, "after") > 0.4:
            reason = "it seems to follow from the treatment, so to adjust for it would take away part of the effect or bring in bias"
        elif case.role(name, "same") > 0.4:
            reason = "it is the treatment in another form"
        else:
            reason = "this design does not adjust for it"
        yield f"{name} was not adjusted for, although that was asked: {reason}."
    if not case.reading.told and design.strategy in ("rct", "backdoor"):
        yield (
            f"Nothing says how {design.treatment} came about. The answer holds only if, given the controls, it was as good as "
            "drawn by lot: describe how it came about, and ask again."
        )
    cutoff = getattr(design, "cutoff", None)
    if cutoff and not re.search(rf"(?<![\d.]){cutoff:g}(?![\d]|\.\d)", f"{case.description.text} {case.question.text}"):
        yield f"Nothing names {cutoff:g} as the cutoff: it was read off the data, so look whether it is the one meant."
    if case.question.others:
        yield f"The text holds more than one question; the first is answered: {case.question.text} Ask the others one by one."
