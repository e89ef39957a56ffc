"""One of TRL's trainers for each method of learning, with everything that they have in common in one place."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from leucippus.errors import InputError
from leucippus.serving.arithmetic import fast_bfloat16
from leucippus.serving.loading import ALONE
from leucippus.training.deconfound.tuning import Score, TuneRecipe
from leucippus.training.deconfound.writing import completion_of, ready

Step = Callable[[int, int, float], None]
"""Step, steps, loss."""


def build_trainer(
    base: Path,
    checkpoints: Path,
    recipe: TuneRecipe,
    rows: Sequence[dict[str, Any]],
    report: Step,
    *,
    start: Path | None = None,
    score: Score | None = None,
) -> tuple[Any, int]:
    """A trainer, and how many rows it leaves out for their length.

    Parameters
    ----------
    start : an adapter to go on from.
    score : the reward of texts, for GRPO.

    Raises
    ------
    InputError : no row is short enough, or `start` is no adapter of this base.
    """
    from datasets import Dataset, disable_progress_bar  # type: ignore[import-untyped]
    from transformers import AutoTokenizer, PrinterCallback, TrainerCallback
    from transformers.utils import logging

    with ALONE:
        tokenizer = ready(AutoTokenizer.from_pretrained(base))
    kept = [row for row in rows if _length(tokenizer, row) <= recipe.longest]
    if not kept:
        raise InputError(
            f"None of {len(rows)} prompts with their texts fits into {recipe.longest} tokens.",
            expected="shorter ones, or room for more tokens",
        )

    class Reporter(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                report(state.global_step, state.max_steps, float(logs["loss"]))

    disable_progress_bar()
    untyped: Any = logging
    untyped.disable_progress_bar()
    with ALONE:
        trainer = _of(
            recipe,
            score,
            _arguments(checkpoints, recipe, _settings(recipe), whole=start is None),
            model=str(base) if start is None else _taken_up(base, start),
            processing_class=tokenizer,
            train_dataset=Dataset.from_list(kept),
            callbacks=[Reporter()],
            peft_config=lora(recipe) if start is None else None,
        )
    # A copy of the adapter that it went on from, which TRL would keep as reference: the reference is the base, or
    # divergence would grow from version to version. And Trainer, where a checkpoint holds a second adapter, takes up
    # that one alone.
    if "ref" in trainer.model.peft_config:
        trainer.model.delete_adapter("ref")
    trainer.remove_callback(PrinterCallback)  # standard output is for results
    return trainer, len(rows) - len(kept)


def _of(recipe: TuneRecipe, score: Score | None, arguments: dict[str, Any], **given: Any) -> Any:
    from leucippus.training.deconfound.weighted import Silent, WeightedDPOTrainer, WeightedSFTTrainer

    if recipe.method == "dpo":
        from trl.trainer.dpo_config import DPOConfig

        return WeightedDPOTrainer(**given, args=DPOConfig(**arguments))
    if recipe.method == "sft":
        from trl.trainer.sft_config import SFTConfig

        return WeightedSFTTrainer(**given, args=SFTConfig(**arguments))
    with catch_warnings():
        simplefilter("ignore")  # of versions of vLLM, which is not used here
        from trl.trainer.grpo_config import GRPOConfig
        from trl.trainer.grpo_trainer import GRPOTrainer

    class QuietGRPOTrainer(Silent, GRPOTrainer):
        pass

    def reward(prompts: Any, completions: Any, **_: Any) -> list[float | None]:
        assert score is not None
        return [float(r) for r in score([completion[-1]["content"] for completion in completions])]

    return QuietGRPOTrainer(**given, reward_funcs=reward, args=GRPOConfig(**arguments))


def _settings(recipe: TuneRecipe) -> dict[str, Any]:
    """What the methods do not have in common."""
    if recipe.method == "dpo":
        losses = {"sigmoid": 1.0} | ({"sft": recipe.anchor} if recipe.anchor else {})
        return {
            "beta": recipe.beta,
            "loss_type": list(losses),
            "loss_weights": list(losses.values()),
            "max_length": recipe.longest,
            "per_device_train_batch_size": recipe.batch,
        }
    if recipe.method == "sft":
        return {
            "completion_only_loss": True,
            "max_length": recipe.longest,
            "per_device_train_batch_size": recipe.batch,
            "train_sampling_strategy": "group_by_length",
        }
    return {
        "beta": recipe.beta,
        "num_generations": recipe.generations,
        # Whole groups of texts for one prompt.
        "per_device_train_batch_size": recipe.generations * max(1, recipe.batch // recipe.generations),
        "max_completion_length": recipe.writes,
        "temperature": 1.0,
        "use_vllm": False,
    }


def _arguments(checkpoints: Path, recipe: TuneRecipe, own: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    import torch

    return own | {
        "output_dir": str(checkpoints),
        "num_train_epochs": recipe.epochs,
        "learning_rate": recipe.rate,
        "warmup_steps": 0.1,  # of all
        "lr_scheduler_type": "cosine",
        "seed": recipe.seed,
        "logging_steps": min(10, recipe.save_every),
        "save_strategy": "steps",
        "save_steps": recipe.save_every,
        "save_total_limit": 1,
        "report_to": [],
        "remove_unused_columns": False,  # the weights are one
        "use_cpu": not torch.cuda.is_available(),
        "bf16": fast_bfloat16(),
        "gradient_checkpointing": False,
        "dataloader_pin_memory": False,
        "disable_tqdm": True,
        "model_init_kwargs": {"dtype": "bfloat16" if fast_bfloat16() else "float32"} if whole else None,
    }


def lora(recipe: TuneRecipe) -> Any:
    """PEFT's settings of a new adapter."""
    from peft import LoraConfig

    # Every linear layer but the head, whatever a model calls them.
    return LoraConfig(r=recipe.rank, lora_alpha=2 * recipe.rank, target_modules="all-linear", task_type="CAUSAL_LM")


def _taken_up(base: Path, start: Path) -> Any:
    """The base with an adapter that is trained further."""
    import torch
    from peft import PeftModel
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16 if fast_bfloat16() else torch.float32)
    try:
        return PeftModel.from_pretrained(model, str(start), is_trainable=True)
    except (OSError, SafetensorError, RuntimeError, ValueError, TypeError) as error:
        raise InputError(
            f"The adapter in {start} cannot be gone on from: {str(error).splitlines()[0]}",
            expected="an adapter of the same base",
            next_step="Choose another --out to begin from the base.",
        ) from error


def _length(tokenizer: Any, row: dict[str, Any]) -> int:
    """Tokens of a row's prompt with its longest text."""
    prompt = row["prompt"][0]["content"]
    texts = [row[name][0]["content"] for name in ("chosen", "rejected", "completion") if name in row]
    return max(len(completion_of(tokenizer, prompt, text)[0]) for text in texts or [""])
