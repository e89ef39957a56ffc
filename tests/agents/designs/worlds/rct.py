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


def _blocked(rng: Rng) -> pd.DataFrame:
    """Thirty blocks of 12, half and a twelfth of them treated, with effects 2 and 0: 1 on average. Income differs
    between blocks, and so between the arms."""
    block = np.repeat(np.arange(30), 12)
    treat = np.concatenate([rng.permutation(np.arange(12) < (6 if b % 2 else 1)) for b in range(30)]).astype(int)
    income = np.where(block % 2, 3.0, 0.0) + rng.normal(0, 1, len(block))
    y = income + np.where(block % 2, 2.0, 0.0) * treat + rng.normal(0, 1, len(block))
    return pd.DataFrame({"treat": treat, "y": y, "block": block, "income": income})


def _school_lottery(rng: Rng) -> pd.DataFrame:
    """Schools are drawn; pupils of a school are alike in what they were before."""
    school = np.repeat(np.arange(60), 20)
    treat = rng.permutation(np.arange(60) % 2)[school]
    before = rng.normal(0, 1, 60)[school] + rng.normal(0, 1, len(school))
    return pd.DataFrame({"treat": treat, "y": before + rng.normal(0, 1, len(school)), "school": school, "old": before})


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
    World("blocks", {**_PLAIN, "blocks": "block", "before_treatment": ["income"]}, _blocked, truth=1.0),
    World("schools", {**_PLAIN, "cluster": "school", "before_treatment": ["old"]}, _school_lottery, truth=0.0),
    World("chosen, not drawn", {**_PLAIN, "before_treatment": ["age"]}, _chosen, caught_by="lottery against balance"),
)
