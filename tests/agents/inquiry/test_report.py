"""The report: every design and every refusal, whatever users and data have in them, with no number of its own."""

import json
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import yaml
from markdown_it import MarkdownIt

from leucippus.agents.designs.base import Design
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry import report
from leucippus.agents.inquiry.conclusion import headline
from leucippus.agents.inquiry.finding import Finding, Read
from leucippus.agents.inquiry.numerals import Known, number
from leucippus.agents.inquiry.report import write_report
from leucippus.agents.inquiry.sections import LEFT_OUT, page_of
from leucippus.errors import DataError
from leucippus.graphs.dag import Graph
from tests.agents.inquiry.findings import ANSWERED, finding, found_in, said

NASTY = "<script>alert(1)</script> a|b `code` **x**\n# 42 ![i](http://evil.example/x.png) $y$ www.evil.example"


@pytest.fixture(autouse=True)
def _reproduce(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another part writes reproduce.py; its own tests run it."""
    module = ModuleType("leucippus.agents.inquiry.reproduce")
    module.script = lambda finding: "print('the same number')\n"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "leucippus.agents.inquiry.reproduce", module)


class Seen(HTMLParser):
    """What a browser would do with a page: elements opened, what they load, the text shown."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.text += " " if tag in ("td", "th", "p", "li", "h2") else ""
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in ("meta", "img", "br", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(markdown: str) -> tuple[str, set[str]]:
    """What a reader of Markdown sees, and the kinds of syntax in it."""
    shown: list[str] = []
    kinds: set[str] = set()
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown):
        kinds.add(token.type)
        for child in token.children or ():
            kinds.add(child.type)
            if child.type in ("text", "text_special"):
                shown.append(child.content)
        if token.type == "inline":
            shown.append("\n")
    return "".join(shown), kinds


def words(text: str) -> list[str]:
    """The text without spaces and layout, from the heading on."""
    return text[text.index("The question") :].split()


def written(found: Finding, folder: Path) -> tuple[Seen, str, dict]:  # type: ignore[type-arg]
    """The HTML, the Markdown and the JSON of a report, all of them held to what any report must meet."""
    files = write_report(found, folder)
    assert all(file.is_file() for file in files) and files[0].name == "report.html"
    page = (folder / "report.html").read_text(encoding="utf-8")
    seen = Seen(page)
    assert not {"script", "link", "iframe", "object", "a", "form"} & seen.tags
    assert all(load.startswith("data:image/png;base64,") for load in seen.loads)
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    shown, kinds = rendered(markdown)
    assert not {"html_block", "html_inline", "link_open", "code_inline", "code_block", "fence", "hr"} & kinds
    # Both say the same.
    assert words(shown) == words(seen.text)
    assert LEFT_OUT not in markdown
    pictures = {file.name for file in files if file.suffix == ".png"}
    assert all(f"]({name})" in markdown for name in pictures) and len(seen.loads) == len(pictures)
    return seen, markdown, json.loads((folder / "result.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ANSWERED)
def test_every_design_has_its_report(name: str, tmp_path: Path) -> None:
    found = finding(said(name))
    estimate = said(name).estimate
    assert estimate is not None
    seen, markdown, result = written(found, tmp_path)
    assert result["estimate"] == estimate.estimate and result["refused"] is False
    assert result["figures_left_out"] == []
    for text in (seen.text, markdown):
        assert number(abs(estimate.estimate)) in text
        assert f"{number(estimate.ci_low)} to {number(estimate.ci_high)}" in text
    assert {"figure.png", "graph.png"} <= {file.name for file in tmp_path.iterdir()}
    again: Design = parse_design(yaml.safe_load((tmp_path / "spec.yaml").read_text(encoding="utf-8")))
    assert again == said(name).vetting.design
    assert (tmp_path / "reproduce.py").read_text(encoding="utf-8").startswith("print")


def test_a_reader_finds_things_in_order(tmp_path: Path) -> None:
    _, markdown, _ = written(finding(said("backdoor"), told="Chosen by the <patients>."), tmp_path)
    titles = [line[3:] for line in markdown.splitlines() if line.startswith("## ")]
    assert titles == [
        "The question",
        "The answer",
        "How the question was read",
        "How the treatment came about",
        "Why this design",
        "What has to hold",
        "What a referee would ask",
        "The rows",
        "How the number was made",
        "Designs that were not used",
        "Notes",
        "Sources",
    ]
    for words in ("Tested, and passed", "Age raises income", "One period only", "A second opinion", "balance.png"):
        assert words in markdown
    assert "Chosen by the \\<patients\\>." in markdown


@pytest.mark.parametrize("name", ["rct", "backdoor", "iv with a control"])
def test_arms_are_compared(name: str, tmp_path: Path) -> None:
    _, markdown, result = written(finding(said(name)), tmp_path)
    compared = name != "iv with a control"  # a dose has no arms
    assert bool(result["balance"]) is compared is ("Difference before" in markdown)
    assert (tmp_path / "overlap.png").exists() is (name == "rct")


def test_a_refusal_with_bounds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, 300)
    frame = pd.DataFrame({"treat": (x > 0).astype(int), "y": x + rng.normal(0, 1, 300), "x": x})
    found = found_in(frame, {"strategy": "backdoor", "treatment": "treat", "outcome": "y", "controls": ["x"]})
    assert found.answer is not None and found.answer.bounds is not None
    seen, markdown, result = written(found, tmp_path)
    assert result["refused"] and result["bounds"]["low"] == found.answer.bounds.low
    for text in (seen.text, markdown):
        assert "There is no number" in text and "What would make it answerable" in text
        assert number(found.answer.bounds.low) in text and number(found.answer.bounds.high) in text
    assert "figure.png" not in {file.name for file in tmp_path.iterdir()}
    assert not (tmp_path / "reproduce.py").exists()


def test_a_refusal_before_any_design(tmp_path: Path) -> None:
    seen, markdown, result = written(finding(None, read=(), question="", runners_up=()), tmp_path)
    assert result["refused"] and result["refusal"]["reason"] == "no overlap"
    assert "No question was asked" in seen.text and "never meet" in markdown
    assert not (tmp_path / "spec.yaml").exists()


def test_a_refusal_by_the_engine(tmp_path: Path) -> None:
    _, markdown, result = written(finding(said("weak instrument")), tmp_path)
    assert result["refused"] and "Tested, and failed" in markdown


def test_a_yes_or_no_outcome_is_told_in_percentage_points() -> None:
    rng = np.random.default_rng(1)
    treat = rng.integers(0, 2, 400)
    frame = pd.DataFrame({"treat": treat, "hired": (rng.random(400) < 0.3 + 0.2 * treat).astype(int)})
    answered = found_in(frame, {"strategy": "rct", "treatment": "treat", "outcome": "hired"}).answer
    assert answered is not None and answered.estimate is not None
    assert f"{number(round(100 * answered.estimate.estimate, 10))} percentage points" in headline(
        answered, answered.estimate
    )
    plain = said("rct")
    assert plain.estimate is not None and "percentage" not in headline(plain, plain.estimate)


def test_foreign_text_stays_text(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    names = {"treat": "tr|eat <b>", "y": "`y` $\\frac{$ *z*", "x": "x\n| --- |\n<img src=x onerror=alert(1)>"}
    frame = said("backdoor").vetting.study.frame[["treat", "y", "x"]].rename(columns=names)
    frame["x2"] = rng.normal(0, 1, len(frame))
    fields = {
        "strategy": "backdoor",
        "treatment": names["treat"],
        "outcome": names["y"],
        "controls": [names["x"], "x2"],
    }
    found = found_in(
        frame,
        fields,
        question=NASTY,
        description=NASTY,
        told=NASTY,
        notes=(NASTY,),
        source=NASTY,
        read=(Read(NASTY, NASTY, NASTY),),
    )
    seen, markdown, _ = written(found, tmp_path)
    assert "<script>alert(1)</script>" in seen.text and "img src=x" in seen.text
    assert "b" not in seen.tags
    shown, kinds = rendered(markdown)
    assert " ".join(NASTY.split()) in shown
    assert {"code_inline", "link_open", "html_inline", "html_block"}.isdisjoint(kinds)
    assert "tr|eat <b>" in shown and "`y` $\\frac{$ *z*" in shown


def test_odd_characters_do_not_stop_it(tmp_path: Path) -> None:
    odd = "a\ud800b\x00c\u202ed \u65e5\u672c"
    seen, _, _ = written(finding(said("rct"), question=odd, notes=(odd,)), tmp_path)
    assert "\x00" not in seen.text and "\u202e" not in seen.text and "\u65e5" in seen.text


@pytest.mark.parametrize("error", [ValueError("no bins"), np.linalg.LinAlgError("singular"), DataError("too few rows")])
def test_a_figure_that_fails_costs_a_sentence(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    answered = said("rct")
    monkeypatch.setattr(type(answered.vetting.design), "draw", fail)
    _, markdown, result = written(finding(answered), tmp_path)
    assert "could not be drawn" in markdown and len(result["figures_left_out"]) == 1
    assert not (tmp_path / "figure.png").exists()


def test_the_users_graph_is_shown(tmp_path: Path) -> None:
    graph = Graph(("x", "treat", "y", "z"), (("x", "treat"), ("x", "y"), ("treat", "y")), (("z", "y"),))
    _, markdown, result = written(finding(said("backdoor"), graph=graph), tmp_path)
    assert "as the design assumes it" not in markdown and ["x", "y"] in result["graph"]["directed"]


def test_a_number_from_nowhere_is_left_out() -> None:
    """The check itself: a sentence of the program's with another number does not get through."""
    found = finding(said("rct"), choice="It wins by 17.3 points.")
    honest = report.result_json(found)
    assert not Known(honest).stray(page_of(found, honest, {}, None).texts)
    cheated = page_of(found, {**honest, "choice": "It wins."}, {}, None)
    assert LEFT_OUT in cheated.texts and not any("17.3" in text for text in cheated.texts)


def test_an_estimate_that_is_not_the_results_is_left_out() -> None:
    found = finding(said("rct"))
    answered = said("rct")
    assert answered.estimate is not None
    altered = finding(replace(answered, estimate=replace(answered.estimate, estimate=12.3456)))
    assert LEFT_OUT in page_of(altered, report.result_json(found), {}, None).texts


@pytest.mark.parametrize(
    ("low", "estimate", "high", "start"),
    [
        (0.5, 1.0, 1.5, "y is 1 higher because of treat (treat = 1 rather than 0)."),
        (-1.5, -1.0, -0.5, "y is 1 lower because of treat"),
        (-0.5, 1.0, 2.5, "No clear effect. The best guess: y is 1 higher because of treat"),
    ],
)
def test_the_first_sentence(low: float, estimate: float, high: float, start: str) -> None:
    answered = said("rct")
    assert answered.estimate is not None
    found = replace(answered.estimate, estimate=estimate, ci_low=low, ci_high=high)
    assert headline(answered, found).startswith(start)


def test_a_ratio_is_no_difference() -> None:
    answered = said("hazard ratio")
    assert answered.estimate is not None
    found = replace(answered.estimate, estimate=0.6, ci_low=0.4, ci_high=1.2)
    assert headline(answered, found).startswith("No clear effect. The best guess: the event comes 0.6 times as fast")
