"""Front door: an unmeasured cause of treatment and outcome, and mediators that are, or are not, free of it."""

import numpy as np
import pandas as pd

from tests.agents.designs.simulation import World

Rng = np.random.Generator


def _smoking(rng: Rng, effect: float, n: int = 600) -> pd.DataFrame:
    """A mediator that happens or not, three times as often with the treatment: 0.6 of its effect is the treatment's."""
    genes = rng.normal(0, 1, n)
    smoke = (genes + rng.logistic(0, 1, n) > 0).astype(int)
    tar = (rng.random(n) < 0.2 + 0.6 * smoke).astype(int)
    return pd.DataFrame({"smoke": smoke, "tar": tar, "loss": effect / 0.6 * tar + genes + rng.normal(0, 1, n)})


def _linear(rng: Rng, effect: float, n: int = 400) -> pd.DataFrame:
    """Two mediators that are numbers, a control of mediator and outcome, and an interaction with the treatment."""
    genes, age = rng.normal(0, 1, (2, n))
    smoke = (genes + 0.5 * age + rng.logistic(0, 1, n) > 0).astype(int)
    tar = smoke + 0.5 * age + rng.normal(0, 1, n)
    debt = 0.5 * smoke - 0.5 * age + rng.normal(0, 1, n)
    loss = (effect + 0.4 * (smoke - 0.5)) * tar + age + genes + rng.normal(0, 1, n)
    return pd.DataFrame({"smoke": smoke, "tar": tar, "debt": debt, "loss": loss, "age": age})


def _adjusted(rng: Rng, n: int = 600) -> pd.DataFrame:
    """Three values of the mediator, whose chances depend on a control: truth is the mean of 0.5 × the shift."""
    genes = rng.normal(0, 1, n)
    poor = rng.binomial(1, 0.5, n)
    smoke = (genes + poor - 0.5 + rng.logistic(0, 1, n) > 0).astype(int)
    tar = rng.binomial(2, 0.25 + 0.3 * smoke + 0.15 * poor)
    return pd.DataFrame(
        {"smoke": smoke, "tar": tar, "loss": 0.5 * tar + poor + genes + rng.normal(0, 1, n), "poor": poor}
    )


def _dose(rng: Rng, n: int = 300) -> pd.DataFrame:
    genes = rng.normal(0, 1, n)
    smoke = 5 + 2 * genes + rng.normal(0, 2, n)
    tar = 0.5 * smoke + rng.normal(0, 1, n)
    return pd.DataFrame({"smoke": smoke, "tar": tar, "loss": 0.4 * tar + genes + rng.normal(0, 1, n)})


def _always(rng: Rng) -> pd.DataFrame:
    frame = _smoking(rng, 0.5)
    return frame.assign(tar=frame["smoke"])


def _useless(rng: Rng) -> pd.DataFrame:
    frame = _smoking(rng, 0.5)
    return frame.assign(tar=rng.integers(0, 2, len(frame)))


def _chosen_by_age(rng: Rng) -> pd.DataFrame:
    """Age tells who smokes, so no smoker is comparable with anybody else."""
    frame = _linear(rng, 0.5)
    return frame.assign(age=10 * frame["smoke"] + rng.normal(0, 1, len(frame)))


def _far_apart(rng: Rng) -> pd.DataFrame:
    """Smokers have a hundred times the tar."""
    frame = _linear(rng, 0.5)
    return frame.assign(tar=frame["tar"] + 100 * frame["smoke"])


def _separate_cells(rng: Rng) -> pd.DataFrame:
    """Both values of the mediator occur in both arms, but among the poor only one in each."""
    frame = _adjusted(rng)
    free = rng.binomial(1, 0.5, len(frame))
    return frame.assign(tar=np.where(frame["poor"] == 1, frame["smoke"], free))


_PLAIN = {"strategy": "frontdoor", "treatment": "smoke", "outcome": "loss", "mediator": "tar"}
_TWO = {**_PLAIN, "mediator": ["tar", "debt"], "controls": ["age"]}
_DOOR = "smoke -> tar; tar -> loss; smoke <-> loss"

WORLDS = (
    World("a binary mediator, effect 0.6", _PLAIN, lambda rng: _smoking(rng, 0.6), truth=0.6, graph=_DOOR),
    World("a binary mediator, no effect", _PLAIN, lambda rng: _smoking(rng, 0.0), truth=0.0),
    World("two linear mediators, effect 0.5", _TWO, lambda rng: _linear(rng, 0.5), truth=0.5),
    World("two linear mediators, no effect", _TWO, lambda rng: _linear(rng, 0.0), truth=0.0),
    World("three values and a control", {**_PLAIN, "controls": ["poor"]}, _adjusted, truth=0.3),
    World("a dose", _PLAIN, _dose, truth=0.2),
    World("age all but fixed by the treatment", _TWO, _chosen_by_age, caught_by="overlap"),
    World("mediators far apart", _TWO, _far_apart, caught_by="overlap of the mediator"),
    World(
        "values apart among the poor",
        {**_PLAIN, "controls": ["poor"]},
        _separate_cells,
        caught_by="overlap of the mediator",
    ),
    World("mediator is the treatment", _PLAIN, _always, caught_by="mediators vary at a given treatment"),
    World("mediator does not move", _PLAIN, _useless, caught_by="treatment moves the mediators"),
    World(
        "a path around the mediator",
        _PLAIN,
        lambda rng: _smoking(rng, 0.6),
        caught_by="front door by the graph",
        graph=_DOOR + "; smoke -> loss",
    ),
    World(
        "a confounded mediator",
        _PLAIN,
        lambda rng: _smoking(rng, 0.6),
        caught_by="front door by the graph",
        graph=_DOOR + "; tar <-> loss",
    ),
)
