"""Discontinuities: sharp and fuzzy, curved, discrete, few, clustered; and what is no discontinuity design."""

import numpy as np
import pandas as pd

from tests.agents.designs.simulation import World

Rng = np.random.Generator


def _lee(x: np.ndarray) -> np.ndarray:
    """The curve fitted to Lee (2008) in Calonico, Cattaneo and Titiunik (2014, section 6), without its jump."""
    left = 0.48 + 1.27 * x + 7.18 * x**2 + 20.21 * x**3 + 21.54 * x**4 + 7.33 * x**5
    right = 0.48 + 0.84 * x - 3.00 * x**2 + 7.99 * x**3 - 9.01 * x**4 + 3.56 * x**5
    return np.where(x < 0, left, right)


def _sharp(rng: Rng, effect: float, n: int = 1000) -> pd.DataFrame:
    x = 2 * rng.beta(2, 4, n) - 1
    age = rng.normal(40, 10, n)
    y = _lee(x) + effect * (x >= 0) + 0.01 * (age - 40) + rng.normal(0, 0.13, n)
    return pd.DataFrame({"score": x, "win": (x >= 0).astype(int), "y": y, "age": age})


def _few(rng: Rng, effect: float) -> pd.DataFrame:
    x = rng.uniform(-1, 1, 50)
    y = x + 0.5 * x**2 + effect * (x >= 0) + rng.normal(0, 0.5, 50)
    return pd.DataFrame({"x": x, "y": y})


def _below(rng: Rng, effect: float, n: int = 800) -> pd.DataFrame:
    """Those at the line or poorer get the benefit."""
    income = np.round(rng.normal(0, 1, n), 2)
    benefit = income <= 0
    y = 1 + income + 0.5 * income**2 * benefit + effect * benefit + rng.normal(0, 1, n) * (1 + 0.3 * np.abs(income))
    return pd.DataFrame({"income": income, "benefit": np.where(benefit, "yes", "no"), "y": y})


def _fuzzy(rng: Rng, effect: float, n: int = 1200, jump: float = 0.6) -> pd.DataFrame:
    x, u = rng.uniform(-1, 1, n), rng.uniform(0, 1, n)
    treat = (u < 0.2 + 0.05 * x + jump * (x >= 0)).astype(int)
    y = x + x**2 - 0.8 * u + effect * treat + rng.normal(0, 0.5, n)  # u: who takes it up is better off anyway
    return pd.DataFrame({"x": x, "treat": treat, "y": y})


def _ages(rng: Rng, effect: float, n: int = 3000) -> pd.DataFrame:
    age = rng.integers(40, 90, n)
    y = 0.002 * (age - 65) ** 2 + effect * (age >= 65) + rng.normal(0, 1, n)
    return pd.DataFrame({"age": age, "y": y})


def _cells(rng: Rng, effect: float) -> pd.DataFrame:
    age = 19 + (np.arange(48) + 0.5) / 12
    y = 95 - 2 * (age - 21) + 0.5 * (age - 21) ** 2 + effect * (age >= 21) + rng.normal(0, 1.5, 48)
    return pd.DataFrame({"age": age, "y": y})


def _window(rng: Rng, effect: float, slope: float = 40, n: int = 6000) -> pd.DataFrame:
    share = np.clip(rng.normal(0.5, 0.15, n), 0, 1)
    y = slope * (share - 0.5) + effect * (share >= 0.5) + rng.normal(0, 25, n)
    return pd.DataFrame({"share": share, "won": (share >= 0.5).astype(int), "y": y})


def _states(rng: Rng, effect: float, groups: int = 60, size: int = 25) -> pd.DataFrame:
    state = np.repeat(np.arange(groups), size)
    # States differ in the outcome and in where their rows lie: rows of a state err together.
    x = np.clip(rng.normal(0, 0.4, groups)[state] + rng.normal(0, 0.3, len(state)), -1, 1)
    y = x + effect * (x >= 0) + rng.normal(0, 0.7, groups)[state] + rng.normal(0, 0.7, len(state))
    return pd.DataFrame({"x": x, "y": y, "state": state})


def _manipulated(rng: Rng, n: int = 2000) -> pd.DataFrame:
    x = rng.normal(0, 1, n)
    pushed = (x > -0.25) & (x < 0) & (rng.uniform(size=n) < 0.6)
    x = np.where(pushed, rng.uniform(0, 0.2, n), x)
    return pd.DataFrame({"x": x, "y": x + rng.normal(0, 1, n)})


