"""Tuning learns what it is told, weight by weight, goes on where it was cut short, and leaves an adapter that is served."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leucippus.config import Settings
from leucippus.errors import InputError
from leucippus.serving.client import find_model
from leucippus.training.adapter import last_checkpoint
from leucippus.training.deconfound import tune as tuning
from leucippus.training.deconfound.pairs import INSTRUCTION, Pair, Weighted
from leucippus.training.deconfound.small_policy import SmallRecipe, train_small_policy
from leucippus.training.deconfound.trainers import build_trainer
from leucippus.training.deconfound.tune import best_of_n, tune
from leucippus.training.deconfound.tuning import TuneRecipe
from leucippus.training.deconfound.writing import Policy, completion_of

WORDS = ("red", "blue", "green", "grey")
TEXTS = [f"{one} and {other} end" for one in WORDS for other in WORDS]
SHORT = TuneRecipe(batch=8, rank=4, longest=64, writes=6, learning_rate=5e-3, save_every=1, generations=4, beta=0.2)


class Stopped(Exception):
    """As if somebody had pulled the plug."""


def quiet(*_: Any) -> None:
    pass


def stop_at(last: int) -> Any:
    def report(what: str, step: int, steps: int, loss: float) -> None:
        if step == last:
            raise Stopped

    return report


def pair(chosen: str, rejected: str, weight: float = 1.0) -> Pair:
    return Pair(INSTRUCTION, f"{chosen} and red end", f"{rejected} and red end", 1.0, 0.9, weight)


PAIRS = [pair("red", other) for other in WORDS[1:]] * 8


def redness(texts: Any) -> Any:
    return np.array([text.split().count("red") for text in texts], dtype=float)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "base"
    train_small_policy(
        [INSTRUCTION] * len(TEXTS),
        TEXTS,
        folder,
        SmallRecipe(width=32, layers=2, heads=2, steps=80, batch=16, learning_rate=1e-2, warmup=10),
    )
    return folder


@pytest.fixture(scope="module")
def tuned(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed run of DPO, three steps."""
    out = tmp_path_factory.mktemp("tuned") / "out"
    tune(str(base), out, SHORT, PAIRS, quiet)
    return out


def weights_of(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    found: dict[str, Any] = load_file(folder / "adapter_model.safetensors")
    return found


def same(one: dict[str, Any], other: dict[str, Any], tolerance: float = 1e-6) -> bool:
    assert one.keys() == other.keys()
    return all(float((one[name] - other[name]).abs().max()) <= tolerance for name in one)


def red_over_blue(policy: Policy) -> float:
    red, blue = policy.likelihoods([INSTRUCTION] * 2, ["red and red end", "blue and red end"])
    return float(red - blue)


def test_what_a_small_policy_writes_is_what_the_log_holds_and_how_often(tmp_path: Path) -> None:
    texts = ["red end"] * 9 + ["blue end"] * 3
    weights = train_small_policy(
        ["?"] * 12,
        texts,
        tmp_path,
        SmallRecipe(width=32, layers=1, heads=2, steps=100, batch=32, learning_rate=1e-2, warmup=10),
    )
    policy = Policy(tmp_path)
    assert weights == sum(each.numel() for each in policy.model.parameters())
    likely = np.exp(policy.likelihoods(["?"] * 3, ["red end", "blue end", "red red"]))
    assert likely[:2] == pytest.approx([0.75, 0.25], abs=0.1) and likely[2] < 0.05
    (written,) = policy.write(["?"], each=64, tokens=4)
    assert 30 < written.count("red end") < 62 and len([text for text in written if text in texts]) > 58
    assert written == policy.write(["?"], each=64, tokens=4)[0]


def test_likelihoods_do_not_depend_on_what_they_are_batched_with(base: Path) -> None:
    policy = Policy(base)
    texts = ["red end", "red and blue and green and grey end", "blue end"]
    together = policy.likelihoods([INSTRUCTION] * 3, texts)
    alone = [policy.likelihoods([INSTRUCTION], [text])[0] for text in texts]
    assert together == pytest.approx(alone, abs=1e-4)
    ids, begin = completion_of(policy.tokenizer, INSTRUCTION, "red end")
    assert policy.tokenizer.decode(ids[begin:]) == "red end [EOS]"


def test_the_gradient_of_a_pair_is_multiplied_by_its_weight(base: Path, tmp_path: Path) -> None:
    """Of the very trainer: what flows back from two pairs is the weighted sum of what flows back from each."""

    def gradient(*weights: float) -> Any:
        import torch

        pairs = [pair("red", "blue", weights[0]), pair("green", "grey", weights[1])]
        trainer, _ = build_trainer(base, tmp_path, SHORT, [each.row() for each in pairs], quiet)
        trainer.model.train()
        batch = trainer.data_collator([trainer.train_dataset[at] for at in range(2)])
        assert batch["weight"].tolist() == list(weights)
        trainer.compute_loss(trainer.model, batch).backward()
        return torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])

    both, first, second, uneven = gradient(1, 1), gradient(1, 0), gradient(0, 1), gradient(3, 0.5)
    assert float(both.norm()) > 1e-4 and float((first - second).norm()) > 1e-4
    assert both.tolist() == pytest.approx((first + second).tolist(), abs=1e-6)
    assert uneven.tolist() == pytest.approx((3 * first + 0.5 * second).tolist(), abs=1e-6)


