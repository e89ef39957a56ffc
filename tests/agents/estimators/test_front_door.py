"""The front-door formula against its symbolic plug-in, and the two estimators against each other."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from leucippus.agents.estimators.front_door import discrete_front_door, linear_front_door, product_second
from leucippus.agents.estimators.influence import Effect
from leucippus.errors import DataError
from leucippus.graphs.front_door import front_door
from leucippus.graphs.plug_in import plug_in
from leucippus.graphs.reading import read_graph

Floats = NDArray[np.float64]


def _drawn(n: int = 500, seed: int = 0) -> tuple[Floats, Floats, NDArray[np.int64], Floats]:
    rng = np.random.default_rng(seed)
    hidden, x = rng.normal(size=n), rng.normal(size=(n, 1))
    d = (hidden + rng.normal(size=n) > 0).astype(float)
    m = rng.binomial(2, 1 / (1 + np.exp(-(d - 0.5 + 0.5 * x[:, 0]))))
    return 0.5 * m + hidden + x[:, 0] + rng.normal(size=n), d, m, x


def test_without_controls_it_is_the_plug_in_of_the_identified_formula() -> None:
    y, d, m, _ = _drawn()
    y = (y > 0.5).astype(float)
    formula = front_door(read_graph("d -> m; m -> y; d <-> y"), "d", "y", "m")
    columns = {"d": d.astype(int), "m": m, "y": y.astype(int)}
    means = [plug_in(formula, columns, {"d": arm}).mean() for arm in (0, 1)]
    assert discrete_front_door(y, d, m).estimate == pytest.approx(means[1] - means[0])


def test_standard_errors_are_those_of_the_bootstrap() -> None:
    y, d, m, x = _drawn()
    rng = np.random.default_rng(1)
    rows = [rng.integers(0, len(y), len(y)) for _ in range(150)]
    values = m[:, None].astype(float)
    fits: tuple[Callable[[NDArray[np.int64]], Effect], ...] = (
        lambda i: discrete_front_door(y[i], d[i], m[i]),
        lambda i: discrete_front_door(y[i], d[i], m[i], x[i]),
        lambda i: linear_front_door(y[i], d[i], values[i], x[i], interaction=True),
    )
    for fit in fits:
        again = np.std([fit(drawn).estimate for drawn in rows])
        assert fit(np.arange(len(y))).se == pytest.approx(again, rel=0.2)  # 150 draws measure it to within 6%


def test_both_estimators_find_the_truth_through_a_control() -> None:
    y, d, m, x = _drawn(40_000)
    chance = [1 / (1 + np.exp(-(arm - 0.5 + 0.5 * x[:, 0]))) for arm in (1, 0)]
    truth = float((0.5 * 2 * (chance[0] - chance[1])).mean())
    discrete = discrete_front_door(y, d, m, x)
    linear = linear_front_door(y, d, m[:, None].astype(float), x)
    assert abs(discrete.estimate - truth) < 3 * discrete.se
    assert abs(linear.estimate - truth) < 3 * linear.se + 0.01  # the mediator's mean is not quite linear
    assert abs(np.polyfit(d, y, 1)[0] - truth) > 0.5  # what a plain comparison says


def test_statsmodels_agrees() -> None:
    y, d, m, x = _drawn()
    two = np.column_stack([m, m**2 + x[:, 0]]).astype(float)
    for interaction in (False, True):
        found = linear_front_door(y, d, two, x, interaction=interaction)
        second = product_second(y, d, two, x, found, interaction=interaction, same=True)
        assert second.agrees
        assert second.se == pytest.approx(found.se, rel=0.25)


def test_clusters_of_copies_add_nothing() -> None:
    y, d, m, _ = _drawn()
    once = discrete_front_door(y, d, m)
    five = discrete_front_door(
        np.repeat(y, 5), np.repeat(d, 5), np.repeat(m, 5), clusters=np.repeat(np.arange(len(y)), 5)
    )
    assert five.estimate == pytest.approx(once.estimate)
    assert five.se == pytest.approx(once.se, rel=0.01)


def test_what_cannot_be_told_apart_is_refused() -> None:
    y, d, m, x = _drawn()
    with pytest.raises(DataError, match="one arm only"):
        discrete_front_door(y, d, np.where(d == 1, m + 1, 0))
    with pytest.raises(DataError, match="determine"):
        linear_front_door(y, d, 2 * d[:, None] + x, x)
    with pytest.raises(DataError, match="single cluster"):
        discrete_front_door(y, d, m, clusters=np.zeros(len(y), dtype=np.int64))
