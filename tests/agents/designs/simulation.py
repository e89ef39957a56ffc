"""Worlds with a known truth, and how often an estimate, an interval or a check gets it right.

A world is a way to draw a data set and a specification for it. `truth` is the value the estimand has there; a world
that breaks an assumption names instead, in `caught_by`, the check that must fail. `benchmarks/calibration.py` runs
every world for hundreds of draws; the tests run them for fewer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from leucippus.agents.answer import answer
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.vet import vet
from leucippus.graphs.reading import read_graph


@dataclass(frozen=True)
class World:
    """Draws of data under one mechanism."""

    name: str
    design: Mapping[str, Any]
    draw: Callable[[np.random.Generator], pd.DataFrame]
    truth: float | None = None
    """The estimand's value; None where no number is wanted."""
    caught_by: str = ""
    """The check that must fail here; empty for a clean world, where no fatal check may fail."""
    graph: str = ""
    """A causal graph that goes with the design, or nothing."""


@dataclass(frozen=True)
class Coverage:
    """What happened over the draws of a world."""

    world: str
    draws: int
    answered: int
    covered: float
    """Share of answers whose 95% interval holds the truth."""
    rejected: float
    """Share of answers whose 95% interval excludes 0: the false-positive rate where the truth is 0."""
    bias: float
    """Mean error in units of the standard deviation of the estimates."""
    se_ratio: float
    """Mean standard error over the standard deviation of the estimates."""
    reasons: tuple[str, ...] = field(default=())
    """Why draws were refused."""


def cover(world: World, draws: int, seed: int = 0) -> Coverage:
    """Estimate in every draw and compare with the truth."""
    assert world.truth is not None
    found: list[tuple[float, float, float, float]] = []
    reasons: list[str] = []
    for child in np.random.SeedSequence(seed).spawn(draws):
        data = from_frame(world.draw(np.random.default_rng(child)))
        said = answer(data, parse_design(world.design), _graph(world), challenge=False)
        if said.estimate is None:
            reasons.extend(said.reasons)
        else:
            estimate = said.estimate
            found.append((estimate.estimate, estimate.se, estimate.ci_low, estimate.ci_high))
    if not found:
        return Coverage(world.name, draws, 0, *(float("nan"),) * 4, tuple(dict.fromkeys(reasons)))
    estimates, errors, low, high = np.array(found).T
    spread = estimates.std(ddof=1) if len(found) > 1 else float("nan")
    return Coverage(
        world.name,
        draws,
        len(found),
        float(((low <= world.truth) & (world.truth <= high)).mean()),
        float(((low > 0) | (high < 0)).mean()),
        float((estimates.mean() - world.truth) / spread),
        float(errors.mean() / spread),
        tuple(dict.fromkeys(reasons)),
    )


def not_too_wide(found: Coverage) -> bool:
    """Whether standard errors are at most a quarter too large, given how well so few draws show their spread."""
    return bool(found.se_ratio < 1.25 * (1 + 3.3 / (2 * (found.answered - 1)) ** 0.5))


def caught(world: World, draws: int, seed: int = 0) -> float:
    """Share of draws in which the check `caught_by` fails; in a clean world, in which any fatal check fails."""
    hits = 0
    for child in np.random.SeedSequence(seed).spawn(draws):
        vetting = vet(from_frame(world.draw(np.random.default_rng(child))), parse_design(world.design), _graph(world))
        # A check that moved the design has failed as well, though the design it moved to passes.
        failed = (*vetting.failures, *vetting.moved) if world.caught_by else vetting.fatal
        names = [check.name for check in failed]
        hits += world.caught_by in names if world.caught_by else bool(names)
    return hits / draws


def _graph(world: World):  # type: ignore[no-untyped-def]
    return read_graph(world.graph) if world.graph else None
