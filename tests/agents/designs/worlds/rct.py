"""Randomised trials: clean ones of several kinds, and lotteries that were none."""

import numpy as np
import pandas as pd

from tests.agents.designs.simulation import World

Rng = np.random.Generator


def _trial(rng: Rng, effect: float, n: int = 200) -> pd.DataFrame:
    age = rng.normal(40, 10, n)
    treat = rng.permutation(np.arange(n) < n // 3).astype(int)
    # Effects differ with age and the arms differ in spread: what a common-variance formula gets wrong.
    y = 5 + 0.2 * age + treat * (effect + 0.1 * (age - 40) + rng.normal(0, 2, n)) + rng.normal(0, 2, n)
    return pd.DataFrame({"treat": treat, "y": y, "age": age})


def _clustered(rng: Rng, effect: float, villages: int = 50) -> pd.DataFrame:
    village = np.repeat(np.arange(villages), 12)
    treat = rng.permutation(np.arange(villages) % 2)[village]
    y = effect * treat + rng.normal(0, 1, villages)[village] + rng.normal(0, 2, len(village))
    return pd.DataFrame({"treat": treat, "y": y, "village": village})


def _chosen(rng: Rng) -> pd.DataFrame:
    frame = _trial(rng, 0.0)
    frame["treat"] = (frame["age"] + rng.normal(0, 8, len(frame)) > 40).astype(int)
    return frame


_PLAIN = {"strategy": "rct", "treatment": "treat", "outcome": "y"}

WORLDS = (
    World("trial, effect 1", _PLAIN, lambda rng: _trial(rng, 1.0), truth=1.0),
    World("trial, no effect", _PLAIN, lambda rng: _trial(rng, 0.0), truth=0.0),
    World("trial with a covariate", {**_PLAIN, "controls": ["age"]}, lambda rng: _trial(rng, 0.0), truth=0.0),
    World("clustered trial", {**_PLAIN, "cluster": "village"}, lambda rng: _clustered(rng, 0.0), truth=0.0),
    World("ten clusters", {**_PLAIN, "cluster": "village"}, lambda rng: _clustered(rng, 0.0, 10), truth=0.0),
    World("chosen, not drawn", {**_PLAIN, "before_treatment": ["age"]}, _chosen, caught_by="lottery against balance"),
)
