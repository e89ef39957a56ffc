"""A case → candidate designs, each with how likely it is before the data are asked.

One function a strategy turns roles, values and structure into the fields of a specification. Nothing is decided here: a
candidate is a proposal, `rank` lets the data dispose of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leucippus.agents.columns import names_an_identifier
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry import cutoffs, periods
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.confounders import said_to_decide
from leucippus.agents.inquiry.finding import strategy_in_words
from leucippus.agents.inquiry.identities import without_identities
from leucippus.agents.inquiry.instruments import instruments
from leucippus.agents.inquiry.roles import OFFER, likely_sides, outcome_of, ranked, sides_of, treatment_of
from leucippus.agents.inquiry.strategies import strategies
from leucippus.agents.inquiry.values import Arms, arms, in_expression, rows_meant
from leucippus.agents.lottery import looks_like_a_trait
from leucippus.errors import DataError, DesignError

Fields = dict[str, Any]
_NUMBERS = ("binary", "count", "continuous", "categorical")
_LEAST = 0.03
"""Probability of a strategy below which it is not proposed."""
_MOST_LEVELS = 60
_OFFER = 0.2
_FEWEST_DRAWN = 10
_WORTH_SAYING = 0.2
"""Probability of a strategy from which it is said that it could not be put together."""
_RIVALS, _RIVAL = 3, 0.2
"""Pairs of treatment and outcome that are tried, and how likely they have to be next to the likeliest."""
_SEVERAL = 0.5
"""Probability of a role above which a column has it beside the likeliest one."""


@dataclass(frozen=True)
class Candidate:
    """A design somebody proposed."""

    design: Design
    weight: float
    """How likely it is next to the others, before its data are asked."""
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


def propose(case: Case, left_out: list[str] | None = None) -> Iterator[Candidate]:
    """Candidates, the likeliest first.

    Parameters
    ----------
    left_out : gets a sentence for every likely strategy that could not be put together.
    """
    rivals = [(share, case.about(*sides)) for share, sides in likely_sides(case)[:_RIVALS] if share >= _RIVAL]
    for strategy, weight in sorted(strategies(case).items(), key=lambda one: -one[1]):
        if strategy not in BUILDERS or weight < _LEAST:
            continue
        missing, made = _LACKS[strategy], list[Design]()
        for likely, rival in rivals:
            for share, fields in BUILDERS[strategy](rival):
                try:
                    design = without_identities(case.dataset, parse_design({**fields, "strategy": strategy}))
                except (DataError, DesignError) as error:
                    missing = error.problem
                    continue
                if design not in made:
                    made.append(design)
                    why = "that is what question and description speak for"
                    yield Candidate(design, weight * share * likely, ("description",), why)
        if not made and left_out is not None and weight >= _WORTH_SAYING:
            left_out.append(f"A design of the kind {strategy_in_words(strategy)} was left out: {missing}.")


_LACKS: Mapping[str, str] = {
    "rct": "no column was found that was drawn by lot",
    "backdoor": "no treatment was found",
    "iv": "no column was found that may be the instrument",
    "rd": "no running variable with a cutoff was found",
    "did": "no group was found of which the words say that it was treated, and from when",
    "synthetic_control": "no panel was found in which the words name the treated unit and its date",
    "its": "no single series was found with a date on which something began",
    "mediation": "no mediator was found",
}


# What all share


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
    return " and ".join(f"{in_expression(name)} == 0" for name in found)


def _apart(case: Case, one: str, other: str) -> bool:
    frame = case.dataset.frame((one, other)).dropna()
    both = ((frame[one] == 1) & (frame[other] == 1)).any()
    neither = ((frame[one] == 0) & (frame[other] == 0)).mean()
    return bool(not both and neither > 0.05)


def controls_of(case: Case, parts: Parts, barred: tuple[str, ...] = ()) -> list[str]:
    """What may be adjusted for: fixed before the treatment as far as words, names and data say."""
    asked = [name for name in case.question.adjust if name not in (parts.treatment, parts.outcome)]
    before = case.timing(parts.treatment, parts.outcome)
    decided = said_to_decide(case)
    of_treatment = {*case.bands(parts.treatment), *case.amounts(parts.treatment)}
    found = []
    # Steps of the treatment stay: a line that decides the treatment has to come to light as a lack of overlap.
    other_forms = {*case.forms(parts.treatment), *case.forms(parts.outcome), *case.steps(parts.outcome)}
    for column in case.profile.columns:
        name = column.name
        if name in other_forms or name in of_treatment:
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
        good = case.role(name, "confounder", "covariate", "subset") + 0.15 * (when == "before") + (name in decided)
        if when == "after" or column.missing > 0.3 * column.rows:
            continue
        if good >= _SEVERAL:
            found.append(name)
    if case.question.only:
        return [name for name in asked if name in found or case.role(name, "after", "same") < _SEVERAL]
    extra = [
        name
        for name in asked
        if name not in found and case.role(name, "after", "same") < _SEVERAL and name not in barred
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
    if case.question.effect == "of the offer":
        offered = _offered(case, parts)
        parts = Parts(offered, parts.outcome, arms(case, offered), parts.subset)
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
    else:
        fields["cluster"] = _drawn_by_group(case, parts)
    yield 1.0, fields


def _drawn_by_group(case: Case, parts: Parts) -> str | None:
    """A column of groups that were drawn whole, though nothing says so: the treatment never differs within one.

    Not a column that is the treatment in another form, nor one of a few groups, which may be arms.
    """
    barred = {parts.treatment, parts.outcome, *case.amounts(parts.treatment)}
    for column in case.profile.columns:
        name, groups = column.name, column.distinct
        if (
            name not in barred
            and column.kind in ("categorical", "identifier", "count")
            and _FEWEST_DRAWN <= groups <= case.dataset.rows / 2
            and case.role(name, "treatment", "outcome") < _SEVERAL
            and not _varies_within(case, parts.treatment, name, 0.0)
            and _groups_in_each_arm(case, parts.treatment, name) >= _FEWEST_DRAWN / 2
        ):
            return name
    return None


def _groups_in_each_arm(case: Case, treatment: str, group: str) -> int:
    """Groups in the arm that has fewest."""
    return int(case.dataset.frame((treatment, group)).dropna().groupby(treatment)[group].nunique().min())


def _offered(case: Case, parts: Parts) -> str:
    """The column that says who was offered it, where the question is about the offer alone."""
    likely = {
        name: case.role(name, "treatment", "instrument", "same") for name in case.by_name if name != parts.outcome
    }
    told = [name for name, share in likely.items() if share > _OFFER and OFFER.search(case.said(name))]
    return max(told, key=lambda name: likely[name], default=parts.treatment)


def _varies_within(case: Case, treatment: str, group: str, share: float = 0.5) -> bool:
    """Whether the treatment differs within more than this share of groups."""
    frame = case.dataset.frame((treatment, group)).dropna()
    return bool((frame.groupby(group)[treatment].nunique() > 1).mean() > share)


def backdoor(case: Case) -> Iterator[tuple[float, Fields]]:
    parts = parts_of(case)
    if case.question.percent:
        yield 1.0, _logged(case, shared_fields(case, parts) | {"controls": controls_of(case, parts)})
        return
    yield 1.0, shared_fields(case, parts) | {"controls": as_controls(case, controls_of(case, parts))}


def iv(case: Case) -> Iterator[tuple[float, Fields]]:
    outcome = outcome_of(case)
    treatment = treatment_of(case, outcome, case.question.instruments)
    shifters = {name for name in case.by_name if case.role(name, "instrument") >= 0.3} - {*case.question.adjust}
    for share, names in instruments(case, treatment, outcome):
        rows = rows_meant(case, case.question.rows_words, (treatment, outcome, *names))
        parts = Parts(treatment, outcome, arms(case, treatment), rows.expression if rows else "")
        fields = shared_fields(case, parts)
        fields["instrument"] = list(names)
        fields["after_treatment"] = [name for name in fields["after_treatment"] if name not in names]
        controls = controls_of(case, parts, (*names, *shifters))
        if case.question.adjust:  # an instrument needs no further ones, and they can take its strength away
            controls = [name for name in controls if name in case.question.adjust]
        if case.question.percent:
            yield share, _logged(case, fields | {"controls": controls})
        else:
            yield share, fields | {"controls": as_controls(case, controls)}


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
        derived[f"log_{name}"] = f"log({in_expression(name)})"
        return f"log_{name}"

    changed = {**fields, "treatment": log(fields["treatment"]), "outcome": log(fields["outcome"])}
    changed["controls"] = [log(name) for name in fields["controls"]]
    changed["derived"] = derived
    return changed


def rd(case: Case) -> Iterator[tuple[float, Fields]]:
    outcome = outcome_of(case)
    jumps = {one.running for one in case.profile.thresholds}
    asked = case.columns.scores(case.question.text)
    found = [
        (
            name,
            score
            + 0.3 * case.role(name, "treatment")
            + 0.4 * (name in jumps)
            + 0.2 * bool(_RUNS.search(case.said(name)))
            + 0.2 * min(asked[name], 2.0),
        )
        for name, score in ranked(case, "running", barred=(outcome,))
        if case.by_name[name].numeric
        and case.by_name[name].distinct > _FEWEST_VALUES
        and (case.role(name, "running") >= _RUNNING or _RUNS.search(case.said(name)))
    ]
    made: list[tuple[float, Fields]] = []
    for running, score in sorted(found, key=lambda one: -one[1])[:2]:
        # What crosses the line is the treatment where the question names that; a column that jumps there may be found yet.
        treatment = running if sides_of(case)[0] == running else treatment_of(case, outcome, (running,))
        if case.decided.get(treatment, running) != running:
            score *= _OTHER_LINE
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
            made.append((share * min(1.0, score), fields))
    top = max((share for share, _ in made), default=1.0)
    sure = _SURE_OF_LINE + (1 - _SURE_OF_LINE) * min(top, 1.0)
    for share, fields in made:
        yield sure * share / (top or 1.0), fields


_RUNNING = 0.05
_OTHER_LINE = 0.5
"""What is left of a running variable where a sharp rule along another one decides the treatment."""
_SURE_OF_LINE = 0.4
"""Share of the likeliest line, where next to nothing tells which it is."""
_FEWEST_VALUES = 8
_RUNS = re.compile(
    r"margin|score|index|points|age\b|share|centred|centered|relative to|cut-?off|distance to|threshold", re.IGNORECASE
)


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