def _covariate_jumps(rng: Rng, n: int = 1500) -> pd.DataFrame:
    x = rng.uniform(-1, 1, n)
    income = x + 1.0 * (x >= 0) + rng.normal(0, 1, n)
    return pd.DataFrame(
        {"x": x, "y": x + income + rng.normal(0, 1, n), "income": income, "height": rng.normal(0, 1, n)}
    )


def _losers_elsewhere(rng: Rng) -> pd.DataFrame:
    frame = _sharp(rng, 0.0)
    return frame[(frame["score"] >= 0) | (frame["score"] < -0.4)]


_SHARP = {"strategy": "rd", "treatment": "win", "outcome": "y", "running_variable": "score", "cutoff": 0}
_BELOW = {"strategy": "rd", "treatment": "benefit", "outcome": "y", "running_variable": "income", "cutoff": 0}
_FUZZY = {"strategy": "rd", "treatment": "treat", "outcome": "y", "running_variable": "x", "cutoff": 0, "fuzzy": True}
_ITSELF = {"strategy": "rd", "treatment": "x", "outcome": "y", "running_variable": "x", "cutoff": 0}
_AGE = {"strategy": "rd", "treatment": "age", "outcome": "y", "running_variable": "age"}
_HAIR = {
    "strategy": "rd",
    "treatment": "won",
    "outcome": "y",
    "running_variable": "share",
    "cutoff": 0.5,
    "subset": "share >= 0.48 and share <= 0.52",
}

WORLDS = (
    World("sharp and curved, effect 0.2", _SHARP, lambda rng: _sharp(rng, 0.2), truth=0.2),
    World("sharp and curved, no effect", _SHARP, lambda rng: _sharp(rng, 0.0), truth=0.0),
    World("sharp with a covariate", {**_SHARP, "controls": ["age"]}, lambda rng: _sharp(rng, 0.0), truth=0.0),
    World("treated below, in words", _BELOW, lambda rng: _below(rng, 1.0), truth=1.0),
    World("fuzzy, effect 1", _FUZZY, lambda rng: _fuzzy(rng, 1.0), truth=1.0),
    World("fuzzy, no effect", _FUZZY, lambda rng: _fuzzy(rng, 0.0), truth=0.0),
    World("years of age", {**_AGE, "cutoff": 65}, lambda rng: _ages(rng, 0.5), truth=0.5),
    World("cells of age", {**_AGE, "cutoff": 21}, lambda rng: _cells(rng, 0.0), truth=0.0),
    World("fifty rows", _ITSELF, lambda rng: _few(rng, 0.0), truth=0.0),
    World("by a hair", _HAIR, lambda rng: _window(rng, 20.0), truth=20.0),
    World("by a hair, no effect", _HAIR, lambda rng: _window(rng, 0.0), truth=0.0),
    World("by a hair, sloping", _HAIR, lambda rng: _window(rng, 0.0, slope=200), truth=0.0),
    World("clustered", {**_ITSELF, "cluster": "state"}, lambda rng: _states(rng, 0.0), truth=0.0),
    World("clustered, effect 1", {**_ITSELF, "cluster": "state"}, lambda rng: _states(rng, 1.0), truth=1.0),
    World("stated bandwidth", {**_ITSELF, "bandwidth": 0.3}, lambda rng: _states(rng, 1.0, 500, 2), truth=1.0),
    World("manipulated", _ITSELF, _manipulated, caught_by="density of the running variable"),
    World(
        "treatment does not jump",
        _FUZZY,
        lambda rng: _fuzzy(rng, 0.0, jump=0.0),
        caught_by="treatment jumps at the cutoff",
    ),
    World(
        "covariate jumps",
        {**_ITSELF, "before_treatment": ["income", "height"]},
        _covariate_jumps,
        caught_by="continuity of covariates",
    ),
    World(
        "only winners",
        _SHARP,
        lambda rng: _sharp(rng, 0.0).query("score >= 0"),
        caught_by="rows on both sides of the cutoff",
    ),
    World("losers elsewhere", _SHARP, _losers_elsewhere, caught_by="rows on both sides of the cutoff"),
)
