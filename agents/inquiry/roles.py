"""Which column plays which role: what the reader says, how well words fit, and what the column holds."""

from __future__ import annotations

import re
from collections.abc import Mapping

from leucippus.agents.columns import Column, names_a_time
from leucippus.agents.inquiry.case import Case
from leucippus.agents.lottery import looks_like_a_trait

_BY_WORDS = 0.35
"""What words that fit add to what the reader says; the most they can, twice this."""
_PAIRED = 6
"""Columns of which pairs of treatment and outcome are made."""
_MOST_ARMS = 12
_NAMED = 0.6
"""How well words have to fit a trait for a question to be about it."""


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
