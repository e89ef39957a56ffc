"""Synthetic control: a published example, calibration over draws, what is caught and what is refused."""

import numpy as np
import pandas as pd
import pytest
from causaldata import texas
from matplotlib.figure import Figure

from leucippus.agents.answer import Answer, answer, answer_json
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.errors import DataError, DesignError
from tests.agents.designs.simulation import World, caught, cover
from tests.agents.designs.worlds.synthetic_control import WORLDS, _panel

_SPEC = {"strategy": "synthetic_control", "treatment": "law", "outcome": "y", "unit": "place", "time": "year"}


def ask(frame: pd.DataFrame, challenge: bool = False, **fields: object) -> Answer:
    return answer(from_frame(frame), parse_design({**_SPEC, **fields}), challenge=challenge)


@pytest.fixture
def frame() -> pd.DataFrame:
    return _panel(np.random.default_rng(3), 2.0)


def prisons(**fields: object) -> Answer:
    return ask(
        texas.load_pandas().data,
        challenge=True,
        treatment="state",
        treated_group="Texas",
        first_treated="1993",
        outcome="bmprison",
        unit="state",
        time="year",
        **fields,
    )


def test_texas_prisons() -> None:
    """Cunningham, Causal Inference: The Mixtape, chapter 10 (Texas from 1993, 50 donors), outcomes before as predictors.

    The figure, 21,013, is what diff-diff's SyntheticControl gives from the same rows.
    """
    said = prisons()
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(21013.19, abs=0.05)
    assert said.estimate.second[0].agrees
    assert said.estimate.n_control == 50
    weights = said.estimate.details["weights"]
    assert sum(weights.values()) == pytest.approx(1, abs=1e-3)
    ranked = next(each for each in said.challenges if each.name == "placebo units")
    assert len(ranked.table) == 50
    assert said.estimate.p_value == ranked.figure


def test_texas_prisons_by_synthetic_did() -> None:
    """The same rows: 19,479 with the placebo standard error of Arkhangelsky et al. (2021), algorithm 4, of 1,330."""
    said = prisons(method="synthetic did")
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(19478.65, abs=0.05)
    assert said.estimate.se == pytest.approx(1330, rel=0.1)
    assert said.estimate.second[0].agrees


@pytest.mark.parametrize("world", [world for world in WORLDS if world.truth is not None], ids=lambda world: world.name)
def test_intervals_cover_the_truth(world: World) -> None:
    draws = 8 if world.design.get("method") else 20  # synthetic did refits 200 placebos for each
    found = cover(world, draws=draws)
    assert found.answered >= 0.9 * draws, found.reasons
    assert found.covered >= 0.7
    assert abs(found.bias) < 1


@pytest.mark.parametrize("world", [world for world in WORLDS if world.caught_by], ids=lambda world: world.name)
def test_broken_assumptions_are_caught(world: World) -> None:
    assert caught(world, draws=20) >= 0.9


def test_three_ways_to_say_who_and_when(frame: pd.DataFrame) -> None:
    column = ask(frame).estimate
    fields = ask(frame, treatment="place", treated_group="place 0", first_treated=2010).estimate
    begin = frame.assign(begin=np.where(frame["place"] == "place 0", 2010.0, np.nan))
    by_column = ask(begin, treatment="place", treated_group=["place 0"], first_treated="begin").estimate
    assert column is not None and fields is not None and by_column is not None
    assert fields.estimate == by_column.estimate == column.estimate


def test_treated_value_of_the_treatment_column(frame: pd.DataFrame) -> None:
    ever = frame.assign(law=(frame["place"] == "place 0").astype(int))
    one, other = ask(ever, first_treated=2010).estimate, ask(ever, treated_group=1, first_treated=2010).estimate
    whole = ask(frame).estimate
    assert one is not None and other is not None and whole is not None
    assert one.estimate == other.estimate == whole.estimate


def test_periods_in_text(frame: pd.DataFrame) -> None:
    years = ask(frame).estimate
    quarters = frame.assign(year=[f"Q{year % 4 + 1}{1990 + year // 4}" for year in frame["year"] - 1980])
    found = ask(quarters).estimate
    assert years is not None and found is not None
    assert found.estimate == pytest.approx(years.estimate)


def test_other_treated_units_are_no_donors(frame: pd.DataFrame) -> None:
    second = frame.assign(law=frame["law"] | ((frame["place"] == "place 5") & (frame["year"] >= 2000)))
    said = ask(second, treated_group="place 0")
    assert said.estimate is not None
    assert said.estimate.n_control == 23
    assert any("treated at some time" in row.reason and row.rows == 40 for row in said.estimate.dropped)


def test_staggered_dates_are_refused(frame: pd.DataFrame) -> None:
    second = frame.assign(law=frame["law"] | ((frame["place"] == "place 5") & (frame["year"] >= 2000)))
    with pytest.raises(DesignError, match="different dates"):
        ask(second)


def test_contradicting_dates_are_refused(frame: pd.DataFrame) -> None:
    said = ask(frame, first_treated=2005)
    assert said.refused and "first_treated says 2005" in said.reasons[0]


def test_unknown_unit_is_refused_with_a_suggestion(frame: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match="Did you mean 'place 2'"):
        ask(frame, treated_group="plaec 2", first_treated=2010)


def test_nobody_treated_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match="nothing says which place is treated"):
        ask(frame.assign(law=0))


def test_two_rows_in_a_cell_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="1 further rows"):
        ask(pd.concat([frame, frame.iloc[:1]]))


def test_gaps_leave_donors_out_and_are_told(frame: pd.DataFrame) -> None:
    frame.loc[(frame["place"] == "place 7") & (frame["year"] == 1990), "y"] = np.nan
    said = ask(frame)
    assert said.estimate is not None
    assert said.estimate.n_control == 23
    assert "balanced panel" in [check.name for check in said.vetting.failures]


def test_all_donors_alike_is_refused(frame: pd.DataFrame) -> None:
    said = ask(frame.assign(y=frame["year"] % 7 + frame["law"]))
    assert said.refused and "between donors" in said.reasons[0]


def test_answer_is_plain_and_drawn(frame: pd.DataFrame) -> None:
    said = ask(frame, challenge=True, controls=["wealth"])
    plain = answer_json(said)
    assert len(plain["details"]["path"]) == 40
    assert {"leave one donor out", "backdated treatment", "without predictors"} <= {
        each["name"] for each in plain["challenges"]
    }
    assert said.estimate is not None
    axes = Figure().subplots()
    said.vetting.design.draw(axes, said.vetting.study, said.estimate)
    assert len(axes.lines) == 3


def test_a_predictor_with_gaps_costs_no_rows(frame: pd.DataFrame) -> None:
    gappy = frame.assign(wealth=frame["wealth"].where(frame["year"] % 2 == 0))
    said = ask(gappy, controls=["wealth"])
    assert said.estimate is not None and said.estimate.n_used == len(frame) and not said.estimate.dropped
    unit = frame["place"].iloc[0]
    with pytest.raises(DataError, match="no value before the treatment"):
        ask(gappy.assign(wealth=gappy["wealth"].where(frame["place"] != unit)), controls=["wealth"])
