"""Sensitivity to trends that part."""

import numpy as np
import pytest

from leucippus.agents.estimators.group_time import EventStudy
from leucippus.agents.estimators.honest_did import honest_did, largest_lead, power_against_slope
from leucippus.errors import DataError


def _events(drift: float) -> EventStudy:
    """An effect of 3 after the treatment, leads that drift, and little noise."""
    time = np.array([-4, -3, -2, 0, 1, 2])
    noise = np.random.default_rng(0).normal(0, 0.2, len(time))
    effects = np.where(time >= 0, 3.0, 0.0) + drift * (np.minimum(time, -1) + 1) + noise
    return EventStudy(time, effects, 0.04 * (np.eye(6) + 1) / 2, np.full(6, 20))


def test_honest_did_shrinks_with_noise_before() -> None:
    """Flat leads leave a large effect standing; leads as large as the effect do not."""
    flat, steep = _events(0.0), _events(2.0)
    assert honest_did(flat).breakdown > 1.5
    assert honest_did(steep).breakdown < 1
    assert largest_lead(flat)[1] > 0.05 > largest_lead(steep)[1]
    low, high = honest_did(flat).intervals[0][1:]
    assert low < 3.0 < high


def test_power() -> None:
    assert power_against_slope(0.0, 1.0) == pytest.approx(0.05)
    assert power_against_slope(2.8, 1.0) == pytest.approx(0.80, abs=0.005)


def test_a_gap_ends_the_leads() -> None:
    events = _events(0.0)
    with pytest.raises(DataError, match="one side"):
        honest_did(events.only(events.time != -2))
    with pytest.raises(DataError, match="no period before"):
        largest_lead(events.only(events.time >= 0))
