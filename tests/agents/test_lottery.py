"""Columns drawn by lot pass, chosen ones do not; and what a lot moves is named as its treatment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leucippus.agents.columns import describe
from leucippus.agents.dataset import from_frame
from leucippus.agents.estimators.joint_test import joint_p
from leucippus.agents.lottery import Instrument, Lottery, find_lotteries, looks_like_a_trait


def world(seed: int, n: int = 800) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 60, n),
            "female": rng.integers(0, 2, n),
            "race": rng.choice(["a", "b", "c"], n),
            "baseline_income": rng.normal(size=n),
            "offer": rng.integers(0, 2, n),
            "arm": rng.choice(["x", "y", "z"], n),
        }
    )
    taken = 0.1 + 0.5 * frame["offer"] + 0.02 * (frame["age"] - 40) * (rng.random(n) < 0.5)
    frame["took"] = (rng.random(n) < taken).astype(int)
    frame["chosen"] = (rng.normal(size=n) + 0.05 * frame["age"] > 2).astype(int)
    return frame


def look(frame: pd.DataFrame) -> tuple[tuple[Lottery, ...], tuple[Instrument, ...]]:
    dataset = from_frame(frame)
    return find_lotteries(dataset, describe(dataset))


def test_lots_and_choices() -> None:
    draws = [look(world(seed)) for seed in range(20)]
    drawn = [{one.column for one in lotteries} for lotteries, _ in draws]
    assert sum("offer" in names for names in drawn) >= 19
    assert sum("arm" in names for names in drawn) >= 19
    assert not any(names & {"took", "chosen", "age", "female"} for names in drawn)
    for _, instruments in draws:
        assert {(one.column, one.treatment) for one in instruments} <= {("offer", "took")}
    assert sum(bool(instruments) for _, instruments in draws) >= 19
    assert np.mean([one.effect for _, instruments in draws for one in instruments]) == pytest.approx(0.5, abs=0.05)


def test_values_need_not_be_nought_and_one() -> None:
    frame = world(1)
    _, plain = look(frame)
    _, coded = look(frame.assign(offer=frame["offer"] + 1, took=frame["took"].map({0: "no", 1: "yes"})))
    assert coded == plain


def test_too_few_traits_or_rows_say_nothing() -> None:
    assert look(world(0)[["age", "female", "offer"]]) == ((), ())
    assert look(world(0, n=40)) == ((), ())


def test_the_joint_test_keeps_its_level() -> None:
    rng = np.random.default_rng(0)
    p = [joint_p(rng.normal(size=(100, 5)), (rng.random(100) < 0.3).astype(float)) for _ in range(400)]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09
    assert 0.4 < np.mean(p) < 0.6


def test_the_joint_test_agrees_with_least_squares() -> None:
    from statsmodels.regression.linear_model import OLS

    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 3))
    b = (x[:, 0] + rng.normal(size=80) > 0).astype(float)
    assert joint_p(x, b) == pytest.approx(float(OLS(b, np.column_stack([np.ones(80), x])).fit().f_pvalue))
    assert np.isnan(joint_p(np.ones((80, 2)), b))
    assert joint_p(b[:, None], b) == 0.0


@pytest.mark.parametrize(
    ("name", "expected"),
    [("age", True), ("Female", True), ("baseline_esr", True), ("fatheduc", True), ("race", True)]
    + [("treat", False), ("message", False), ("wage", False), ("average", False), ("training_offer", False)],
)
def test_names_of_traits(name: str, expected: bool) -> None:
    assert looks_like_a_trait(name) is expected
