"""TRL's trainers, with a weight for each pair or text. Imports torch and TRL: import it where it is used.

A loss Σ w_i ℓ_i has the gradient of Σ ℓ_i in which what flows back into row i is multiplied by w_i. So nothing of TRL's
losses is written twice: they see the log-probabilities as they are, and only the gradient on its way back into those of
row i is scaled. The loss that is reported is the unweighted one.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.sft_trainer import SFTTrainer

WEIGHT = "weight"
"""The column of the data set."""


class Collated:
    """A collator's batch, and the weights of its rows."""

    def __init__(self, collate: Callable[[Any], dict[str, Any]]) -> None:
        self._collate = collate

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        weights = [float(row[WEIGHT]) for row in rows]
        return self._collate(rows) | {WEIGHT: torch.tensor(weights, dtype=torch.float32)}


class Silent:
    """Nothing leaves the machine: TRL counts its uses over the network otherwise."""

    def _send_telemetry(self) -> None:
        return None


class Weighing(Silent):
    """Goes before a trainer whose loss is made of the model's `log_probs`, (rows, tokens)."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.data_collator: Any = Collated(self.data_collator)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The trainer's own loss, whose gradient is weighted."""
        weights = inputs.pop(WEIGHT)
        trainer: Any = super()
        return trainer.compute_loss(
            scaled(model, weights), inputs, return_outputs=return_outputs, num_items_in_batch=num_items_in_batch
        )


def scaled(model: Callable[..., Any], weights: torch.Tensor) -> Callable[..., Any]:
    """`model` with the same `log_probs`, through which the gradient of row i goes back times its weight.

    Parameters
    ----------
    weights : (b,); the model may return b rows, or 2b with the rejected texts after the chosen ones.
    """

    def forward(**given: Any) -> Any:
        outputs = model(**given)
        found = outputs.log_probs
        w = weights.to(found).repeat(len(found) // len(weights))[:, None]
        outputs.log_probs = w * found + ((1 - w) * found).detach()
        return outputs

    return forward


class WeightedDPOTrainer(Weighing, DPOTrainer):
    """DPO, Σ w_i · −log σ(β Δ_i) (Rafailov et al. 2023, eq. 7, with weights)."""


class WeightedSFTTrainer(Weighing, SFTTrainer):
    """Maximum likelihood with weights."""
