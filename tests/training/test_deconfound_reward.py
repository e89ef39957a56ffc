"""The confounders' effects are found, their intervals cover, and the reward tells good texts from lucky ones."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.training.deconfound import features as features_module
from leucippus.training.deconfound import rows
from leucippus.training.deconfound.features import Features, hashed_words
from leucippus.training.deconfound.fixed_effects import within
from leucippus.training.deconfound.linear import Slopes, least_squares
from leucippus.training.deconfound.logs import Floats, Ints, Logs, LogSpec, Unanswered
from leucippus.training.deconfound.missing import answer_weights
from leucippus.training.deconfound.nuisance import fold_sums, folds_for, residuals, ridge_nuisance, text_means
from leucippus.training.deconfound.reward import deconfound
from leucippus.training.deconfound.reward_model import RewardModel, fit_reward_model
from leucippus.training.deconfound.ridge import text_folds
from leucippus.training.deconfound.rows import rows_of
from leucippus.training.deconfound.simulated import draw, every_text, truth

GAMMA = np.array([1.0, -0.5])


@pytest.fixture(autouse=True)
def few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that say nothing but their number need no room for words."""
    monkeypatch.setattr(features_module, "_BUCKETS", 16)


def log(y: Floats, c: Floats, text_of: Ints, texts: int = 0, **more: Any) -> Logs:
    """Logs of texts that say nothing but their number."""
    names = tuple(f"c{j}" for j in range(c.shape[1]))
    absent = ("contexts", "context_of", "z", "group_of", "user_of", "time", "randomised")
    spec = LogSpec("text", "y", names, instrument="z" if "z" in more else None)
    return Logs(
        spec, [f"t{i}" for i in range(texts or int(text_of.max()) + 1)], text_of, y, np.asfortranarray(c), names,
        **{name: more.pop(name, None) for name in absent}, sha256="", dropped={}, **more,
    )  # fmt: skip


def vectors(
    random: np.random.Generator,
    n: int,
    d: int,
    rho: float,
    *,
    texts: int | None = None,
    users: int = 0,
    groups: int = 0,
) -> tuple[Logs, NDArray[np.float32]]:
    """A log and the embeddings of its texts: f is linear in them, C goes with f, and errors with the size of C.

    Users differ in the second confounder and in the outcome, groups in all.
    """
    m = texts or n
    e = random.normal(size=(m, d)).astype(np.float32)
    text_of = (random.permutation(n) % m).astype(np.int64)
    group = random.integers(max(groups, 1), size=n)
    of_group = 2 * random.normal(size=max(groups, 1)) * (groups > 0)
    if groups:  # each group prefers its own texts
        text_of = np.argsort(e[:, 0])[
            np.clip((group / groups * m + 0.2 * m * random.normal(size=n)), 0, m - 1).astype(int)
        ]
    f = (e @ np.ones(d) / d**0.5)[text_of].astype(np.float64)
    user = random.integers(max(users, 1), size=n)
    like, worth = (random.normal(size=max(users, 1))[user] * (users > 0) for _ in range(2))
    c = np.column_stack([rho * f + np.sqrt(1 - rho**2) * random.normal(size=n), 0.3 * f + like + random.normal(size=n)])
    c += of_group[group, None]
    y = (
        f
        + c @ GAMMA
        + worth
        + 3 * of_group[group]
        + random.normal(size=n) * (1 + 0.5 * np.abs(c[:, 0] - of_group[group]))
    )
    logs = log(y, c, text_of, m, user_of=user if users else None, group_of=group if groups else None)
    return logs, e


def robinson(logs: Logs, e: NDArray[np.float32], seed: int = 0) -> Slopes:
    """The estimate from embeddings alone, or from texts' own means."""
    of = rows_of(logs, curves=False)
    phi, fold = Features(e, of.by_text()[0]), folds_for(of, 5, seed)
    if len(e) < 0.5 * of.n:
        return least_squares(residuals(of, text_means(of, fold)))
    return least_squares(residuals(of, ridge_nuisance(fold_sums(of, phi, fold), phi, fold)))


