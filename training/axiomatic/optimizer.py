"""Muon for the matrices of a decoder's blocks and AdamW for all else, as one optimizer: fewer steps than AdamW alone.

References
----------
Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from leucippus.serving.arithmetic import fast_bfloat16

_MOMENTUM = 0.95
_ITERATIONS = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315


class Muon(torch.optim.Optimizer):
    """As torch.optim.Muon, whose bfloat16 takes longer than all else in a step where a processor has to emulate it."""

    def __init__(self, matrices: Sequence[Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})
        self._numbers = torch.bfloat16 if fast_bfloat16() else torch.float32

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; matrices without a gradient stay as they are."""
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum"] = torch.zeros_like(matrix)
                state["momentum"].lerp_(matrix.grad, 1 - _MOMENTUM)
                update = orthogonal(matrix.grad.lerp(state["momentum"], _MOMENTUM).to(self._numbers))
                rows, columns = matrix.shape
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * math.sqrt(max(1, rows / columns)))
        return loss


def orthogonal(matrix: Tensor) -> Tensor:
    """Its polar factor, about: singular values of 0.7 to 1.2 in place of its own, by Newton-Schulz iterations."""
    if matrix.shape[0] > matrix.shape[1]:
        turned: Tensor = orthogonal(matrix.T).T
        return turned
    x: Tensor = matrix / matrix.norm().clamp(min=1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=_B, alpha=_C), x, beta=_A)
    return x


class Joined(torch.optim.Optimizer):
    """Several optimizers that are stepped, scheduled and saved as one."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts
        # The groups are those of the parts themselves, so that a schedule reaches them.
        super().__init__([group for part in parts for group in part.param_groups], {})

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of each part."""
        loss = closure() if closure is not None else None
        for part in self.parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """That of every part."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """What `state_dict` gave."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self.parts for group in part.param_groups]


def build_optimizer(model: nn.Module, *, matrix_rate: float, rate: float, weight_decay: float) -> Joined:
    """`matrix_rate` is the learning rate of linear maps within blocks, by Muon, `rate` that of all else, by AdamW."""
    matrices = [
        module.weight
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.startswith("blocks.")
    ]
    chosen = set(map(id, matrices))
    others = [weights for weights in model.parameters() if id(weights) not in chosen]
    return Joined([
        Muon(matrices, lr=matrix_rate, weight_decay=weight_decay),
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0),
    ])  # fmt: skip
