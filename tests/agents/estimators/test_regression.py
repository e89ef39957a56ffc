"""Least squares: what the libraries underneath get wrong."""

import numpy as np
import pytest

from leucippus.agents.estimators.regression import regress
from leucippus.errors import DataError


def test_repeated_columns_leave_the_standard_error_as_it_is() -> None:
    """pyfixest alone misses one of these columns in a third of draws, and its HC2 errors are then up to three times off."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        d, age = (rng.random(60) < 0.5).astype(float), rng.normal(40, 9, 60)
        y = d + 0.1 * age + rng.normal(size=60)
        centred = age - age.mean()
        once = regress(y, d, np.column_stack([age, d * centred]), robust="HC2")
        twice = regress(y, d, np.column_stack([age, 12 * age, d * centred, d * 12 * centred]), robust="HC2")
        assert twice.estimate == pytest.approx(once.estimate)
        assert twice.se == pytest.approx(once.se)
        assert twice.left_out == (1, 3)


def test_rows_that_are_alone_in_their_effects_are_an_error() -> None:
    """pyfixest drops them, and with none left ends the process."""
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="only one of its unit"):
        regress(rng.normal(size=30), rng.normal(size=30), absorb=np.arange(30))


def test_rows_alone_in_their_effect_have_a_residual_of_nothing() -> None:
    rng = np.random.default_rng(0)
    unit = np.array([*np.repeat(np.arange(20), 3), 20, 21])  # two units with one row each
    period = np.array([*np.tile(np.arange(3), 20), 0, 1])
    d, y = rng.normal(size=62), rng.normal(size=62)
    fit = regress(y, d, absorb=np.column_stack([unit, period]))
    alone = regress(y[:60], d[:60], absorb=np.column_stack([unit, period])[:60])
    assert fit.residuals.shape == (62,) and not fit.residuals[60:].any()
    assert fit.residuals[:60] == pytest.approx(alone.residuals)
    assert fit.estimate == pytest.approx(alone.estimate)