def test_with_equal_weights_the_adapter_is_that_of_plain_trl(base: Path, tuned: Path, tmp_path: Path) -> None:
    from datasets import Dataset  # type: ignore[import-untyped]
    from trl.trainer.dpo_trainer import DPOTrainer

    ours, _ = build_trainer(base, tmp_path, SHORT, [each.row() for each in PAIRS], quiet)
    rows = [{name: value for name, value in each.row().items() if name != "weight"} for each in PAIRS]
    from leucippus.training.deconfound.trainers import lora

    plain: Any = DPOTrainer
    trainer = plain(
        model=str(base),
        args=ours.args,
        train_dataset=Dataset.from_list(rows),
        processing_class=ours.processing_class,
        peft_config=lora(SHORT),
    )
    trainer.train()
    trainer.model.save_pretrained(tmp_path / "plain")
    assert same(weights_of(tmp_path / "plain"), weights_of(tuned))


def test_preferences_are_learnt_and_the_folder_says_what_made_it(base: Path, tuned: Path) -> None:
    policy = Policy(base, tuned)
    with policy.as_base():
        before = red_over_blue(policy)
    assert red_over_blue(policy) > before + 0.02
    assert before == pytest.approx(red_over_blue(Policy(base)), abs=1e-4)
    assert sorted(file.name for file in tuned.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "recipe.json",
        "training.json",
    ]
    told = json.loads((tuned / "training.json").read_text())
    assert told["lessons"] == 24 and told["steps"] == 3 and told["left_out"] == 0


def test_heavier_texts_are_learnt_more(base: Path, tmp_path: Path) -> None:
    texts = [Weighted(INSTRUCTION, f"{word} and red end", 1.9 if word == "red" else 0.1) for word in WORDS] * 4
    tune(str(base), tmp_path / "out", replace(SHORT, method="sft", epochs=2), texts, quiet)
    policy = Policy(base, tmp_path / "out")
    with policy.as_base():
        before = red_over_blue(policy)
    assert red_over_blue(policy) > before + 0.02


def test_a_reward_is_learnt_from_what_the_model_itself_writes(base: Path, tmp_path: Path) -> None:
    seen: list[str] = []

    def score(texts: Any) -> Any:
        seen.extend(texts)
        return redness(texts)

    recipe = replace(SHORT, method="grpo", epochs=1, save_every=20, learning_rate=2e-2, beta=0.01, generations=8)
    tune(str(base), tmp_path / "out", recipe, [INSTRUCTION] * 12, quiet, score=score)
    assert len(seen) == 96
    policy = Policy(base, tmp_path / "out")
    (now,) = policy.write([INSTRUCTION], each=200, tokens=6)
    with policy.as_base():
        (before,) = policy.write([INSTRUCTION], each=200, tokens=6)
    assert redness(now).mean() > redness(before).mean()


def test_best_of_n_keeps_the_best_and_trains_nothing(base: Path, tmp_path: Path) -> None:
    recipe = replace(SHORT, method="best-of-n", generations=6)
    tune(str(base), tmp_path / "out", recipe, [INSTRUCTION] * 3, quiet, score=redness)
    rows = [json.loads(line) for line in (tmp_path / "out" / "best.jsonl").read_text().splitlines()]
    assert len(rows) == 3 and not (tmp_path / "out" / "adapter_config.json").exists()
    assert all(row["expected_reward"] == redness([row["text"]])[0] >= row["mean_of_all"] for row in rows)
    assert rows == best_of_n(Policy(base), [INSTRUCTION] * 3, recipe, redness, quiet)
    assert tune(str(base), tmp_path / "out", recipe, [INSTRUCTION] * 3, quiet, score=redness).steps == 0


