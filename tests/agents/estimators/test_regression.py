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