@pytest.mark.parametrize(("texts", "users", "draws"), [(None, 0, 240), (80, 0, 200), (None, 100, 100), (80, 100, 100)])
def test_intervals_cover_the_effects_in_hundreds_of_logs(texts: int | None, users: int, draws: int) -> None:
    random = np.random.default_rng(0)
    inside, off, lone = np.zeros(2), np.zeros(2), np.zeros(2)
    for seed in range(draws):
        logs, e = vectors(random, 300, 4, 0.8, texts=texts, users=users)
        found = robinson(logs, e, seed)
        inside += np.abs(found.gamma - GAMMA) <= 1.96 * found.se
        off += found.gamma - GAMMA
        if users:
            one = robinson(replace(logs, user_of=None), e, seed)
            lone += np.abs(one.gamma - GAMMA) <= 1.96 * one.se
    # 95 %, less three standard errors of a share at most.
    assert np.all(inside >= (0.95 - 3 * np.sqrt(0.05 * 0.95 / draws)) * draws) and np.any(inside < draws)
    assert np.all(np.abs(off / draws) < 0.05 * np.abs(GAMMA))
    if users:  # rows of a user are alike: without clusters the interval of what users differ in is too short
        assert lone[1] < inside[1] - (0.05 * draws if texts is None else 0)


def dummies(code: Ints) -> Floats:
    return np.asarray(code[:, None] == np.unique(code), dtype=np.float64)


def test_with_repeated_texts_the_estimate_is_that_of_a_regression_on_an_indicator_for_each_text() -> None:
    logs, e = vectors(np.random.default_rng(2), 300, 4, 0.9, texts=60)
    exact = np.linalg.lstsq(np.column_stack([logs.c, dummies(logs.text_of)]), logs.y, rcond=None)[0][:2]
    found = deconfound(logs, e)
    assert np.allclose(found.gamma, exact) and found.lam == 0.0 and found.method == "partially linear"
    # And any f(X) will do: one that no embedding tells changes nothing.
    odd = 50 * np.sin(np.arange(60.0) ** 2)
    assert np.allclose(deconfound(replace(logs, y=logs.y + odd[logs.text_of]), e).gamma, exact)


def test_groups_and_repeated_texts_are_taken_out_together_as_by_indicators() -> None:
    logs, e = vectors(np.random.default_rng(3), 400, 4, 0.5, texts=60, groups=12)
    assert logs.group_of is not None
    design = np.column_stack([logs.c, dummies(logs.text_of), dummies(logs.group_of)])
    exact = np.linalg.lstsq(design, logs.y, rcond=None)[0][:2]
    found = deconfound(logs, e)
    assert found.method == "fixed effects" and np.allclose(found.gamma, exact, atol=1e-6)


def test_a_groups_constant_effect_leaves_the_reward() -> None:
    logs, e = vectors(np.random.default_rng(4), 1_500, 4, 0.5, groups=40)
    assert logs.group_of is not None
    found = deconfound(logs, e)
    assert found.method == "fixed effects"
    assert np.all(np.abs(found.gamma - GAMMA) < 4 * found.gamma_se)
    f = (e @ np.ones(4) / 2)[logs.text_of]
    without = deconfound(replace(logs, group_of=None), e, method="partially linear")
    assert np.corrcoef(found.r, f)[0, 1] > 0.5
    assert np.corrcoef(without.r, f)[0, 1] < 0.3


def test_a_group_alone_is_taken_out_and_an_experiment_tests_it_too() -> None:
    logs, e = vectors(np.random.default_rng(16), 1_500, 4, 0.5, groups=40)
    drawn = np.random.default_rng(17).random(1_500) < 0.3
    alone = replace(logs, c=logs.c[:, :0], names=(), randomised=drawn, spec=replace(logs.spec, confounders=()))
    found = deconfound(alone, e)
    assert found.method == "fixed effects" and not len(found.gamma)
    assert {"experiment"} == {finding.name for finding in found.findings if finding.p_value is not None}


def test_sums_within_groups_are_those_of_rows_less_their_groups_mean() -> None:
    logs, e = vectors(np.random.default_rng(5), 200, 3, 0.5, groups=15)
    of = rows_of(logs, curves=False, group=logs.group_of)
    phi, fold = Features(e, of.by_text()[0]), folds_for(of, 4, 0)
    sums_of = within(of, phi, fold, fold_sums(of, phi, fold))
    x, v, group, in_fold = (
        phi.block(np.arange(len(e)))[logs.text_of],
        of.block(slice(None)),
        logs.group_of,
        fold[logs.text_of],
    )
    assert group is not None
    for out in [(0,), (1,), (2,), (3,), (0, 2), (1, 3)]:
        rest = ~np.isin(in_fold, out)
        centred_x, centred_v = x.astype(np.float64), v.copy()
        for g in range(15):
            known = rest & (group == g)
            centred_x[group == g] -= x[known].mean(axis=0) if known.any() else 0.0
            centred_v[group == g] -= v[known].mean(axis=0) if known.any() else 0.0
        pairs = [(sums_of.train[out], rest)] + ([(sums_of.held[out[0]], ~rest)] if len(out) == 1 else [])
        for sums, some in pairs:
            assert np.allclose(sums.xx, centred_x[some].T @ centred_x[some], atol=1e-3)
            assert np.allclose(sums.xv, centred_x[some].T @ centred_v[some], atol=1e-3)
            assert np.allclose(sums.vv, (centred_v[some] ** 2).sum(axis=0), atol=1e-3)


