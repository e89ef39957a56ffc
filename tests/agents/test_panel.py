"""Units, times, gaps, and who was first treated when."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leucippus.agents.columns import describe
from leucippus.agents.dataset import Dataset, from_frame
from leucippus.agents.panel import Panel, find_panel, find_series

STARTS = {1: 2003, 2: 2005, 3: 2005}


def long(units: int = 12, periods: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [(unit, year) for unit in range(1, units + 1) for year in range(2000, 2000 + periods)]
    frame = pd.DataFrame(rows, columns=["county", "year"])
    frame["y"] = rng.normal(size=len(frame))
    frame["law"] = [int(year >= STARTS.get(unit, 9999)) for unit, year in rows]
    frame["since"] = [STARTS.get(unit, 0) for unit, _ in rows]
    frame["late"] = (frame["year"] >= 2004).astype(int)
    frame["back_and_forth"] = rng.integers(0, 2, len(frame))
    frame["size"] = [unit % 3 for unit, _ in rows]
    return frame


def panel(frame: pd.DataFrame) -> Panel | None:
    dataset = from_frame(frame)
    return find_panel(dataset, describe(dataset))


def test_a_balanced_panel_with_staggered_adoption() -> None:
    found = panel(long())
    assert found is not None
    assert (found.unit, found.time, found.units, found.periods) == ("county", "year", 12, 8)
    assert found.balanced and found.gaps == 0 and (found.first, found.last) == ("2000", "2007")
    law, late = found.adoptions
    assert (law.column, law.pattern, law.date_column) == ("law", "staggered", "since")
    assert law.cohorts == (("2003", 1), ("2005", 2))
    assert (law.never_treated, law.always_treated) == (9, 0)
    assert law.first_treated == (("1", "2003"), ("2", "2005"), ("3", "2005"))
    assert (late.column, late.pattern, late.cohorts) == ("late", "everyone at one date", (("2004", 12),))
    assert found.dates == ("since",)


def test_dates_alone_say_who_was_treated_when() -> None:
    found = panel(long().drop(columns="law"))
    assert found is not None
    assert (found.adoptions[0].column, found.adoptions[0].cohorts) == ("since", (("2003", 1), ("2005", 2)))


def test_one_date_for_some_units() -> None:
    frame = long()
    frame["law"] = ((frame["county"] < 4) & (frame["year"] >= 2004)).astype(int)
    found = panel(frame.drop(columns="since"))
    assert found is not None
    law = next(one for one in found.adoptions if one.column == "law")
    assert (law.pattern, law.cohorts, law.never_treated) == ("one date", (("2004", 3),), 9)


def test_gaps_and_treated_from_the_start() -> None:
    frame = long()
    frame.loc[frame["county"] == 4, "law"] = 1
    frame = frame[~((frame["county"] == 5) & frame["year"].isin([2002, 2003, 2007]))]
    found = panel(frame)
    assert found is not None
    assert not found.balanced and found.gaps == 2  # 2007 is after its last row
    assert found.adoptions[0].always_treated == 1


def test_text_units_and_two_periods() -> None:
    names = [f"store {i}" for i in range(30)]
    frame = pd.DataFrame({"store": names * 2, "post": [0] * 30 + [1] * 30, "fte": np.arange(60.0)})
    found = panel(frame)
    assert found is not None and (found.unit, found.time, found.units, found.periods) == ("store", "post", 30, 2)


def test_a_doubled_unit_is_forgiven_and_counted() -> None:
    frame = long(units=60)
    frame = pd.concat([frame, frame.iloc[[5]]])
    found = panel(frame)
    assert found is not None and found.repeated == 1 and not found.balanced


def test_no_panel_in_a_cross_section() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.arange(300),
            "age": rng.integers(20, 60, 300),
            "year": rng.integers(1990, 2000, 300),
            "y": rng.normal(size=300),
        }
    )
    assert panel(frame) is None


def series(dataset: Dataset) -> str | None:
    return find_series(dataset, describe(dataset))


def test_a_single_series() -> None:
    weeks = pd.date_range("2020-01-05", periods=60, freq="W")
    frame = pd.DataFrame({"week": weeks, "sales": np.arange(60.0) ** 1.5, "promo": [0, 1] * 30, "zone": [1, 2, 3] * 20})
    assert panel(frame) is None
    assert series(from_frame(frame)) == "week"
    assert series(from_frame(frame.drop(columns="week"))) is None
