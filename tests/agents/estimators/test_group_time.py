"""Group-time effects: published numbers, agreement of estimators, and refusals."""

import numpy as np
import pytest
from causaldata import castle

from leucippus.agents.estimators.group_time import (
    Adoption,
    callaway_santanna,
    forbidden_weight,
    imputation,
    sun_abraham,
)
from leucippus.errors import DataError


def _castle() -> Adoption:
    data = castle.load_pandas().data
    first = data["sid"].map(data[data["post"] == 1].groupby("sid")["year"].min()).fillna(np.inf).to_numpy() - 2000
    period = data["year"].to_numpy(dtype=np.int64) - 2000
    return Adoption(data["l_homicide"].to_numpy(dtype=float), data["sid"].to_numpy(dtype=np.int64), period, first)


def test_castle_doctrine() -> None:
    """causaldata's castle, first year of `post`: R did and fixest::sunab give 0.0194."""
    found, other = callaway_santanna(_castle()), sun_abraham(_castle())
    assert found.estimate == pytest.approx(0.0194, abs=5e-5)
    assert found.se == pytest.approx(0.0384, abs=5e-5)
    assert other.estimate == pytest.approx(0.0194, abs=5e-5)
    assert other.se == pytest.approx(0.0366, abs=5e-5)
    assert len(found.by_group) == 5
    assert found.events is not None and set(found.events.time) == set(range(-10, 5)) - {-1}
    assert found.events.units[found.events.time == 0] == [21]
    assert forbidden_weight(_castle()) == pytest.approx(0.024, abs=0.001)


def test_without_noise_every_estimator_finds_the_effect() -> None:
    unit, period = np.repeat(np.arange(30), 6), np.tile(np.arange(6), 30)
    first = np.where(unit % 3 == 0, np.inf, np.where(unit % 3 == 1, 2, 4)).astype(float)
    exposure = np.where(period >= first, period - first + 1, 0.0)
    rng = np.random.default_rng(0)
    y = unit + 2.0 * period + exposure + rng.normal(0, 1e-6, len(unit))
    data = Adoption(y, unit, period, first)
    truth = exposure[exposure > 0].mean()
    for estimate in (callaway_santanna(data), callaway_santanna(data, "not yet"), sun_abraham(data), imputation(data)):
        assert estimate.estimate == pytest.approx(truth, abs=1e-5)


def test_nobody_to_compare_with() -> None:
    data = _castle()
    with pytest.raises(DataError):
        callaway_santanna(data.keep(np.isfinite(data.first)))