def test_what_a_prompt_does_to_answer_and_outcome_is_taken_out_where_prompts_repeat() -> None:
    logs, e = vectors(np.random.default_rng(14), 1_500, 4, 0.5, groups=40)
    prompted = replace(logs, group_of=None, context_of=logs.group_of, contexts=[f"Prompt {i}?" for i in range(40)])
    by_group, by_context = deconfound(logs, e), deconfound(prompted, e)
    assert by_context.method == "partially linear" and np.array_equal(by_context.gamma, by_group.gamma)
    # Its constant stays in the reward: answers are compared within a prompt.
    assert logs.group_of is not None
    apart = by_context.r - by_group.r
    assert all(np.ptp(apart[logs.group_of == g]) < 1e-9 for g in range(40)) and np.ptp(apart) > 1
    rare = replace(prompted, context_of=np.arange(1_500), contexts=[f"Prompt {i}?" for i in range(1_500)])
    assert np.array_equal(deconfound(rare, e).r, deconfound(replace(rare, context_of=None, contexts=None), e).r)


def test_two_stages_find_the_effect_of_an_endogenous_confounder_and_least_squares_do_not() -> None:
    random = np.random.default_rng(6)
    n, d = 1_500, 4
    e = random.normal(size=(n, d)).astype(np.float32)
    f, z, hidden = (e @ np.ones(d) / 2).astype(np.float64), random.normal(size=n), random.normal(size=n)
    c = np.column_stack([0.5 * f + 0.7 * z + hidden, random.normal(size=n)])
    y = f + c @ GAMMA + 1.5 * hidden + random.normal(size=n)
    logs = log(y, c, np.arange(n), z=z)
    found, plain = deconfound(logs, e), deconfound(logs, e, method="partially linear")
    assert found.method == "two-stage least squares" and plain.gamma[0] > 1.5
    assert np.all(np.abs(found.gamma - GAMMA) < 4 * found.gamma_se)
    assert np.corrcoef(found.r, f)[0, 1] > np.corrcoef(plain.r, f)[0, 1]


def test_a_text_takes_no_part_in_its_own_prediction() -> None:
    logs, e = vectors(np.random.default_rng(7), 300, 4, 0.5, texts=200)
    of = rows_of(logs, curves=False)
    phi, fold = Features(e, of.by_text()[0]), folds_for(of, 5, 0)
    before = ridge_nuisance(fold_sums(of, phi, fold), phi, fold)
    y = logs.y.copy()
    y[logs.text_of == 17] += 100
    changed = rows_of(replace(logs, y=y), curves=False)
    changed = replace(changed, centre=of.centre, scale=of.scale)
    parts = fold_sums(changed, phi, fold)
    after = ridge_nuisance(parts, phi, fold)
    if after.penalty[0] != before.penalty[0]:
        after = replace(after, predicted=_at(parts, phi, fold, before.penalty))
    same = np.isclose(before.predicted[:, 0], after.predicted[:, 0])
    assert same[fold == fold[17]].all() and not same[fold != fold[17]].any()


def _at(parts: Any, phi: Features, fold: Ints, penalty: Floats) -> Floats:
    from leucippus.training.deconfound.ridge import path, total

    found = np.zeros((len(fold), len(penalty)))
    for f, part in enumerate(parts):
        fit = path(total(parts) - part)
        for j, one in enumerate(penalty):
            found[:, j][fold == f] = fit.v_mean[j] + (phi.block(np.flatnonzero(fold == f)) - fit.x_mean) @ fit.weights(
                one, j
            )
    return found


def test_every_text_is_in_one_fold_and_folds_are_even() -> None:
    fold = text_folds(103, 5, 0)
    assert np.bincount(fold).tolist() == [21, 21, 21, 20, 20]


