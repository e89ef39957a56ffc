"""A case → candidate designs, each with how likely it is before the data are asked.

One function a strategy turns roles, values and structure into the fields of a specification. Nothing is decided here: a
candidate is a proposal, `rank` lets the data dispose of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leucippus.agents.columns import Column, names_a_time, names_an_identifier
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry import cutoffs, periods
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.features import cues
from leucippus.agents.inquiry.matching import spoken
from leucippus.agents.inquiry.values import Arms, arms, rows_meant
from leucippus.agents.lottery import looks_like_a_trait
from leucippus.errors import DesignError

Fields = dict[str, Any]
_NUMBERS = ("binary", "count", "continuous", "categorical")
_LEAST = 0.03
"""Probability of a strategy below which it is not proposed."""
_MOST_LEVELS = 60
_LACKING = 0.1
"""What is left of a strategy's probability where what it needs is nowhere to be seen."""
_BY_WORDS = 0.35
"""What words that fit add to what the reader says; the most they can, twice this."""
_PAIRED = 6
_MOST_ARMS = 12
_LIKELY_INSTRUMENT = 0.15
_NAMED = 0.6
_SEVERAL = 0.5
"""Probability of a role above which a column has it beside the likeliest one."""


@dataclass(frozen=True)
class Candidate:
    """A design somebody proposed."""

    design: Design
    weight: float
    """How likely it is, before its data are asked; of all candidates of a case at most 1 together."""
    sources: tuple[str, ...]
    """description, profile, graph, model, user."""
    why: str


@dataclass(frozen=True)
class Parts:
    """What candidates of all strategies share."""

    treatment: str
    outcome: str
    arms: Arms
    subset: str


def propose(case: Case) -> Iterator[Candidate]:
    """Candidates, the likeliest first.

    A strategy whose fields cannot be filled is not proposed.
    """
    ranked = sorted(strategies(case).items(), key=lambda one: -one[1])
    for strategy, weight in ranked:
        if strategy not in BUILDERS or weight < _LEAST:
            continue
        for share, fields in BUILDERS[strategy](case):
            try:
                design = parse_design({**fields, "strategy": strategy})
            except DesignError:
                continue
            yield Candidate(design, weight * share, ("description",), "that is what question and description speak for")


_BY_EFFECT: Mapping[str, Mapping[str, float]] = {
    "indirect": {"mediation": 4.0},
    "direct": {"mediation": 2.0},
    "of the offer": {"rct": 2.0, "iv": 0.2},
    "of taking it up": {"iv": 3.0},
    "at the cutoff": {"rd": 6.0},
}
"""What the effect that is asked for does to the odds of strategies."""


def strategies(case: Case) -> dict[str, float]:
    """Strategy → probability: what the reader makes of the words, times what question and data leave of it."""
    factors = {**_BY_EFFECT.get(case.question.effect, {})}
    if case.profile.panel is not None:
        factors["did"] = _WITHIN_UNITS if _WITHIN.search(case.question.text) else _PANEL
    treatment, outcome = sides_of(case)
    if any(one.sharp and one.treatment == treatment for one in case.profile.thresholds):
        factors |= {"rd": 10.0, "rct": 0.1, "backdoor": 0.1, "iv": 0.1}
    if case.profile.series is not None:
        factors |= dict.fromkeys(("rct", "backdoor", "did", "rd", "iv"), 0.1)
    if case.profile.panel is not None:
        factors |= {"rct": 0.3, "backdoor": 0.3}
    if case.reading.assignment.get("market", 0.0) >= _MARKET:
        factors["backdoor"] = 0.05
    if any(True for _ in periods.synthetic_control(case, outcome)):
        factors |= {"synthetic_control": _ONE_UNIT, "did": 1 / _ONE_UNIT}
    found = {name: p * factors.get(name, 1.0) * _possible(case, name) for name, p in case.reading.strategies.items()}
    if case.question.instruments:
        found = {name: p * (1.0 if name == "iv" else 0.05) for name, p in found.items()}
        found["iv"] = max(found["iv"], 0.5)
    total = sum(found.values())
    return {name: p / total for name, p in found.items()}


_MARKET = 0.5
_ONE_UNIT = 2.0
"""What a few treated units and one date add to the odds of a synthetic control, and take from those of comparing changes."""
_PANEL, _WITHIN_UNITS = 2.0, 8.0
"""What units seen again and again add to the odds of comparing changes, and what a question about such changes does."""
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


