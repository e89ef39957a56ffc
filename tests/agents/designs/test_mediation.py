"""Mediation: published numbers, calibration over draws, and what is refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels

from leucippus.agents.answer import Answer, answer
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.errors import DesignError
from tests.agents.designs.simulation import World, caught, cover, not_too_wide
from tests.agents.designs.worlds.mediation import WORLDS


@pytest.fixture(scope="module")
def framing() -> pd.DataFrame:
    path = Path(statsmodels.__file__).parent / "stats" / "tests" / "results" / "framing.csv"
    if not path.exists():
        pytest.skip("this build of statsmodels comes without its test data")
    return pd.read_csv(path)


def _asked(frame: pd.DataFrame, **fields: Any) -> Answer:
    design: Mapping[str, Any] = {"strategy": "mediation", "treatment": "treat", "mediator": "emo", **fields}
    return answer(from_frame(frame), parse_design(design))


FRAMING = {"outcome": "cong_mesg", "controls": ["age", "educ", "gender", "income"]}


def test_framing_experiment(framing: pd.DataFrame) -> None:
    """Brader, Valentino and Suhay (2008), as analysed by the R package mediation 4.2.3 (bootstrap; the figures are in
    statsmodels' tests): ACME 0.0854 (0.030 to 0.145), ADE 0.0172 (-0.134 to 0.126), total 0.1026 (-0.037 to 0.227). The
    outcome is 0/1, there in a probit, here in a linear probability model: hence the tolerance."""
    said = _asked(framing, **FRAMING, interaction=False)
    assert said.estimate is not None
    assert said.estimate.estimate == pytest.approx(0.0854, abs=0.003)
    assert (said.estimate.ci_low, said.estimate.ci_high) == pytest.approx((0.030, 0.145), abs=0.008)
    effects = said.estimate.details["effects"]
    assert effects["direct effect"]["estimate"] == pytest.approx(0.0172, abs=0.005)
    assert effects["total effect"]["estimate"] == pytest.approx(0.1026, abs=0.005)
    assert said.estimate.second[0].agrees


def test_direct_and_indirect_make_up_the_total(framing: pd.DataFrame) -> None:
    indirect = _asked(framing, **FRAMING)
    direct = _asked(framing, **FRAMING, estimand="ADE")
    assert indirect.estimate is not None and direct.estimate is not None
    total = indirect.estimate.details["effects"]["total effect"]["estimate"]
    assert indirect.estimate.estimate + direct.estimate.estimate == pytest.approx(total)
    assert direct.estimate.estimand == "direct effect"


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


def _simple(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    treat = np.arange(n) % 2
    emo = treat + rng.normal(size=n)
    return pd.DataFrame({"treat": treat, "emo": emo, "y": emo + rng.normal(size=n), "x y": rng.normal(size=n)})


def test_sensitivity_is_the_correlation_of_errors() -> None:
    """At rho = 0 the curve is the estimate; at the rho it names, 0 (Imai, Keele and Yamamoto 2010, theorem 4)."""
    said = _asked(_simple(), outcome="y", interaction=False)
    assert said.estimate is not None
    challenge = next(item for item in said.challenges if item.name == "confounded mediator")
    assert challenge.figure is not None
    at = {row["rho"]: row["indirect effect"] for row in challenge.table}
    assert at[0.0] == pytest.approx(said.estimate.estimate)
    signs = [np.sign(effect) for _, effect in sorted(at.items())]
    crossing = next(i for i in range(1, len(signs)) if signs[i] != signs[i - 1])
    rhos = sorted(at)
    assert rhos[crossing - 1] <= challenge.figure <= rhos[crossing]


def _reach(said: Answer) -> dict[str, str]:
    return {check.name: check.verdict for check in said.vetting.checks if check.name.startswith("overlap")}


@pytest.mark.parametrize("estimand", ["indirect effect", "direct effect"])
def test_a_mediator_out_of_reach_is_refused_with_what_is_left_to_ask(estimand: str) -> None:
    frame = _simple()
    said = _asked(frame.assign(emo=frame["emo"] + 100 * frame["treat"]), outcome="y", estimand=estimand)
    assert said.estimate is None
    assert "100.0% of the treated" in said.reasons[0] and "extrapolated" in said.reasons[0]
    assert "total effect" in said.remedies[0]


def test_overlap_is_asked_of_arms_and_not_of_a_dose() -> None:
    frame = _simple()
    assert _reach(_asked(frame, outcome="y")) == {"overlap of the mediator": "passed"}
    assert _reach(_asked(frame, outcome="y", controls=["x y"])) == {
        "overlap": "passed",
        "overlap of the mediator": "passed",
    }
    dose = frame.assign(treat=np.random.default_rng(1).gamma(4, 2, len(frame)))
    assert _reach(_asked(dose, outcome="y", controls=["x y"])) == {"overlap": "not testable"}


def test_a_constant_mediator_is_refused() -> None:
    said = _asked(_simple().assign(emo=1.0), outcome="y")
    assert said.estimate is None
    assert "constant" in said.reasons[0]


def test_a_mediator_in_words_is_refused() -> None:
    with pytest.raises(DesignError, match="holds text"):
        _asked(_simple().assign(emo=["calm", "afraid", "angry"] * 40), outcome="y")


def test_the_mediator_is_a_third_column() -> None:
    with pytest.raises(DesignError, match="third column"):
        parse_design({"strategy": "mediation", "treatment": "treat", "mediator": "y", "outcome": "y"})


def test_a_mediator_known_to_be_earlier_is_refused() -> None:
    said = _asked(_simple(), outcome="y", before_treatment=["emo"])
    assert said.estimate is None
    assert "before the treatment" in said.reasons[0]


def test_names_of_columns_may_be_anything() -> None:
    frame = _simple().rename(columns={"emo": 'e "mo" ~ 1', "y": "y; z", "treat": "t r"})
    design = {
        "strategy": "mediation",
        "treatment": "t r",
        "mediator": 'e "mo" ~ 1',
        "outcome": "y; z",
        "controls": ["x y"],
    }
    said = answer(from_frame(frame), parse_design(design))
    assert said.estimate is not None and np.isfinite(said.estimate.se)
