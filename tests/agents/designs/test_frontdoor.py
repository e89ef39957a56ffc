"""Front door: Pearl's numbers, calibration over draws, and what is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from leucippus.agents.answer import Answer, answer
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.errors import DesignError
from leucippus.graphs.reading import read_graph
from tests.agents.designs.simulation import World, caught, cover, not_too_wide
from tests.agents.designs.worlds.frontdoor import WORLDS


def _asked(frame: pd.DataFrame, **fields: Any) -> Answer:
    design = {"strategy": "frontdoor", "treatment": "smoke", "mediator": "tar", "outcome": "cancer", **fields}
    return answer(from_frame(frame), parse_design(design))


def pearls_table() -> pd.DataFrame:
    """Pearl (2009), Causality, Table 3.1: of 1,000 men 47.5% do not smoke and have no tar, 10% of them cancer, and so on."""
    groups = ((0, 0, 475, 0.10), (1, 0, 25, 0.90), (0, 1, 25, 0.05), (1, 1, 475, 0.85))
    rows = [
        (smoke, tar, int(i < round(20 * size * share))) for smoke, tar, size, share in groups for i in range(20 * size)
    ]
    return pd.DataFrame(rows, columns=["smoke", "tar", "cancer"])


def test_pearls_smokers() -> None:
    """Pearl (2009), Causality, section 3.3.2: P(cancer | do(smoke)) = 0.4525 and 0.4975 without, though smokers have
    cancer far more often: the effect is -0.045."""
    said = _asked(pearls_table())
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(0.4525 - 0.4975, abs=1e-9)
    assert said.estimate.details["unadjusted for what is unmeasured"] > 0.7
    assert said.estimate.second[0].estimate == pytest.approx(said.estimate.estimate, abs=0.01)


@pytest.mark.parametrize("world", [world for world in WORLDS if world.truth is not None], ids=lambda world: world.name)
def test_intervals_cover_the_truth(world: World) -> None:
    found = cover(world, draws=40)
    assert found.answered == 40, found.reasons
    assert not_too_wide(found)
    assert found.covered >= 0.85  # below has probability 0.003 if coverage is 0.95
    assert abs(found.bias) < 0.6


@pytest.mark.parametrize("world", [world for world in WORLDS if world.caught_by], ids=lambda world: world.name)
def test_broken_assumptions_are_caught(world: World) -> None:
    assert caught(world, draws=20) >= 0.85


def test_a_graph_in_which_a_control_closes_the_back_door_passes() -> None:
    frame = pearls_table().iloc[::5].reset_index(drop=True).assign(poor=lambda frame: np.arange(len(frame)) % 3 % 2)
    graph = "smoke -> tar; tar -> cancer; smoke <-> cancer; poor -> tar; poor -> cancer; poor -> smoke"
    for controls, verdict in (([], "failed"), (["poor"], "passed")):
        world = World(
            "",
            {
                "strategy": "front-door",
                "treatment": "smoke",
                "mediator": "tar",
                "outcome": "cancer",
                "controls": controls,
            },
            lambda rng: frame,
            caught_by="front door by the graph",
            graph=graph,
        )
        assert caught(world, 1) == (verdict == "failed")


def test_a_control_closes_no_path_around_the_mediator() -> None:
    frame = pearls_table().iloc[::5].reset_index(drop=True).assign(poor=lambda frame: np.arange(len(frame)) % 3 % 2)
    graph = read_graph("smoke -> tar; tar -> cancer; smoke -> cancer; smoke <-> cancer; poor -> tar; poor -> cancer")
    fields = {
        "strategy": "frontdoor",
        "treatment": "smoke",
        "mediator": "tar",
        "outcome": "cancer",
        "controls": ["poor"],
    }
    said = answer(from_frame(frame), parse_design(fields), graph)
    assert said.reasons == ("By the graph the causal path smoke -> cancer goes around the set.",)


def test_overlap_is_asked_of_arms_and_not_of_a_dose() -> None:
    rng = np.random.default_rng(0)
    smoke = rng.normal(5, 2, 200)
    tar = smoke + rng.normal(0, 1, 200)
    said = _asked(pd.DataFrame({"smoke": smoke, "tar": tar, "cancer": tar + rng.normal(0, 1, 200)}))
    assert said.estimate is not None
    assert [check.verdict for check in said.vetting.checks if check.name.startswith("overlap")] == ["not testable"]


def test_a_value_of_the_mediator_in_one_arm_only_is_refused() -> None:
    frame = pearls_table()
    said = _asked(frame[(frame["smoke"] == 1) | (frame["tar"] == 0)])
    assert said.estimate is None
    assert "occurs in at least 0 rows of each arm" in said.reasons[0]


def test_mediators_are_columns_of_their_own() -> None:
    fields = {"strategy": "frontdoor", "treatment": "a", "outcome": "b"}
    for mediator, words in ((["c", "a"], "third column"), ([], "at least one")):
        with pytest.raises(DesignError, match=words):
            parse_design({**fields, "mediator": mediator})
    said = _asked(pearls_table(), controls=["tar"])
    assert said.estimate is None
    assert "both mediator and control" in " ".join(said.reasons)


def test_a_constant_mediator_is_refused() -> None:
    said = _asked(pearls_table().assign(tar=1))
    assert said.estimate is None
    assert "constant" in said.reasons[0]


def test_several_mediators_and_odd_names() -> None:
    rng = np.random.default_rng(0)
    smoke = np.arange(300) % 2
    frame = pd.DataFrame({"smoke": smoke, 'a "b"': smoke + rng.normal(size=300), "c ~ d": rng.normal(size=300)})
    frame["cancer"] = frame['a "b"'] + rng.normal(size=300)
    said = _asked(frame, mediator=['a "b"', "c ~ d"])
    assert said.estimate is not None
    assert said.estimate.second[0].agrees
    left_out = next(item for item in said.challenges if item.name == "one mediator left out")
    assert left_out.table[0]["estimate"] == pytest.approx(0, abs=0.1)
