"""Mediation: an effect that runs through a mediator, past it or both, and mediators that are none."""

import numpy as np
import pandas as pd

from tests.agents.designs.simulation import World

Rng = np.random.Generator


def _draw(rng: Rng, first: float, second: float, past: float, *, differs: float = 0.0, n: int = 300) -> pd.DataFrame:
    """Chosen by need, which moves the mediator and the outcome too; errors grow with need."""
    need = rng.normal(0, 1, n)
    treat = (need + rng.logistic(0, 1, n) > 0).astype(int)
    skill = first * treat + 0.5 * need + rng.normal(0, 1, n) * np.exp(0.3 * need)
    y = 2 + past * treat + (second + differs * (treat - 0.5)) * skill - need + rng.normal(0, 1, n) * np.exp(0.3 * need)
    return pd.DataFrame({"treat": treat, "skill": skill, "y": y, "need": need})


def _binary(rng: Rng, n: int = 600) -> pd.DataFrame:
    """A drawn treatment, a mediator and an outcome that happen or do not: 0.3 × 0.4 runs through the mediator."""
    treat = rng.permutation(np.arange(n) % 2)
    enrolled = rng.random(n) < 0.3 + 0.3 * treat
    hired = rng.random(n) < 0.2 + 0.1 * treat + 0.4 * enrolled
    return pd.DataFrame({"treat": treat, "enrolled": enrolled.astype(int), "hired": hired.astype(int)})


def _dose(rng: Rng, n: int = 250) -> pd.DataFrame:
    hours = rng.gamma(4, 2, n)
    skill = 0.4 * hours + rng.normal(0, 1, n)
    return pd.DataFrame({"treat": hours, "skill": skill, "y": 0.5 * skill + 0.1 * hours + rng.normal(0, 1, n)})


def _villages(rng: Rng) -> pd.DataFrame:
    """Thirty villages treated as wholes."""
    village = np.repeat(np.arange(30), 10)
    treat = rng.permutation(np.arange(30) % 2)[village]
    skill = treat + rng.normal(0, 0.7, 30)[village] + rng.normal(0, 1, 300)
    y = 0.5 * skill + rng.normal(0, 0.7, 30)[village] + rng.normal(0, 1, 300)
    return pd.DataFrame({"treat": treat, "skill": skill, "y": y, "village": village})


def _fixed(rng: Rng) -> pd.DataFrame:
    frame = _draw(rng, 1.0, 0.5, 0.2)
    return frame.assign(skill=2 * frame["treat"] + 3 * frame["need"])


def _chosen_by_the_control(rng: Rng) -> pd.DataFrame:
    """Treatment makes the control what it is, so nobody is comparable; the equations are right all the same."""
    frame = _draw(rng, 1.0, 0.5, 0.3)
    return frame.assign(need=10 * frame["treat"] + rng.normal(0, 1, len(frame)))


def _far_apart(rng: Rng) -> pd.DataFrame:
    """The mediator of one arm is nowhere near that of the other."""
    frame = _draw(rng, 1.0, 0.5, 0.3)
    return frame.assign(skill=frame["skill"] + 100 * frame["treat"])


def _only_when_treated(rng: Rng) -> pd.DataFrame:
    """Lessons that none of the untreated takes: what they would do to the untreated is seen nowhere."""
    frame = _draw(rng, 1.0, 0.5, 0.3)
    return frame.assign(skill=frame["treat"] * rng.poisson(4, len(frame)))


_PLAIN = {"strategy": "mediation", "treatment": "treat", "outcome": "y", "mediator": "skill", "controls": ["need"]}
_BARE = {**_PLAIN, "controls": []}
_CONFOUNDED = "need -> treat; need -> skill; need -> y; treat -> skill; skill -> y; treat -> y; skill <-> y"

WORLDS = (
    World("indirect effect 0.5", _PLAIN, lambda rng: _draw(rng, 1.0, 0.5, 0.3), truth=0.5),
    World("no second half", _PLAIN, lambda rng: _draw(rng, 1.0, 0.0, 0.3), truth=0.0),
    World("a strong first half", _PLAIN, lambda rng: _draw(rng, 1.3, 0.5, 0.3, n=600), truth=0.65),
    World("interaction", _PLAIN, lambda rng: _draw(rng, 1.0, 0.5, 0.3, differs=0.6), truth=0.5),
    World(
        "direct effect 0.3",
        {**_PLAIN, "estimand": "direct effect"},
        lambda rng: _draw(rng, 1.0, 0.5, 0.3),
        truth=0.3,
    ),
    World(
        "no direct effect",
        {**_PLAIN, "estimand": "direct effect"},
        lambda rng: _draw(rng, 1.0, 0.5, 0.0),
        truth=0.0,
    ),
    World(
        "two 0/1 columns",
        {"strategy": "mediation", "treatment": "treat", "outcome": "hired", "mediator": "enrolled"},
        _binary,
        truth=0.12,
    ),
    World("a dose", _BARE, _dose, truth=0.2),
    World("villages", {**_BARE, "cluster": "village"}, _villages, truth=0.5),
    World("control all but fixed by the treatment", _PLAIN, _chosen_by_the_control, caught_by="overlap"),
    World("mediators far apart", _PLAIN, _far_apart, caught_by="overlap of the mediator"),
    World("mediator only with the treatment", _BARE, _only_when_treated, caught_by="overlap of the mediator"),
    World("mediator fixed by treatment and control", _PLAIN, _fixed, caught_by="mediator stands by itself"),
    World(
        "mediator among the controls",
        {**_PLAIN, "controls": ["need", "skill"]},
        lambda rng: _draw(rng, 1.0, 0.5, 0.3),
        caught_by="mediator is no control",
    ),
    World(
        "confounded by the graph",
        _PLAIN,
        lambda rng: _draw(rng, 1.0, 0.5, 0.3),
        caught_by="mediation by the graph",
        graph=_CONFOUNDED,
    ),
    World(
        "treatment moves nothing",
        _PLAIN,
        lambda rng: _draw(rng, 0.0, 0.5, 0.3),
        caught_by="treatment moves the mediator",
    ),
)
