"""JOB train axiomatic: lessons → a decoder trained from nothing → one folder, with everything that made it.

lessons/train.parquet, validation.parquet and their manifests
checkpoints/          while it trains; a run that was cut short goes on from the last, to the same weights
config.json, model.safetensors, tokenizer.json, recipe.json, training.json
"""

import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.serving.arithmetic import fast_bfloat16
from leucippus.training.axiomatic.dataset import Part, write_lessons
from leucippus.training.axiomatic.presets import POSITIONS, Recipe
from leucippus.training.axiomatic.tokens import build_tokenizer, vocabulary
from leucippus.training.folders import alone_in, claim_folder

LESSONS, CHECKPOINTS, TRAINING, CONFIG = "lessons", "checkpoints", "training.json", "config.json"
PARTS: tuple[Part, ...] = ("train", "validation")
"""Of the lessons, that training reads."""
Report = Callable[[str, int, int, float], None]
_AT_ONCE = 10_000
"""Lessons put into tokens: as Python's numbers they take fifty times the room."""


class Lessons:
    """Lessons as numbers: tokens of prompt and completion in one row, and where the completion begins."""

    def __init__(self, prompts: Sequence[str], completions: Sequence[str], tokenizer: Any) -> None:
        self._rows: list[NDArray[np.uint8]] = []
        self._asked: list[int] = []
        for at in range(0, len(prompts), _AT_ONCE):
            asked = tokenizer(list(prompts[at : at + _AT_ONCE])).input_ids
            answered = tokenizer(list(completions[at : at + _AT_ONCE])).input_ids
            self._rows += (np.array([*one, *other], dtype=np.uint8) for one, other in zip(asked, answered, strict=True))
            self._asked += map(len, asked)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: int) -> dict[str, Any]:
        return {"input_ids": self._rows[at], "asked": self._asked[at]}

    @property
    def tokens(self) -> int:
        return sum(self.lengths)

    @property
    def lengths(self) -> list[int]:
        return [len(row) for row in self._rows]