def test_rows_of_an_experiment_choose_nothing() -> None:
    random = np.random.default_rng(8)
    logs, e = vectors(random, 600, 4, 0.5)
    logs = replace(logs, randomised=random.random(600) < 0.3)
    assert logs.randomised is not None
    other = replace(logs, y=np.where(logs.randomised, 1e3 * random.normal(size=600), logs.y))
    one, two = deconfound(logs, e), deconfound(other, e)
    assert np.array_equal(one.gamma, two.gamma) and one.lam == two.lam and one.noise == two.noise
    first, second = (fit_reward_model(e, of.r, logs.text_of, rows=logs.observational) for of in (one, two))
    assert first.lam == second.lam and np.array_equal(first.weights, second.weights)


def test_rows_are_read_in_blocks_and_the_size_of_a_block_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    logs, e = vectors(np.random.default_rng(9), 500, 4, 0.5, texts=400, users=50)
    whole = deconfound(logs, e)
    monkeypatch.setattr(rows, "BLOCK", 37)
    pieces = deconfound(logs, e)
    assert np.allclose(whole.gamma, pieces.gamma) and np.allclose(whole.gamma_se, pieces.gamma_se)
    assert np.allclose(whole.r, pieces.r)


@pytest.mark.parametrize("entanglement", [0.0, 0.9])
def test_the_reward_tells_good_headlines_from_popular_subjects(
    entanglement: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features_module, "_BUCKETS", 256)
    log_ = draw(entanglement, 3_000, 1)
    logs = log_.logs()
    e = blurred(logs.texts)
    found = deconfound(logs, e)
    assert np.all(np.abs(found.gamma - log_.gamma) < np.maximum(0.05 * np.array(log_.gamma), 3 * found.gamma_se))
    c = logs.c - logs.c[logs.observational].mean(axis=0)
    others = {"outcome": logs.y, "residual": logs.y - _fitted(logs.y, c, logs.observational), "oracle": log_.oracle}
    unseen = np.random.default_rng(0).choice(every_text(), 400, replace=False).tolist()
    f, told = np.array([truth(text) for text in unseen]), blurred(unseen)
    corr = {
        name: np.corrcoef(fit_reward_model(e, r, logs.text_of, rows=logs.observational).score(told), f)[0, 1]
        for name, r in {**others, "ours": found.r}.items()
    }
    assert corr["ours"] > 0.98 * corr["oracle"]
    if entanglement:
        # Ignoring the confounder, and taking out what goes with it, both leave little of f.
        assert max(corr["residual"], corr["outcome"]) < 0.8 * corr["ours"]


def blurred(texts: Any) -> NDArray[np.float32]:
    """Embeddings that are quick to make: words seen from a few random directions."""
    words = hashed_words(texts)
    turned = np.random.default_rng(0).normal(size=(words.shape[1], 64)) / 8
    return np.asarray(words @ turned, dtype=np.float32)


def _fitted(y: Floats, c: Floats, used: NDArray[np.bool_]) -> Floats:
    return np.asarray(c @ np.linalg.lstsq(c[used], y[used] - y[used].mean(), rcond=None)[0])


def test_an_effect_that_depends_on_the_text_is_allowed_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features_module, "_BUCKETS", 256)
    log_ = draw(0.5, 3_000, 3, "interaction", experiment=0)
    logs = log_.logs()
    e = blurred(logs.texts)
    found, additive = deconfound(logs, e), deconfound(logs, e, method="partially linear")
    assert found.method == "interacted"
    # Popularity's mean is 0, so what a text is worth at the average is f.
    errors = [
        np.mean([np.mean(of.r[log_.a == a] - log_.f[log_.a == a]) ** 2 for a in range(5)]) for of in (found, additive)
    ]
    assert errors[0] < 0.3 * errors[1]


def test_squares_and_products_are_taken_out_where_lines_are_not_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features_module, "_BUCKETS", 256)
    log_ = draw(0.5, 3_000, 3, "curved", experiment=0)
    logs = log_.logs()
    e = blurred(logs.texts)
    found, straight = deconfound(logs, e), deconfound(logs, e, method="partially linear")
    assert found.method == "curved"
    square = logs.c[:, 0] ** 2
    remains, less = (np.corrcoef(of.r - log_.f, square)[0, 1] for of in (straight, found))
    assert remains > 0.3 and abs(less) < 0.05
    # γ̂ is the average effect, with and without the square.
    assert np.all(np.abs(found.gamma - log_.gamma) < 4 * found.gamma_se)


