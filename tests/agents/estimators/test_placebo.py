"""Placebo inference: ranks, standard errors, and an exact test under exchangeability."""

import numpy as np
import pytest

from leucippus.agents.estimators.placebo import in_space, placebo_interval, rank_p
from leucippus.agents.estimators.synthetic import Gap
from leucippus.errors import DataError


def constant_gap(effect: float, error: float = 1.0) -> Gap:
    return Gap(np.ones(1), np.array([error, -error, effect, effect]), 2)


def test_every_donor_takes_its_turn() -> None:
    seen = []

    def fit(posing: tuple[int, ...], others: tuple[int, ...]) -> Gap:
        seen.append((posing, others))
        return constant_gap(float(posing[0]))

    found = in_space(4, 1, fit)
    assert seen[1] == ((1,), (0, 2, 3)) and len(seen) == 4
    assert found.effects.tolist() == [0, 1, 2, 3]
    assert found.se == pytest.approx(np.std([0, 1, 2, 3], ddof=1))
    assert found.least_p == 0.2
    assert found.p_value(constant_gap(2.5)) == pytest.approx(2 / 5)


def test_groups_are_drawn_once_each_and_always_the_same() -> None:
    groups = [in_space(6, 2, lambda posing, others: constant_gap(sum(posing))).groups for _ in range(2)]
    assert groups[0] == groups[1] and len(set(groups[0])) == len(groups[0]) == 15
    assert all(len(group) == 2 for group in groups[0])


def test_too_few_donors_is_an_error() -> None:
    with pytest.raises(DataError, match="3 donors for 2 treated"):
        in_space(3, 2, lambda posing, others: constant_gap(1.0))


def test_rank_is_uniform_when_nothing_happened() -> None:
    rng = np.random.default_rng(0)
    p = np.array([rank_p(draw[0], draw[1:]) for draw in rng.normal(size=(20000, 20))])
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.006)
    assert p.min() == 0.05


def test_a_perfect_fit_before_has_an_infinite_ratio() -> None:
    assert constant_gap(1.0, error=0.0).ratio == np.inf


def test_interval_widens_with_few_donors() -> None:
    narrow, wide = placebo_interval(0.0, 1.0, 100), placebo_interval(0.0, 1.0, 5)
    assert wide[1] > narrow[1] > 1.96
