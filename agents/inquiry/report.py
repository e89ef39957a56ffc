"""A finding as a folder: report.html and report.md, result.json, spec.yaml, the figures, and reproduce.py where there is one.

Both reports are renderings of one page (`page.py`), and each number on it is one of result.json (`numerals.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from leucippus.agents.answer import answer_json, plain_values
from leucippus.agents.designs.base import UNSOLVABLE
from leucippus.agents.inquiry.balance import Balance, balance_of
from leucippus.agents.inquiry.conclusion import is_share, per_what
from leucippus.agents.inquiry.figures import (
    MOST_CONTRASTS,
    around,
    assumed_graph,
    draw_graph,
    draw_love,
    draw_overlap,
    png,
)
from leucippus.agents.inquiry.finding import Finding
from leucippus.agents.inquiry.page import Block, html, markdown
from leucippus.agents.inquiry.sections import page_of, picture_or_sentence
from leucippus.errors import LeucippusError
from leucippus.graphs.dag import Graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FAILS = (LeucippusError, MemoryError, *UNSOLVABLE)
"""What data can do to a figure; the report is worth having without it."""
_BALANCE = "Balance of the two arms"
_OVERLAP = "Overlap: how likely the rows of each arm were to be in the same one of the two, given the controls"
_CAPTIONS = {
    "rct": "Mean outcome of each arm, with its interval",
    "backdoor": "Outcome against treatment, both less what the controls explain",
    "iv": "Outcome against treatment, as the instrument moves them",
    "rd": "The outcome on both sides of the cutoff",
    "did": "Effects by period (event study); where there is none, the groups over time",
    "synthetic_control": "The treated unit and its synthetic control",
    "its": "The series, its fit, and the fit without the treatment",
    "mediation": "Total, direct and indirect effect, with their intervals",
    "frontdoor": "The plain comparison and the front door's, with their intervals",
    "survival": "Share without the event, over time",
}


@dataclass(frozen=True, eq=False)
class _Plan:
    """A figure that is still to be drawn."""

    name: str
    section: str
    caption: str
    draw: Callable[[Axes], None]
    size: tuple[float, float] = (7, 4.5)
    """Inches."""


def write_report(finding: Finding, folder: Path) -> tuple[Path, ...]:
    """Write the report of a finding; files of an earlier one are replaced.

    Returns
    -------
    The files, report.html first.

    Raises
    ------
    OSError : the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    balance, trouble = _balance(finding)
    pictures: dict[str, bytes] = {}
    blocks: dict[str, list[Block]] = {}
    if trouble:
        blocks["assumptions"] = [picture_or_sentence("", _BALANCE, "; ".join(trouble))]
    for plan in _plans(finding, balance):
        failure = ""
        try:
            pictures[f"{plan.name}.png"] = png(plan.draw, plan.size)
        except _FAILS as error:
            failure = _why(error)
        blocks.setdefault(plan.section, []).append(picture_or_sentence(f"{plan.name}.png", plan.caption, failure))
        trouble += [failure] if failure else []
    result = result_json(finding, balance, trouble)
    script = _script(finding)
    page = page_of(finding, result, blocks, balance, bool(script))
    written: dict[str, str | bytes] = {
        "report.html": html(page, pictures),
        "report.md": markdown(page),
        "result.json": json.dumps(result, indent=2, ensure_ascii=False, default=str) + "\n",
        **pictures,
    }
    if finding.answer is not None:
        written["spec.yaml"] = yaml.safe_dump(result["design"], sort_keys=False, allow_unicode=True)
    if script:
        written["reproduce.py"] = script
    for name, content in written.items():
        # A surrogate that a broken file name or a cell brought along cannot be written as UTF-8.
        data = content if isinstance(content, bytes) else content.encode("utf-8", errors="replace")
        (folder / name).write_bytes(data)
    return tuple(folder / name for name in written)


def result_json(finding: Finding, balance: Balance | None = None, trouble: list[str] | None = None) -> dict[str, Any]:
    """Everything the report says, as plain JSON values: the answer's fields, flat, and what surrounds them.

    Parameters
    ----------
    trouble : why figures could not be drawn.
    """
    found = finding.answer
    fields: dict[str, Any] = {"refused": True} if found is None else answer_json(found)
    graph = finding.graph
    said: dict[str, Any] = plain_values(
        {
            "question": finding.question,
            "source": finding.source,
            **fields,
            "per": per_what(found, found.estimate) if found and found.estimate else None,
            "outcome_is_share": found is not None and is_share(found),
            "refusal": asdict(finding.refusal) if finding.refusal else None,
            "read": [asdict(one) for one in finding.read],
            "told": finding.told,
            "choice": finding.choice,
            "runners_up": [
                {"strategy": one.strategy, "design": dict(one.design), "why": one.why} for one in finding.runners_up
            ],
            "notes": list(finding.notes),
            "citations": [asdict(one) for one in finding.citations],
            "description": finding.description,
            "graph": None if graph is None else {"directed": graph.directed, "bidirected": graph.bidirected},
            "balance": [asdict(one) for one in balance.contrasts] if balance else [],
            "figures_left_out": trouble or [],
        }
    )
    return said


def _balance(finding: Finding) -> tuple[Balance | None, list[str]]:
    if finding.answer is None:
        return None, []
    try:
        return balance_of(finding.answer.vetting.study), []
    except _FAILS as error:
        return None, [_why(error)]


def _plans(finding: Finding, balance: Balance | None) -> Iterator[_Plan]:
    found = finding.answer
    graph = _graph(finding)
    if graph is not None and graph.nodes:
        caption = "The causal graph this rests on" + ("" if finding.graph else ", as the design assumes it")
        ends = (found.vetting.design.treatment, found.vetting.design.outcome) if found else ("", "")
        yield _Plan("graph", "design", caption, lambda axes: draw_graph(axes, graph, *ends))
    if found is None:
        return
    design, study, estimate = found.vetting.design, found.vetting.study, found.estimate
    if estimate is not None:
        # The figure of an adjustment between two arms is their overlap: no answer, but something that has to hold.
        overlap = design.strategy == "backdoor" and study.binary
        section, caption = (
            ("assumptions", _OVERLAP) if overlap else ("answer", _CAPTIONS.get(design.strategy, "The data"))
        )
        yield _Plan("figure", section, caption, lambda axes: design.draw(axes, study, estimate))
    if balance is not None:
        contrasts, e = balance.contrasts, balance.propensities
        size = (7, 1.6 + 0.25 * min(len(contrasts), MOST_CONTRASTS))
        yield _Plan("balance", "assumptions", _BALANCE, lambda axes: draw_love(axes, contrasts), size)
        if e is not None and (design.strategy != "backdoor" or estimate is None):
            yield _Plan("overlap", "assumptions", _OVERLAP, lambda axes: draw_overlap(axes, balance.d, e, balance.arm))


def _graph(finding: Finding) -> Graph | None:
    design = finding.answer.vetting.design if finding.answer else None
    if finding.graph is not None:
        return around(finding.graph, design) if design else finding.graph
    return assumed_graph(design) if design else None


def _script(finding: Finding) -> str | None:
    if finding.answer is None or finding.answer.estimate is None:
        return None
    from leucippus.agents.inquiry.reproduce import script

    return script(finding)


def _why(error: Exception) -> str:
    problem = error.problem if isinstance(error, LeucippusError) else f"{type(error).__name__}: {error}"
    return problem.rstrip(".")
