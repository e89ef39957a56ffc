"""Muon is torch's own, in the numbers that the processor is fast with."""

from copy import deepcopy

import torch
from torch import nn

from leucippus.training.axiomatic.optimizer import Joined, Muon, build_optimizer, orthogonal

SHAPES = ((12, 4), (4, 4), (4, 12))


def test_steps_are_those_of_torch() -> None:
    numbers = torch.Generator().manual_seed(0)
    ours = [nn.Parameter(torch.randn(shape, generator=numbers)) for shape in SHAPES]
    theirs = [nn.Parameter(weights.detach().clone()) for weights in ours]
    began = [weights.detach().clone() for weights in ours]
    steps = Muon(ours, lr=0.02, weight_decay=0.1), torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1)
    for _ in range(4):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=numbers)
            other.grad = one.grad.clone()
        for optimizer in steps:
            optimizer.step()
    for one, other, before in zip(ours, theirs, began, strict=True):
        moved = (one - before).norm()
        assert moved > 0.05
        assert (one - other).norm() < 0.03 * moved  # torch's are rounded to bfloat16


def test_an_update_turns_and_does_not_stretch() -> None:
    for shape in SHAPES:
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape, generator=torch.Generator().manual_seed(1))))
        assert values.min() > 0.5 and values.max() < 1.5


def test_a_matrix_without_a_gradient_stays() -> None:
    weights = nn.Parameter(torch.ones(3, 3))
    Muon([weights], lr=0.1, weight_decay=0.1).step()
    assert torch.equal(weights, torch.ones(3, 3))


def test_a_state_that_was_saved_goes_on_alike() -> None:
    def model() -> nn.Module:
        torch.manual_seed(2)
        return nn.ModuleDict({"blocks": nn.ModuleList([nn.Linear(4, 4)]), "score": nn.Linear(4, 2)})

    def step(net: nn.Module, optimizer: Joined, seed: int) -> None:
        numbers = torch.Generator().manual_seed(seed)
        for weights in net.parameters():
            weights.grad = torch.randn(weights.shape, generator=numbers)
        optimizer.step()

    rates = {"matrix_rate": 0.02, "rate": 0.003, "weight_decay": 0.01}
    first, second = model(), model()
    one, other = build_optimizer(first, **rates), build_optimizer(second, **rates)
    step(first, one, 0)
    second.load_state_dict(first.state_dict())
    other.load_state_dict(deepcopy(one.state_dict()))  # as from a file: else the two would share their momentum
    for net, optimizer in ((first, one), (second, other)):
        step(net, optimizer, 1)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