def test_with_repeated_texts_and_curves_the_reward_is_that_of_one_regression() -> None:
    logs, e = vectors(np.random.default_rng(15), 300, 4, 0.5, texts=60)
    logs = replace(logs, y=logs.y + 0.8 * logs.c[:, 0] * logs.c[:, 1])
    z = (logs.c - logs.c.mean(axis=0)) / logs.c.std(axis=0)
    curves = np.column_stack([z**2, z[:, 0] * z[:, 1]])
    exact = np.linalg.lstsq(np.column_stack([logs.c, curves, dummies(logs.text_of)]), logs.y, rcond=None)[0]
    found = deconfound(logs, e, method="curved")
    assert np.allclose(found.gamma, exact[:2])
    taken = (logs.c - logs.c.mean(axis=0)) @ exact[:2] + (curves - curves.mean(axis=0)) @ exact[2:5]
    assert np.allclose(found.r, logs.y - taken)


def test_weights_make_up_for_outcomes_that_are_missing_where_it_can_be_seen() -> None:
    random = np.random.default_rng(10)
    logs, e = vectors(random, 4_000, 4, 0.3)
    chance = 1 / (1 + np.exp(-1 - logs.c[:, 0] - e[logs.text_of, 0]))
    for seen, fires in ((random.random(4_000) < chance, True), (random.random(4_000) < 0.7, False)):
        kept = log(logs.y[seen], logs.c[seen], logs.text_of[seen])
        kept = replace(kept, texts=logs.texts, unanswered=Unanswered(logs.text_of[~seen], logs.c[~seen]))
        weight, finding = answer_weights(kept, Features(e, np.ones(len(e))), 0)
        assert weight is not None and finding is not None and finding.fired is fires
        assert weight.mean() == pytest.approx(1)
        if fires:
            assert np.corrcoef(np.log(weight), -np.log(chance[seen]))[0, 1] > 0.95
            assert abs(float(weight @ logs.c[seen, 0]) / len(weight)) < 0.1 < float(logs.c[seen, 0].mean())
            assert not np.allclose(deconfound(kept, e).gamma, deconfound(kept, e, reweigh=True).gamma)


def test_a_reward_model_is_as_sure_as_it_is_right_and_is_kept_without_pickle(tmp_path: Path) -> None:
    random = np.random.default_rng(11)
    weights = random.normal(size=20)
    e, new = (random.normal(size=(size, 20)).astype(np.float32) for size in (300, 2_000))
    text_of = np.repeat(np.arange(300), 3)
    r = (e @ weights)[text_of] + 4 * random.normal(size=900)
    model = fit_reward_model(e, r, text_of)
    z = (model.score(new) - new @ weights) / model.standard_error(new)
    assert 0.7 < float(np.sqrt((z**2).mean())) < 1.3
    assert 0 < model.told < 1 and 3.5 < model.sigma < 4.5
    model.save(tmp_path / "reward.npz")
    again = RewardModel.load(tmp_path / "reward.npz")
    assert np.array_equal(again.score(new), model.score(new))
    assert np.array_equal(again.standard_error(new), model.standard_error(new))
    np.savez(tmp_path / "pickled.npz", version=np.array([{"a": 1}], dtype=object))
    (tmp_path / "text.npz").write_text("no")
    for name in ("pickled.npz", "text.npz", "absent.npz"):
        with pytest.raises(InputError, match="is no reward model"):
            RewardModel.load(tmp_path / name)
    with pytest.raises(InputError, match="20 numbers a text"):
        model.score(new[:, :3])


def test_what_cannot_be_estimated_is_refused() -> None:
    logs, e = vectors(np.random.default_rng(12), 200, 4, 0.5)
    refused: list[tuple[Logs, NDArray[np.float32], dict[str, Any], str]] = [
        (logs, e[:-1], {}, "embeddings of shape"),
        (logs, np.full_like(e, np.nan), {}, "not finite"),
        (logs, e, {"method": "magic"}, "no method 'magic'"),
        (logs, e, {"method": "two-stage least squares"}, "without an instrument"),
        (logs, e, {"method": "fixed effects"}, "without a group"),
        (logs, e, {"folds": 1}, "1 folds"),
        (replace(logs, c=np.column_stack([logs.c[:, 0], 2 * logs.c[:, 0]])), e, {}, "nothing varies in 'c0', 'c1'"),
        (replace(logs, group_of=np.arange(200)), e, {}, "of its own"),
    ]
    for given, vectors_, options, said in refused:
        with pytest.raises(InputError, match=said):
            deconfound(given, vectors_, **options)
