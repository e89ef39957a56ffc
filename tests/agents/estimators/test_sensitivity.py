"""Sensitivity to unmeasured confounding: published values."""

import math

import pytest

from leucippus.agents.estimators.sensitivity import (
    bias,
    confounder_like,
    e_value,
    partial_r2,
    risk_ratio_of_difference,
    robustness_value,
)


def test_e_values_of_breastfeeding() -> None:
    """VanderWeele and Ding (2017): a risk ratio of 3.9 (1.8 to 8.7) has E-values of 7.26 and 3.0."""
    assert e_value(3.9) == pytest.approx(7.26, abs=0.005)
    assert e_value(1.8) == pytest.approx(3.0, abs=0.01)
    assert e_value(1 / 3.9) == pytest.approx(e_value(3.9))
    assert e_value(1) == 1


def test_robustness_value_of_darfur() -> None:
    """Cinelli and Hazlett (2020), Table 1: t = 4.18 on 783 degrees of freedom; RV 13.9%, 7.6% for 5%; R2 2.2%."""
    assert robustness_value(4.18, 783) == pytest.approx(0.139, abs=0.0005)
    assert robustness_value(-4.18, 783, 0.05) == pytest.approx(0.076, abs=0.0005)
    assert partial_r2(4.18, 783) == pytest.approx(0.022, abs=0.0005)
    assert robustness_value(1, 783, 0.05) == 0


def test_a_cause_as_strong_as_the_robustness_value_takes_the_estimate_to_zero() -> None:
    value = robustness_value(4.18, 783)
    assert bias(0.0233, 783, value, value) == pytest.approx(4.18 * 0.0233, rel=1e-6)


def test_benchmark_grows_with_the_control_and_ends_where_it_must() -> None:
    weak, strong = confounder_like(0.01, 0.02), confounder_like(0.1, 0.02)
    assert weak is not None and strong is not None
    assert weak[0] == pytest.approx(0.01 / 0.99)
    assert strong[0] > weak[0] and strong[1] > weak[1]
    assert confounder_like(0.6, 0.1) is None


def test_difference_of_means_as_a_risk_ratio() -> None:
    """VanderWeele and Ding (2017), Table 2."""
    assert risk_ratio_of_difference(1) == pytest.approx(math.exp(0.91))
