"""Designs over time: which columns are unit and period, who was treated, and from when."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from leucippus.agents.columns import coded, names_a_time
from leucippus.agents.expressions import quote
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.values import rows_meant

Fields = dict[str, Any]
Ranked = Callable[..., list[tuple[str, float]]]
_MOST_PERIODS = 2_000
_FEW_TREATED = 3
_LEAST = 0.15
_LEAST_GROUP = 0.05
_NAMED = 0.3
"""What it adds to a group that the sentence on how the treatment came about names who had it."""
_LEAST_SURE = 0.5
"""Share of the likeliest layout, where next to nothing tells which column holds the treatment."""
_FLAGS_TIME = re.compile(
    r"\b(after|post|since|second (wave|round|period)|(in|from) (\d{4}|january|february|march|april|may|june|july|"
    r"august|september|october|november|december))\b",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"\b(from|since|in|after|starting|began|begin|start|introduced|came into (force|effect)|effective|took effect|raised|"
    r"lowered|opened|launched|passed|adopted|switched|law|reform|as of|on|until|before|by|rolled out|went live|implemented)\b",
    re.IGNORECASE,
)


def unit_of(case: Case, time: str | None) -> str | None:
    if case.profile.panel is not None and case.profile.panel.time == time:
        return case.profile.panel.unit
    return None


def time_of(case: Case) -> str | None:
    if case.profile.panel is not None:
        return case.profile.panel.time
    if case.profile.series is not None:
        return case.profile.series
    found = []
    for column in case.profile.columns:
        dated = names_a_time(column.name) or column.kind == "date"
        flag = column.kind == "binary" and bool(_FLAGS_TIME.search(case.description.columns.get(column.name, "")))
        if column.distinct > 1 and (dated or flag):
            found.append((case.role(column.name, "time") + 0.5 * dated + 0.3 * flag, column.name))
    return max(found)[1] if found else None


def first_period(case: Case, time: str) -> str | None:
    """The period of which the words say that something began: a value of the time column that stands in the text."""
    text = " . ".join([case.question.text, case.reading.told, *case.description.sentences])
    rows = case.dataset.connection.execute(
        f"SELECT DISTINCT CAST({quote(time)} AS VARCHAR) FROM data WHERE {quote(time)} IS NOT NULL ORDER BY 1 LIMIT {_MOST_PERIODS}"
    ).fetchall()
    values = [re.sub(r"\.0$", "", row[0]) for row in rows]
    best: tuple[float, str] | None = None
    numeric = case.by_name[time].numeric
    order = sorted(values, key=float) if numeric else sorted(values)
    for at, value in enumerate(order):
        if at == 0 or (
            len(value) < 3
            and not re.search(
                rf"\b(week|month|day|quarter|period|wave|round|t|{re.escape(time)})\s*=?\s*{re.escape(value)}\b",
                text,
                re.IGNORECASE,
            )
        ):
            continue
        for match in re.finditer(rf"(?<![\w.-]){re.escape(value)}(?![\w]|-\d|[–]\d)", text):
            ahead = text[max(0, match.start() - 40) : match.start()]
            a_range = re.search(r"\d\s*(-|–|to|and|until)\s*$", ahead)
            score = 0.2 if a_range else 0.5
            score += 0.5 * bool(_BEGINS.search(ahead)) + 0.3 * bool(
                re.search(r"\b(from|since|after|began|starting|came|effect|introduced|raised)\b", ahead)
            )
            score += 0.3 * (match.start() < len(case.question.text)) - 0.4 * (at == len(order) - 1 and len(order) > 2)
            if best is None or score > best[0]:
                best = (score, value)
    return best[1] if best is not None and best[0] >= 0.5 else None


def units_named(case: Case, unit: str) -> list[str]:
    """The units that the question names, else those the description names, unless it names about all of them."""
    column = case.by_name[unit]
    if column.numeric:
        return []
    rows = case.dataset.connection.execute(
        f"SELECT DISTINCT CAST({quote(unit)} AS VARCHAR) FROM data WHERE {quote(unit)} IS NOT NULL LIMIT {_MOST_PERIODS}"
    ).fetchall()
    for text in (case.question.text, case.reading.told, " ".join(case.description.sentences)):
        found = [row[0] for row in rows if re.search(rf"(?<!\w){re.escape(row[0])}(?!\w)", text, re.IGNORECASE)]
        if 0 < len(found) <= max(1, len(rows) // 3):
            return found
        if found and len(rows) == 2:
            places = sorted(found, key=lambda one: text.lower().find(one.lower()))
            return places[:1]
    return []


def told_group(case: Case) -> str | None:
    """The column of words of which one value stands in the sentence on how the treatment came about, and a period too."""
    time = time_of(case)
    if time is None or first_period(case, time) is None and case.by_name[time].distinct > 2:
        return None
    for name in case.by_name:
        values = case.values(name) if name != time else ()
        if any(re.search(rf"(?<!\w){re.escape(one)}(?!\w)", case.reading.told) for one in values if len(one) > 2):
            return name
    return None


def _constant_within(case: Case, name: str, unit: str) -> bool:
    found = case.dataset.connection.execute(
        f"SELECT max(n) FROM (SELECT count(DISTINCT {quote(name)}) AS n FROM data GROUP BY {quote(unit)})"
    ).fetchone()
    return bool(found and found[0] <= 1)


def did(case: Case, outcome: str, ranked: Ranked) -> Iterator[tuple[float, Fields]]:
    time = time_of(case)
    if time is None or time == outcome:
        return
    unit = unit_of(case, time)
    base: Fields = {"outcome": outcome, "time": time}
    if unit is not None and unit != outcome:
        base["unit"] = unit
    barred = tuple(name for name in (outcome, time, unit) if name)
    rows = rows_meant(case, case.question.rows_words, (*barred,))
    if rows is not None and case.role(rows.column, "subset") > 0.5:
        base["subset"] = rows.expression
    asked = [name for name in case.question.adjust if name not in barred]
    base["controls"] = asked
    fit = dict(ranked(case, "treatment", case.question.treatment_words, barred))
    made = []
    panel = case.profile.panel
    for adoption in panel.adoptions if panel is not None else ():
        if adoption.column in (outcome, time) or adoption.pattern == "everyone at one date":
            continue
        score = fit.get(adoption.column, 0.0) + case.role(adoption.column, "treatment", "same", "date")
        made.append((score + 0.3, base | {"treatment": adoption.column}))
    for name in case.by_name:
        if name in barred:
            continue
        dated = case.role(name, "date")
        if unit is not None and panel is not None and (dated >= 0.4 or name in panel.dates):
            made.append((dated + 0.3, base | {"treatment": name, "first_treated": name}))
    made += list(_groups(case, base, barred, time, unit))
    if unit is not None:
        for name, score in list(fit.items())[:2]:
            column = case.by_name[name]
            adopts = any(one.column == name for one in (panel.adoptions if panel else ()))
            if score >= _LEAST and column.numeric and not adopts and not _constant_within(case, name, unit):
                made.append((score, base | {"treatment": name}))
    made.sort(key=lambda one: -one[0])
    top = made[0][0] if made else 1.0
    sure = _LEAST_SURE + (1 - _LEAST_SURE) * min(top, 1.0)
    for score, fields in made[:3]:
        if fields["treatment"] in asked:
            fields = fields | {"controls": [name for name in asked if name != fields["treatment"]]}
        yield sure * score / top, fields


def _groups(
    case: Case, base: Fields, barred: tuple[str, ...], time: str, unit: str | None
) -> Iterator[tuple[float, Fields]]:
    """A group that is treated and a period from which it is."""
    periods = case.by_name[time].distinct
    begin = first_period(case, time) if periods > 2 else None
    fits, told = case.columns.scores(case.question.treatment_words or case.question.text), told_group(case)
    for name, column in case.by_name.items():
        if name in barred or column.kind not in ("binary", "categorical"):
            continue
        score = case.role(name, "group", "treatment") + 0.5 * case.role(name, "same") + 0.35 * min(fits[name], 2.0)
        score += _NAMED * (name == told)
        if score < _LEAST_GROUP or (unit is not None and not _constant_within(case, name, unit)):
            continue
        if unit is None and not _is_a_group(case, name, time):
            continue
        fields = base | {"treatment": name}
        if column.kind == "categorical" or not column.numeric:
            named = units_named(case, name)
            if not named:
                if column.distinct > 2:
                    continue
            else:
                fields["treated_group"] = named[0]
        if periods > 2:
            if begin is None:
                continue
            fields["first_treated"] = begin
        yield score + 0.1, fields
    if unit is not None and begin is not None and not case.by_name[unit].numeric:
        for named_unit in units_named(case, unit)[:1]:
            yield 0.6, base | {"treatment": unit, "treated_group": named_unit, "first_treated": begin}


def _is_a_group(case: Case, name: str, time: str) -> bool:
    """Whether both values occur in every period: otherwise it is the period, or group and period in one."""
    found = case.dataset.connection.execute(
        f"SELECT min(n) FROM (SELECT count(DISTINCT {quote(name)}) AS n FROM data GROUP BY {quote(time)})"
    ).fetchone()
    return bool(found and found[0] >= 2)


def synthetic_control(case: Case, outcome: str) -> Iterator[tuple[float, Fields]]:
    panel = case.profile.panel
    if panel is None or outcome in (panel.unit, panel.time):
        return
    base: Fields = {"outcome": outcome, "unit": panel.unit, "time": panel.time}
    for adoption in panel.adoptions:
        treated = sum(units for _, units in adoption.cohorts)
        if adoption.pattern == "one date" and treated <= _FEW_TREATED and adoption.column != outcome:
            yield 1.0, base | {"treatment": adoption.column}
            return
    named, begin = units_named(case, panel.unit), first_period(case, panel.time)
    if named and begin and len(named) <= _FEW_TREATED:
        yield 1.0, base | {"treatment": panel.unit, "treated_group": named[0], "first_treated": begin}


def its(case: Case, outcome: str, treatment: str) -> Iterator[tuple[float, Fields]]:
    time = case.profile.series or time_of(case)
    if time is None or case.by_name[time].distinct < case.dataset.rows or time == outcome:
        return
    frame = case.dataset.frame(tuple(dict.fromkeys((time, treatment)))).sort_values(time)
    states = coded(frame[treatment])
    steps = np.diff(states[np.isfinite(states)])
    if case.by_name[treatment].kind == "binary" and treatment != time and (np.count_nonzero(steps) == 1):
        yield 1.0, {"treatment": treatment, "outcome": outcome, "time": time}
        return
    begin = first_period(case, time)
    if begin is not None:
        yield 0.8, {"treatment": time, "outcome": outcome, "time": time, "first_treated": begin}
