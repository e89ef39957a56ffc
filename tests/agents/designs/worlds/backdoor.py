"""Confounded worlds with a known truth, and worlds in which adjustment fails: no overlap, bad controls, colliders.

In `_confounded` the propensity is e = 1 / (1 + exp(-(x + z - 1) / 2)), z being 0 or 1, and the effect is
effect + slope x. True averages of x come from the mechanism itself, by a large draw with a seed of its own.
"""

import numpy as np
import pandas as pd

from tests.agents.designs.simulation import World

Rng = np.random.Generator


def _propensity(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-(x + z - 1) / 2)))


def _confounded(rng: Rng, effect: float, slope: float = 0.0, n: int = 400) -> pd.DataFrame:
    x, z = rng.normal(0, 1, n), rng.integers(0, 2, n)
    treat = (rng.random(n) < _propensity(x, z)).astype(int)
    # The outcome bends in x: a straight line alone would be biased.
    y = 1 + x + 0.5 * x**2 + z + treat * (effect + slope * x) + rng.normal(0, 1 + 0.5 * treat, n)
    return pd.DataFrame({"treat": treat, "y": y, "x": x, "z": z})


def _mean_x(weight: str) -> float:
    """Average of x over the population that the weight h(e) stands for."""
    rng = np.random.default_rng(12345)
    x, z = rng.normal(0, 1, 2_000_000), rng.integers(0, 2, 2_000_000)
    e = _propensity(x, z)
    h = {"ATT": e, "ATC": 1 - e, "ATO": e * (1 - e)}[weight]
    return float(h @ x / h.sum())


def _binary(rng: Rng, n: int = 600) -> pd.DataFrame:
    """Risks of 0.1 to 0.5, the treatment adding 0.15 for everyone."""
    frame = _confounded(rng, 0.0, n=n)
    risk = 0.1 + 0.4 / (1 + np.exp(-frame["x"])) * frame["z"] + 0.15 * frame["treat"]
    return frame.assign(y=(rng.random(n) < risk).astype(int))


def _clustered(rng: Rng) -> pd.DataFrame:
    """60 villages treated as a whole."""
    village = np.repeat(np.arange(60), 8)
    x = rng.normal(0, 1, 60)
    treat = (rng.random(60) < 1 / (1 + np.exp(-x / 2))).astype(int)[village]
    y = x[village] + rng.normal(0, 1, 60)[village] + rng.normal(0, 1, len(village))
    return pd.DataFrame({"treat": treat, "y": y, "x": x[village], "village": village})


def _dose(rng: Rng, effect: float, n: int = 300) -> pd.DataFrame:
    x = rng.normal(0, 1, n)
    dose = 2 + x + 0.3 * x**2 + rng.normal(0, 1, n)
    y = effect * dose + x + 0.5 * x**2 + rng.normal(0, 1 + 0.3 * np.abs(x), n)
    return pd.DataFrame({"treat": dose, "y": y, "x": x})


def _apart(rng: Rng, n: int = 400) -> pd.DataFrame:
    """Nobody below x = 0 is treated, and everybody above 1.5."""
    x = rng.normal(0, 1, n)
    treat = np.where(x < 0, 0, np.where(x > 1.5, 1, rng.integers(0, 2, n)))
    return pd.DataFrame({"treat": treat, "y": x + treat + rng.normal(0, 1, n), "x": x})


def _separate(rng: Rng) -> pd.DataFrame:
    """Treated and untreated never meet."""
    frame = _apart(rng)
    return frame.assign(treat=(frame["x"] > 0).astype(int))


def _mediated(rng: Rng) -> pd.DataFrame:
    frame = _confounded(rng, 0.5)
    mediator = frame["treat"] + rng.normal(0, 1, len(frame))
    return frame.assign(m=mediator, y=frame["y"] + mediator)