def test_a_run_cut_short_goes_on_to_the_same_adapter(base: Path, tuned: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        tune(str(base), tmp_path, SHORT, PAIRS, stop_at(2))
    assert not (tmp_path / "adapter_config.json").exists() and list((tmp_path / "checkpoints").iterdir())
    steps: list[int] = []
    tune(str(base), tmp_path, SHORT, PAIRS, lambda what, step, of, loss: steps.append(step))
    assert steps[0] > 1 and steps[-1] == 3
    assert same(weights_of(tmp_path), weights_of(tuned)) and not (tmp_path / "checkpoints").exists()


def test_tuning_goes_on_from_an_adapter_and_is_measured_against_the_base(
    base: Path, tuned: Path, tmp_path: Path
) -> None:
    tune(str(base), tmp_path / "whole", SHORT, PAIRS, quiet, start=tuned)
    assert not same(weights_of(tmp_path / "whole"), weights_of(tuned))
    first, second = Policy(base, tuned), Policy(base, tmp_path / "whole")
    assert red_over_blue(second) > red_over_blue(first)
    assert not (tmp_path / "whole" / "ref").exists()
    # Cut short, it goes on from the checkpoint and not from where it began.
    with pytest.raises(Stopped):
        tune(str(base), tmp_path / "cut", SHORT, PAIRS, stop_at(2), start=tuned)
    tune(str(base), tmp_path / "cut", SHORT, PAIRS, quiet, start=tuned)
    assert same(weights_of(tmp_path / "cut"), weights_of(tmp_path / "whole"))
    trainer, _ = build_trainer(base, tmp_path / "new", SHORT, [each.row() for each in PAIRS], quiet, start=tuned)
    assert list(trainer.model.peft_config) == ["default"]  # the reference is the model without it


def test_a_finished_run_is_returned_and_another_recipe_is_refused(
    base: Path, tuned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "build_trainer", lambda *_, **__: pytest.fail("made again"))
    assert tune(str(base), tuned, SHORT, PAIRS, quiet).steps == 3
    for recipe, lessons in ((replace(SHORT, seed=1), PAIRS), (SHORT, PAIRS[1:])):
        with pytest.raises(InputError, match="another recipe"):
            tune(str(base), tuned, recipe, lessons, quiet)


@pytest.mark.parametrize(
    "wrong",
    [{"method": "ppo"}, {"beta": 0.0}, {"batch": 0}, {"generations": 1}, {"epochs": float("nan")}, {"rank": 0}],
    ids=str,
)
def test_a_recipe_that_makes_no_sense_is_refused_before_anything_is_written(
    wrong: dict[str, Any], base: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="Nothing can be tuned with"):
        tune(str(base), tmp_path / "out", replace(SHORT, **wrong), PAIRS, quiet)
    assert not (tmp_path / "out").exists()


def test_texts_too_long_are_left_out_and_counted_and_none_left_is_told(base: Path, tmp_path: Path) -> None:
    long = pair("red and " * 50, "blue")
    out = tmp_path / "out"
    assert tune(str(base), out, replace(SHORT, save_every=50), [*PAIRS[:7], long], quiet).left_out == 1
    with pytest.raises(InputError, match="None of 1 prompts"):
        tune(str(base), tmp_path / "none", SHORT, [long], quiet)


def test_an_adapter_that_does_not_fit_or_a_damaged_checkpoint_is_named(base: Path, tuned: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    train_small_policy(["?"], ["red end"], other, SmallRecipe(width=16, layers=2, heads=2, steps=1, batch=1))
    with pytest.raises(InputError, match="cannot be gone on from"):
        tune(str(other), tmp_path / "out", SHORT, PAIRS, quiet, start=tuned)
    with pytest.raises(Stopped):
        tune(str(base), tmp_path / "cut", SHORT, PAIRS, stop_at(2))
    checkpoint = last_checkpoint(tmp_path / "cut" / "checkpoints")
    assert checkpoint is not None
    (checkpoint / "optimizer.pt").write_bytes(b"no")
    with pytest.raises(InputError, match="cannot go on from"):
        tune(str(base), tmp_path / "cut", SHORT, PAIRS, quiet)


def test_the_adapter_is_served_merged_into_its_base(tuned: Path, base: Path, tmp_path: Path) -> None:
    served = find_model(Settings(model=str(tuned), cache_dir=tmp_path))
    assert (served / "model.safetensors").is_file() and served.parent == tmp_path
    assert red_over_blue(Policy(served)) == pytest.approx(red_over_blue(Policy(base, tuned)), abs=1e-3)
