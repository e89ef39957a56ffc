"""Times to an event: exponential arms with a known restricted mean, drawn or chosen, and hazards that cross."""

import numpy as np
import pandas as pd

from tests.agents.designs.simulation import World

Rng = np.random.Generator
Floats = np.ndarray

HORIZON = 2.0


def restricted_mean(hazard: float) -> float:
    """Of an exponential time, up to `HORIZON`."""
    return float((1 - np.exp(-hazard * HORIZON)) / hazard)


def _followed(rng: Rng, treat: Floats, hazard: Floats, **columns: Floats) -> pd.DataFrame:
    """Exponential times under censoring at random and an end of the study at 3."""
    time = rng.exponential(1 / hazard)
    lost = np.minimum(rng.exponential(4, len(treat)), 3.0)
    return pd.DataFrame({"treat": treat, "time": np.minimum(time, lost), "died": (time <= lost).astype(int), **columns})


def _trial(rng: Rng, treated: float, n: int = 200) -> pd.DataFrame:
    treat = rng.permutation(np.arange(n) % 2)
    return _followed(rng, treat, np.where(treat == 1, treated, 1.0))


def _chosen(rng: Rng, log_ratio: float, n: int = 500) -> pd.DataFrame:
    """The sick are treated more often and die sooner."""
    sick = rng.binomial(1, 0.5, n)
    treat = rng.binomial(1, np.where(sick == 1, 0.7, 0.3))
    return _followed(rng, treat, np.exp(log_ratio * treat + 0.8 * sick - 0.4), sick=sick)


def _villages(rng: Rng) -> pd.DataFrame:
    village = np.repeat(np.arange(40), 8)
    treat = rng.permutation(np.arange(40) % 2)[village]
    return _followed(rng, treat, rng.gamma(4, 0.25, 40)[village], village=village)


def _crossing(rng: Rng, n: int = 400) -> pd.DataFrame:
    """A treatment that is dangerous at first and helps those who survive it."""
    treat = rng.permutation(np.arange(n) % 2)
    time = np.where(treat == 1, 1.2 * rng.weibull(0.5, n), 1.0 * rng.weibull(1.8, n))
    return pd.DataFrame({"treat": treat, "time": np.minimum(time, 3.0), "died": (time <= 3.0).astype(int)})


def _short(rng: Rng) -> pd.DataFrame:
    """The treated are followed up to 1 only."""
    frame = _trial(rng, 0.7)
    end = np.where(frame["treat"] == 1, 1.0, 3.0)
    return frame.assign(died=frame["died"] * (frame["time"] <= end), time=np.minimum(frame["time"], end))


def _lost(rng: Rng, n: int = 300) -> pd.DataFrame:
    """The treated drop out."""
    treat = rng.permutation(np.arange(n) % 2)
    time, lost = rng.exponential(1.0, n), rng.exponential(np.where(treat == 1, 0.7, 4.0))
    return pd.DataFrame({"treat": treat, "time": np.minimum(time, lost), "died": (time <= lost).astype(int)})


def _separate(rng: Rng, n: int = 300) -> pd.DataFrame:
    age = rng.normal(50, 10, n)
    treat = (age + rng.normal(0, 1, n) > 50).astype(int)
    return _followed(rng, treat, np.full(n, 1.0), age=age)


_PLAIN = {"strategy": "survival", "treatment": "treat", "outcome": "time", "event": "died", "horizon": HORIZON}
_ADJUSTED = {**_PLAIN, "controls": ["sick"]}
_RATIO = {**_PLAIN, "estimand": "hazard ratio"}
_SICK = {1: np.exp(0.4), 0: np.exp(-0.4)}
_ADJUSTED_TRUTH = float(
    np.mean([restricted_mean(hazard * np.exp(-0.7)) - restricted_mean(hazard) for hazard in _SICK.values()])
)

WORLDS = (
    World(
        "trial, hazard 0.6",
        _PLAIN,
        lambda rng: _trial(rng, 0.6),
        truth=restricted_mean(0.6) - restricted_mean(1.0),
    ),
    World("trial, no effect", _PLAIN, lambda rng: _trial(rng, 1.0), truth=0.0),
    World("small trial, no effect", _PLAIN, lambda rng: _trial(rng, 1.0, 60), truth=0.0),
    World("chosen, adjusted", _ADJUSTED, lambda rng: _chosen(rng, -0.7), truth=_ADJUSTED_TRUTH),
    World("chosen, adjusted, no effect", _ADJUSTED, lambda rng: _chosen(rng, 0.0), truth=0.0),
    World("villages", {**_PLAIN, "cluster": "village"}, _villages, truth=0.0),
    World("hazard ratio 0.6", _RATIO, lambda rng: _trial(rng, 0.6), truth=0.6),
    World("hazard ratio, adjusted", {**_RATIO, "controls": ["sick"]}, lambda rng: _chosen(rng, 0.0), truth=1.0),
    World("hazards cross", _RATIO, _crossing, caught_by="proportional hazards"),
    World("treated followed for less long", _PLAIN, _short, caught_by="follow-up"),
    World("treated drop out", {**_PLAIN, "horizon": None}, _lost, caught_by="censoring"),
    World("treated are the old", {**_PLAIN, "controls": ["age"]}, _separate, caught_by="overlap"),
    World(
        "event in words of its own",
        _PLAIN,
        lambda rng: _trial(rng, 1.0).assign(died=lambda frame: frame["died"] + 1),
        caught_by="times and events",
    ),
)
