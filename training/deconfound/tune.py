"""Learn from preferences, weighted texts or a reward: LoRA on any local causal language model, through TRL and PEFT.

recipe.json                              whose folder it is
checkpoints/                             while it trains; a run that was cut short goes on from the last
training.json, adapter_model.safetensors, then adapter_config.json
best.jsonl                               instead of an adapter, with best-of-n
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from leucippus.errors import InputError
from leucippus.serving.packaged import SMOLLM2, sha256_of
from leucippus.training.adapter import CONFIG, last_checkpoint, save
from leucippus.training.axiomatic.adapter import SMOLLM2_NAMES, find_base
from leucippus.training.axiomatic.train import CHECKPOINTS, TRAINING
from leucippus.training.deconfound.pairs import Pair, Weighted, prompt_row
from leucippus.training.deconfound.trainers import build_trainer
from leucippus.training.deconfound.tuning import Score, TuneRecipe, check_recipe
from leucippus.training.deconfound.writing import Policy
from leucippus.training.folders import alone_in, claim_folder, explained

BEST = "best.jsonl"
Lessons = Sequence[Pair] | Sequence[Weighted] | Sequence[str]
"""What each method learns from: pairs (dpo), weighted texts (sft), or prompts (grpo, best-of-n)."""
Report = Callable[[str, int, int, float], None]


@dataclass(frozen=True)
class Tuned:
    """What a run came to."""

    base: str
    """Its name; where it is no packaged model, its folder."""
    method: str
    lessons: int
    left_out: int
    """Lessons longer than the recipe's tokens."""
    steps: int
    seconds: float
    """Of the last sitting, if there were several."""
    train_loss: float
    """Without weights; nought for best-of-n."""
    hidden_size: int
    vocab_size: int


@dataclass(frozen=True)
class _Made:
    """What a folder belongs to."""

    base: str
    start: str | None
    lessons_sha256: str
    recipe: TuneRecipe


def tune(
    base: str,
    out: Path,
    recipe: TuneRecipe,
    lessons: Lessons,
    report: Report,
    *,
    start: Path | None = None,
    score: Score | None = None,
) -> Tuned:
    """Tune `base` into `out`; a run cut short there is taken up, a finished one returned as it is.

    Parameters
    ----------
    start : the folder of an adapter of the same base to go on from; the base stays what DPO and GRPO measure
        divergence from.
    score : for grpo and best-of-n.

    Raises
    ------
    InputError : nothing can be tuned with such values, there is no such base, `out` holds another recipe, is worked in
        by another process, cannot be written or has no room, or its last checkpoint cannot be read.
    """
    check_recipe(recipe)
    told = json.dumps([lesson if isinstance(lesson, str) else asdict(lesson) for lesson in lessons])
    made = _Made(
        base=base_name(base),
        start=sha256_of(start / "adapter_model.safetensors") if start else None,
        lessons_sha256=hashlib.sha256(told.encode()).hexdigest(),
        recipe=recipe,
    )
    claim_folder(out, made)
    with alone_in(out):
        return fit(base, out, recipe, lessons, report, start=start, score=score)


def fit(
    base: str,
    out: Path,
    recipe: TuneRecipe,
    lessons: Lessons,
    report: Report,
    *,
    start: Path | None = None,
    score: Score | None = None,
) -> Tuned:
    """`tune` in a folder that belongs to this very run already."""
    folder = find_base(base)
    if (out / CONFIG).is_file() or (out / BEST).is_file():
        return read_tuned(out)
    if not lessons:
        raise InputError("There is nothing to learn from.", expected="pairs, texts or prompts")
    if recipe.method in ("grpo", "best-of-n") and score is None:
        raise ValueError(f"{recipe.method} needs a reward")
    began = time.perf_counter()
    last = last_checkpoint(out / CHECKPOINTS)
    sizes = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    try:
        if recipe.method == "best-of-n":
            assert score is not None
            found = best_of_n(Policy(folder, start), [str(one) for one in lessons], recipe, score, report)
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found)
            keep: Callable[[], None] = partial(write_whole, out / BEST, lines)
            facts: dict[str, Any] = {"left_out": 0, "steps": 0, "train_loss": 0.0}
        else:
            rows = [prompt_row(one) if isinstance(one, str) else one.row() for one in lessons]
            trainer, left_out = build_trainer(
                folder, out / CHECKPOINTS, recipe, rows, lambda *step: report("tuning", *step), start=start, score=score
            )
            trainer.train(resume_from_checkpoint=str(last) if last else None)
            keep = partial(save, trainer.model, out, base_name(base))
            losses = [row["train_loss"] for row in trainer.state.log_history if "train_loss" in row]
            facts = {"left_out": left_out, "steps": trainer.state.global_step, "train_loss": round(losses[-1], 5)}
        tuned = Tuned(
            base=base_name(base),
            method=recipe.method,
            lessons=len(lessons),
            seconds=round(time.perf_counter() - began, 1),
            hidden_size=int(sizes.get("hidden_size", 0)),
            vocab_size=int(sizes.get("vocab_size", 0)),
            **facts,
        )
        (out / TRAINING).write_text(json.dumps(asdict(tuned), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        keep()
    except Exception as error:
        raise explained(error, out, last) from error
    shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
    return tuned


def best_of_n(
    policy: Policy, prompts: Sequence[str], recipe: TuneRecipe, score: Score, report: Report
) -> list[Mapping[str, Any]]:
    """For each prompt the best of `generations` texts by the reward model, with its reward and that of the mean text.

    Nothing is trained. The best of many is where a reward model is most likely to be wrong on the high side: its own
    word for the text that it chose is no estimate of what that text will earn.
    """
    found: list[Mapping[str, Any]] = []
    for at in range(0, len(prompts), recipe.batch):
        asked = prompts[at : at + recipe.batch]
        report("writing", at, len(prompts), 0.0)
        written = policy.write(asked, each=recipe.generations, tokens=recipe.writes, seed=recipe.seed + at)
        rewards = score([text for texts in written for text in texts]).reshape(len(asked), recipe.generations)
        for prompt, texts, row in zip(asked, written, rewards, strict=True):
            best = int(row.argmax())
            found.append(
                {
                    "prompt": prompt,
                    "text": texts[best],
                    "expected_reward": round(float(row[best]), 6),
                    "mean_of_all": round(float(row.mean()), 6),
                    "of": recipe.generations,
                }
            )
    report("writing", len(prompts), len(prompts), 0.0)
    return found


def base_name(base: str) -> str:
    """What an adapter says it was tuned on: a name for the packaged model, a folder otherwise."""
    return SMOLLM2.name if base in SMOLLM2_NAMES else str(find_base(base))


def read_tuned(out: Path) -> Tuned:
    """What is written of a finished run.

    Raises
    ------
    InputError : it cannot be read.
    """
    try:
        return Tuned(**json.loads((out / TRAINING).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{out / TRAINING} cannot be read: {error}",
            expected="the file as tuning left it",
            next_step="Remove the folder, and tune anew.",
        ) from error


def write_whole(file: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    scratch = file.with_name(f".{file.name}.unfinished")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(file)
    finally:
        scratch.unlink(missing_ok=True)
