"""Bounds without point identification."""

import numpy as np
import pytest

from leucippus.agents.estimators.bounds import lee, manski
from leucippus.errors import DataError


def test_manski_bounds_are_as_wide_as_the_range_and_hold_every_completion() -> None:
    rng = np.random.default_rng(0)
    d, both = rng.integers(0, 2, 500).astype(float), rng.integers(0, 2, (500, 2)).astype(float)
    y = np.where(d == 1, both[:, 1], both[:, 0])
    low, high = manski(y, d, 0, 1)
    assert high - low == pytest.approx(1)
    assert low <= (both[:, 1] - both[:, 0]).mean() <= high
    # The extremes are reached by filling in the extremes.
    filled = np.where(d == 1, y, 0).mean() - np.where(d == 0, y, 1).mean()
    assert low == pytest.approx(filled)
    for target, rows in (("ATT", d == 1), ("ATC", d == 0)):
        ends = manski(y, d, 0, 1, target)  # type: ignore[arg-type]
        assert ends[0] <= (both[:, 1] - both[:, 0])[rows].mean() <= ends[1]


def test_manski_refuses_outcomes_outside_the_range() -> None:
    with pytest.raises(DataError, match="outcomes reach"):
        manski(np.array([0.0, 2.0]), np.array([0.0, 1.0]), 0, 1)


def test_lee_bounds_by_hand() -> None:
    """Four of four treated seen, two of four others: half of the treated are trimmed from either end."""
    y = np.array([1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 0.0, 0.0])
    d = np.repeat([1.0, 0.0], 4)
    seen = np.array([1.0, 1, 1, 1, 1, 1, 0, 0])
    assert lee(y, d, seen) == pytest.approx((1.5 - 1.5, 3.5 - 1.5))
    assert lee(y, 1 - d, seen) == pytest.approx((1.5 - 3.5, 1.5 - 1.5))


def test_lee_bounds_meet_where_nothing_is_lost() -> None:
    y, d = np.array([1.0, 3.0, 0.0, 2.0]), np.array([1.0, 1.0, 0.0, 0.0])
    assert lee(y, d, np.ones(4)) == pytest.approx((1.0, 1.0))
