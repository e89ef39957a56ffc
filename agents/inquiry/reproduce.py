"""`reproduce.py` of an analysis: a script on public libraries alone that yields the same number from the user's file.

Each design has a template in `scripts/`; `script_designs.py` says what it is filled with, `script_text.py` how. All
designs and estimators have one, standard errors included. No script is written for

    a refusal: there is no number
    a data frame, or a table of a database: the script would have no file to read
    a treated group that no single column tells, or that takes more than 300 values to list

The script reads text files as `intake` does but for rare forms: UTF-16, points as thousands separators in a file with
decimal commas, empty lines above the header. It cannot know of a query or a sheet that was named.
"""

from __future__ import annotations

from typing import Any

from leucippus.agents.answer import Answer
from leucippus.agents.cells import MISSING
from leucippus.agents.designs.base import Design, plain
from leucippus.agents.designs.study import Study
from leucippus.agents.expressions import compile_expression, quote
from leucippus.agents.inquiry.finding import Finding
from leucippus.agents.inquiry.script_designs import Part, Unwritable, part_of
from leucippus.agents.inquiry.script_text import Code, fill, literal, with_constants
from leucippus.agents.intake import EXCEL, JSON, PARQUET, STATISTICS, TEXT

_ERRORS = ("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!")
_READERS = {
    TEXT: ("read_text", "typed"),
    EXCEL: ("read_excel", "typed"),
    STATISTICS: ("read_stat",),
    PARQUET: ("read_parquet",),
    JSON: ("read_json",),
}
"""Endings → templates that bring the file as the pandas frame `data`."""
_SURELY = {"yes", "true", "t", "y", "1", "treated", "treatment"}
_SURELY_NOT = {"no", "false", "f", "n", "0", "control", "controls", "placebo", "untreated", "none"}


def script(finding: Finding) -> str | None:
    """The text of the script, or None where there can be none; `why_none` says why."""
    try:
        return _written(finding)
    except Unwritable:
        return None


def why_none(finding: Finding) -> str:
    """Why there is no script, in one sentence; empty where there is one."""
    try:
        _written(finding)
    except Unwritable as reason:
        return str(reason)
    return ""


def _written(finding: Finding) -> str:
    answer = finding.answer
    if answer is None or answer.estimate is None:
        raise Unwritable("There is no number to reproduce.")
    reader = next((names for endings, names in _READERS.items() if finding.source.lower().endswith(endings)), None)
    if reader is None:
        raise Unwritable(f"{finding.source} is no file that a script could read.")
    try:
        part = part_of(answer.vetting.study, answer.estimate)
        flags, values = _rows(answer, part)
        values |= {"QUESTION": finding.question, "FILE": finding.source, "MISSING": [*MISSING, *_ERRORS]}
        flags |= {ending for ending in ("dta",) if finding.source.lower().endswith(ending)}
        flags |= {"tabs"} if finding.source.lower().endswith((".tsv", ".tab", ".tsv.gz")) else set()
        return fill(("header", *reader, "rows", *part.templates, "end"), flags, values)
    except TypeError as error:
        raise Unwritable(f"Its specification cannot be written down: {error}.") from error


def _rows(answer: Answer, part: Part) -> tuple[set[str], dict[str, Any]]:
    """What the part that all scripts share is filled with, and the design's own part."""
    study, estimate = answer.vetting.study, answer.estimate
    assert estimate is not None
    design = study.design
    flags, values = set(part.flags), dict(part.values)
    controls = list(dict.fromkeys(map(plain, design.controls)))
    levels = [plain(control) for control in design.controls if control != plain(control)]
    if design.codes_treatment:
        flags |= {"coded", *(_compared(study, values) if study.binary else ("dose",))}
    flags |= {name for name, there in (("binary", study.binary), ("cluster", design.cluster is not None)) if there}
    flags |= {"columns"} if controls or part.indicators else set()
    flags |= {"se"} if part.se else set()
    gaps = {plain(name) for field in design.gap_fields for name in getattr(design, field)}
    values |= {
        "REPORTED": Code(f"({literal(estimate.estimate)}, {literal(estimate.se)})"),
        "HOW": estimate.inference,
        "QUERY": Code("\n    ".join(repr(line) for line in query(study))),
        "OUTCOME": design.outcome,
        "TREATMENT": design.treatment,
        "COMPLETE": [name for name in design.columns() if name not in gaps],
        "CONTROLS": controls,
        "BY_LEVEL": levels,
        "CLUSTER": design.cluster,
    }
    return flags, values


def _compared(study: Study, values: dict[str, Any]) -> tuple[str, ...]:
    """Which values of the treatment are compared; flags for the ways to say so."""
    design = study.design
    treated, control = design.treated_value, design.control_value
    if treated is None and control is None:
        treated, control = _from_words(study.contrast, design)
    values |= {"TREATED": treated, "CONTROL": control}
    way = "treated_only" if control is None else "control_only" if treated is None else "both"
    return "compared", way


def _from_words(contrast: str, design: Design) -> tuple[str, str]:
    """The two values in `treat = yes rather than no`, where the design left it to the data to say which is treated."""
    words = contrast.removeprefix(f"{design.treatment} = ")
    parted = " rather than "
    for treated, control in (words.split(parted, 1), words.rsplit(parted, 1)):
        if treated.strip().lower() in _SURELY or control.strip().lower() in _SURELY_NOT or words.count(parted) == 1:
            return treated, control
    raise Unwritable(f"Which value of {design.treatment} is the treated one cannot be told from {contrast!r}.")


def query(study: Study) -> list[str]:
    """The SELECT that brings the rows and columns of a study from the table `data`, in lines."""
    design = study.design
    unit, time = design.unit_and_time
    used = dict.fromkeys((*design.columns(), *(name for name in study.frame if name not in study.bystanders)))
    source = ["data"]
    for name, text in design.derived.items():
        sql = with_constants(compile_expression(text, unit, time))
        source = [f"(SELECT *, {sql} AS {quote(name)} FROM ", *source, ")"]
    where = f" WHERE {with_constants(compile_expression(design.subset, unit, time))}" if design.subset else ""
    return [f"SELECT {', '.join(quote(name) for name in used)} FROM ", *source, *([where] if where else [])]
