"""The form in which a model may answer, and how such an answer becomes the fields of a specification.

The form holds strategies and columns, both from closed lists. What else a design needs (a cutoff, a first period, the
arms compared, the rows meant) the rules find from words and data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from leucippus.agents.inquiry import cutoffs, periods
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.propose import Fields, Parts, as_controls, shared_fields
from leucippus.agents.inquiry.values import Arms, arms, rows_meant

Strategy = Literal["rct", "backdoor", "iv", "rd", "did", "synthetic_control", "its", "mediation"]
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "rct": (),
    "backdoor": (),
    "iv": ("instruments",),
    "rd": ("running",),
    "did": ("time",),
    "synthetic_control": ("unit", "time"),
    "its": ("time",),
    "mediation": ("mediator",),
}
_MAY_HAVE: Mapping[str, tuple[str, ...]] = {"did": ("unit",)}
_MAY_BE_ONE = {("rd", "running"), ("its", "time"), ("did", "unit"), ("synthetic_control", "unit")}
"""Roles that the treatment's column may have beside its own: a date, a unit's name, the side of a cutoff."""

_MOST_DESIGNS, _MOST_CONTROLS, _MOST_INSTRUMENTS = 2, 12, 3


def answer_shape(columns: Sequence[str]) -> type[BaseModel]:
    """The form of an answer over these columns: closed lists throughout."""
    column: Any = Literal[tuple(columns)]
    several: Any = list[column]  # pyright: ignore
    maybe: Any = column | None
    strict = ConfigDict(extra="forbid", frozen=True)
    design = create_model(
        "ModelDesign",
        __config__=strict,
        strategy=(Strategy, ...),
        treatment=(column, ...),
        outcome=(column, ...),
        controls=(several, Field(max_length=_MOST_CONTROLS)),
        instruments=(several, Field(max_length=_MOST_INSTRUMENTS)),
        running=(maybe, ...),
        unit=(maybe, ...),
        time=(maybe, ...),
        mediator=(maybe, ...),
    )
    designs: Any = list[design]  # type: ignore[valid-type]
    return create_model(
        "ModelDesigns", __config__=strict, designs=(designs, Field(min_length=1, max_length=_MOST_DESIGNS))
    )


def fault(one: Any) -> str:
    """What is wrong with a design by itself: a column missing, or one in two roles."""
    used = [
        (role, name) for role in (*_NEEDS[one.strategy], *_MAY_HAVE.get(one.strategy, ())) for name in _of(one, role)
    ]
    missing = [role for role in _NEEDS[one.strategy] if not _of(one, role)]
    if missing:
        return f"its {one.strategy} design names no {missing[0]}"
    taken = {one.treatment}
    others = [("outcome", one.outcome), *used, *(("controls", name) for name in dict.fromkeys(one.controls))]
    for role, name in others:
        if name in taken and not (name == one.treatment and (one.strategy, role) in _MAY_BE_ONE):
            return f"its {one.strategy} design gives one column two roles"
        taken.add(name)
    return ""


def _of(one: Any, role: str) -> list[str]:
    value = getattr(one, role)
    return list(dict.fromkeys(value)) if isinstance(value, list) else [value] if value else []


def filled(case: Case, one: Any) -> Iterator[tuple[Fields, float]]:
    """(fields of a specification, share): the model's columns, and what rules find about their values."""
    barred = tuple(name for role in ("instruments", "running", "unit", "time", "mediator") for name in _of(one, role))
    rows = rows_meant(case, case.question.rows_words, (one.treatment, one.outcome, *barred))
    parts = Parts(one.treatment, one.outcome, Arms(None, None), rows.expression if rows else "")
    overt = one.strategy in ("rct", "backdoor", "iv", "mediation")
    if overt:
        parts = replace(parts, arms=arms(case, one.treatment))
    fields = shared_fields(case, parts) | {"strategy": one.strategy}
    fields["controls"] = as_controls(case, list(_controls(case, one)))
    if one.strategy == "iv":
        yield fields | {"instrument": one.instruments}, 1.0
    elif one.strategy == "mediation":
        after = [name for name in fields["after_treatment"] if name != one.mediator]
        yield fields | {"mediator": one.mediator, "after_treatment": after}, 1.0
    elif one.strategy == "rd":
        if not case.by_name[one.running].numeric:
            return
        for share, cutoff, side, indicator in cutoffs.find(case, one.running, one.treatment, one.outcome):
            own = {"treatment": indicator or one.running, "running_variable": one.running, "cutoff": cutoff}
            yield fields | own | ({} if indicator else {"treated_side": side}), share
    elif one.strategy in ("did", "its", "synthetic_control"):
        yield fields | _over_time(case, one), 1.0
    else:
        yield fields, 1.0


def _over_time(case: Case, one: Any) -> Fields:
    """Who was treated and from when, where the treatment's own column does not say."""
    fields: Fields = {"time": one.time} | ({"unit": one.unit} if one.strategy != "its" and one.unit else {})
    if one.strategy == "its" and one.treatment != one.time:
        return fields
    panel = case.profile.panel
    if any(adoption.column == one.treatment for adoption in (panel.adoptions if panel is not None else ())):
        return fields
    if (begin := periods.first_period(case, one.time)) is not None:
        fields["first_treated"] = begin
    if one.strategy != "its" and (named := periods.units_named(case, one.treatment)):
        fields["treated_group"] = named[0]
    return fields


def _controls(case: Case, one: Any) -> Iterator[str]:
    """The model's controls less what comes after the treatment; where the question allows only some, no others."""
    if one.strategy == "rd":
        return
    when = case.timing(one.treatment, one.outcome)
    for name in dict.fromkeys(one.controls):
        late = name in when and when[name].when == "after"
        usable = case.by_name[name].kind not in ("constant", "empty", "text", "identifier", "date")
        allowed = not case.question.only or name in case.question.adjust
        if usable and allowed and not late and case.role(name, "after", "same") < 0.5:
            yield name