def _possible(case: Case, strategy: str) -> float:
    """How far data and words have what a strategy needs: 1 where they do."""
    said = cues(f"{case.description.prose} {case.question.text}")
    seen = case.profile
    needs = {
        "rct": "lot" in said,
        "did": seen.panel is not None or (seen.series is None and periods.time_of(case) is not None),
        "synthetic_control": seen.panel is not None,
        "its": seen.panel is None and seen.series is not None,
        "rd": case.question.effect == "at the cutoff"
        or _RULE.search(f"{case.description.prose} {case.question.text}") is not None,
        "iv": bool(said & {"lot", "moved", "shifter"}),
        "mediation": case.question.effect in ("indirect", "direct"),
    }
    return 1.0 if needs.get(strategy, True) else _LACKING


# What a column can be


def ranked(case: Case, role: str, words: str = "", barred: tuple[str, ...] = ()) -> list[tuple[str, float]]:
    """Columns by how well they play a role: what the reader says, and how well the words of the question fit them."""
    matched: Mapping[str, float] = {}
    if role in ("treatment", "outcome", "mediator"):
        matched = case.columns.scores(words or case.question.text)
    elif role == "instrument":
        matched = _shifting(case)
    found = []
    for column in case.profile.columns:
        if column.name in barred or column.kind in ("empty", "text"):
            continue
        fit = matched.get(column.name, 0.0)
        score = case.role(column.name, role) + _BY_WORDS * min(max(fit, 0.0), 2.0)
        if role == "treatment" and fit < _NAMED and looks_like_a_trait(column.name):
            score /= 2  # age or sex is what a question is about only where it names it
        found.append((column.name, score * fitness(case, column, role)))
    return sorted(found, key=lambda one: -one[1])


def _shifting(case: Case) -> Mapping[str, float]:
    """How well columns fit what is said to move the treatment from outside, sentence by sentence; the best counts."""
    sentences = [case.question.text, case.reading.told, *filter(_OUTSIDE.search, case.description.sentences)]
    scores = [case.columns.scores(one) for one in sentences if one]
    return {name: max(each[name] for each in scores) for name in case.by_name}


_OUTSIDE = re.compile(
    r"\b(shap\w+|shift\w*|direct(ly)?|bearing|instrument\w*|outside|exogenous|offer\w*|assign\w*|drawn|lot|lottery|"
    r"random\w*|only through|chance|near\w*|distance|depends? on|mov(e|es|ed))\b",
    re.IGNORECASE,
)


def fitness(case: Case, column: Column, role: str) -> float:
    """How far what a column holds can play a role."""
    panel = case.profile.panel
    key = (panel is not None and column.name in (panel.unit, panel.time)) or column.name == case.profile.series
    if role == "outcome":
        return 0.0 if key or not (column.numeric or column.kind == "binary") else 1.0
    if role == "treatment":
        many = not column.numeric and column.distinct > _MOST_ARMS
        return 0.1 if key or many or column.kind in ("identifier", "date") or names_a_time(column.name) else 1.0
    if role == "instrument":
        odd = key or column.kind in ("identifier", "date", "constant")
        return 0.1 if odd else 0.5 if looks_like_a_trait(column.name) else 1.0
    if role in ("mediator", "running"):
        return 1.0 if column.numeric and column.kind != "identifier" and not key else 0.1
    return 1.0


def sides_of(case: Case, barred: tuple[str, ...] = ()) -> tuple[str, str]:
    """Treatment and outcome: the pair of columns that together play their roles best.

    Of one outcome in two forms, the logarithm where the question asks for per cent.
    """
    causes = [one for one in ranked(case, "treatment", case.question.treatment_words) if one[0] not in barred][:_PAIRED]
    effects = [one for one in ranked(case, "outcome", case.question.outcome_words) if one[0] not in barred][:_PAIRED]
    pairs = [
        (t * o, cause, effect)
        for cause, t in causes
        for effect, o in effects
        if cause != effect and cause not in (*case.forms(effect), *case.steps(effect))
    ]
    if not pairs:
        return causes[0][0], effects[-1][0]
    _, treatment, outcome = max(pairs)
    return treatment, _in_the_form_asked(case, outcome)


