"""The scripts that come with an answer: each yields the answer's number from the file, without Leucippus."""

import ast
import importlib
import re
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from leucippus.agents.answer import Answer, answer
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry.finding import Finding
from leucippus.agents.inquiry.reproduce import script, why_none
from leucippus.agents.intake import read_data

Spec = Mapping[str, Any]
CLOSE = 1e-6


def draw(module: str, world: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """The specification and one draw of a simulated world."""
    worlds = importlib.import_module(f"tests.agents.designs.worlds.{module}").WORLDS
    found = next(one for one in worlds if one.name == world)
    return dict(found.design), found.draw(np.random.default_rng(3))


def found_in(path: Path, spec: Spec, question: str = "Did it work?") -> Finding:
    said = answer(read_data(path), parse_design(spec), challenge=False)
    assert said.estimate is not None, said.reasons
    return Finding(question, str(path), "", (), "", "", said, None)


def written(path: Path, finding: Finding) -> Path:
    text = script(finding)
    assert text is not None, why_none(finding)
    assert why_none(finding) == ""
    for node in ast.walk(ast.parse(text)):
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        assert not any("leucippus" in name for name in names)
    target = path.with_name("reproduce.py")
    target.write_text(text, encoding="utf-8")
    return target


def holds(printed: str, said: Answer) -> None:
    """What a script printed is what the answer says."""
    estimate = said.estimate
    assert estimate is not None
    number, error = (re.search(rf"^{name} (\S+)$", printed, re.MULTILINE) for name in ("estimate", "standard error"))
    assert number is not None
    assert error is not None
    assert float(number[1]) == pytest.approx(estimate.estimate, rel=CLOSE, abs=CLOSE * estimate.se)
    assert float(error[1]) == pytest.approx(estimate.se, rel=CLOSE)


def reproduces(path: Path, spec: Spec, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the script in this process; its text."""
    finding = found_in(path, spec)
    target = written(path, finding)
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(target)])
        runpy.run_path(str(target), run_name="__main__")
    assert finding.answer is not None
    holds(capsys.readouterr().out, finding.answer)
    return target.read_text(encoding="utf-8")


def save(frame: pd.DataFrame, folder: Path, name: str = "study.csv", **options: Any) -> Path:
    path = folder / name
    frame.to_csv(path, index=False, **options)
    return path


# -- One of each design, in a process of its own -------------------------------------------------------------------

BY_DESIGN = [
    ("rct", "trial, effect 1"),
    ("backdoor", "ATE, effects differ"),
    ("iv", "strong instrument, effect 1"),
    ("rd", "sharp and curved, effect 0.2"),
    ("did", "panel, effect 1"),
    ("did", "staggered, growing effects"),
    ("synthetic_control", "one treated place, effect 2"),
    ("time_series", "months, step 2"),
    ("mediation", "indirect effect 0.5"),
    ("survival", "trial, hazard 0.6"),
    ("frontdoor", "a binary mediator, effect 0.6"),
]


def test_each_design_in_a_process_of_its_own(tmp_path: Path) -> None:
    """One process for all: the libraries take seconds to load."""
    findings, runs = [], []
    for place, (module, world) in enumerate(BY_DESIGN):
        spec, frame = draw(module, world)
        folder = tmp_path / str(place)
        folder.mkdir()
        path = save(frame, folder)
        findings.append(found_in(path, spec))
        runs.append([str(written(path, findings[-1])), str(path.rename(folder / "renamed.csv"))])
    code = f"""if True:
        import runpy, sys
        for sys.argv in {runs!r}:
            runpy.run_path(sys.argv[0], run_name="__main__")
            print("next")
        sys.exit("leucippus" in sys.modules)"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 0, run.stderr
    for printed, finding in zip(run.stdout.split("next\n")[:-1], findings, strict=True):
        assert finding.answer is not None
        holds(printed, finding.answer)


# -- Every way to estimate -----------------------------------------------------------------------------------------

VARIANTS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "rct": [("trial with a covariate", {}), ("ten clusters", {}), ("blocks", {})],
    "backdoor": [
        ("ATT, effects differ", {}),
        ("ATC, effects differ", {}),
        ("ATO, effects differ", {}),
        ("clusters treated whole", {}),
        ("dose", {}),
        ("dose", {"method": "regression"}),
        *(
            ("ATE, effects differ", {"method": method, "estimand": estimand})
            for method in ("g-computation", "matching", "weighting")
            for estimand in ("ATE", "ATT", "ATC")
        ),
        ("ATE, effects differ", {"method": "regression"}),
        ("ATE, effects differ", {"method": "partially linear"}),
        ("clusters treated whole", {"method": "weighting"}),
        ("clusters treated whole", {"method": "g-computation"}),
    ],
    "iv": [("three instruments", {}), ("clustered instrument", {}), ("encouragement, compliers' effect 1", {})],
    "rd": [
        ("sharp with a covariate", {}),
        ("treated below, in words", {}),
        ("fuzzy, effect 1", {}),
        ("fuzzy, effect 1", {"bandwidth": 0.5, "donut": 0.01}),
        ("years of age", {}),
        ("fifty rows", {}),
        ("by a hair", {}),
        ("clustered, effect 1", {}),
        ("stated bandwidth", {"kernel": "epanechnikov", "order": 2}),
    ],
    "did": [
        ("cross-sections, effect 1", {}),
        ("one treated unit, no effect", {}),
        ("staggered, everyone treated in the end", {}),
        ("staggered, a control that moves", {}),
        ("dose, slope 1", {}),
        ("triple difference", {}),
        ("triple difference over states", {}),
    ],
    "synthetic_control": [
        ("with a predictor", {}),
        ("three treated places", {}),
        ("synthetic did, effect 2", {}),
        ("synthetic did, effect 2", {"controls": ["wealth"]}),
    ],
    "time_series": [("seasons", {}), ("a turn of the trend", {}), ("a turn of the trend", {"estimand": "ATT"})],
    "mediation": [("interaction", {}), ("direct effect 0.3", {}), ("a dose", {}), ("villages", {})],
    "survival": [
        ("chosen, adjusted", {"horizon": None}),
        ("villages", {}),
        ("hazard ratio, adjusted", {}),
        ("villages", {"estimand": "hazard ratio"}),
    ],
    "frontdoor": [("two linear mediators, effect 0.5", {}), ("three values and a control", {}), ("a dose", {})],
}
EACH = [(module, *variant) for module, variants in VARIANTS.items() for variant in variants]


@pytest.mark.parametrize(("module", "world", "fields"), EACH)
def test_every_way_to_estimate(
    module: str, world: str, fields: Spec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, frame = draw(module, world)
    reproduces(save(frame, tmp_path), {**spec, **fields}, capsys)


def test_several_weak_instruments_by_liml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(5)
    z, u = rng.normal(0, 1, (3, 500)), rng.normal(0, 1, 500)
    d = 0.13 * z.sum(axis=0) + u + rng.normal(0, 1, 500)
    frame = pd.DataFrame({"d": d, "y": d + 2 * u + rng.normal(0, 1, 500), "a": z[0], "b": z[1], "c": z[2]})
    spec = {"strategy": "iv", "treatment": "d", "outcome": "y", "instrument": ["a", "b", "c"]}
    assert "IVLIML" in reproduces(save(frame, tmp_path), spec, capsys)


def test_controls_that_determine_one_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, frame = draw("iv", "strong instrument, effect 1")
    frame = frame.assign(months=12 * frame["age"], again=frame["z"] + frame["age"])
    fields = {"controls": ["age", "months"], "instrument": ["z", "again"]}
    reproduces(save(frame, tmp_path), {**spec, **fields}, capsys)


def test_panels_in_other_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Quarters as text, a named group, a switch at several dates, weights, clusters above units."""
    spec, frame = draw("did", "panel, effect 1")
    text = frame.assign(
        quarter=[f"{2000 + (year - 2000) // 4}Q{(year - 2000) % 4 + 1}" for year in frame["year"]],
        place=np.where(frame["law"] == 1, "New Jersey", "Ohio"),
        size=1 + frame["unit"] % 3,
    )
    fields: dict[str, Any] = {
        "treatment": "place",
        "treated_group": "New Jersey",
        "time": "quarter",
        "first_treated": "2001Q2",
    }
    reproduces(save(text, tmp_path), {**spec, **fields, "weights": "size"}, capsys)
    spec, frame = draw("did", "staggered, growing effects")
    frame = frame.assign(on=((frame["start"] > 0) & (frame["year"] >= frame["start"])).astype(int))
    frame = frame.assign(region=frame["unit"] // 4, fixed=frame["unit"] % 7)
    fields = {"treatment": "on", "first_treated": None, "cluster": "region", "controls": ["fixed"]}
    reproduces(save(frame, tmp_path), {**spec, **fields}, capsys)


def test_series_and_panels_by_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, frame = draw("time_series", "months, step 2")
    dated = frame.assign(date=pd.to_datetime(frame["date"]).dt.strftime("%d.%m.%Y"), law="x")
    reproduces(save(dated, tmp_path), {**spec, "first_treated": "2005-10-01"}, capsys)
    spec, frame = draw("synthetic_control", "one treated place, effect 2")
    frame = frame[~((frame["place"] == "place 3") & (frame["year"] == 1990))]
    frame.loc[(frame["place"] == "place 5") & (frame["year"] > 2012), "law"] = 1
    fields = {"treated_group": "place 0", "first_treated": 2010}
    text = reproduces(save(frame, tmp_path), {**spec, **fields}, capsys)
    assert "place 5" in text


# -- Rows, columns, codings ----------------------------------------------------------------------------------------

AWKWARD = ['a"b', "x); import os", "it's", "100%", "new\nline", "back\\slash", "{y}", "@OUTCOME@", "  #? cluster", "?"]


def messy() -> pd.DataFrame:
    """Two arms in words, words as controls, gaps everywhere."""
    rng = np.random.default_rng(8)
    age, town = rng.normal(40, 10, 400), rng.choice(["Rome", "Bern", 'O\'Fallon; "x"'], 400)
    arm = rng.choice(["drug", "placebo pill", "other"], 400)
    pay = np.exp(1 + 0.02 * age + 0.3 * (arm == "drug") + rng.normal(0, 1, 400))
    frame = pd.DataFrame({"arm": arm, "net pay": pay, "age": age, "town": town, "year": rng.integers(1990, 2000, 400)})
    for name in frame:
        frame.loc[rng.random(400) < 0.05, name] = None
    return frame


MESSY = {
    "strategy": "rct",
    "treatment": "arm",
    "outcome": "log_pay",
    "treated_value": "drug",
    "control_value": "placebo pill",
    "controls": ["age", "town", "C(year)"],
    "derived": {"log_pay": "log(`net pay`)", "old": "age > 0.1 * 500"},
    "subset": "year in [1991, 1992, 1993, 1994, 1995] and not (town == 'O''Fallon') and (old or age < 48.5)",
}


@pytest.mark.parametrize("strategy", ["rct", "backdoor"])
def test_derived_columns_subset_gaps_and_words(
    strategy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = reproduces(save(messy(), tmp_path), {**MESSY, "strategy": strategy}, capsys)
    assert "48.5e0" in text


@pytest.mark.parametrize(("first", "second"), [("yes", "no"), ("Treated", "untreated"), ("True", "False"), ("2", "1")])
def test_the_treatment_as_the_data_write_it(
    first: str, second: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, frame = draw("rct", "trial, effect 1")
    frame = frame.assign(treat=np.where(frame["treat"] == 1, first, second), y=np.where(frame["y"] > 13, "Yes", "no"))
    reproduces(save(frame, tmp_path), spec, capsys)
    stated = {"True": True, "False": False}  # what a file says is true is a truth value, no word
    reproduces(save(frame, tmp_path), {**spec, "treated_value": stated.get(first, first)}, capsys)
    reproduces(save(frame, tmp_path), {**spec, "control_value": stated.get(second, second)}, capsys)


def test_looking_back_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, frame = draw("did", "dose, slope 1")
    fields = {"outcome": "change", "derived": {"change": "diff(y)", "before": "lag(tax)"}, "controls": ["before"]}
    reproduces(save(frame, tmp_path), {**spec, **fields}, capsys)


# -- Files -----------------------------------------------------------------------------------------------------------


def as_written(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers with thousands separators and percent signs, dates, words for missing, blanks around cells."""
    return frame.assign(
        y=[f"{1000 * value:,.3f}" for value in frame["y"]],
        age=[f" {value:.1f}% " if value < 55 else "NA" for value in frame["age"]],
        day=pd.date_range("2001-01-01", periods=len(frame)).strftime("%m/%d/%Y"),
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("study.csv", {}),
        ("study.csv", {"sep": ";"}),
        ("study.csv", {"sep": "|", "encoding": "cp1252"}),
        ("study.tsv", {"sep": "\t", "encoding": "utf-8-sig"}),
        ("study.csv.gz", {"lineterminator": "\r\n"}),
    ],
)
def test_text_files(name: str, options: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, frame = draw("rct", "trial with a covariate")
    frame = as_written(frame).assign(place="Zürich")
    reproduces(save(frame, tmp_path, name, **options), {**spec, "subset": "day >= '2001-02-01'"}, capsys)


def test_decimal_commas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, frame = draw("rct", "trial with a covariate")
    reproduces(save(frame, tmp_path, sep=";", decimal=","), spec, capsys)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "xlsx": lambda frame, path: frame.to_excel(path, index=False),
    "parquet": lambda frame, path: frame.to_parquet(path),
    "jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "dta": lambda frame, path: frame.rename(columns={"net pay": "net_pay"}).to_stata(path, write_index=False),
    "sav": lambda frame, path: pyreadstat.write_sav(frame.rename(columns={"net pay": "net_pay"}), str(path)),
}


@pytest.mark.parametrize("ending", WRITERS)
def test_other_files(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"study.{ending}"
    spec: dict[str, Any] = dict(MESSY)
    if ending in ("dta", "sav"):
        spec["derived"] = {**MESSY["derived"], "log_pay": "log(net_pay)"}  # type: ignore[dict-item]
    frame = messy()
    if ending == "dta":
        frame[["arm", "town"]] = frame[["arm", "town"]].fillna("")
    WRITERS[ending](frame, path)
    reproduces(path, spec, capsys)


# -- Names and values are never code ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AWKWARD)
def test_names_and_values_are_never_code(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, frame = draw("rct", "trial with a covariate")
    tricky = name.strip() if name.strip() else name
    frame = frame.assign(
        treat=np.where(frame["treat"] == 1, tricky, "control"), town=np.where(frame["age"] > 40, tricky, "b")
    )
    frame = frame.rename(columns={"y": tricky, "age": tricky + " 2"})
    path = tmp_path / "study.parquet"
    frame.to_parquet(path)
    fields: dict[str, Any] = {"outcome": tricky, "controls": [tricky + " 2", "town"], "treated_value": tricky}
    if "`" not in tricky and "\n" not in tricky:
        fields |= {"subset": f"town != {'no' + tricky!r}", "derived": {tricky + " 3": f"`{tricky} 2` / 2 > 0.25"}}
    text = reproduces(path, {**spec, **fields}, capsys)
    allowed = {"sys", "warnings", "duckdb", "numpy", "pandas", "statsmodels.regression.linear_model"}
    imported = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {
        str(node.module) if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imported
    } <= allowed


def test_a_question_is_no_code(tmp_path: Path) -> None:
    spec, frame = draw("rct", "trial, effect 1")
    path = save(frame, tmp_path, "a'b\"c.csv")
    question = '"""\nimport os\n# \u2028\u202e @FILE@ \ud800 \\'
    text = written(path, found_in(path, spec, question)).read_text(encoding="utf-8")
    constants = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    assert {question, str(path)} <= constants
    assert "\u202e" not in text


# -- No script -------------------------------------------------------------------------------------------------------


def test_no_script_without_a_number_or_a_file(tmp_path: Path) -> None:
    spec, frame = draw("rct", "trial, effect 1")
    path = save(frame, tmp_path)
    finding = found_in(path, spec)
    nothing = Finding("?", str(path), "", (), "", "", None, None)
    assert script(nothing) is None
    assert "no number" in why_none(nothing)
    frame_alone = Finding("?", "the data frame", "", (), "", "", finding.answer, None)
    assert script(frame_alone) is None
    assert "no file" in why_none(frame_alone)
