"""Which column plays which role: what the reader says, how well words fit, and what the column holds."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from leucippus.agents.columns import Column, names_a_time
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.description import is_logarithm
from leucippus.agents.inquiry.matching import stems
from leucippus.agents.lottery import looks_like_a_trait

_BY_WORDS = 0.35
"""What words that fit add to what the reader says; of treatment and outcome, half of what they add to the log-odds."""
_MOVES = 0.3
"""What it adds to an instrument that a sentence says so in the words used for the column."""
_BAND = 0.2
"""What is left of an outcome that is another column in bands."""
_EARLY = 0.1
"""What is left of an outcome that seems to be measured before the treatment."""
_LAGGED = 5.0
"""What it does to the odds of a lagged column that the question is about the time before."""
_BY_ALL = 0.3
"""What a fit to the whole question counts beside a fit to its side of it."""
_BY_NAME, _BY_QUOTE = 3.0, 6.0
"""What it does to the odds that the question names a column letter by letter; that it says what the description says."""
_QUOTED = 0.5
"""Share of a quoted phrase that has to be of the side in question."""
_OTHER_SIDE = 2.0
"""What it takes from the log-odds of an outcome that it fits the words for the treatment better than its own."""
_OFFERED = 0.2
"""What is left of a treatment that is an offer, where the question is about taking it up."""
OFFER = re.compile(r"offer|invit|assign|drawn|lot|winn|won\b|eligib|encourag|selected|voucher|intend", re.IGNORECASE)
_PAIRED = 6
"""Columns of which pairs of treatment and outcome are made."""
_MOST_ARMS = 12
_FEWEST_CODES = 30
_CODE = 0.01
"""What is left of a treatment that numbers the rows."""
_NAMED = 0.6
"""How well words have to fit a trait for a question to be about it."""


def ranked(case: Case, role: str, words: str = "", barred: tuple[str, ...] = ()) -> list[tuple[str, float]]:
    """Columns by how well they play a role: what the reader says, and how well the words of the question fit them."""
    matched: Mapping[str, float] = {}
    if role in ("treatment", "outcome", "mediator"):
        matched = _fits(case, words)
    elif role == "instrument":
        matched = _shifting(case)
    named = {*case.columns.named(case.question.text)} - {*case.question.adjust, *case.question.instruments}
    quoted = _quoted(case, words) - {*case.question.adjust, *case.question.instruments}
    movers = _said_to_move(case) if role == "instrument" else set()
    found = []
    for column in case.profile.columns:
        if column.name in barred or column.kind in ("empty", "text"):
            continue
        fit, score = min(max(matched.get(column.name, 0.0), 0.0), 2.0), case.role(column.name, role)
        if role in ("treatment", "outcome"):
            by_name = _BY_QUOTE if column.name in quoted else _BY_NAME if column.name in named else 1.0
            score *= float(np.exp(2 * _BY_WORDS * fit)) * by_name
        elif role == "instrument":
            score += _BY_WORDS * fit * score**0.5 + _MOVES * (column.name in movers)
        else:
            score += _BY_WORDS * fit
        if role == "treatment" and _EARLIER.search(words) and _EARLIER.search(case.said(column.name)):
            score *= _LAGGED
        if role == "treatment" and fit < _NAMED and looks_like_a_trait(column.name):
            score /= 2  # age or sex is what a question is about only where it names it
        found.append((column.name, score * fitness(case, column, role)))
    return sorted(found, key=lambda one: -one[1])


_EARLIER = re.compile(r"\b(previous|prior|preceding|last|lag\w*|earlier|past)\b", re.IGNORECASE)


def _fits(case: Case, words: str) -> Mapping[str, float]:
    """How well columns fit words of the question, and a little of it how well they fit all of it."""
    whole = case.columns.scores(case.question.text)
    if not words:
        return whole
    return {name: score + _BY_ALL * whole[name] for name, score in case.columns.scores(words).items()}


def _quoted(case: Case, words: str) -> set[str]:
    """Columns of which the question says what the description says, mostly in these words of it."""
    of_side = {*stems(words)}
    found = set()
    for name in case.columns.quoted(case.question.text):
        phrase = {*stems(case.description.columns[name])}
        if len(phrase & of_side) >= _QUOTED * len(phrase & {*stems(case.question.text)}):
            found.add(name)
    return found


def _shifting(case: Case) -> Mapping[str, float]:
    """How well columns fit what is said to move the treatment from outside, sentence by sentence; the best counts."""
    sentences = [case.question.text, case.reading.told, *filter(_OUTSIDE.search, case.description.sentences)]
    scores = [case.columns.scores(one) for one in sentences if one]
    return {name: max(each[name] for each in scores) for name in case.by_name}


def _said_to_move(case: Case) -> set[str]:
    """Columns with which a sentence begins that says what moves the treatment and nothing else."""
    return {
        name
        for sentence in case.description.sentences
        if (found := _MOVER.match(sentence))
        for name in case.columns.quoted(found[1])
    }


_MOVER = re.compile(
    r"(?:the |a |an )?(.{3,80}?) (?:moves?|shifts?|drives?|affects?|raises?|lowers?|changes?|determines?)\b"
    r".*\b(?:neither|nor|nothing (?:else )?to do|not|no|only)\b",
    re.IGNORECASE,
)
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
        if numbers_the_rows(column):
            return _CODE
        many = not column.numeric and column.distinct > _MOST_ARMS
        return 0.1 if key or many or column.kind in ("identifier", "date") or names_a_time(column.name) else 1.0
    if role == "instrument":
        odd = key or column.kind in ("identifier", "date", "constant")
        return 0.1 if odd else 0.5 if looks_like_a_trait(column.name) else 1.0
    if role in ("mediator", "running"):
        return 1.0 if column.numeric and column.kind != "identifier" and not key else 0.1
    return 1.0


def numbers_the_rows(column: Column) -> bool:
    """Whether a column is whole numbers of which none comes twice: codes, whatever its name."""
    return column.kind == "count" and column.distinct == column.rows - column.missing and column.rows >= _FEWEST_CODES


def sides_of(case: Case, barred: tuple[str, ...] = ()) -> tuple[str, str]:
    """Treatment and outcome: the pair of columns that together play their roles best."""
    if case.sides is not None and not {*case.sides} & {*barred}:
        return case.sides
    return likely_sides(case, barred)[0][1]


def likely_sides(case: Case, barred: tuple[str, ...] = ()) -> list[tuple[float, tuple[str, str]]]:
    """Pairs of treatment and outcome, the likeliest first, each with how likely it is next to that.

    Of one outcome in two forms, the logarithm where the question asks for per cent.
    """
    cause_words, effect_words = case.question.treatment_words, case.question.outcome_words
    causes = [one for one in ranked(case, "treatment", cause_words) if one[0] not in barred][:_PAIRED]
    effects = [one for one in ranked(case, "outcome", effect_words) if one[0] not in barred][:_PAIRED]
    if cause_words and effect_words:
        of_cause, of_effect = case.columns.scores(cause_words), case.columns.scores(effect_words)
        effects = [(n, s * float(np.exp(-max(of_cause[n] - of_effect[n], 0.0) * _OTHER_SIDE))) for n, s in effects]
    if case.question.effect == "of taking it up":  # then the offer is not what is meant
        causes = [(n, s * (_OFFERED if OFFER.search(case.said(n)) else 1.0)) for n, s in causes]
    coarse = {one for name, _ in effects for one in case.steps(name)}  # bands of a column are asked about by name
    dated = case.timing(causes[0][0], effects[0][0])
    early = {name for name, when in dated.items() if when.when == "before"}
    effects = [
        (name, score * (_BAND if name in coarse else 1.0) * (_EARLY if name in early else 1.0))
        for name, score in effects
    ]
    pairs = sorted(
        (
            (t * o, cause, effect)
            for cause, t in causes
            for effect, o in effects
            if cause != effect and cause not in (*case.forms(effect), *case.steps(effect))
        ),
        reverse=True,
    ) or [(1.0, causes[0][0], effects[-1][0])]
    found: dict[tuple[str, str], float] = {}
    for score, cause, effect in pairs:
        sides = cause, _in_the_form_asked(case, effect)
        if sides[0] != sides[1]:
            found.setdefault(sides, score / (pairs[0][0] or 1.0))
    return [(score, sides) for sides, score in found.items()] or [(1.0, pairs[0][1:])]


def _in_the_form_asked(case: Case, name: str) -> str:
    """An outcome as its sum with others, its logarithm or itself, as the question's words ask for it."""
    if _TOTAL.search(case.question.text):
        name = next((other for other in case.by_name if name in _summed(case, other)), name)
    logs = [other for other in case.forms(name) if _is_log(case, other)]
    if _PROPORTION.search(case.question.text):
        return name if _is_log(case, name) or not logs else logs[0]
    plain = [other for other in case.forms(name) if not _is_log(case, other)]
    return plain[0] if _is_log(case, name) and plain and not _LOGS.search(case.question.text) else name


def _summed(case: Case, name: str) -> tuple[str, ...]:
    """The columns of which the description says that this one is the sum."""
    parts = re.split(r"\s*\+\s*", case.description.columns.get(name, "").strip())
    return tuple(parts) if len(parts) > 1 and all(part in case.by_name for part in parts) else ()


_TOTAL = re.compile(r"\b(total|overall|combined|altogether)\b(?! effect)", re.IGNORECASE)


def outcome_of(case: Case) -> str:
    return sides_of(case)[1]


def _is_log(case: Case, name: str) -> bool:
    return is_logarithm(name, case.description.columns.get(name, ""))


_LOGS = re.compile(r"\blog", re.IGNORECASE)
_PROPORTION = re.compile(r"\b(per ?cent(?!age points?)|proportion|log(s|arithm)?|relative)\b|%", re.IGNORECASE)


def treatment_of(case: Case, outcome: str, barred: tuple[str, ...] = ()) -> str:
    treatment, same = sides_of(case, barred)
    if same == outcome or treatment != outcome:
        return treatment
    return ranked(case, "treatment", case.question.treatment_words, (outcome, *barred))[0][0]
