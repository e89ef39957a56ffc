"""Survival: published numbers, calibration over draws, and what is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi, load_waltons

from leucippus.agents.answer import Answer, answer
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.errors import DesignError
from tests.agents.designs.simulation import World, caught, cover, not_too_wide
from tests.agents.designs.worlds.survival import WORLDS

ROSSI = {
    "strategy": "survival",
    "treatment": "fin",
    "outcome": "week",
    "event": "arrest",
    "controls": ["age", "race", "wexp", "mar", "paro", "prio"],
}


def _asked(frame: pd.DataFrame, **fields: Any) -> Answer:
    return answer(from_frame(frame), parse_design({"strategy": "survival", **fields}))


def test_recidivism_hazard_ratio() -> None:
    """Rossi, Berk and Lenihan (1980) as in Fox and Weisberg, Cox proportional-hazards regression (appendix to An R
    Companion to Applied Regression): coefficient of fin -0.3794 (0.1914), ratio 0.684 (0.470 to 0.996), p = 0.047."""
    said = _asked(load_rossi(), **{**ROSSI, "estimand": "hazard ratio"})
    assert said.estimate is not None
    assert said.estimate.details["log hazard ratio"] == pytest.approx(-0.37942, abs=1e-5)
    assert said.estimate.details["se of the log hazard ratio"] == pytest.approx(0.19138, abs=1e-5)
    assert said.estimate.estimate == pytest.approx(0.6843, abs=1e-4)
    assert (said.estimate.ci_low, said.estimate.ci_high) == pytest.approx((0.4702, 0.9957), abs=1e-4)
    assert said.estimate.p_value == pytest.approx(0.0474, abs=1e-4)
    assert said.estimate.second[0].agrees  # statsmodels


def test_weeks_without_arrest() -> None:
    """Nobody was lost before week 52, so the restricted mean is the mean of weeks, and its error that of two means."""
    frame = load_rossi()
    said = _asked(frame, **{**ROSSI, "controls": []})
    weeks = frame.groupby("fin")["week"].agg(["mean", "var", "size"])
    assert said.estimate is not None
    assert said.estimate.details["horizon"] == 52
    assert said.estimate.estimate == pytest.approx(weeks["mean"][1] - weeks["mean"][0])
    assert said.estimate.se == pytest.approx(np.sqrt((weeks["var"] / weeks["size"]).sum()), rel=0.02)
    assert said.estimate.second[0].estimate == pytest.approx(said.estimate.estimate)  # lifelines


def test_flies_hazard_changes_with_time() -> None:
    """The waltons data of lifelines: proportional hazards hold well enough; the arms differ whichever way it is put."""
    frame = load_waltons().assign(treated=lambda frame: (frame["group"] != "control").astype(int))
    fields = {"treatment": "treated", "outcome": "T", "event": "E"}
    ratio = _asked(frame, **fields, estimand="hazard ratio")
    assert ratio.vetting.moves or (ratio.estimate is not None and ratio.estimate.ci_low > 1)
    mean = _asked(frame, **fields)
    assert mean.estimate is not None and mean.estimate.ci_high < 0
    assert mean.estimate.second[0].agrees


@pytest.mark.parametrize("world", [world for world in WORLDS if world.truth is not None], ids=lambda world: world.name)
def test_intervals_cover_the_truth(world: World) -> None:
    draws = 12 if "ratio" in world.name else 30
    found = cover(world, draws)
    assert found.answered == draws, found.reasons
    assert not_too_wide(found)
    assert found.covered >= 0.8  # below has probability 0.002 (0.02 of 12 draws) if coverage is 0.95
    assert abs(found.bias) < 0.7


@pytest.mark.parametrize("world", [world for world in WORLDS if world.caught_by], ids=lambda world: world.name)
def test_broken_assumptions_are_caught(world: World) -> None:
    assert caught(world, draws=10) >= 0.9


def test_crossing_hazards_are_answered_in_time() -> None:
    """A hazard ratio that is not one number is moved to the restricted mean, and the answer says so."""
    world = next(world for world in WORLDS if world.name == "hazards cross")
    said = answer(from_frame(world.draw(np.random.default_rng(0))), parse_design(world.design))
    assert said.estimate is not None
    assert said.estimate.estimand == "RMST difference"
    assert "Schoenfeld" in said.vetting.moves[0]


def _trial(n: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"t r": np.arange(n) % 2, "time; x": rng.exponential(1, n), 'd "x"': rng.integers(0, 2, n)})


SMALL = {"treatment": "t r", "outcome": "time; x", "event": 'd "x"'}


def test_names_of_columns_may_be_anything() -> None:
    for estimand in ("RMST difference", "hazard ratio"):
        said = _asked(_trial(), **SMALL, estimand=estimand)
        assert said.estimate is not None and np.isfinite(said.estimate.se), said.reasons


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda frame: frame.assign(**{"time; x": -frame["time; x"]}), "negative"),
        (lambda frame: frame.assign(**{'d "x"': 0}), "nothing happened"),
        (lambda frame: frame.assign(**{'d "x"': frame['d "x"'] + 1}), "unclear which rows"),
    ],
)
def test_unusable_times_and_events_are_refused(spoil, words: str) -> None:  # type: ignore[no-untyped-def]
    said = _asked(spoil(_trial()), **SMALL)
    assert said.estimate is None
    assert words in said.reasons[0]


def test_an_arm_without_events_has_no_hazard_ratio_but_a_mean() -> None:
    frame = _trial()
    frame.loc[frame["t r"] == 1, 'd "x"'] = 0
    assert _asked(frame, **SMALL, estimand="hazard ratio").estimate is None
    said = _asked(frame, **SMALL)
    assert said.estimate is not None
    assert "events" in [check.name for check in said.vetting.failures]


def test_a_dose_moves_to_the_hazard_ratio() -> None:
    frame = _trial().assign(**{"t r": np.random.default_rng(1).normal(size=80)})
    said = _asked(frame, **SMALL)
    assert said.estimate is not None
    assert said.estimate.estimand == "hazard ratio"


def test_the_event_is_a_column_of_its_own() -> None:
    with pytest.raises(DesignError, match="its own column"):
        parse_design({"strategy": "survival", "treatment": "a", "outcome": "b", "event": "b"})