def collate(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows padded on the right; the loss is on completions alone."""
    import torch

    longest = max(len(row["input_ids"]) for row in rows)
    ids: NDArray[np.int64] = np.zeros((len(rows), longest), dtype=np.int64)
    labels: NDArray[np.int64] = np.full((len(rows), longest), -100, dtype=np.int64)
    for at, row in enumerate(rows):
        tokens = row["input_ids"]
        ids[at, : len(tokens)] = tokens
        labels[at, row["asked"] : len(tokens)] = tokens[row["asked"] :]
    return {"input_ids": torch.from_numpy(ids), "labels": torch.from_numpy(labels)}


@dataclass(frozen=True)
class Trained:
    """What a run came to."""

    steps: int
    tokens: int
    """Read in training, padding not counted."""
    seconds: float
    """Of the last sitting, if there were several."""
    train_loss: float
    """As last reported: the mean over the last steps."""
    validation_loss: float
    parameters: int
    lessons_sha256: str
    stopped_early: bool


def train(out: Path, recipe: Recipe, report: Report, *, workers: int = 1) -> Trained:
    """Train a decoder into `out`; a run that was cut short there is taken up, a finished one is returned as it is.

    Parameters
    ----------
    workers : processes that share out each batch, by Ray Train; the weights are those of one process, within rounding.

    Raises
    ------
    InputError : the recipe makes no sense; `out` holds another recipe, is being trained in, cannot be written or has no
        room; or a checkpoint or file of lessons in it is damaged.
    ServingError : Ray cannot be started, or a worker died.
    """
    check_recipe(recipe, workers)
    claim_folder(out, recipe)
    with alone_in(out):
        if not (out / CONFIG).is_file():
            report("lessons", 0, recipe.lessons, 0.0)
            for part in PARTS:
                lessons_file(out, recipe, part)
            if workers > 1:
                from leucippus.training.axiomatic.workers import fit_on_workers

                fit_on_workers(out, recipe, report, workers)
            else:
                fit(out, recipe, report)
    try:
        return Trained(**json.loads((out / TRAINING).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{out / TRAINING} cannot be read: {error}",
            expected="the file as training left it",
            next_step="Train anew.",
        ) from error


def check_recipe(recipe: Recipe, workers: int = 1) -> None:
    """Raise InputError for values by which nothing can be trained."""
    data, sizes, weights = recipe.data, recipe.sizes, list(recipe.data.axioms.values())
    shares = data.long_names, data.confusable, data.branching, data.flipped
    sound = {
        f"weights of axioms of {weights}": all(0 <= one < math.inf for one in weights) and sum(weights) > 0,
        f"shares of {shares}": all(0 <= share <= 1 for share in shares),
        f"names of {data.shortest_name} to {data.longest_name} signs": 1 <= data.shortest_name <= data.longest_name,
        "no order to tell chains in": bool(data.orders),
        f"{recipe.lessons} lessons and {recipe.validation} to validate on": min(recipe.lessons, recipe.validation) >= 1,
        f"{recipe.epochs} epochs": 0 < recipe.epochs < math.inf,
        f"a learning rate of {recipe.learning_rate}": 0 < recipe.learning_rate < math.inf,
        f"a learning rate of {recipe.matrix_rate} for matrices": 0 <= recipe.matrix_rate < math.inf,
        f"batches of {recipe.batch}": recipe.batch >= 1,
        f"evaluation every {recipe.evaluate_every} steps": recipe.evaluate_every >= 1,
        f"patience for {recipe.patience} evaluations": recipe.patience >= 1,
        f"{sizes.layers} layers run {sizes.loops} times": min(sizes.layers, sizes.loops) >= 1,
        f"positions {sizes.positions!r} ({', '.join(POSITIONS)} are known)": sizes.positions in POSITIONS,
        f"a convolution over {sizes.convolution} tokens": sizes.convolution == 0 or sizes.convolution > 1,
        f"a look ahead of {sizes.look_ahead} tokens": sizes.look_ahead >= 0,
    }
    wrong = [said for said, is_sound in sound.items() if not is_sound]
    # Rotary positions turn pairs, so each head needs an even share of the width.
    if sizes.heads < 1 or sizes.width < 1 or sizes.width % (2 * sizes.heads):
        wrong.append(f"a width of {sizes.width} for {sizes.heads} heads, which each need an even share")
    if workers < 1 or recipe.batch % workers:
        wrong.append(f"batches of {recipe.batch} shared out to {workers} workers")
    if wrong:
        raise InputError(f"Nothing can be trained with {'; '.join(wrong)}.", expected="values that can be trained with")


def lessons_file(out: Path, recipe: Recipe, part: Part) -> Path:
    """The file of a part's lessons, written first where it is not yet there."""
    file = out / LESSONS / f"{part}.parquet"
    if not file.is_file():
        write_lessons(recipe.data, part, recipe.lessons if part == "train" else recipe.validation, file)
    return file


def load_lessons(out: Path, recipe: Recipe, part: Part, tokenizer: Any) -> tuple[Lessons, str]:
    """The lessons of a part, written first where they are not yet; and the hash of their file."""
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    file = lessons_file(out, recipe, part)
    try:
        table = pq.read_table(file)
        digest: str = json.loads(file.with_suffix(".json").read_text())["sha256"]
        told = list(zip(table["steps"].to_pylist(), table["answer"].to_pylist(), strict=True))
    except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are among them
        raise InputError(
            f"The lessons in {file} cannot be read: {error}",
            expected="the file as training wrote it",
            next_step=f"Remove {file}: the same lessons are written again.",
        ) from error
    completions = [f"{steps} {answer}".strip() for steps, answer in told]
    return Lessons(table["prompt"].to_pylist(), completions, tokenizer), digest


def build_trainer(
    out: Path, recipe: Recipe, learned: Lessons, kept: Lessons, tokenizer: Any, report: Report, *, workers: int = 1
) -> Any:
    """A transformers Trainer with a new decoder; with several workers, that of one of them."""
    import torch
    from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback, TrainingArguments, set_seed

    from leucippus.training.axiomatic.decoder import Decoder, DecoderConfig
    from leucippus.training.axiomatic.optimizer import build_optimizer
    from leucippus.training.axiomatic.trainer import Order, OrderedTrainer

    class Reporter(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                report("training", state.global_step, state.max_steps, float(logs["loss"]))
            if logs and "eval_loss" in logs:
                report("validation", state.global_step, state.max_steps, float(logs["eval_loss"]))

    set_seed(recipe.seed)
    config = DecoderConfig(vocab_size=len(vocabulary()), pad_token_id=tokenizer.pad_token_id, **asdict(recipe.sizes))
    steps = math.ceil(recipe.epochs * math.ceil(len(learned) / recipe.batch))
    every, batch = min(recipe.evaluate_every, steps), recipe.batch // workers
    model, optimizer = Decoder(config), None
    if recipe.matrix_rate:
        optimizer = build_optimizer(
            model, matrix_rate=recipe.matrix_rate, rate=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
    trainer = OrderedTrainer(
        Order(len(learned), recipe.batch, recipe.seed, learned.lengths if recipe.group_by_length else None),
        model=model,
        optimizers=(optimizer, None),
        train_dataset=learned,
        eval_dataset=kept,
        data_collator=collate,
        processing_class=tokenizer,
        callbacks=[Reporter(), EarlyStoppingCallback(recipe.patience)],
        args=TrainingArguments(
            output_dir=str(out / CHECKPOINTS),
            num_train_epochs=recipe.epochs,
            per_device_train_batch_size=batch,
            per_device_eval_batch_size=2 * batch,
            learning_rate=recipe.learning_rate,
            lr_scheduler_type=recipe.schedule,
            warmup_steps=recipe.warmup,
            weight_decay=recipe.weight_decay,
            max_grad_norm=recipe.clip,
            adam_beta2=0.98,
            eval_strategy="steps",
            eval_steps=every,
            save_strategy="steps",
            save_steps=every,
            save_total_limit=2,
            logging_steps=min(100, every),
            load_best_model_at_end=True,
            metric_for_best_model="eval_loss",
            greater_is_better=False,
            seed=recipe.seed,
            report_to=[],
            bf16=fast_bfloat16(),
            use_cpu=not torch.cuda.is_available(),
            ddp_find_unused_parameters=False,
            dataloader_pin_memory=False,
            remove_unused_columns=False,
            disable_tqdm=True,
        ),
    )
    trainer.remove_callback(PrinterCallback)  # standard output is for results
    return trainer


def fit(out: Path, recipe: Recipe, report: Report, *, workers: int = 1) -> None:
    """Train on the lessons in `out` and write the model; with several workers, each calls this.

    Raises
    ------
    InputError : as `train`.
    """
    tokenizer = build_tokenizer()
    learned, digest = load_lessons(out, recipe, "train", tokenizer)
    kept, _ = load_lessons(out, recipe, "validation", tokenizer)
    began = time.perf_counter()
    with _silence():
        trainer = build_trainer(out, recipe, learned, kept, tokenizer, report, workers=workers)
        _run(trainer, out / CHECKPOINTS, recipe.patience)
        if not trainer.is_world_process_zero():
            return
        state = trainer.state
        losses = [logged["loss"] for logged in state.log_history if "loss" in logged]
        trained = Trained(
            steps=state.global_step,
            tokens=round(learned.tokens * state.epoch),
            seconds=round(time.perf_counter() - began, 1),
            train_loss=round(float(losses[-1]), 5),
            validation_loss=round(float(state.best_metric), 5),
            parameters=sum(weights.numel() for weights in trainer.model.parameters()),
            lessons_sha256=digest,
            stopped_early=state.global_step < state.max_steps,
        )
        _save(out, trainer.model, tokenizer, trained)


def _run(trainer: Any, checkpoints: Path, patience: int) -> None:
    """Train to the end from wherever the checkpoints are; the model is then the best one."""
    from transformers import EarlyStoppingCallback

    from leucippus.training.axiomatic.trainer import checkpoint_to_take_up

    found = checkpoint_to_take_up(checkpoints)
    if found is None:
        trainer.train()
        return
    last, state = found
    kept: Any = state.stateful_callbacks
    stopping = kept.get(EarlyStoppingCallback.__name__, {}).get("attributes", {})
    if state.global_step < state.max_steps and stopping.get("early_stopping_patience_counter", 0) < patience:
        trainer.train(resume_from_checkpoint=str(last))
    else:  # it had come to its end, and was cut short before the model was written
        trainer.state = state
        trainer.model = type(trainer.model).from_pretrained(checkpoints / f"checkpoint-{state.best_global_step}")


@contextmanager
def _silence() -> Iterator[None]:
    """Without transformers' progress bars and hints: what there is to tell is reported."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    shown, heard = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(heard)
        if shown:
            logging.enable_progress_bar()


def _save(out: Path, model: Any, tokenizer: Any, trained: Trained) -> None:
    """Write the model; what is half written never stands under its name."""
    from safetensors import SafetensorError

    unfinished = out / "unfinished"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        model.save_pretrained(unfinished)
        tokenizer.save_pretrained(unfinished)
        (unfinished / TRAINING).write_text(json.dumps(asdict(trained), indent=1, sort_keys=True) + "\n")
        # config.json comes last: a folder that has it has everything.
        for file in sorted(unfinished.iterdir(), key=lambda file: file.name == CONFIG):
            file.replace(out / file.name)
        unfinished.rmdir()
    except (OSError, SafetensorError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise InputError(
            f"The model cannot be written to {out}: {error}",
            expected="a folder with room for the model",
            next_step="Make room, and give the same command again: training goes on from the last checkpoint.",
        ) from error
    shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
