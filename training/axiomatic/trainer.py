"""A transformers Trainer whose order of lessons, loss and checkpoints do not depend on how it was cut short or shared out.

The order of an epoch follows from seed and epoch alone, so that a run that is taken up in its second epoch, and each of
several workers, draw the batches that an undisturbed single run draws.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch.utils.data import Sampler
from transformers import Trainer, TrainerCallback
from transformers.trainer_callback import TrainerState
from transformers.trainer_pt_utils import get_length_grouped_indices

from leucippus.errors import InputError

STATE = "trainer_state.json"
"""The last file of a checkpoint: one without it was being written when the run was cut short."""


class Order(Sampler[int]):
    """The numbers of all lessons in an order drawn for each epoch; with lengths, those of a batch are about as long."""

    def __init__(self, count: int, batch: int, seed: int, lengths: Sequence[int] | None = None) -> None:
        self.epoch = 0
        self._count, self._batch, self._seed, self._lengths = count, batch, seed, lengths

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(1_000_003 * self._seed + self.epoch)
        if self._lengths is None:
            yield from torch.randperm(self._count, generator=generator).tolist()
        else:
            grouped: Any = get_length_grouped_indices
            yield from grouped(self._lengths, self._batch, generator=generator)


class _Here(TrainerCallback):
    """Tells the order its epoch, and the state where the best checkpoint lies if the folder was moved meanwhile."""

    def __init__(self, order: Order) -> None:
        self._order = order

    def on_train_begin(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        best = Path(args.output_dir) / f"checkpoint-{state.best_global_step}"
        if state.best_global_step and best.is_dir():
            state.best_model_checkpoint = str(best)

    def on_epoch_begin(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        self._order.epoch = int(state.epoch or 0)


class OrderedTrainer(Trainer):
    """As `transformers.Trainer`, with an order of its own."""

    def __init__(self, order: Order, **given: Any) -> None:
        super().__init__(**given)
        self._order = order
        self.add_callback(_Here(order))

    def _get_train_sampler(self, train_dataset: Any = None) -> Order:
        return self._order

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The decoder's own: a mean over lessons, of which every worker has as many, and gradients are averaged."""
        outputs = model(**inputs)
        return (outputs.loss, outputs) if return_outputs else outputs.loss

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        try:
            super()._save_checkpoint(model, trial)
        except (
            OSError,
            RuntimeError,
            SafetensorError,
        ) as error:  # torch and safetensors have their own for a full disk
            raise InputError(
                f"A checkpoint cannot be written to {self.args.output_dir}: {error}",
                expected="a folder with room for three checkpoints",
                next_step="Make room, and give the same command again: training goes on from the last whole checkpoint.",
            ) from error


def checkpoint_to_take_up(folder: Path) -> tuple[Path, TrainerState] | None:
    """The last whole checkpoint, and how far it had got; None where there is none.

    Raises
    ------
    InputError : it, or the best one so far, is damaged.
    """
    numbers = {int(path.name.partition("-")[2]): path for path in folder.glob("checkpoint-*[0-9]")}
    for number in sorted(numbers, reverse=True):
        try:
            json.loads((numbers[number] / STATE).read_text())
            state = TrainerState.load_from_json(str(numbers[number] / STATE))
        except (OSError, ValueError, TypeError):  # the run was cut short while it wrote this one
            continue
        for needed in {number, state.best_global_step or number}:
            _check(folder / f"checkpoint-{needed}", taken_up=needed == number)
        return numbers[number], state
    return None


def _check(checkpoint: Path, *, taken_up: bool) -> None:
    try:
        with safe_open(checkpoint / "model.safetensors", "pt"):
            pass
        if taken_up:
            for name in ("optimizer.pt", "scheduler.pt"):
                torch.load(checkpoint / name, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what its unpickler met: EOFError, KeyError, UnpicklingError, RuntimeError
        raise InputError(
            f"The checkpoint {checkpoint} is damaged: {type(error).__name__}: {error}",
            expected="the checkpoint as training left it",
            next_step=f"Restore it, or remove {checkpoint} and give the same command again.",
        ) from error
