"""Diagnostics speak where an assumption fails, are silent where none does, and say what no log can show."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from leucippus.training.deconfound import features as features_module
from leucippus.training.deconfound.experiment import agreement
from leucippus.training.deconfound.features import Features, hashed_words
from leucippus.training.deconfound.findings import Finding
from leucippus.training.deconfound.interacted import additivity, combined
from leucippus.training.deconfound.linear import least_squares
from leucippus.training.deconfound.logs import Floats, Ints, Logs, LogSpec
from leucippus.training.deconfound.nuisance import (
    Residuals,
    cross_fitted,
    fold_sums,
    folds_for,
    residuals,
    ridge_nuisance,
    without_two,
)
from leucippus.training.deconfound.reward import Deconfounded, deconfound
from leucippus.training.deconfound.reward_model import reward_sums
from leucippus.training.deconfound.ridge import Sums, total
from leucippus.training.deconfound.roles import explained
from leucippus.training.deconfound.rows import Rows, rows_of
from leucippus.training.deconfound.simulated import draw

ROWS = 3_000


@pytest.fixture(autouse=True)
def few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features_module, "_BUCKETS", 256)


def blurred(texts: Any) -> NDArray[np.float32]:
    """Embeddings that are quick to make: words seen from a few random directions."""
    words = hashed_words(texts)
    turned = np.random.default_rng(0).normal(size=(words.shape[1], 48)) / 7
    return np.asarray(words @ turned, dtype=np.float32)


def found(logs: Logs, **options: Any) -> Deconfounded:
    return deconfound(logs, blurred(logs.texts), **options)


def named(of: Deconfounded, name: str) -> Finding:
    return next(finding for finding in of.findings if finding.name == name)


@pytest.mark.parametrize("given", [{}, {"instrument": True}, {"pool": 300}, {"users": 400}])
def test_nothing_is_said_against_a_clean_log(given: dict[str, Any]) -> None:
    for seed in (1, 2):
        of = found(draw(0.5, ROWS, seed, **given).logs())
        assert [finding.said for finding in of.fired] == []
        assert {"overlap", "experiment", "unmeasured"} <= {finding.name for finding in of.findings}


@pytest.mark.parametrize(
    ("flaw", "name"),
    [
        ("unmeasured", "experiment"),
        ("interaction", "varying"),
        ("curved", "curved"),
        ("weak instrument", "weak instrument"),
        ("invalid instrument", "experiment"),
    ],
)
def test_a_flaw_is_found(flaw: Any, name: str) -> None:
    of = found(draw(0.5, ROWS, 3, flaw).logs())
    assert named(of, name).fired and of.findings[0].fired


@pytest.mark.parametrize("flaw", ["unmeasured", "invalid instrument"])
def test_without_an_experiment_a_hidden_cause_leaves_no_trace_and_that_is_said(flaw: Any) -> None:
    of = found(draw(0.5, ROWS, 3, flaw, experiment=0).logs())
    assert not of.fired
    assert "on trust" in named(of, "experiment").said
    assert any(said.startswith(("Nothing but", "What is not measured")) for said in of.assumptions)
    if flaw == "invalid instrument":
        assert "cannot be seen with a single instrument" in named(of, "instrument disagrees").said


@pytest.mark.parametrize("valid", [True, False])
def test_levels_of_an_instrument_that_disagree_give_an_invalid_one_away(valid: bool) -> None:
    random = np.random.default_rng(4)
    n = 1_500
    level, hidden, f = random.integers(4, size=n), random.normal(size=n), random.normal(size=n)
    c = np.array([-1.0, 0.0, 0.5, 1.0])[level] + hidden + 0.3 * f
    y = f + c + 1.5 * hidden + random.normal(size=n) + (0.0 if valid else 1.0) * (level == 2)
    logs = numbers(y, c[:, None], z=level.astype(np.float64), z_levels=4)
    of = deconfound(logs, f[:, None].astype(np.float32))
    assert named(of, "instrument disagrees").fired is not valid and not named(of, "weak instrument").fired
    if valid:
        assert abs(of.gamma[0] - 1) < 4 * of.gamma_se[0]


def test_a_weak_instruments_interval_is_said_and_is_honest() -> None:
    random = np.random.default_rng(5)
    n = 600
    z, hidden, f = random.normal(size=n), random.normal(size=n), random.normal(size=n)
    c = 0.08 * z + hidden
    logs = numbers(f + c + 1.5 * hidden + random.normal(size=n), c[:, None], z=z)
    weak = named(deconfound(logs, f[:, None].astype(np.float32)), "weak instrument")
    assert weak.fired and "95 % hold" in weak.said


def test_an_experiment_that_agrees_says_how_well() -> None:
    of = found(draw(0.9, ROWS, 6).logs())
    said = named(of, "experiment").said
    assert "the reward holds" in said and "slope" in said


def test_a_part_of_the_outcome_among_the_confounders_is_seen_given_the_text() -> None:
    random = np.random.default_rng(7)
    n = 800
    f = 5 * random.normal(size=n)
    part = random.normal(size=n)
    logs = numbers(f + part, (part + 0.1 * random.normal(size=n))[:, None])
    assert explained(logs.y, logs.c[:, 0]) < 0.2  # not without it
    assert named(deconfound(logs, f[:, None].astype(np.float32)), "leak").fired


def test_a_text_that_all_but_tells_the_confounder_is_seen() -> None:
    random = np.random.default_rng(8)
    f = random.normal(size=800)
    c = f + 0.1 * random.normal(size=800)
    of = deconfound(numbers(f + c + random.normal(size=800), c[:, None]), f[:, None].astype(np.float32))
    assert named(of, "overlap").fired and named(of, "overlap").statistic < 0.05


def test_a_model_of_the_text_that_misses_what_matters_is_seen_where_texts_repeat() -> None:
    random = np.random.default_rng(9)
    m, n = 1_400, 2_000
    worth, e = random.normal(size=m), random.normal(size=(m, 3)).astype(np.float32)  # which knows nothing of worth
    text_of = np.concatenate([np.arange(m), random.integers(m, size=n - m)])
    c = 0.8 * worth[text_of] + 0.6 * random.normal(size=n)
    y = worth[text_of] + c + random.normal(size=n)
    of = deconfound(numbers(y, c[:, None], text_of), e)
    assert of.gamma[0] > 1.5 and named(of, "text model").fired
    told = worth[:, None].astype(np.float32)
    assert not named(deconfound(numbers(y, c[:, None], text_of), told), "text model").fired


def test_few_rows_and_few_users_are_said() -> None:
    logs = draw(0.3, 300, 1, users=20).logs()
    assert {"few rows", "few users"} <= {finding.name for finding in found(logs).fired}


def test_a_hidden_cause_must_be_stronger_where_the_reward_is() -> None:
    random = np.random.default_rng(10)
    f = random.normal(size=1_000)
    c = 0.5 * f + random.normal(size=1_000)
    e = f[:, None].astype(np.float32)
    values = [
        named(deconfound(numbers(size * f + c + random.normal(size=1_000), c[:, None]), e), "unmeasured").statistic
        for size in (0.3, 1.0, 3.0)
    ]
    assert values == sorted(values) and values[0] < 0.4 < values[2]
    # Cinelli and Hazlett's eq. (19) with f² = t²/dof: a slope of 3 with residuals of 1 and text of variance 1.
    f2 = 9.0
    assert values[2] == pytest.approx((np.sqrt(f2**2 + 4 * f2) - f2) / 2, abs=0.05)


def test_combined_p_values_are_even_under_the_null_and_small_where_one_is() -> None:
    random = np.random.default_rng(11)
    p = np.array([combined(random.random(4).tolist()) for _ in range(2_000)])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.02)
    assert combined([1e-20, 0.5, 0.9]) == pytest.approx(3e-20)
    assert combined([0.02]) == pytest.approx(0.02)


def test_clean_logs_are_rejected_no_more_often_than_is_said() -> None:
    random = np.random.default_rng(13)
    n, d, draws = 200, 6, 80
    t: list[float] = []
    p: dict[str, list[float]] = {"varying": [], "experiment": []}
    for _ in range(draws):
        e = random.normal(size=(n, d)).astype(np.float32)
        f, drawn = e.sum(axis=1).astype(np.float64) / d**0.5, random.random(n) < 0.3
        c = 0.6 * np.where(drawn, random.normal(size=n), f) + 0.8 * random.normal(size=n)
        y = f + c + random.normal(size=n) * (1 + 0.5 * np.abs(c))
        for name, randomised in (("varying", None), ("experiment", drawn)):
            rows = rows_of(numbers(y, c[:, None], randomised=randomised), curves=False)
            phi, fold = Features(e, rows.by_text()[0]), folds_for(rows, 5, 0)
            parts = fold_sums(rows, phi, fold)
            model = ridge_nuisance(parts, phi, fold)
            left = residuals(rows, model)
            slopes = least_squares(left)
            if randomised is None:
                twice = partial(without_two, partial(_rest, parts), phi, model)
                of = additivity(left, slopes, phi, fold, partial(_apart, rows, twice), 0)
                p[name].append(of.p_value)
                t.append(of.statistic)
                continue
            r = y - slopes.gamma[0] * (c - rows.centre[1])
            of_r = reward_sums(phi, r, rows.logs.text_of, rows.weight, fold)
            train = [total(of_r) - part for part in of_r]
            told = left.predicted[:, 1:2]
            agrees = agreement(rows, r, cross_fitted(train, of_r, phi, fold, slack=0.0), train, phi, told, slopes)
            assert agrees is not None
            p[name].append(agrees.p_value)
    for name, values in p.items():
        for level in (0.05, 0.2):
            most = level + 3 * np.sqrt(level * (1 - level) / draws)
            assert (np.array(values) < level).mean() < most, (name, level)
        assert (np.array(values) < 0.5).mean() > 0.25, name
    assert np.std(t) < 1.35  # the largest of a few t that go together


def _rest(parts: list[Sums], f: int, g: int) -> Sums:
    return total(parts) - parts[f] - parts[g]


def _apart(rows: Rows, twice: Callable[[int], Iterator[Floats]], columns: int) -> Iterator[Residuals]:
    return (Residuals(rows, one) for one in twice(columns))


def test_findings_that_fired_come_first_and_every_one_says_something() -> None:
    of = found(draw(0.5, ROWS, 12, "unmeasured").logs())
    fired = [finding.fired for finding in of.findings]
    assert fired == sorted(fired, reverse=True) and fired[0]
    assert all(finding.said for finding in of.findings)


def numbers(y: Floats, c: Floats, text_of: Ints | None = None, **more: Any) -> Logs:
    """Logs of texts that say nothing but their number."""
    text_of = np.arange(len(y)) if text_of is None else text_of
    absent = ("contexts", "context_of", "z", "group_of", "user_of", "time", "randomised")
    names = tuple(f"c{j}" for j in range(c.shape[1]))
    logs = Logs(
        LogSpec("text", "y", names, instrument="z" if "z" in more else None),
        [f"t{i}" for i in range(int(text_of.max()) + 1)], text_of, y, c, names,
        **{name: more.pop(name, None) for name in absent}, sha256="", dropped={},
    )  # fmt: skip
    return replace(logs, **more)
