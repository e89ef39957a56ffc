"""The density at a cutoff, against rddensity (GPL, a test oracle only), and how often it errs."""

import numpy as np
import pytest
from rddensity import rddensity
from rdrobust.datasets import rdrobust_RDsenate

from leucippus.agents.estimators.density import density_jump
from leucippus.errors import DataError


def test_as_rddensity() -> None:
    """Senate margins: T = −0.76, p = 0.447 (Cattaneo, Jansson and Ma 2018)."""
    margin = rdrobust_RDsenate().dropna(subset=["vote"])["margin"].dropna().to_numpy(float)
    ours, theirs = density_jump(margin), rddensity(margin, c=0)
    assert ours.p_value == pytest.approx(float(theirs.test["p_jk"]), rel=1e-6)
    assert ours.p_value == pytest.approx(0.447, abs=0.001)


def test_size_and_power() -> None:
    rng = np.random.default_rng(0)
    even = [density_jump(rng.normal(0.3, 1, 1000)).either_p for _ in range(100)]
    assert np.mean(np.array(even) < 0.05) <= 0.12
    z = rng.normal(0, 1, 3000)
    z = np.where((z > -0.2) & (z < 0), np.abs(z), z)
    emptied = density_jump(z)  # a side without any rows: no density there to have a standard error
    assert emptied.p_value > 0.05 and emptied.either_p < 1e-9


def test_one_side_is_refused() -> None:
    with pytest.raises(DataError, match="density"):
        density_jump(np.linspace(0.1, 1, 100))