def _in_the_form_asked(case: Case, name: str) -> str:
    logs = [other for other in case.forms(name) if _is_log(case, other)]
    if _PROPORTION.search(case.question.text):
        return name if _is_log(case, name) or not logs else logs[0]
    plain = [other for other in case.forms(name) if not _is_log(case, other)]
    return plain[0] if _is_log(case, name) and plain and not _LOGS.search(case.question.text) else name


def outcome_of(case: Case) -> str:
    return sides_of(case)[1]


def _is_log(case: Case, name: str) -> bool:
    said = case.description.columns.get(name, "").lower()
    return bool(re.match(r"l(?:n|og)?_?", name.lower())) and (
        re.search(r"\blog", said) is not None or "log" in name.lower()
    )


_LOGS = re.compile(r"\blog", re.IGNORECASE)
_PROPORTION = re.compile(r"\b(per ?cent(?!age points?)|proportion|log(s|arithm)?|relative)\b|%", re.IGNORECASE)


def treatment_of(case: Case, outcome: str, barred: tuple[str, ...] = ()) -> str:
    treatment, same = sides_of(case, barred)
    if same == outcome or treatment != outcome:
        return treatment
    return ranked(case, "treatment", case.question.treatment_words, (outcome, *barred))[0][0]


def parts_of(case: Case) -> Parts:
    outcome = outcome_of(case)
    treatment = treatment_of(case, outcome)
    rows = rows_meant(case, case.question.rows_words, (treatment, outcome))
    subset = rows.expression if rows else ""
    other = other_arms(case, treatment, outcome)
    return Parts(treatment, outcome, arms(case, treatment), " and ".join(part for part in (subset, other) if part))


def other_arms(case: Case, treatment: str, outcome: str) -> str:
    """Rows of other arms left out, where each arm has a 0/1 column of its own and the question sets one against none.

    Such columns are never 1 together, and are not each other's opposite.
    """
    if case.by_name[treatment].kind != "binary" or not case.by_name[treatment].numeric:
        return ""
    found = []
    for column in case.profile.columns:
        if column.name in (treatment, outcome) or column.kind != "binary" or not column.numeric:
            continue
        if case.role(column.name, "same", "treatment") >= _SEVERAL and _apart(case, treatment, column.name):
            found.append(column.name)
    return " and ".join(f"{_name(name)} == 0" for name in found)


def _apart(case: Case, one: str, other: str) -> bool:
    frame = case.dataset.frame((one, other)).dropna()
    both = ((frame[one] == 1) & (frame[other] == 1)).any()
    neither = ((frame[one] == 0) & (frame[other] == 0)).mean()
    return bool(not both and neither > 0.05)


