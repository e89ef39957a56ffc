"""Regression discontinuity: published numbers, calibration over draws, moves and refusals."""

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from causaldata import close_elections_lmb, gov_transfers
from rdrobust.datasets import rdrobust_RDsenate

from leucippus.agents.answer import Answer, answer, answer_json
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.errors import DesignError
from tests.agents.designs.simulation import World, caught, cover, not_too_wide
from tests.agents.designs.worlds.rd import WORLDS

matplotlib.use("Agg")
SENATE = rdrobust_RDsenate()
SENATE_DESIGN = {"strategy": "rd", "treatment": "margin", "outcome": "vote", "running_variable": "margin", "cutoff": 0}


def _ask(frame: pd.DataFrame, design: dict[str, Any], challenge: bool = False) -> Answer:
    return answer(from_frame(frame), parse_design(design), challenge=challenge)


def test_senate() -> None:
    """Calonico, Cattaneo, Farrell and Titiunik (2017), Stata J. 17: 7.414 (1.459), robust interval [4.094, 10.919]."""
    said = _ask(SENATE[["margin", "vote"]], SENATE_DESIGN, challenge=True)
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(7.414, abs=5e-4)
    assert said.estimate.se == pytest.approx(1.459, abs=5e-4)
    assert (said.estimate.ci_low, said.estimate.ci_high) == pytest.approx((4.094, 10.919), abs=5e-4)
    assert said.estimate.details["bandwidth"] == pytest.approx(17.754, abs=5e-4)
    assert said.estimate.n_used == 360 + 323
    assert said.estimate.n_used + sum(row.rows for row in said.estimate.dropped) == len(SENATE)
    assert said.estimate.second[0].agrees
    assert {challenge.name for challenge in said.challenges} >= {"bandwidth", "placebo cutoffs", "donut", "single rows"}
    assert all(challenge.verdict == "stands" for challenge in said.challenges if challenge.name != "donut")
    answer_json(said)


def test_close_elections() -> None:
    """Lee, Moretti and Butler (2004), Table I: 21.2 (1.9) for 48 to 52 %; 21.28 (1.95) on these rows (Mixtape)."""
    votes = close_elections_lmb.load_pandas().data
    design = {
        "strategy": "rd",
        "treatment": "lagdemocrat",
        "outcome": "score",
        "running_variable": "lagdemvoteshare",
        "cutoff": 0.5,
        "subset": "0.48 <= lagdemvoteshare <= 0.52",
    }
    said = _ask(votes[["score", "lagdemocrat", "lagdemvoteshare"]], design, challenge=True)
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(21.28, abs=0.01)
    assert said.estimate.se == pytest.approx(1.95, abs=0.01)
    assert said.estimate.second[0].agrees
    line = said.estimate.details["bias_corrected"]
    assert line["estimate"] == pytest.approx(24.84, abs=0.01)  # what a slope within the window would make of it
    assert said.estimate.ci_low < 21.28 < line["estimate"] < said.estimate.ci_high


def test_transfers_quadratic() -> None:
    """Huntington-Klein, The Effect, ch. 20: 0.093 (0.044) with a quadratic over all rows, treated below the cutoff."""
    data = gov_transfers.load_pandas().data
    design = {
        "strategy": "rd",
        "treatment": "Participation",
        "outcome": "Support",
        "running_variable": "Income_Centered",
        "cutoff": 0,
        "bandwidth": 0.02,
        "order": 2,
        "kernel": "uniform",
    }
    said = _ask(data, design)
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(0.0929, abs=5e-5)
    assert said.estimate.se == pytest.approx(0.044, abs=5e-4)


@pytest.mark.parametrize(
    "world",
    [
        world
        for world in WORLDS
        if world.name in ("fuzzy, no effect", "cells of age", "by a hair, sloping", "fifty rows")
    ],
    ids=lambda world: world.name,
)
def test_intervals_cover_the_truth(world: World) -> None:
    found = cover(world, draws=30)
    assert found.answered >= 29, found.reasons
    assert not_too_wide(found)
    assert found.covered >= 0.85  # below 0.85 has probability 0.006 if coverage is 0.95
    if "sloping" not in world.name:  # there the difference in means is off, and the interval has to make up for it
        assert abs(found.bias) < 0.6


@pytest.mark.parametrize("world", [world for world in WORLDS if world.caught_by], ids=lambda world: world.name)
def test_broken_assumptions_are_caught(world: World) -> None:
    assert caught(world, draws=8) >= 0.75