def _m_bias(rng: Rng, n: int = 400) -> pd.DataFrame:
    a, b = rng.normal(0, 1, n), rng.normal(0, 1, n)
    treat = (rng.random(n) < 1 / (1 + np.exp(-a))).astype(int)
    return pd.DataFrame({"treat": treat, "y": b + rng.normal(0, 1, n), "m": a + b + rng.normal(0, 0.5, n)})


def _component(rng: Rng) -> pd.DataFrame:
    frame = _confounded(rng, 1.0)
    return frame.assign(scaled=np.exp(frame["y"] / 4))


def _parts(rng: Rng) -> pd.DataFrame:
    frame = _confounded(rng, 1.0)
    reading = frame["y"] / 2 + rng.normal(0, 1, len(frame))
    return frame.assign(reading=reading, arithmetic=frame["y"] - reading)


_PLAIN = {"strategy": "backdoor", "treatment": "treat", "outcome": "y", "controls": ["x", "z"]}
_X = {**_PLAIN, "controls": ["x"]}

WORLDS = (
    World("ATE, effects differ", _PLAIN, lambda rng: _confounded(rng, 1.0, 0.5), truth=1.0),
    World("ATE, no effect", _PLAIN, lambda rng: _confounded(rng, 0.0), truth=0.0),
    World(
        "ATT, effects differ",
        {**_PLAIN, "estimand": "ATT"},
        lambda rng: _confounded(rng, 1.0, 0.5),
        truth=1.0 + 0.5 * _mean_x("ATT"),
    ),
    World("ATT, no effect", {**_PLAIN, "estimand": "ATT"}, lambda rng: _confounded(rng, 0.0), truth=0.0),
    World(
        "ATC, effects differ",
        {**_PLAIN, "estimand": "ATC"},
        lambda rng: _confounded(rng, 1.0, 0.5),
        truth=1.0 + 0.5 * _mean_x("ATC"),
    ),
    World(
        "ATO, effects differ",
        {**_PLAIN, "estimand": "ATO"},
        lambda rng: _confounded(rng, 1.0, 0.5),
        truth=1.0 + 0.5 * _mean_x("ATO"),
    ),
    World("ATO, no effect", {**_PLAIN, "estimand": "ATO"}, lambda rng: _confounded(rng, 0.0), truth=0.0),
    World("small sample", _PLAIN, lambda rng: _confounded(rng, 0.0, n=100), truth=0.0),
    World("binary outcome", _PLAIN, _binary, truth=0.15),
    World("clusters treated whole", {**_X, "cluster": "village"}, _clustered, truth=0.0),
    World("dose", _X, lambda rng: _dose(rng, 0.5), truth=0.5),
    World("dose, no effect", _X, lambda rng: _dose(rng, 0.0), truth=0.0),
    World("some never treated", _X, _apart, caught_by="overlap"),
    World("arms apart", _X, _separate, caught_by="overlap"),
    World(
        "mediator as control",
        {**_PLAIN, "controls": ["x", "z", "m"], "after_treatment": ["m"]},
        _mediated,
        caught_by="controls precede the treatment",
    ),
    World(
        "mediator by the graph",
        {**_PLAIN, "controls": ["x", "z", "m"]},
        _mediated,
        caught_by="controls by the graph",
        graph="treat -> m -> y; treat -> y; x -> treat; x -> y; z -> treat; z -> y",
    ),
    World(
        "M-bias",
        {**_PLAIN, "controls": ["m"]},
        _m_bias,
        caught_by="controls by the graph",
        graph="a -> treat; a -> m; b -> m; b -> y; treat -> y",
    ),
    World(
        "outcome in another form",
        {**_PLAIN, "controls": ["x", "z", "scaled"]},
        _component,
        caught_by="controls are no part of the outcome",
    ),
    World(
        "parts of the outcome",
        {**_PLAIN, "controls": ["reading", "arithmetic"]},
        _parts,
        caught_by="controls do not add up to the outcome",
    ),
    World(
        "no controls",
        {**_PLAIN, "controls": []},
        lambda rng: _confounded(rng, 0.0),
        caught_by="confounders are adjusted for",
    ),
)
