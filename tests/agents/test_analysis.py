"""The steps of an analysis: a person in the loop, a kill anywhere, the same again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import leucippus
from leucippus.agents.analyze import Request, analyze, run
from leucippus.agents.inquiry.desk import Desk
from leucippus.agents.inquiry.rank import Ranking, rank
from leucippus.errors import InputError
from tests.agents.inquiry.cases import Undecided

DESIGN = {"strategy": "rct", "treatment": "offer", "outcome": "score"}
QUESTION = "Did the offer raise the score?"


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests are about does not need the trained reader."""
    monkeypatch.setattr("leucippus.agents.analyze.shipped_reader", Undecided)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    offer, age = rng.integers(0, 2, 300), rng.normal(40, 9, 300)
    path = tmp_path / "trial.csv"
    pd.DataFrame({"offer": offer, "age": age, "score": offer + rng.normal(size=300)}).to_csv(path, index=False)
    return path


def test_unattended(data: Path) -> None:
    finding = leucippus.analyze(data, QUESTION, design=DESIGN)
    assert finding.refusal is None and finding.answer is not None and finding.answer.estimate is not None
    assert finding.answer.estimate.estimate == pytest.approx(1, abs=0.3)


def test_what_is_not_said_is_said_to_be_missing(data: Path) -> None:
    finding = analyze(data, QUESTION, design=DESIGN)
    assert any("Nothing says how offer came about" in note for note in finding.notes)


def test_a_data_frame_and_a_report(data: Path, tmp_path: Path) -> None:
    finding = analyze(pd.read_csv(data), QUESTION, design=DESIGN, out=tmp_path / "report")
    assert finding.source == "the data frame"
    assert {"report.html", "report.md", "result.json", "spec.yaml"} <= {p.name for p in (tmp_path / "report").iterdir()}


def test_accept_edit_decline(data: Path) -> None:
    seen: list[Mapping[str, Any]] = []

    def edit_then_accept(shown: Mapping[str, Any]) -> Mapping[str, Any]:
        seen.append(shown)
        if len(seen) == 1:
            return {"decision": "edit", "design": {"controls": ["no such column"]}}
        if len(seen) == 2:
            return {"decision": "edit", "design": {"controls": ["age"]}}
        return {"decision": "accept"}

    finding = analyze(data, QUESTION, design=DESIGN, decide=edit_then_accept)
    assert "no such column" in seen[1]["not_taken"]
    assert seen[2]["design"]["controls"] == ["age"] and seen[2]["checks"]
    assert finding.answer is not None and finding.answer.vetting.design.controls == ("age",)

    declined = analyze(data, QUESTION, design=DESIGN, decide=lambda shown: {"decision": "decline"})
    assert declined.refusal is not None and declined.refusal.reason == "declined"
    assert declined.answer is None or declined.answer.estimate is None


def test_goes_on_where_it_was_stopped(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vetted: list[int] = []
    conclude = Desk.conclude

    def counted(*given: Any) -> Ranking:
        vetted.append(1)
        return rank(*given)

    monkeypatch.setattr("leucippus.agents.analysis.rank", counted)

    def killed(self: Desk, state: Mapping[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    request = Request(data, QUESTION, design=DESIGN, out=tmp_path / "out")
    monkeypatch.setattr(Desk, "conclude", killed)
    with pytest.raises(KeyboardInterrupt):
        run(request)
    monkeypatch.setattr(Desk, "conclude", conclude)
    finding, written = run(request)
    assert len(vetted) == 1, "what was done before the kill was done again"
    assert finding.answer is not None and finding.answer.estimate is not None and written
    run(request)
    assert len(vetted) == 2, "an analysis that had ended begins anew"


def test_a_person_may_come_back_tomorrow(data: Path, tmp_path: Path) -> None:
    request = Request(data, QUESTION, design=DESIGN, out=tmp_path / "out")

    def gone(shown: Mapping[str, Any]) -> Mapping[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(request, gone)
    finding, _ = run(request, lambda shown: {"decision": "accept"})
    assert finding.answer is not None and finding.answer.estimate is not None


def test_a_stated_design_that_fails_is_refused_with_its_reason(data: Path) -> None:
    frame = pd.read_csv(data).assign(offer=1)
    finding = analyze(frame, QUESTION, design=DESIGN)
    assert finding.refusal is not None and finding.refusal.reason == "no comparison"
    assert finding.refusal.remedies


def test_what_is_handed_over_wrongly(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        analyze(tmp_path / "none.csv", QUESTION)
    with pytest.raises(InputError, match="no file"):
        analyze(data, QUESTION, description="codebook.txt")
    with pytest.raises(InputError, match="no field"):
        analyze(data, QUESTION, design={**DESIGN, "covariates": ["age"]})
    with pytest.raises(InputError, match="cycle"):
        analyze(data, QUESTION, graph="a -> b; b -> a")


def test_an_empty_question_is_a_refusal(data: Path) -> None:
    finding = analyze(data, "   ")
    assert finding.refusal is not None and finding.refusal.reason == "no question"


def test_how_the_treatment_came_about_is_asked_and_remembered(data: Path, tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(shown: Mapping[str, Any]) -> Mapping[str, Any]:
        if "ask" in shown:
            asked.append(shown["ask"])
            return {"answer": "A coin was tossed for each pupil."}
        raise KeyboardInterrupt  # gone before the design is accepted

    request = Request(data, QUESTION, out=tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        run(request, answer)
    finding, _ = run(request, lambda shown: {"decision": "accept"})
    assert len(asked) == 1 and "How did" in asked[0]
    assert finding.told == "A coin was tossed for each pupil."
    assert finding.description.startswith(finding.told)
    assert not any("Nothing says how" in note for note in finding.notes)


def test_files_of_somebody_else_are_not_written_over(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "spec.yaml").write_text("strategy: rct")
    with pytest.raises(InputError, match="spec.yaml"):
        run(Request(data, QUESTION, design=DESIGN, out=folder))
    assert (folder / "spec.yaml").read_text() == "strategy: rct"
    run(Request(data, QUESTION, design=DESIGN, out=tmp_path / "new"))
    run(Request(data, QUESTION, design=DESIGN, out=tmp_path / "new"))


def test_a_process_that_is_killed_is_taken_up_by_another(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"""
import os, signal
from leucippus.agents import analyze
from leucippus.agents.inquiry.desk import Desk
Desk.conclude = lambda self, state: os.kill(os.getpid(), signal.SIGKILL)
analyze.run(analyze.Request({str(data)!r}, {QUESTION!r}, design={DESIGN!r}, out=analyze.Path({str(tmp_path / "out")!r})))
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()

    def again(*given: Any) -> Ranking:
        raise AssertionError("what was done before the kill is done again")

    monkeypatch.setattr("leucippus.agents.analysis.rank", again)
    finding, written = run(Request(str(data), QUESTION, design=DESIGN, out=tmp_path / "out"))
    assert finding.answer is not None and finding.answer.estimate is not None and written
