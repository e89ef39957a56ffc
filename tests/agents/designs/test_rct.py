"""Randomised trials: a published number, calibration over draws, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from causaldata import nsw_mixtape

from leucippus.agents.answer import answer
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from tests.agents.designs.simulation import World, caught, cover, not_too_wide
from tests.agents.designs.worlds.rct import WORLDS


def test_nsw_difference_in_means() -> None:
    """LaLonde (1986), Dehejia and Wahba (1999) Table 3: 1,794 with standard error 671 (Neyman's variance)."""
    data = from_frame(nsw_mixtape.load_pandas().data)
    said = answer(data, parse_design({"strategy": "rct", "treatment": "treat", "outcome": "re78"}))
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(1794.34, abs=0.01)
    assert said.estimate.se == pytest.approx(671.0, abs=0.1)
    assert said.estimate.second[0].agrees


@pytest.mark.parametrize("world", [world for world in WORLDS if world.truth is not None], ids=lambda world: world.name)
def test_intervals_cover_the_truth(world: World) -> None:
    found = cover(world, draws=60)
    assert found.answered == 60, found.reasons
    assert not_too_wide(found)
    assert found.covered >= 0.87  # below 0.87 has probability 0.005 if coverage is 0.95
    assert abs(found.bias) < 0.5


@pytest.mark.parametrize("world", [world for world in WORLDS if world.caught_by], ids=lambda world: world.name)
def test_broken_assumptions_are_caught(world: World) -> None:
    assert caught(world, draws=20) >= 0.9


def test_attrition_that_differs_fails_and_is_bounded() -> None:
    rng = np.random.default_rng(0)
    d = np.arange(400) % 2
    y = d + rng.normal(size=400)
    frame = pd.DataFrame({"treat": d, "y": np.where((d == 1) & (y < 0.5), np.nan, y)})  # the treated who do badly leave
    said = answer(from_frame(frame), parse_design({"strategy": "rct", "treatment": "treat", "outcome": "y"}))
    assert "attrition" in [check.name for check in said.vetting.failures]
    assert said.estimate is not None and said.estimate.estimate > 1.2
    bounds = next(challenge for challenge in said.challenges if challenge.name == "Lee bounds")
    # Those who would stay either way have effect 1, which is the lower bound here.
    assert bounds.figure == pytest.approx(1, abs=0.25)