def test_a_sharp_claim_moves_to_fuzzy_and_back() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 1000)
    frame = pd.DataFrame({"x": x, "some": (rng.uniform(size=1000) < 0.2 + 0.6 * (x >= 0)).astype(int), "all": x >= 0})
    frame["y"] = x + 2 * frame["some"] + rng.normal(0, 0.5, 1000)
    design = {"strategy": "rd", "outcome": "y", "running_variable": "x", "cutoff": 0}
    fuzzy = _ask(frame, {**design, "treatment": "some", "fuzzy": False})
    assert fuzzy.vetting.moves and fuzzy.estimate is not None
    assert fuzzy.estimate.details["fuzzy"] and fuzzy.estimate.estimate == pytest.approx(2, abs=0.8)
    sharp = _ask(frame, {**design, "treatment": "all", "fuzzy": True})
    assert sharp.vetting.moves and sharp.estimate is not None and not sharp.estimate.details["fuzzy"]
    itt = _ask(frame, {**design, "treatment": "some", "estimand": "ITT"})
    assert itt.estimate is not None and sharp.estimate.estimate == pytest.approx(itt.estimate.estimate)


def test_side_of_rows_at_the_cutoff_and_sign() -> None:
    """Mirroring the running variable and swapping the arms change the sign and nothing else."""
    frame = SENATE[["margin", "vote"]].dropna().assign(margin=lambda rows: rows["margin"].round())
    frame["dem"] = (frame["margin"] > 0).astype(int)  # rows at 0 are not treated
    frame["rep"], frame["other"] = 1 - frame["dem"], -frame["margin"]
    design = {"strategy": "rd", "outcome": "vote", "cutoff": 0, "treatment": "dem", "running_variable": "margin"}
    first = _ask(frame, design).estimate
    second = _ask(frame, {**design, "treatment": "rep", "running_variable": "other"}).estimate
    assert first is not None and second is not None
    assert not first.details["fuzzy"]
    assert second.estimate == pytest.approx(-first.estimate)
    assert (second.ci_low, second.ci_high) == pytest.approx((-first.ci_high, -first.ci_low))


def test_clusters_of_the_running_variable_are_dropped() -> None:
    ages = next(world for world in WORLDS if world.name == "years of age")
    frame = ages.draw(np.random.default_rng(0))
    said = _ask(frame, {**ages.design, "cluster": "age"})
    assert said.estimate is not None and said.vetting.moves and said.estimate.clusters is None


def test_donut_and_stated_bandwidth() -> None:
    said = _ask(SENATE[["margin", "vote"]], {**SENATE_DESIGN, "bandwidth": 15, "donut": 0.5})
    assert said.estimate is not None and said.estimate.details["bandwidth"] == 15
    assert any(row.reason.startswith("within 0.5") for row in said.estimate.dropped)
    assert said.estimate.n_used + sum(row.rows for row in said.estimate.dropped) == len(SENATE)


def test_refusals_say_why() -> None:
    frame = SENATE[["margin", "vote"]]
    said = _ask(frame, {**SENATE_DESIGN, "cutoff": 200})
    assert said.refused and "only one side" in said.reasons[0]
    gap = frame[(frame["margin"] >= 0) | (frame["margin"] < -40)]
    assert "no observations near the cutoff" in _ask(gap, SENATE_DESIGN).reasons[0]
    assert "different values" in _ask(frame, {**SENATE_DESIGN, "bandwidth": 0.001}).reasons[0]
    assert "only one side" in _ask(frame, {**SENATE_DESIGN, "donut": 500}).reasons[0]
    coarse = frame.assign(margin=np.sign(frame["margin"]) * np.ceil(frame["margin"].abs() / 60))
    assert "different values" in _ask(coarse, SENATE_DESIGN).reasons[0]
    assert _ask(frame, {**SENATE_DESIGN, "bandwidth": 1000}, challenge=True).estimate is not None
    with pytest.raises(DesignError, match="cutoff"):
        parse_design({key: value for key, value in SENATE_DESIGN.items() if key != "cutoff"})
    with pytest.raises(DesignError, match="treated_side"):
        parse_design({**SENATE_DESIGN, "treated_value": 1})
    with pytest.raises(DesignError, match="donut"):
        parse_design({**SENATE_DESIGN, "bandwidth": 1, "donut": 2})


@pytest.mark.parametrize("world", [WORLDS[2], WORLDS[3], WORLDS[4], WORLDS[7]], ids=lambda world: world.name)
def test_challenges_and_figure(world: World) -> None:
    from matplotlib.figure import Figure

    frame = world.draw(np.random.default_rng(1))
    said = _ask(frame, dict(world.design), challenge=True)
    assert said.estimate is not None and len(said.challenges) >= 5
    axes = Figure().add_subplot()
    said.vetting.design.draw(axes, said.vetting.study, said.estimate)
    assert len(axes.lines) == 5
