"""The wild cluster bootstrap against the wildboottest package, against t intervals, and where it must refuse."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

from leucippus.agents.estimators.regression import regress
from leucippus.agents.estimators.wild_bootstrap import wild_bootstrap
from leucippus.errors import DataError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def _drawn(seed: int, groups: int, effect: float = 0.2) -> tuple[Floats, Floats, Floats, Codes]:
    """Outcome, treatment, controls and clusters, all related within unequal clusters."""
    rng = np.random.default_rng(seed)
    n = groups * 15
    g = np.concatenate([np.arange(groups), rng.integers(0, groups, n - groups)])
    x = rng.normal(size=(n, 2)) + rng.normal(size=groups)[g][:, None]
    d = (rng.normal(size=groups)[g] + rng.normal(size=n) > 0).astype(float)
    return effect * d + x @ [1.0, 0.5] + rng.normal(size=groups)[g] + rng.normal(size=n), d, x, g


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("groups", "tolerance"),
    # With 13 clusters both use all 8,192 patterns of signs, so nothing is left to chance; else 4 Monte Carlo errors.
    [(13, 1e-9), (9, 0.028), (20, 0.028), (50, 0.028)],
)
def test_p_value_is_that_of_wildboottest(groups: int, tolerance: float) -> None:
    from wildboottest.wildboottest import wildboottest

    y, d, x, g = _drawn(groups, groups)
    found = wild_bootstrap(y, d, x, g)
    model = OLS(y, pd.DataFrame(np.column_stack([d, x, np.ones(len(y))]), columns=list("dabc")))
    theirs = wildboottest(model, B=9999, cluster=g, param="d", weights_type=found.weights, seed=1, show=False)
    assert found.p_value == pytest.approx(float(theirs["p-value"].iloc[0]), abs=tolerance)


def test_absorbed_effects_are_indicators() -> None:
    y, d, x, g = _drawn(1, 20)
    fixed = np.random.default_rng(2).integers(0, 6, len(y))
    absorbed = wild_bootstrap(y, d, x, g, absorb=np.column_stack([fixed, g]))
    dummies = np.column_stack([x, fixed[:, None] == np.arange(1, 6), g[:, None] == np.arange(1, 20)])
    written_out = wild_bootstrap(y, d, dummies, g)
    assert absorbed.p_value == written_out.p_value
    assert absorbed.ci_low == pytest.approx(written_out.ci_low, abs=1e-6)


def test_interval_is_the_inverted_test() -> None:
    """A value just inside is not rejected at 5%, one just outside is."""
    y, d, x, g = _drawn(3, 15)
    found = wild_bootstrap(y, d, x, g)
    width = found.ci_high - found.ci_low
    for end, outwards in ((found.ci_low, -1), (found.ci_high, 1)):
        inside, outside = (wild_bootstrap(y - (end + way * 0.01 * width) * d, d, x, g) for way in (-outwards, outwards))
        assert inside.p_value > 0.05 >= outside.p_value


def test_turning_the_outcome_round_turns_the_interval_round() -> None:
    y, d, x, g = _drawn(4, 14)
    found, turned, scaled = (wild_bootstrap(factor * y + shift, d, x, g) for factor, shift in ((1, 0), (-1, 3), (5, 0)))
    assert turned.p_value == found.p_value == scaled.p_value
    assert (turned.ci_low, turned.ci_high) == pytest.approx((-found.ci_high, -found.ci_low), rel=1e-9)
    assert (scaled.ci_low, scaled.ci_high) == pytest.approx((5 * found.ci_low, 5 * found.ci_high), rel=1e-9)


def test_controls_that_others_determine_change_nothing() -> None:
    y, d, x, g = _drawn(5, 12)
    twice = wild_bootstrap(y, d, np.column_stack([x, x.sum(axis=1), np.ones(len(y))]), g)
    assert twice.p_value == wild_bootstrap(y, d, x, g).p_value


def test_covers_better_than_t_with_nine_unequal_clusters() -> None:
    """Three of nine clusters of very different sizes are treated; both intervals should hold 0 in 95% of draws."""
    wild = t = 0
    draws = 200
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        size = np.array([60, 40, 30, 20, 15, 10, 10, 8, 8])
        g = np.repeat(np.arange(9), size)
        d = rng.permutation(np.arange(9) < 3).astype(float)[g]
        y = rng.normal(size=9)[g] + rng.normal(size=len(g))
        found = wild_bootstrap(y, d, None, g, draws=999, seed=seed)
        low, high = regress(y, d, clusters=g).interval()
        wild += found.ci_low <= 0 <= found.ci_high
        t += low <= 0 <= high
        assert (found.p_value > 0.05) == (found.ci_low < 0 < found.ci_high)
    assert wild / draws >= 0.90
    assert wild > t


def test_is_repeatable_and_needs_no_order() -> None:
    y, d, x, g = _drawn(6, 9)
    order = np.random.default_rng(0).permutation(len(y))
    first, again = wild_bootstrap(y, d, x, g), wild_bootstrap(y, d, x, g)
    assert first == again
    shuffled = wild_bootstrap(y[order], d[order], x[order], np.array([f"village {i}" for i in g])[order])
    assert shuffled.p_value == pytest.approx(first.p_value, abs=0.028)


@pytest.mark.parametrize("clusters", [np.zeros(60), np.arange(60) % 2])
def test_one_or_two_clusters_reject_nothing(clusters: Floats) -> None:
    y, d, _, _ = _drawn(7, 4)
    with pytest.raises(DataError, match="cluster"):
        wild_bootstrap(y, d, None, clusters)


def test_a_treatment_the_controls_fix_and_a_perfect_fit_are_refused() -> None:
    y, d, x, g = _drawn(8, 12)
    with pytest.raises(DataError, match="determined"):
        wild_bootstrap(y, d, np.column_stack([x, d]), g)
    with pytest.raises(DataError, match="exactly"):
        wild_bootstrap(2 * d + 1, d, None, g)
