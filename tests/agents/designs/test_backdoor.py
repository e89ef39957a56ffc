"""Back-door adjustment: published numbers, calibration over draws, the overlap gate, and what is refused."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from causaldata import cps_mixtape, nhefs_complete, nsw_mixtape

from leucippus.agents.answer import Answer, answer, answer_json
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.errors import DesignError
from leucippus.graphs.reading import read_graph
from tests.agents.designs.simulation import World, caught, cover, not_too_wide
from tests.agents.designs.worlds.backdoor import WORLDS

IN_SHORT = ("ATE, effects differ", "ATT, effects differ", "ATO, no effect", "clusters treated whole", "dose, no effect")
"""Worlds that a quick test visits; benchmarks/calibration.py visits all."""
CLEAN = [world for world in WORLDS if world.name in IN_SHORT]
BROKEN = [world for world in WORLDS if world.caught_by]
NHEFS = {
    "strategy": "backdoor",
    "treatment": "qsmk",
    "outcome": "wt82_71",
    "controls": "sex, race, age, C(education), smokeintensity, smokeyrs, C(exercise), C(active), wt71",
}
NSW = {
    "strategy": "backdoor",
    "treatment": "treat",
    "outcome": "re78",
    "controls": "age, educ, black, hisp, marr, nodegree, re74, re75",
}


def _say(frame: pd.DataFrame, fields: Mapping[str, Any], graph: str = "", challenge: bool = False) -> Answer:
    return answer(from_frame(frame), parse_design(fields), read_graph(graph) if graph else None, challenge=challenge)


def _world(name: str, seed: int = 0) -> pd.DataFrame:
    return next(world for world in WORLDS if world.name == name).draw(np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("method", "published", "tolerance"),
    [("weighting", 3.44, 0.1), ("g-computation", 3.5, 0.1), ("", 3.44, 0.15), ("regression", 3.46, 0.15)],
)
def test_smoking_cessation_and_weight(method: str, published: float, tolerance: float) -> None:
    """Hernan and Robins (2020), What If: chapters 12 (weighting: 3.44, 2.4 to 4.5) and 13 (standardisation: 3.5)."""
    said = _say(nhefs_complete.load_pandas().data, {**NHEFS, "method": method})
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(published, abs=tolerance)
    assert said.estimate.ci_low == pytest.approx(2.4, abs=0.15)
    assert said.estimate.ci_high == pytest.approx(4.5, abs=0.2)
    assert said.estimate.second[0].agrees


def test_job_programme_against_the_population_survey_prints_no_average_effect() -> None:
    """LaLonde (1986): 185 trainees, 15,992 men who never could have been. The experiment says 1,794 (671)."""
    trainees = nsw_mixtape.load_pandas().data.query("treat == 1")
    said = _say(pd.concat([trainees, cps_mixtape.load_pandas().data]), NSW)
    assert said.vetting.stated.estimand == "ATE"
    assert said.vetting.moves and "do not support the ATE" in said.vetting.moves[0]
    assert said.estimate is not None and said.estimate.estimand == "ATT"
    assert said.estimate.estimate == pytest.approx(1794, abs=800)
    assert said.estimate.ci_low < 1794 < said.estimate.ci_high
    assert said.estimate.second[0].agrees


@pytest.mark.parametrize("world", CLEAN, ids=lambda world: world.name)
def test_intervals_cover_the_truth(world: World) -> None:
    found = cover(world, draws=25)
    assert found.answered == 25, found.reasons
    assert not_too_wide(found)
    assert found.covered >= 0.8  # below 0.8 has probability 0.001 if coverage is 0.95
    assert abs(found.bias) < 0.5


@pytest.mark.parametrize("world", BROKEN, ids=lambda world: world.name)
def test_broken_assumptions_are_caught(world: World) -> None:
    assert caught(world, draws=15) >= 0.9


def test_without_adjustment_the_confounded_world_is_biased() -> None:
    """What the other tests take for granted: there is something to adjust for."""
    frame = pd.concat([_world("ATE, no effect", seed) for seed in range(10)])
    gap = frame.groupby("treat")["y"].mean()
    assert gap[1] - gap[0] > 0.5


def test_arms_that_never_meet_give_bounds_and_no_number() -> None:
    said = _say(_world("arms apart"), {**NSW, "treatment": "treat", "outcome": "y", "controls": "x"})
    assert said.estimate is None
    assert "nor any other average effect" in said.reasons[0]
    assert said.bounds is not None and said.bounds.low < said.bounds.high


def test_no_controls_are_accepted_only_on_the_word_of_a_graph() -> None:
    frame = _world("M-bias")
    fields = {"strategy": "backdoor", "treatment": "treat", "outcome": "y"}
    assert _say(frame, fields).estimate is None
    graph = "a -> treat; a -> m; b -> m; b -> y; treat -> y"
    with_graph = _say(frame, fields, graph)
    assert with_graph.estimate is not None and abs(with_graph.estimate.estimate) < 0.5
    refused = _say(frame, {**fields, "controls": "m"}, graph)
    assert refused.estimate is None
    assert any("Adjust for nothing" in remedy for remedy in refused.remedies)


def test_remedy_names_the_set_that_the_graph_calls_valid() -> None:
    frame = _world("ATE, no effect")
    graph = "x -> treat; x -> y; z -> treat; z -> y; treat -> y"
    fields = {"strategy": "backdoor", "treatment": "treat", "outcome": "y", "controls": "x"}
    said = _say(frame, fields, graph)
    assert said.estimate is None
    assert any(remedy.startswith("Adjust for x, z") for remedy in said.remedies)


def test_remedy_where_no_measured_set_is_valid() -> None:
    fields = {"strategy": "backdoor", "treatment": "treat", "outcome": "y", "controls": "x"}
    said = _say(_world("ATE, no effect"), fields, "x -> treat; x -> y; treat -> y; u -> treat; u -> y")
    assert said.estimate is None
    assert any("measure the common cause of treat and y" in remedy for remedy in said.remedies)


def test_challenges_say_what_they_found() -> None:
    world = next(world for world in WORLDS if world.name == "ATE, effects differ")
    graph = "x -> treat; x -> y; z -> treat; z -> y; treat -> y; x -> w; w -> y"
    frame = _world(world.name).assign(w=lambda rows: rows["x"])
    said = _say(frame, {**world.design, "controls": "x, z"}, graph, challenge=True)
    names = {found.name: found for found in said.challenges}
    for name in ("E-value", "robustness value", "leave one control out", "other methods", "trimming curve"):
        figure = names[name].figure
        assert figure is not None and np.isfinite(figure), name
    assert names["leave one control out"].sentence.startswith("The estimate rests most on x")
    assert {row["method"] for row in names["other methods"].table} >= {"partially linear", "weighting", "matching"}
    assert answer_json(said)["challenges"]


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATC", "ATO"])
def test_awkward_controls_do_not_break_it(estimand: str) -> None:
    """All dummies of a factor, a level with one row, a copy of a column, a constant, a quote in a name."""
    frame = _world("binary outcome")
    frame["copy of 'x'"] = 2 * frame["x"] + 1
    frame["constant"] = 1
    frame["kind"] = ["only one"] + ["a", "b", "c"] * 199 + ["a", "b"]
    for kind in "abc":
        frame[kind] = (frame["kind"] == kind).astype(int)
    controls = ["x", "z", "copy of 'x'", "constant", "kind", "a", "b", "c"]
    fields = {"strategy": "backdoor", "treatment": "treat", "outcome": "y", "controls": controls}
    for method in ("", "weighting", "g-computation", "matching", "regression"):
        said = _say(frame, {**fields, "estimand": estimand, "method": method}, challenge=True)
        assert said.estimate is not None, said.reasons
        assert said.estimate.estimate == pytest.approx(0.15, abs=0.15)


@pytest.mark.parametrize("treated", [1, 2, 6])
def test_hardly_anyone_treated(treated: int) -> None:
    frame = _world("binary outcome")
    frame["treat"] = (np.arange(len(frame)) < treated).astype(int)
    said = _say(frame, {**NSW, "outcome": "y", "controls": "x, z"}, challenge=True)
    assert said.estimate is not None or said.reasons
    if treated < 5:
        assert said.estimate is None


def test_a_rare_outcome_is_estimated_or_refused() -> None:
    frame = _world("binary outcome")
    frame["y"] = (np.arange(len(frame)) % 200 == 0).astype(int)
    said = _say(frame, {**NSW, "outcome": "y", "controls": "x, z"}, challenge=True)
    assert said.estimate is not None and abs(said.estimate.estimate) < 0.05


def test_a_dose_has_one_slope() -> None:
    said = _say(_world("dose"), {**NSW, "outcome": "y", "controls": "x", "estimand": "ATT"}, challenge=True)
    assert said.vetting.moves and said.estimate is not None
    assert said.estimate.estimand == "ATE" and said.estimate.details["method"] == "partially linear"


def test_overlap_weights_are_the_method_of_the_ato() -> None:
    said = _say(
        _world("ATE, no effect"), {**NSW, "outcome": "y", "controls": "x, z", "estimand": "ATO", "method": "aipw"}
    )
    assert said.vetting.moves and said.estimate is not None
    assert said.estimate.details["method"] == "weighting"
    assert said.estimate.second[0].agrees


def test_manski_bounds_hold_the_truth() -> None:
    frame = _world("binary outcome")
    said = _say(frame, {"strategy": "backdoor", "treatment": "treat", "outcome": "y"})
    assert said.bounds is not None
    assert said.bounds.low < 0.15 < said.bounds.high
    assert said.bounds.high - said.bounds.low == pytest.approx(1)


def test_unknown_method_is_an_error() -> None:
    with pytest.raises(DesignError, match="method"):
        parse_design({**NSW, "method": "magic"})


def test_the_figure_is_drawn() -> None:
    from matplotlib.figure import Figure

    for name, controls in (("ATE, no effect", "x, z"), ("dose", "x")):
        said = _say(_world(name), {**NSW, "outcome": "y", "controls": controls})
        assert said.estimate is not None
        axes = Figure().subplots()
        said.vetting.design.draw(axes, said.vetting.study, said.estimate)
        assert axes.has_data()


def test_an_outcome_computed_from_the_treatment_is_refused() -> None:
    frame = _world("ATE, no effect").assign(y=lambda rows: rows["treat"])
    for method in ("", "weighting", "regression", "g-computation", "matching"):
        said = _say(frame, {**NSW, "outcome": "y", "controls": "x, z", "method": method})
        assert said.estimate is None
        exactly = "fits every row exactly" if method == "regression" else "nothing is left to judge chance by"
        assert exactly in said.reasons[0]


def test_a_constant_is_no_control() -> None:
    said = _say(_world("ATE, no effect").assign(one=1), {**NSW, "outcome": "y", "controls": "one"}, challenge=True)
    assert said.estimate is None and said.reasons[0].startswith("The controls are constant")


def test_matching_gives_way_where_rows_are_clustered() -> None:
    fields = {**NSW, "outcome": "y", "controls": "x", "cluster": "village", "method": "matching"}
    said = _say(_world("clusters treated whole"), fields)
    assert said.vetting.moves and said.estimate is not None
    assert said.estimate.details["method"] == "aipw" and said.estimate.clusters == 60


def test_one_coefficient_is_not_the_effect_on_the_treated() -> None:
    """Half the rows have nobody like them, and effects grow with x: what least squares gives is nobody's average."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, 1500)
    d = (rng.random(1500) < np.where(x > 0.6, 0.0, 0.5)).astype(int)
    frame = pd.DataFrame({"x": x, "treat": d, "y": x**2 + d * (1 + 2 * x) + rng.normal(0, 0.1, 1500)})
    fields = {"strategy": "backdoor", "treatment": "treat", "outcome": "y", "controls": "x", "method": "regression"}
    said = _say(frame, {**fields, "estimand": "ATT"})
    assert [check.name for check in said.vetting.moved] == ["method and estimand fit the treatment"]
    assert said.estimate is not None and said.estimate.details["method"] == "aipw"
    assert said.estimate.estimate == pytest.approx(1 + 2 * x[d == 1].mean(), abs=0.05)
