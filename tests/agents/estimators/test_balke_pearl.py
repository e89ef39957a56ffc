"""Balke–Pearl bounds: both tables of their paper, and people whose kinds are known."""

import numpy as np
import pytest

from leucippus.agents.estimators.balke_pearl import ate_bounds, cells, instrumental_inequality


def test_vitamin_a() -> None:
    """Sommer and Zeger (1991) in Balke and Pearl (1997): survival, −0.1946 ≤ ATE ≤ 0.0054."""
    counts = np.array([[[74, 11514], [0, 0]], [[34, 2385], [12, 9663]]])
    z, d, y = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices((2, 2, 2)))
    assert ate_bounds(cells(z, d, y)) == pytest.approx((-0.1946, 0.0054), abs=5e-5)


def test_lipid_research_clinics() -> None:
    """Lipid Research Clinics (1984) in Balke and Pearl (1997): 0.392 ≤ ATE ≤ 0.780."""
    p = np.array([[[0.919, 0.081], [0.0, 0.0]], [[0.315, 0.073], [0.139, 0.473]]])
    assert ate_bounds(p) == pytest.approx((0.392, 0.780))


def test_bounds_hold_the_truth_and_close_under_full_compliance() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        kinds = rng.dirichlet(np.full(16, 0.3)).reshape(2, 2, 2, 2)  # d(0), d(1), y(0), y(1)
        p = np.zeros((2, 2, 2))
        for (d0, d1, y0, y1), share in np.ndenumerate(kinds):
            for z, d in ((0, d0), (1, d1)):
                p[z, d, (y0, y1)[d]] += share
        truth = kinds[..., 1].sum() - kinds[:, :, 1].sum()
        found = ate_bounds(p)
        assert found is not None
        assert found[0] - 1e-9 <= truth <= found[1] + 1e-9
        assert instrumental_inequality(p) <= 1 + 1e-9
    assert ate_bounds(np.array([[[0.6, 0.4], [0, 0]], [[0, 0], [0.1, 0.9]]])) == pytest.approx((0.5, 0.5))


def test_what_no_people_could_produce() -> None:
    """Everyone takes it, yet the outcome follows the instrument."""
    p = np.array([[[0.0, 0.0], [0.9, 0.1]], [[0.0, 0.0], [0.2, 0.8]]])
    assert instrumental_inequality(p) == pytest.approx(1.7)
    assert ate_bounds(p) is None
