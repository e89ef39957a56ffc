"""A policy is worth what the logs say, as surely as they say it; and where they do not, there is no number."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from leucippus.training.deconfound.arms import arms_of
from leucippus.training.deconfound.logs import Logs
from leucippus.training.deconfound.off_policy import OffPolicy, evaluable, off_policy_value, renormalised, tilted
from leucippus.training.deconfound.propensity import shown
from leucippus.training.deconfound.reward import Deconfounded
from tests.training.test_deconfound_pairs import made


def valued(logs: Logs, found: Deconfounded, log_pi: Any, **given: Any) -> OffPolicy:
    arms = arms_of(logs, found)
    return off_policy_value(logs, found, arms, log_pi[arms.text], np.zeros(len(logs.texts)), **given)


def test_likelihoods_are_renormalised_over_the_texts_of_a_context() -> None:
    logs, found, _ = made(contexts=3, per=2)
    arms = arms_of(logs, found)
    pi = renormalised(arms, np.array([-1000.0, -1000.0 + np.log(3), 5.0, 5.0, 0.0, -2000.0]))
    assert pi == pytest.approx([0.25, 0.75, 0.5, 0.5, 1.0, 0.0])


def test_with_shares_as_chances_the_value_is_the_mean_of_each_text_weighed_by_the_policy() -> None:
    logs, found, f = made(contexts=50)
    arms = arms_of(logs, found)
    pi = renormalised(arms, f[arms.text])
    rows = np.bincount(arms.context, weights=arms.n)[arms.context]
    expected = float((pi * arms.reward * rows).sum() / len(logs.y))
    for outcome_model in (np.zeros(len(f)), f, 7 * f - 3):  # with these chances, any will do
        found_value = off_policy_value(logs, found, arms, f[arms.text], outcome_model)
        assert found_value.value is not None and found_value.value.value == pytest.approx(expected)


def test_the_interval_covers_the_value_in_a_world_of_contexts() -> None:
    """The truth is over contexts that were never logged."""
    world = np.random.default_rng(10**6).normal(size=(200_000, 4))
    chance = np.exp(world)
    truth = float((chance / chance.sum(axis=1, keepdims=True) * world).sum(axis=1).mean())
    covered, gains = [], []
    for seed in range(150):
        logs, found, f = made(contexts=50, per=4, rows=4, seed=seed)
        result = valued(logs, found, f)
        assert result.value is not None and result.over_logged is not None
        covered.append(result.value.low <= truth <= result.value.high)
        gains.append(result.over_logged.low <= truth <= result.over_logged.high)  # what was shown is worth 0
    assert min(np.mean(covered), np.mean(gains)) >= 0.89


def test_a_policy_like_the_logs_is_worth_what_was_logged_and_a_better_one_more() -> None:
    logs, found, f = made(contexts=60, rows=20)
    arms = arms_of(logs, found)
    same = off_policy_value(logs, found, arms, np.log(arms.n), np.zeros(len(f)))
    assert same.value is not None and same.over_logged is not None
    assert same.value.value == pytest.approx(found.r.mean()) and same.ess == pytest.approx(len(logs.y))
    assert same.over_logged.value == pytest.approx(0, abs=1e-12)
    better = off_policy_value(logs, found, arms, 3 * f[arms.text], f, log_base=np.zeros(len(arms.n)))
    assert better.over_logged is not None and better.over_logged.low > 0
    assert better.over_base is not None and better.over_base.low > 0 and better.ess < same.ess


def test_what_tuning_changed_is_told_where_the_tuned_model_itself_has_too_little_in_common_with_the_logs() -> None:
    logs, found, f = made(contexts=60, rows=20)
    arms = arms_of(logs, found)
    rng = np.random.default_rng(0)
    log_base = 40 * rng.normal(size=len(arms.n))  # likelihoods of whole sentences: one text takes it all
    moved = f[arms.text] + 0.1 * rng.normal(size=len(arms.n))
    itself = off_policy_value(logs, found, arms, log_base + moved, f)
    change = off_policy_value(logs, found, arms, tilted(arms, moved), f, policy="It")
    assert change.supported and change.said.startswith("It would have earned") and change.ess > 2 * itself.ess
    assert change.over_logged is not None and change.over_logged.low > 0
    nothing = off_policy_value(logs, found, arms, tilted(arms, np.zeros(len(arms.n))), f)
    assert nothing.over_logged is not None and nothing.over_logged.value == pytest.approx(0, abs=1e-12)


def test_degenerate_weights_give_no_number() -> None:
    logs, found, _ = made(contexts=None, per=300, rows=1)
    for result in (
        valued(logs, found, 50.0 * np.arange(300)),  # all on the last text
        valued(*made(contexts=4, per=3, rows=2)[:2], np.zeros(12)),  # too few rows
        valued(*made(contexts=30, per=1)[:2], np.zeros(30)),  # nothing to choose among
    ):
        assert not result.supported and result.said.startswith("Not supported by these logs: ")
        assert result.value is result.logged is result.over_logged is result.over_base is None
    flat = valued(logs, found, np.zeros(300))
    assert flat.supported and flat.ess == pytest.approx(len(logs.y), rel=0.6)


def test_one_row_of_great_weight_is_no_evidence() -> None:
    logs, found, _ = made(contexts=None, per=2, rows=200)
    text = np.zeros(len(logs.y), dtype=np.int64)
    text[0] = 1
    rare = replace(logs, text_of=text)
    result = valued(rare, found, np.array([0.0, 0.0]))
    assert not result.supported
    result = valued(rare, found, np.array([0.0, -2.0]))
    assert not result.supported and ("one row has" in result.said or "are worth" in result.said)


def test_users_and_an_uncertain_gamma_widen_the_interval() -> None:
    logs, found, f = made(contexts=None, per=5, rows=100)
    plain = valued(logs, found, f).value
    rng = np.random.default_rng(0)
    users = rng.integers(25, size=len(logs.y))
    moody = replace(found, r=found.r + 2 * rng.normal(size=25)[users])
    alone, together = (valued(replace(logs, user_of=u), moody, f).value for u in (None, users))
    tilted = replace(logs, c=logs.c + f[logs.text_of][:, None])
    unsure = valued(tilted, replace(found, gamma_se=np.full(1, 0.5)), f).value
    assert plain is not None and alone is not None and together is not None and unsure is not None
    assert together.se > 1.5 * alone.se and unsure.se > 1.5 * plain.se


def test_where_confounders_change_what_texts_do_chances_are_given_them() -> None:
    """Text 1 is good for c > 0 and shown mostly there, text 0 for c < 0: by shares each looks good for all."""
    rng = np.random.default_rng(0)
    n = 4000
    c = rng.normal(size=n)
    text = (rng.random(n) < 1 / (1 + np.exp(-2 * c))).astype(np.int64)
    logs, found, _ = made(contexts=None, per=2, rows=n // 2)
    logs = replace(logs, text_of=text, c=c[:, None])
    found = replace(found, r=np.where(text == 1, c, -c) + 0.1 * rng.normal(size=n))
    always_one = np.array([-50.0, 0.0])  # worth E[c] = 0
    by_share = valued(logs, found, always_one)
    given = valued(logs, found, always_one, given_confounders=True)
    assert by_share.value is not None and given.value is not None
    assert by_share.value.value > 0.4
    assert abs(given.value.value) < 0.12 and "given the confounders" in given.said


def test_chances_that_cannot_be_modelled_are_shares_and_that_is_said() -> None:
    logs, found, _ = made(contexts=None, per=100, rows=3)
    arms = arms_of(logs, found)
    plain, said = shown(logs, arms)
    assert said == ""
    modelled, said = shown(logs, arms, given_confounders=True)
    assert modelled == pytest.approx(plain) and "for 0% of rows only" in said


def test_what_is_looked_at_is_bounded_and_what_that_covers_is_told() -> None:
    logs, found, _ = made(contexts=100, per=5)
    rows = np.arange(len(logs.y), dtype=np.int64)
    arms, covered = evaluable(logs, found, rows, 40, 0)
    assert len(arms.n) == 40 and len(set(arms.context)) == 8 and covered == pytest.approx(0.08)
    again, _ = evaluable(logs, found, rows, 40, 0)
    assert (again.text == arms.text).all()
    whole, covered = evaluable(logs, found, rows, 10_000, 0)
    assert covered == 1 and len(whole.n) == len(arms_of(logs, found).n)
    without, found, _ = made(contexts=None, per=50, rows=3)
    arms, _ = evaluable(without, found, np.arange(150, dtype=np.int64), 10, 0)
    assert len(arms.n) == 10 and arms.n.min() >= np.sort(arms_of(without, found).n)[-10]