def _name(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


def controls_of(case: Case, parts: Parts, barred: tuple[str, ...] = ()) -> list[str]:
    """What may be adjusted for: fixed before the treatment as far as words, names and data say."""
    asked = [name for name in case.question.adjust if name not in (parts.treatment, parts.outcome)]
    before = case.timing(parts.treatment, parts.outcome)
    found = []
    # Steps of the treatment stay: a line that decides the treatment has to come to light as a lack of overlap.
    other_forms = {*case.forms(parts.treatment), *case.forms(parts.outcome), *case.steps(parts.outcome)}
    for column in case.profile.columns:
        name = column.name
        if name in other_forms:
            continue
        if name in (parts.treatment, parts.outcome, *barred) or column.kind in (
            "constant",
            "empty",
            "text",
            "identifier",
            "date",
        ):
            continue
        if not column.numeric and column.distinct > _MOST_LEVELS or names_an_identifier(name):
            continue
        when = before[name].when if name in before else None
        good = case.role(name, "confounder", "covariate", "subset") + 0.15 * (when == "before")
        if when == "after" or column.missing > 0.3 * column.rows:
            continue
        if good >= _SEVERAL:
            found.append(name)
    if case.question.only:
        return [name for name in asked if name in found or case.role(name, "after", "same") < _SEVERAL]
    extra = [
        name for name in asked if name not in found and case.role(name, "after", "same") < 0.4 and name not in barred
    ]
    return [*found, *extra]


def as_controls(case: Case, names: list[str]) -> list[str]:
    """Whole numbers that are codes become one level each."""
    coded = []
    for name in names:
        column = case.by_name[name]
        codes = column.kind == "categorical" and column.numeric and name in case.dataset.labels
        coded.append(f"C({name})" if codes else name)
    return coded


def shared_fields(case: Case, parts: Parts) -> Fields:
    fields: Fields = {"treatment": parts.treatment, "outcome": parts.outcome, "subset": parts.subset}
    if parts.arms.treated is not None:
        fields |= {"treated_value": parts.arms.treated, "control_value": parts.arms.control}
    after = [n for n in case.by_name if case.role(n, "after") >= 0.8 and n not in (parts.treatment, parts.outcome)]
    fields["after_treatment"] = after
    roles = (parts.treatment, parts.outcome, *after)
    fields["before_treatment"] = [
        column.name
        for column in case.profile.columns
        if looks_like_a_trait(column.name) and column.name not in roles and column.kind in _NUMBERS
    ]
    return fields


# One builder a strategy: (share of the strategy's probability, fields)


def rct(case: Case) -> Iterator[tuple[float, Fields]]:
    parts = parts_of(case)
    if case.question.effect == "of the offer" or case.role(parts.treatment, "after") > 0.5:
        drawn = [name for name, score in ranked(case, "instrument") if score > 0.5 and name != parts.outcome]
        if drawn and case.role(drawn[0], "instrument") > case.role(parts.treatment, "treatment"):
            parts = Parts(drawn[0], parts.outcome, arms(case, drawn[0]), parts.subset)
    fields = shared_fields(case, parts)
    allowed = controls_of(case, parts)
    fields["controls"] = as_controls(case, [name for name in case.question.adjust if name in allowed])
    fields["estimand"] = "ITT" if case.question.effect == "of the offer" else ""
    group = ranked(case, "cluster", barred=(parts.treatment, parts.outcome))[0]
    if group[1] >= _SEVERAL and case.by_name[group[0]].distinct >= 2:
        fields["cluster"] = group[0]
        if _varies_within(case, parts.treatment, group[0]):
            # Drawn within the groups, not between them.
            fields["blocks"], fields["cluster"] = fields["cluster"], None
            if case.by_name[group[0]].distinct > case.dataset.rows / 4:
                fields["blocks"] = None
    yield 1.0, fields


def _varies_within(case: Case, treatment: str, group: str) -> bool:
    frame = case.dataset.frame((treatment, group)).dropna()
    return bool((frame.groupby(group)[treatment].nunique() > 1).mean() > 0.5)


def backdoor(case: Case) -> Iterator[tuple[float, Fields]]:
    parts = parts_of(case)
    if case.question.percent:
        yield 1.0, _logged(case, shared_fields(case, parts) | {"controls": controls_of(case, parts)})
        return
    yield 1.0, shared_fields(case, parts) | {"controls": as_controls(case, controls_of(case, parts))}


def iv(case: Case) -> Iterator[tuple[float, Fields]]:
    outcome = outcome_of(case)
    stated = case.question.instruments
    treatment = treatment_of(case, outcome, stated)
    found = ranked(case, "instrument", barred=(outcome, treatment))
    if stated:
        instruments = [name for name in stated if name not in (outcome, treatment)]
    else:
        moving = {one.column: 0.3 for one in case.profile.instruments if one.treatment == treatment}
        forms = case.forms(treatment) + case.forms(outcome)
        found = sorted(
            ((name, score + moving.get(name, 0.0)) for name, score in found if name not in forms),
            key=lambda one: -one[1],
        )
        best = found[0] if found else ("", 0.0)
        together = case.description.columns.get(best[0])
        instruments = [
            name
            for name, score in found
            if score >= _LIKELY_INSTRUMENT
            and (
                name == best[0]
                or (together and case.description.columns.get(name) == together and score > 0.7 * best[1])
            )
        ]
    if not instruments:
        return
    rows = rows_meant(case, case.question.rows_words, (treatment, outcome, *instruments))
    parts = Parts(treatment, outcome, arms(case, treatment), rows.expression if rows else "")
    fields = shared_fields(case, parts)
    fields["instrument"] = instruments
    fields["after_treatment"] = [name for name in fields["after_treatment"] if name not in instruments]
    barred = tuple(name for name in case.by_name if case.role(name, "instrument") >= 0.3)
    controls = controls_of(case, parts, (*instruments, *barred))
    if case.question.percent:
        yield 1.0, _logged(case, fields | {"controls": controls})
        return
    yield 1.0, fields | {"controls": as_controls(case, controls)}


def _logged(case: Case, fields: Fields) -> Fields:
    """Treatment, outcome and money-like controls in logs, where the question asks for per cent by per cent."""
    derived: dict[str, str] = {}

    def log(name: str) -> str:
        column = case.by_name[name]
        said = case.description.columns.get(name, "").lower()
        positive = (
            column.numeric
            and column.kind in ("continuous", "count")
            and isinstance(column.minimum, int | float)
            and column.minimum > 0
        )
        if not positive or "log" in said.split() or name.lower().startswith(("log", "ln")):
            return name
        derived[f"log_{name}"] = f"log({_name(name)})"
        return f"log_{name}"

    changed = {**fields, "treatment": log(fields["treatment"]), "outcome": log(fields["outcome"])}
    changed["controls"] = [log(name) for name in fields["controls"]]
    changed["derived"] = derived
    return changed


def rd(case: Case) -> Iterator[tuple[float, Fields]]:
    outcome = outcome_of(case)
    jumps = {one.running for one in case.profile.thresholds}
    found = [
        (
            name,
            score
            + 0.3 * case.role(name, "treatment")
            + 0.4 * (name in jumps)
            + 0.2 * bool(_RUNS.search(_told_of(case, name))),
        )
        for name, score in ranked(case, "running", barred=(outcome,))
        if case.by_name[name].numeric and case.by_name[name].distinct > _FEWEST_VALUES
    ]
    for running, score in sorted(found, key=lambda one: -one[1])[:2]:
        treatment = treatment_of(case, outcome, (running,))
        for share, cutoff, side, indicator in cutoffs.find(case, running, treatment, outcome):
            if indicator is not None and not case.by_name[indicator].numeric:
                indicator = None  # which of two words is the treated side is read off the running variable
            fields: Fields = {
                "treatment": indicator or running,
                "outcome": outcome,
                "running_variable": running,
                "cutoff": cutoff,
            }
            if indicator is None:
                fields["treated_side"] = side
            rows = rows_meant(case, case.question.rows_words, (running, outcome, treatment))
            if rows is not None and case.role(rows.column, "subset") > 0.3:
                fields["subset"] = rows.expression
            yield share * min(1.0, score), fields


_FEWEST_VALUES = 8
_RUNS = re.compile(
    r"margin|score|index|points|age\b|share|centred|centered|relative to|cut-?off|distance to|threshold", re.IGNORECASE
)


def _told_of(case: Case, name: str) -> str:
    return f"{spoken(name)} {case.description.columns.get(name, '')}"


def did(case: Case) -> Iterator[tuple[float, Fields]]:
    yield from periods.did(case, outcome_of(case), ranked)


def synthetic_control(case: Case) -> Iterator[tuple[float, Fields]]:
    yield from periods.synthetic_control(case, outcome_of(case))


def its(case: Case) -> Iterator[tuple[float, Fields]]:
    outcome = outcome_of(case)
    for share, fields in periods.its(case, outcome, treatment_of(case, outcome)):
        parts = Parts(fields["treatment"], outcome, Arms(None, None), "")
        names = controls_of(case, parts, (fields["time"],))
        yield share, fields | {"controls": names}


def mediation(case: Case) -> Iterator[tuple[float, Fields]]:
    outcome = outcome_of(case)
    treatment = treatment_of(case, outcome)
    parts = Parts(treatment, outcome, arms(case, treatment), "")
    named = [name for name in case.columns.named(case.question.text) if name not in (outcome, treatment)]
    found = ranked(case, "mediator", barred=(outcome, treatment))
    through = max(found, key=lambda one: one[1] + 0.5 * (one[0] in named))[0]
    fields = shared_fields(case, parts) | {"mediator": through}
    controls = [
        n for n in controls_of(case, parts, (through,)) if not case.question.adjust or n in case.question.adjust
    ]
    fields["controls"] = as_controls(case, controls)
    fields["after_treatment"] = [name for name in fields["after_treatment"] if name != through]
    fields["estimand"] = "direct effect" if case.question.effect == "direct" else "indirect effect"
    yield 1.0, fields


BUILDERS: Mapping[str, Callable[[Case], Iterator[tuple[float, Fields]]]] = {
    "rct": rct,
    "backdoor": backdoor,
    "iv": iv,
    "rd": rd,
    "did": did,
    "synthetic_control": synthetic_control,
    "its": its,
    "mediation": mediation,
}
