"""The identification benches: task files in, predictions out. Reads of a task only what a user would give.

Unattended and resumable: predictions are appended as they are made, and tasks whose prediction is there are passed over.
A task that fails is a prediction too, with the reason.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from leucippus.agents.analyze import Request, opened, run
from leucippus.agents.inquiry.description import read_description
from leucippus.agents.inquiry.finding import Finding
from leucippus.agents.inquiry.matching import Columns
from leucippus.agents.inquiry.reader import shipped_reader
from leucippus.errors import InputError, LeucippusError
from leucippus.serving.client import Client

_FIELDS = ("unit", "time", "mediator", "running_variable", "cutoff", "treated_group", "first_treated")


def read_tasks(path: Path) -> Iterator[dict[str, str]]:
    """The tasks of a file: id, question, and for whole tasks data_file (from the folder of the file) and description.

    Raises
    ------
    InputError : no such file, or a line that is no task.
    """
    try:
        lines = path.read_bytes().splitlines()  # str.splitlines would also part a line at U+2028, which JSON allows
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}", expected="one JSON object a line") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            task = {"id": str(row["id"]), "question": str(row["question"])}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"line {number} of {path} is no task: {error}", expected="id and question") from error
        if "data_file" in row:
            task["data"] = str(path.parent / str(row["data_file"]))
            task["description"] = str(row.get("data_description") or "")
        yield task


def predict(
    tasks: Path, out: Path, model: str | None, report: Callable[[str, float], None] = lambda name, seconds: None
) -> dict[str, Any]:
    """Answer every task that `out` does not hold yet; returns counts and seconds."""
    done = {row["id"] for row in _predictions(out)}
    taken: list[float] = []
    with out.open("a", encoding="utf-8") as stream, opened(model) as client:
        for task in read_tasks(tasks):
            if task["id"] in done:
                continue
            began = time.monotonic()
            row = {"id": task["id"], **answered(task, model, client), "seconds": round(time.monotonic() - began, 2)}
            taken.append(row["seconds"])
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            stream.flush()
            report(task["id"], row["seconds"])
    median = sorted(taken)[len(taken) // 2] if taken else 0.0
    return {"tasks": len(taken), "passed over": len(done), "median_seconds": median, "out": str(out)}


def _predictions(path: Path) -> Iterator[dict[str, Any]]:
    """What is there of an earlier run; a last line that was cut short is taken off."""
    if not path.is_file():
        return
    whole = []
    for line in path.read_bytes().splitlines():
        try:
            whole.append(json.loads(line))
        except ValueError:
            path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in whole), encoding="utf-8")
            break
    yield from whole


def answered(task: dict[str, str], model: str | None, client: Client | None) -> dict[str, Any]:
    try:
        finding, _ = run(Request(task["data"], task["question"], task["description"], model=model), client=client)
    except LeucippusError as error:
        return {"strategy": "none", "refused": True, "reason": str(error)}
    return prediction(finding)


def prediction(finding: Finding) -> dict[str, Any]:
    """A finding in the fields that are scored."""
    refusal, found = finding.refusal, finding.answer
    row: dict[str, Any] = {"refused": refusal is not None}
    failures = [] if found is None else [check.sentence for check in found.vetting.failures]
    doubts = [] if found is None else [one.sentence for one in found.challenges if one.verdict == "doubt"]
    said = [] if refusal is None else [refusal.sentence, *refusal.evidence]
    row["reason"] = " ".join(dict.fromkeys([*said, *failures, *doubts, *finding.notes]))
    if found is None:
        return row | {"strategy": "none"}
    design = found.vetting.design
    derived = design.derived
    row |= {
        "strategy": design.strategy,
        "treatment": derived.get(design.treatment, design.treatment),
        "outcome": derived.get(design.outcome, design.outcome),
        "controls": [derived.get(name, name) for name in design.controls],
        "instrument": list(getattr(design, "instrument", ())),
        "subset": design.subset,
        "estimand": design.estimand,
    }
    row |= {field: getattr(design, field, None) for field in _FIELDS}
    if found.estimate is not None and refusal is None:
        row |= {"estimate": found.estimate.estimate, "se": found.estimate.se}
    return row


def predict_strategies(questions: Path, out: Path) -> dict[str, Any]:
    """Name the strategy of questions that come without data: the words are all there is."""
    reader, began = shipped_reader(), time.monotonic()
    rows = []
    for task in read_tasks(questions):
        found = dict(reader.read(task["question"], read_description("", ()), {}, Columns((), {}, {})).strategies)
        found.pop("none")  # whether there is an answer is for data to say
        rows.append(
            {"id": task["id"], "strategy": max(found.items(), key=lambda one: one[1])[0], "probabilities": found}
        )
    seconds = time.monotonic() - began
    out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return {"questions": len(rows), "seconds": round(seconds, 1), "out": str(out)}
