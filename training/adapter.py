"""Fine-tune the packaged language model to list the claims of a text: supervised, LoRA, through TRL and PEFT.

What it learns to write is what it is asked for in service, to the letter: the same prompt, the same JSON, and only
words of the text, in the order and spelling that copy-only decoding allows.
"""

import json
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from leucippus.agents.asking import Brief
from leucippus.serving.arithmetic import fast_bfloat16
from leucippus.serving.copying import TOKEN, is_word
from leucippus.serving.loading import ALONE
from leucippus.serving.packaged import SMOLLM2
from leucippus.training.examples import Example, Span

Report = Callable[[int, int, float], None]
"""Step, steps, loss."""
CONFIG = "adapter_config.json"
PLAIN = (
    "{% for message in messages %}{{ message['content'] }}"
    "{{ eos_token if message['role'] == 'assistant' else '\n\n' }}{% endfor %}"
)
"""The chat template of a model that has none: plain turns, as the engine puts them to it."""


@dataclass(frozen=True)
class Recipe:
    """The adapter's hyperparameters."""

    texts: int = 3500
    """Learn from so many, drawn at random: what two cores read in a quarter of an hour."""
    silent: float = 0.2
    """Share of texts without a claim. Were it theirs among all texts, a small model would learn to answer "none" to
    nearly everything."""
    epochs: float = 1.0
    batch: int = 16
    learning_rate: float = 1e-3
    rank: int = 16
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    longest: int = 320
    """Tokens; longer examples are left out."""
    save_every: int = 100
    """Steps between checkpoints."""
    seed: int = 0


def conversation(example: Example) -> dict[str, Any] | None:
    """Prompt and completion of one example; none if a span holds no word to copy."""
    claims = []
    for mark in example.marks:
        cause, effect = copied(example.text, mark.cause), copied(example.text, mark.effect)
        if not cause or not effect:
            return None
        if {"cause": cause, "effect": effect} not in claims:
            claims.append({"cause": cause, "effect": effect})
    answer = json.dumps({"claims": claims}, ensure_ascii=False, separators=(",", ":"))
    return {
        "prompt": Brief().messages(example.text),
        "completion": [{"role": "assistant", "content": answer}],
    }


def copied(text: str, span: Span) -> str:
    """`text[span]` as copy-only decoding would write it: whole words, one space where the text has any."""
    tokens = [t for t in TOKEN.finditer(text) if t.start() < span[1] and span[0] < t.end()]
    while tokens and not is_word(tokens[-1][0]):
        tokens.pop()
    while tokens and not is_word(tokens[0][0]):
        tokens.pop(0)
    gaps = ["" if one.end() == other.start() else " " for one, other in pairwise(tokens)]
    return "".join(gap + token[0] for gap, token in zip(["", *gaps], tokens, strict=False))


def drawn(examples: Sequence[Example], recipe: Recipe) -> list[Example]:
    """The texts to learn from, in random order."""
    rng = random.Random(recipe.seed)
    silent, claiming = ([e for e in examples if bool(e.marks) == claims] for claims in (False, True))
    without = min(len(silent), round(recipe.silent * recipe.texts))
    chosen = rng.sample(silent, without) + rng.sample(claiming, min(len(claiming), recipe.texts - without))
    return rng.sample(chosen, len(chosen))


def train(
    examples: Sequence[Example],
    model: Path,
    out: Path,
    recipe: Recipe,
    report: Report = lambda step, steps, loss: None,
) -> None:
    """Write a PEFT adapter for `model` into `out`. A run that was cut short goes on from its last checkpoint there."""
    rows = [row for example in drawn(examples, recipe) if (row := conversation(example)) is not None]
    save(fit(rows, model, out / "checkpoints", recipe, report).model, out, SMOLLM2.name)


def fit(rows: Sequence[dict[str, Any]], model: Path, checkpoints: Path, recipe: Recipe, report: Report) -> Any:
    """The trainer of a LoRA adapter, when it has learned the completions of all rows that are not too long.

    A run that was cut short goes on from its last whole checkpoint.
    """
    import torch
    from datasets import Dataset  # type: ignore[import-untyped]
    from peft import LoraConfig
    from transformers import AutoTokenizer, PrinterCallback, TrainerCallback
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    tokenizer: Any = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = tokenizer.chat_template or PLAIN
    rows = [row for row in rows if _length(tokenizer, row) <= recipe.longest]

    class Reporter(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                report(state.global_step, state.max_steps, float(logs["loss"]))

    with ALONE:
        trainer = SFTTrainer(
            model=str(model),
            processing_class=tokenizer,
            train_dataset=Dataset.from_list(rows),
            callbacks=[Reporter()],
            peft_config=LoraConfig(
                r=recipe.rank, lora_alpha=2 * recipe.rank, target_modules=list(recipe.targets), task_type="CAUSAL_LM"
            ),
            args=SFTConfig(
                output_dir=str(checkpoints),
                num_train_epochs=recipe.epochs,
                per_device_train_batch_size=recipe.batch,
                learning_rate=recipe.learning_rate,
                warmup_steps=10,
                lr_scheduler_type="cosine",
                train_sampling_strategy="group_by_length",
                completion_only_loss=True,
                max_length=recipe.longest,
                seed=recipe.seed,
                logging_steps=min(10, recipe.save_every),
                save_strategy="steps",
                save_steps=recipe.save_every,
                save_total_limit=1,
                report_to=[],
                use_cpu=not torch.cuda.is_available(),
                bf16=fast_bfloat16(),
                gradient_checkpointing=False,
                dataloader_pin_memory=False,
                disable_tqdm=True,
                model_init_kwargs={"dtype": "bfloat16" if fast_bfloat16() else "float32"},
            ),
        )
    trainer.remove_callback(PrinterCallback)  # standard output is for results
    last = last_checkpoint(checkpoints)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    return trainer


def last_checkpoint(checkpoints: Path) -> Path | None:
    """The last one that was written to its end; its state is what a trainer writes last."""
    whole = [state.parent for state in checkpoints.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)


def save(tuned: Any, out: Path, base: str) -> None:
    """Write an adapter into `out`, its adapter_config.json last: a folder that has it has everything.

    Parameters
    ----------
    tuned : the model with its adapter.
    base : what the adapter is to say it was tuned on: not where that happened to lie.
    """
    unfinished = out / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        tuned.save_pretrained(str(unfinished))
        (unfinished / "README.md").unlink(missing_ok=True)  # PEFT's empty model card; ours is written by people
        config = json.loads((unfinished / CONFIG).read_text())
        config["base_model_name_or_path"] = base
        (unfinished / CONFIG).write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
        for file in sorted(unfinished.iterdir(), key=lambda file: file.name == CONFIG):
            file.replace(out / file.name)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _length(tokenizer: Any, row: dict[str, Any]) -> int:
    return len(tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=True, return_dict=False))
