"""Instruments: strong ones with unseen confounding, several, encouragements, clusters; weak and invalid ones."""

import numpy as np
import pandas as pd

from tests.agents.designs.simulation import World

Rng = np.random.Generator


def _dose(rng: Rng, effect: float, strength: float = 0.6, n: int = 400) -> pd.DataFrame:
    z, u, age = rng.normal(0, 1, (3, n))
    d = strength * z + u + 0.5 * age + rng.normal(0, 1, n)
    # Noise grows with the instrument: what a constant-variance formula gets wrong.
    y = effect * d + 2 * u - age + rng.normal(0, 1, n) * (1 + 0.5 * np.abs(z))
    return pd.DataFrame({"z": z, "d": d, "y": y, "age": age})


def _several(rng: Rng, effect: float, n: int = 400) -> pd.DataFrame:
    frame = _dose(rng, effect, n=n)
    arm = rng.choice(["letter", "none", "visit"], n)
    shift = 0.8 * (arm == "visit") + 0.3 * (arm == "letter")
    return frame.assign(arm=arm, d=frame["d"] + shift, y=frame["y"] + effect * shift)


def _encouragement(rng: Rng, effect: float, n: int = 600) -> pd.DataFrame:
    offer = rng.permutation(np.arange(n) % 2)
    kind = rng.choice(["always", "never", "complier"], n, p=[0.2, 0.3, 0.5])
    took = np.where(kind == "complier", offer, kind == "always").astype(int)
    # The effect on those who always take is another one, and they differ in level as well.
    y = 1 + 2.0 * (kind == "always") - 1.0 * (kind == "never") + took * np.where(kind == "always", 5.0, effect)
    return pd.DataFrame({"offer": offer, "took": took, "y": y + rng.normal(0, 1 + took, n)})


def _clustered(rng: Rng, effect: float, clusters: int = 50, size: int = 15) -> pd.DataFrame:
    village = np.repeat(np.arange(clusters), size)
    z = rng.permutation(np.arange(clusters) % 2)[village]
    u = rng.normal(0, 1, clusters)[village] * 0.5 + rng.normal(0, 1, len(village))
    d = 1.2 * z + u + rng.normal(0, 1, len(village))
    return pd.DataFrame({"z": z, "d": d, "y": effect * d + 2 * u + rng.normal(0, 1, len(village)), "village": village})


def _binary(rng: Rng, direct: float, n: int = 800) -> pd.DataFrame:
    frame = _encouragement(rng, 0.0, n)
    chance = 0.3 + 0.3 * frame["took"] + direct * frame["offer"]
    return frame.assign(y=(rng.random(n) < chance).astype(int))


def _no_lottery(rng: Rng) -> pd.DataFrame:
    frame = _encouragement(rng, 1.0)
    age = 40 + 4 * frame["offer"] + rng.normal(0, 8, len(frame))
    return frame.assign(age=age, y=frame["y"] + 0.1 * age)


_DOSE = {"strategy": "iv", "treatment": "d", "outcome": "y", "instrument": "z"}
_OFFER = {"strategy": "iv", "treatment": "took", "outcome": "y", "instrument": "offer"}

WORLDS = (
    World("strong instrument, effect 1", {**_DOSE, "controls": ["age"]}, lambda rng: _dose(rng, 1.0), truth=1.0),
    World("strong instrument, no effect", {**_DOSE, "controls": ["age"]}, lambda rng: _dose(rng, 0.0), truth=0.0),
    World("three instruments", {**_DOSE, "instrument": ["z", "arm"]}, lambda rng: _several(rng, 1.0), truth=1.0),
    World("three instruments, no effect", {**_DOSE, "instrument": "z, arm"}, lambda rng: _several(rng, 0.0), truth=0.0),
    World("encouragement, compliers' effect 1", _OFFER, lambda rng: _encouragement(rng, 1.0), truth=1.0),
    World("encouragement, no effect on compliers", _OFFER, lambda rng: _encouragement(rng, 0.0), truth=0.0),
    World("clustered instrument", {**_DOSE, "cluster": "village"}, lambda rng: _clustered(rng, 1.0), truth=1.0),
    World("clustered, no effect", {**_DOSE, "cluster": "village"}, lambda rng: _clustered(rng, 0.0), truth=0.0),
    World("moderately weak instrument", _DOSE, lambda rng: _dose(rng, 0.0, strength=0.3), truth=0.0),
    World("weak instrument", _DOSE, lambda rng: _dose(rng, 1.0, strength=0.02), caught_by="instrument strength"),
    World(
        "instrument that was not drawn",
        {**_OFFER, "before_treatment": ["age"]},
        _no_lottery,
        caught_by="instrument against balance",
    ),
    World("offer that acts by itself", _OFFER, lambda rng: _binary(rng, 0.4), caught_by="instrumental inequality"),
    World(
        "instrument with a second path",
        _DOSE,
        lambda rng: _dose(rng, 1.0),
        caught_by="exclusion by the graph",
        graph="digraph { z -> d; d -> y; z -> age; age -> y; age -> d }",
    ),
    World("forgotten cluster", _DOSE, lambda rng: _clustered(rng, 0.0), caught_by="level of assignment"),
)
