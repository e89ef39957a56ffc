"""The profile of a data set: columns, structure and traces of designs; as JSON and in words."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest

from leucippus.agents.columns import Column, names_a_time, names_an_identifier
from leucippus.agents.dataset import from_frame, over
from leucippus.agents.profile import Profile, in_words, profile

N = 200


@pytest.fixture(scope="module")
def found() -> Profile:
    rng = np.random.default_rng(0)
    score = rng.normal(size=N)
    frame = pd.DataFrame(
        {
            "id": np.arange(N),
            "treat": rng.integers(0, 2, N),
            "arm": rng.choice(["low", "mid", "high"], N),
            "visits": rng.poisson(20, N),
            "stars": rng.integers(1, 6, N),
            "income": np.r_[np.inf, -np.inf, np.nan, rng.normal(size=N - 3)],
            "when": [date(2020, 1, 1 + i % 28) for i in range(N)],
            "remark": [f"said {i} things at length, and then some more of them" for i in range(N)],
            "code": [f"K{i:04d}" for i in range(N)],
            "same": "x",
            "nothing": np.full(N, np.nan),
            "age": rng.integers(20, 70, N),
            "sex": rng.choice(["f", "m"], N),
            "educ": rng.integers(0, 18, N),
            "the score": score,
            "passed": score > 0.5,
        }
    )
    return profile(from_frame(frame, "a table"))


def column(found: Profile, name: str) -> Column:
    return next(one for one in found.columns if one.name == name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("id", "identifier"),
        ("treat", "binary"),
        ("arm", "categorical"),
        ("visits", "count"),
        ("stars", "categorical"),
        ("income", "continuous"),
        ("when", "date"),
        ("remark", "text"),
        ("code", "identifier"),
        ("same", "constant"),
        ("nothing", "empty"),
        ("sex", "binary"),
        ("passed", "binary"),
    ],
)
def test_kinds(found: Profile, name: str, kind: str) -> None:
    assert column(found, name).kind == kind


def test_figures_agree_with_numpy() -> None:
    values = np.random.default_rng(1).gamma(2, size=501)
    found = profile(from_frame(pd.DataFrame({"v": np.r_[values, np.nan, np.inf]})))
    v = found.columns[0]
    assert (v.rows, v.missing, v.infinite, v.distinct) == (503, 1, 1, 502)
    assert (v.minimum, v.maximum) == (values.min(), values.max())
    assert (v.q25, v.median, v.q75) == pytest.approx(tuple(np.quantile(values, [0.25, 0.5, 0.75])))
    assert (v.mean, v.sd) == pytest.approx((values.mean(), values.std(ddof=1)))


def test_most_frequent_values() -> None:
    found = profile(from_frame(pd.DataFrame({"v": ["b"] * 5 + ["a"] * 3 + [None] * 2})))
    assert found.columns[0].top == (("b", 5), ("a", 3))


def test_candidates_and_traces(found: Profile) -> None:
    assert found.treatments.binary == ("treat", "passed")
    assert found.treatments.multivalued == ("arm", "stars")
    assert "the score" in found.treatments.continuous and "age" not in found.treatments.continuous
    assert [(one.running, one.treatment, one.sharp) for one in found.thresholds] == [("the score", "passed", True)]
    assert "treat" in {one.column for one in found.lotteries}
    assert found.panel is None and found.series is None
    assert "infinite values in income are left out of the figures" in found.notes


def test_duplicate_rows() -> None:
    frame = pd.DataFrame({"data": [1, 1, 1, 2], "b": ["x", "x", "y", "x"], "d": [None, None, None, 1.0]})
    assert profile(from_frame(frame)).duplicates == 1


def test_it_is_json(found: Profile) -> None:
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["rows"] == N


def test_in_words(found: Profile) -> None:
    text = in_words(found)
    lines = text.splitlines()
    assert lines[0] == "a table: 200 rows, 16 columns"
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 160
    assert len({line.index("  ") for line in lines if line.startswith(("identifier",))}) <= 1
    at = lines[2].index("kind")
    assert all(lines[3 + i][at:].startswith(one.kind) for i, one in enumerate(found.columns))
    assert "threshold: passed jumps always at the score = 0.5" in text
    assert any(line.startswith("like a lottery: treat") for line in lines)
    assert "1 infinite" not in text and "2 infinite" in text


def test_a_panel_in_words() -> None:
    frame = pd.DataFrame([(u, 2000 + t, int(u < 3 and t >= u + 2)) for u in range(9) for t in range(6)])
    text = in_words(profile(from_frame(frame.set_axis(["firm", "year", "on"], axis=1))))
    assert "panel: 9 units (firm) × 6 periods (year, 2000 to 2005), balanced" in text
    assert "  on switches on at different dates: 2002 (1), 2003 (1), 2004 (1); 6 units never, 0 from the start" in text


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"only": [1.0]}),
        pd.DataFrame({"a": [None, None], "b": [np.inf, -np.inf]}),
        pd.DataFrame({'a "quoted" name': [1, 2, 3] * 20, "select": [0, 1] * 30, "row number": np.arange(60.0)}),
        pd.DataFrame({"t0": ["a"] * 30, "data": [True, None] * 15, "u": pd.array([1, None] * 15, dtype="Int64")}),
    ],
    ids=["one cell", "nothing finite", "odd names", "missing yes and no"],
)
def test_odd_tables(frame: pd.DataFrame) -> None:
    found = profile(from_frame(frame))
    json.dumps(asdict(found), allow_nan=False)
    assert in_words(found)


def test_a_long_table_is_sampled_and_says_so() -> None:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE data AS SELECT range AS row_id, hash(range) % 1000 / 10 AS margin, margin >= 40 AS won, "
        "hash(range + 1) % 50 AS age FROM range(200_000)"
    )
    found = profile(over(connection, "long"))
    assert [(one.running, one.cutoff, one.sharp) for one in found.thresholds] == [("margin", 40.0, True)]
    assert 15_000 < found.thresholds[0].rows < 25_000
    assert any("sample" in note for note in found.notes)


@pytest.mark.parametrize("name", ["id", "person_id", "ID", "villageid", "fips", "zip", "sid", "geoid", "patient_id"])
def test_identifier_names(name: str) -> None:
    assert names_an_identifier(name)


@pytest.mark.parametrize("name", ["paid", "covid", "idea", "width", "kid", "grid", "year", "income", "aid", "bid"])
def test_other_names(name: str) -> None:
    assert not names_an_identifier(name)


@pytest.mark.parametrize(
    "name", ["year", "Date", "YEAR", "t", "Quarter_Num", "week", "post", "y81", "year.x", "survey_wave"]
)
def test_time_names(name: str) -> None:
    assert names_a_time(name)
    assert not names_a_time(name + "ly income")
