"""Rules are found where there are rules; steep, smooth and absent relations are not taken for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leucippus.agents.columns import Floats, describe
from leucippus.agents.dataset import from_frame
from leucippus.agents.thresholds import find_jump, find_thresholds, local_linear_jump, roundest

Share = Callable[[Floats], Any]


def found_in(share: Share, n: int, draws: int = 40) -> list[tuple[float, bool, float, float]]:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        x = np.sort(rng.normal(size=n))
        jump = find_jump(x, (rng.random(n) < share(x)).astype(float))
        if jump is not None:
            found.append(jump)
    return found


def test_a_sharp_rule_is_found() -> None:
    found = found_in(lambda x: (x >= 0.3).astype(float), 300)
    assert len(found) == 40
    assert all(sharp and abs(cutoff - 0.3) < 0.1 and jump == 1 for cutoff, sharp, jump, _ in found)


def test_a_rule_that_treats_below() -> None:
    x: Floats = np.arange(100, dtype=np.float64)
    assert find_jump(x, (x < 37).astype(float)) == (37.0, True, -1.0, 0.0)


def test_a_fuzzy_rule_is_found() -> None:
    found = found_in(lambda x: 0.2 + 0.6 * (x >= 0), 2_000)
    assert len(found) >= 38
    assert all(not sharp and abs(cutoff) < 0.1 for cutoff, sharp, _, _ in found)
    assert np.mean([jump for _, _, jump, _ in found]) == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize(
    "share",
    [
        lambda x: np.full(len(x), 0.3),
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x: 1 / (1 + np.exp(-4 * x)),
        lambda x: np.clip(0.5 + 0.3 * x, 0, 1),
    ],
    ids=["unrelated", "logistic", "steep logistic", "linear"],
)
@pytest.mark.parametrize("n", [200, 2_000])
def test_a_smooth_relation_is_no_rule(share: Share, n: int) -> None:
    assert len(found_in(share, n)) <= 1


def test_columns_of_a_data_set() -> None:
    rng = np.random.default_rng(0)
    n = 1_000
    margin = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "row_id": np.arange(n),
            "margin": margin,
            "won": np.where(margin > 0, "yes", "no"),
            "other": rng.normal(size=n),
            "coin": rng.integers(0, 2, n),
            "year": 1900 + np.arange(n) // 10,
            "modern": (np.arange(n) >= 500).astype(int),
            "dose": np.where(margin > 0, rng.gamma(2, size=n), 0.0),
        }
    )
    frame.loc[5, "margin"] = np.nan
    found = find_thresholds(dataset := from_frame(frame), describe(dataset))
    assert [(one.running, one.treatment, one.sharp, one.rows) for one in found] == [("margin", "won", True, n - 1)]
    assert found[0].cutoff == 0.0


def test_a_known_jump() -> None:
    x = np.linspace(-1, 1, 2_000)
    rng = np.random.default_rng(0)
    fit = local_linear_jump(x, 2 + 0.5 * (x >= 0) + x + rng.normal(scale=0.1, size=len(x)), 0.0)
    assert fit is not None
    jump, se = fit
    assert abs(jump - 0.5) < 3 * se
    # Two lines on a uniform grid: the variance of each intercept is 4 sigma² / n.
    assert se == pytest.approx(0.1 * np.sqrt(2 * 4 / 1_000), rel=0.1)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.2, 0.1, 0.0),
        (0.489, 0.512, 0.5),
        (299.6, 300.4, 300),
        (11, 12, 12),
        (0.1234, 0.1235, 0.1235),
        (-3.4, -2.7, -3),
    ],
)
def test_the_roundest_number_in_a_gap(low: float, high: float, expected: float) -> None:
    assert roundest(low, high) == pytest.approx(expected)
    assert low < roundest(low, high) <= high
