"""What is preferred is what the logs can tell to be better, as surely as they can tell it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from leucippus.errors import InputError
from leucippus.training.deconfound.arms import arms_of, compare, judge
from leucippus.training.deconfound.logs import Logs, LogSpec
from leucippus.training.deconfound.pairs import (
    INSTRUCTION,
    PairRecipe,
    preference_pairs,
    prompt_of,
    weighted_texts,
)
from leucippus.training.deconfound.reward import Deconfounded


def made(
    contexts: int | None = 40,
    per: int = 4,
    rows: int = 10,
    *,
    noise: float = 1.0,
    spread: float = 1.0,
    seed: int = 0,
    gamma_se: float = 0.0,
    users: Any = None,
) -> tuple[Logs, Deconfounded, Any]:
    """Logs in which text number i is called `t i` and is worth f[i]; each is shown about `rows` times."""
    rng = np.random.default_rng(seed)
    many = contexts or 1
    f = spread * rng.normal(size=many * per)
    context = np.repeat(np.arange(many), rows * per)
    text = context * per + rng.integers(per, size=len(context))
    r = f[text] + noise * rng.normal(size=len(text)) + rng.normal(size=many)[context]
    logs = Logs(
        LogSpec("text", "y", ("c",), context="x" if contexts else None),
        [f"t {i}" for i in range(many * per)],
        text,
        r,
        rng.normal(size=(len(r), 1)),
        ("c",),
        [f"about {i}" for i in range(many)] if contexts else None,
        context if contexts else None,
        None,
        None,
        users,
        None,
        None,
        "0",
        {},
    )
    found = Deconfounded(r, np.zeros(1), np.full(1, gamma_se), ("c",), "partially linear", 1.0, noise, (), ())
    return logs, found, f


def pairs_of(logs: Logs, found: Deconfounded, recipe: PairRecipe | None = None, **judged: Any) -> Any:
    arms = arms_of(logs, found)
    return preference_pairs(logs, arms, judge(arms, **judged), found.gamma_se, recipe)


def number(text: str) -> int:
    return int(text.split()[1])


def test_an_arm_is_a_text_in_a_context_with_its_mean_reward() -> None:
    logs, found, _ = made()
    arms = arms_of(logs, found)
    assert logs.context_of is not None
    for at in (0, 17, len(arms.n) - 1):
        rows = (logs.text_of == arms.text[at]) & (logs.context_of == arms.context[at])
        assert arms.n[at] == rows.sum() and arms.reward[at] == pytest.approx(found.r[rows].mean())
        assert (arms.of_row[rows] == at).all()
    assert arms.noise == pytest.approx(1.0, abs=0.05)
    some = arms_of(logs, found, np.flatnonzero(logs.context_of == 3).astype(np.int64))
    assert set(some.context) == {3} and some.n.sum() == 40


def test_few_rows_are_shrunk_towards_what_the_reward_model_expects_and_many_are_not() -> None:
    error = {}
    for rows in (1, 100):
        logs, found, f = made(contexts=60, per=6, rows=rows, noise=2.0)
        arms = arms_of(logs, found)
        expected = f + 0.5 * np.random.default_rng(1).normal(size=len(f))
        judged = judge(arms, expected, np.zeros(len(f)))
        within = [
            np.concatenate([v[arms.context == c] - np.mean(v[arms.context == c]) for c in range(60)])
            for v in (judged.mean, arms.reward, expected[arms.text], f[arms.text])
        ]
        error[rows] = [float(np.mean((v - within[3]) ** 2)) for v in within[:3]]
        assert error[rows][0] < 1.02 * min(error[rows][1:])
        assert (judged.own.mean() > 0.8) == (rows == 100)


def test_the_confidence_of_a_sign_is_how_often_it_is_right() -> None:
    right, said = [], []
    for seed in range(8):
        logs, found, f = made(rows=5, spread=0.5, seed=seed)
        for pair in pairs_of(logs, found):
            right.append(f[number(pair.chosen)] > f[number(pair.rejected)])
            said.append(pair.confidence)
    assert len(right) > 500
    assert np.mean(right) == pytest.approx(np.mean(said), abs=0.03)
    sure = np.array(said) > 0.97
    assert np.mean(np.array(right)[sure]) > np.mean(np.array(right)[~sure]) + 0.05


def test_pairs_are_of_one_context_beyond_noise_and_weighted_by_confidence() -> None:
    logs, found, _ = made()
    recipe = PairRecipe(threshold=2.0)
    found_pairs = pairs_of(logs, found, recipe)
    for pair in found_pairs:
        assert number(pair.chosen) // 4 == number(pair.rejected) // 4 == int(pair.prompt.removeprefix("about "))
        assert pair.confidence > 0.977 and pair.margin > 0
    assert np.mean([pair.weight for pair in found_pairs]) == pytest.approx(1)
    one, other = found_pairs[0], found_pairs[1]
    assert one.weight / other.weight == pytest.approx((2 * one.confidence - 1) / (2 * other.confidence - 1))
    row = one.row()
    assert row["prompt"][0]["content"] == one.prompt and row["chosen"][0]["content"] == one.chosen


def test_pairs_are_the_same_for_the_same_seed_bounded_and_never_twice() -> None:
    logs, found, _ = made(contexts=100, per=10, rows=10)
    recipe = PairRecipe(most=150, per_context=3)
    first = pairs_of(logs, found, recipe)
    assert first == pairs_of(logs, found, recipe) != pairs_of(logs, found, replace(recipe, seed=1))
    assert len(first) == 150 == len({(pair.chosen, pair.rejected) for pair in first})
    count = np.bincount([number(pair.chosen) // 10 for pair in first])
    assert count.max() <= 3


def test_without_contexts_texts_are_compared_with_all_others_under_one_prompt() -> None:
    logs, found, f = made(contexts=None, per=400, rows=5)
    found_pairs = pairs_of(logs, found, PairRecipe(most=300))
    assert len(found_pairs) == 300 and {pair.prompt for pair in found_pairs} == {INSTRUCTION}
    assert np.mean([f[number(pair.chosen)] > f[number(pair.rejected)] for pair in found_pairs]) > 0.85
    assert prompt_of(logs, 0) == INSTRUCTION


def test_few_pairs_of_few_texts_are_drawn_from_all_of_them() -> None:
    logs, found, _ = made(contexts=None, per=20, rows=500)
    found_pairs = pairs_of(logs, found, PairRecipe(most=15))
    assert len({pair.chosen for pair in found_pairs} | {pair.rejected for pair in found_pairs}) > 8


def test_logs_without_confounders_are_compared_too() -> None:
    logs, found, _ = made()
    bare = replace(logs, c=logs.c[:, :0], names=())
    none = replace(found, gamma=found.gamma[:0], gamma_se=found.gamma_se[:0], names=())
    assert pairs_of(bare, none) == pairs_of(logs, found)


def test_an_uncertain_gamma_takes_away_pairs_shown_to_different_people() -> None:
    logs, found, _ = made(contexts=80, rows=3)
    apart = replace(logs, c=logs.c + 3.0 * (logs.text_of % 2)[:, None])
    sure = pairs_of(apart, found)
    unsure = pairs_of(apart, replace(found, gamma_se=np.full(1, 1.0)))
    across = [number(pair.chosen) % 2 != number(pair.rejected) % 2 for pair in unsure]
    assert len(unsure) < len(sure) and np.mean(across) < 0.35
    arms = arms_of(apart, found)
    judged = judge(arms)
    one, other = np.array([0]), np.array([1])
    narrow, wide = (compare(judged, np.full(1, se), one, other)[1][0] for se in (0.0, 1.0))
    assert wide**2 - narrow**2 == pytest.approx(float(abs(judged.slope[0, 0] - judged.slope[1, 0])) ** 2)


def test_rows_of_one_user_in_one_arm_count_as_one() -> None:
    logs, found, _ = made(contexts=20, per=2, rows=2)
    again = np.repeat(np.arange(len(logs.y)), 10)
    copied = replace(
        logs,
        text_of=logs.text_of[again],
        y=logs.y[again],
        c=logs.c[again],
        context_of=None if logs.context_of is None else logs.context_of[again],
        user_of=again,
    )
    twice = replace(found, r=found.r[again])
    alone = arms_of(replace(copied, user_of=None), twice).noise
    assert arms_of(copied, twice).noise > 2.5 * alone


def test_logs_that_hold_no_preference_are_refused_with_the_reason() -> None:
    logs, found, _ = made(spread=0.0)
    with pytest.raises(InputError, match="nothing to learn a preference from"):
        pairs_of(logs, found, PairRecipe(threshold=4.0))
    with pytest.raises(InputError, match="nothing to weight"):
        arms = arms_of(logs, found)
        weighted_texts(logs, arms, judge(arms))
    three, found, _ = made(contexts=None, per=3, rows=500)
    with pytest.raises(InputError, match=r"Of 3 pairs of texts [123] differ .* too few to learn"):
        pairs_of(three, found)
    assert 1 <= len(pairs_of(three, found, PairRecipe(least=1))) <= 3
    single, found, _ = made(per=1)
    with pytest.raises(InputError, match="Each of the 40 contexts showed a single text"):
        pairs_of(single, found)
    alone, found, _ = made(contexts=None, per=1)
    with pytest.raises(InputError, match="a single text"):
        pairs_of(alone, found)


def test_better_texts_weigh_more_and_none_outweighs_all() -> None:
    logs, found, f = made(per=6, rows=30)
    arms = arms_of(logs, found)
    texts = weighted_texts(logs, arms, judge(arms), PairRecipe(most=200))
    assert len(texts) == 200 and np.mean([text.weight for text in texts]) == pytest.approx(1)
    context = np.array([number(text.text) // 6 for text in texts])
    better = f[[number(text.text) for text in texts]] - f.reshape(-1, 6).mean(axis=1)[context]
    assert np.corrcoef(better, np.log([text.weight for text in texts]))[0, 1] > 0.9
    hard = weighted_texts(logs, arms, judge(arms), PairRecipe(temperature=0.05, heaviest=5.0))
    heaviest = max(text.weight for text in hard)
    assert heaviest < 5 and sum(text.weight == pytest.approx(heaviest) for text in hard) > len(hard) / 4
    assert texts[0].row()["completion"][0] == {"role": "assistant", "content": texts[0].text}
