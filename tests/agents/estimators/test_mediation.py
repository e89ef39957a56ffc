"""Two linear models: against closed forms, a bootstrap, and where they must refuse."""

import numpy as np
import pytest
from numpy.typing import NDArray

from leucippus.agents.estimators.mediation import by_statsmodels, error_correlation, indirect_under, mediate
from leucippus.errors import DataError

Floats = NDArray[np.float64]


def _drawn(n: int = 250, differs: float = 0.5) -> tuple[Floats, Floats, Floats, Floats]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 2))
    d = (x[:, 0] + rng.normal(size=n) > 0).astype(float)
    m = d + x[:, 1] + rng.normal(size=n)
    return 0.3 * d + (0.5 + differs * d) * m + x[:, 0] + rng.normal(size=n), d, m, x


def test_without_interaction_parts_add_up_to_the_regression_without_the_mediator() -> None:
    y, d, m, x = _drawn()
    found = mediate(y, d, m, x, interaction=False)
    total = np.linalg.lstsq(np.column_stack([d, np.ones(len(y)), x]), y, rcond=None)[0][0]
    assert found.total.estimate == pytest.approx(total)
    assert found.indirect_at[0] == found.indirect_at[1] == pytest.approx(found.indirect.estimate)


def test_effects_are_averages_over_both_values_of_the_other_path() -> None:
    """The mediation formula written out: predicted outcomes with each mediator at each treatment."""
    y, d, m, x = _drawn()
    found = mediate(y, d, m, x)
    ones = np.ones(len(y))
    of_m = np.linalg.lstsq(np.column_stack([d, ones, x]), m, rcond=None)[0]
    of_y = np.linalg.lstsq(np.column_stack([d, m, d * m, ones, x]), y, rcond=None)[0]

    def outcome(t: int, of: int) -> float:
        mediator = np.column_stack([of * ones, ones, x]) @ of_m
        return float((np.column_stack([t * ones, mediator, t * mediator, ones, x]) @ of_y).mean())

    assert found.indirect_at == pytest.approx([outcome(t, 1) - outcome(t, 0) for t in (0, 1)])
    assert found.direct_at == pytest.approx([outcome(1, of) - outcome(0, of) for of in (0, 1)])
    assert found.indirect.estimate == pytest.approx(np.mean(found.indirect_at))
    assert found.direct.estimate == pytest.approx(np.mean(found.direct_at))
    assert found.total.estimate == pytest.approx(outcome(1, 1) - outcome(0, 0))


@pytest.mark.parametrize("interaction", [False, True])
@pytest.mark.parametrize("direct", [False, True])
def test_statsmodels_agrees(interaction: bool, direct: bool) -> None:
    y, d, m, x = _drawn()
    found = mediate(y, d, m, x, interaction=interaction)
    second = by_statsmodels(y, d, m, x, found, direct=direct)
    assert second.agrees
    assert second.se == pytest.approx((found.direct if direct else found.indirect).se, rel=0.1)


def test_standard_errors_are_those_of_the_bootstrap() -> None:
    y, d, m, x = _drawn(400)
    found = mediate(y, d, m, x)
    rng = np.random.default_rng(1)
    again = []
    for _ in range(200):
        rows = rng.integers(0, len(y), len(y))
        drawn = mediate(y[rows], d[rows], m[rows], x[rows])
        again.append((drawn.indirect.estimate, drawn.direct.estimate, drawn.total.estimate))
    # 200 draws measure a standard deviation to within 5%.
    assert [found.indirect.se, found.direct.se, found.total.se] == pytest.approx(np.std(again, axis=0), rel=0.16)


def test_collinear_controls_change_nothing() -> None:
    y, d, m, x = _drawn()
    twice = mediate(y, d, m, np.column_stack([x, x.sum(axis=1), np.ones(len(y))]))
    assert twice.indirect.estimate == pytest.approx(mediate(y, d, m, x).indirect.estimate)


def test_the_effect_under_correlated_errors_is_the_true_one_where_they_are() -> None:
    """Errors of correlation 0.5 make an effect of 0.3 look larger; given that correlation, it is found again."""
    rng = np.random.default_rng(2)
    n = 200_000
    d = (np.arange(n) % 2).astype(float)
    of_m, of_y = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], n).T
    m = d + of_m
    y = 0.3 * m + 0.2 * d + of_y
    assert mediate(y, d, m, interaction=False).indirect.estimate > 0.7
    assert indirect_under(np.array([0.5]), y, d, m)[0] == pytest.approx(0.3, abs=0.02)
    assert indirect_under(np.array([error_correlation(y, d, m)]), y, d, m)[0] == pytest.approx(0, abs=1e-9)


def test_clusters_repeated_rows_add_nothing() -> None:
    y, d, m, x = _drawn(150)
    once = mediate(y, d, m, x)
    ten = mediate(*(np.repeat(z, 10, axis=0) for z in (y, d, m, x)), clusters=np.repeat(np.arange(150), 10))
    assert ten.indirect.estimate == pytest.approx(once.indirect.estimate)
    assert ten.indirect.se == pytest.approx(once.indirect.se, rel=0.06)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda y, d, m, x: (y, d, 2 * d + x[:, 0], x), "determine"),
        (lambda y, d, m, x: (y, d, m, np.column_stack([x, d])), "determine"),
        (lambda y, d, m, x: (y[:5], d[:5], m[:5], x[:5]), "outnumber"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(spoil, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match=words):
        mediate(*spoil(*_drawn()))


def test_a_single_cluster_is_refused() -> None:
    y, d, m, x = _drawn()
    with pytest.raises(DataError, match="single cluster"):
        mediate(y, d, m, x, clusters=np.zeros(len(y), dtype=np.int64))
