"""Panels from a factor model with one or a few treated units: clean ones, and units no donors resemble."""

import numpy as np
import pandas as pd

from tests.agents.designs.simulation import World

Rng = np.random.Generator


def _panel(
    rng: Rng,
    effect: float,
    *,
    donors: int = 24,
    before: int = 30,
    after: int = 10,
    treated: int = 1,
    level: float = 0.0,
) -> pd.DataFrame:
    """Outcomes of units that load on two common walks; treated and donors are drawn alike, but for `level`."""
    periods, units = before + after, donors + treated
    walks = np.cumsum(rng.normal(0, 0.7, (periods, 2)), axis=0)
    loadings = rng.uniform(-1, 1, (2, units))
    own = rng.normal(0, 0.5, (periods, units))
    y = 10 + rng.uniform(-2, 2, units) + np.cumsum(rng.normal(0, 0.5, periods))[:, None] + walks @ loadings + own
    y[:, :treated] += level
    y[before:, :treated] += effect
    time, unit = np.indices(y.shape)
    on = ((time >= before) & (unit < treated)).astype(int)
    # Signs of the loadings are told by a covariate seen with error.
    wealth = loadings[0][None, :] + rng.normal(0, 0.3, y.shape)
    frame = {"place": np.char.add("place ", unit.ravel().astype(str)), "year": 1980 + time.ravel()}
    return pd.DataFrame(frame | {"law": on.ravel(), "y": y.ravel(), "wealth": wealth.ravel()})


_SPEC = {"strategy": "synthetic_control", "treatment": "law", "outcome": "y", "unit": "place", "time": "year"}
_DID = {**_SPEC, "method": "synthetic did"}

WORLDS = (
    World("one treated place, effect 2", _SPEC, lambda rng: _panel(rng, 2.0), truth=2.0),
    World("one treated place, no effect", _SPEC, lambda rng: _panel(rng, 0.0), truth=0.0),
    World("with a predictor", {**_SPEC, "controls": ["wealth"]}, lambda rng: _panel(rng, 0.0), truth=0.0),
    World("three treated places", _SPEC, lambda rng: _panel(rng, 0.0, treated=3), truth=0.0),
    World("synthetic did, effect 2", _DID, lambda rng: _panel(rng, 2.0), truth=2.0),
    World("synthetic did, no effect", _DID, lambda rng: _panel(rng, 0.0), truth=0.0),
    World("synthetic did, a level of its own", _DID, lambda rng: _panel(rng, 0.0, level=8.0), truth=0.0),
    World("above every donor", _SPEC, lambda rng: _panel(rng, 0.0, level=8.0), caught_by="inside the donors' range"),
    World(
        "no donor resembles it", _SPEC, lambda rng: _panel(rng, 0.0, level=8.0), caught_by="fit before the treatment"
    ),
    World(
        "too few periods before",
        _SPEC,
        lambda rng: _panel(rng, 0.0, before=4),
        caught_by="periods before the treatment",
    ),
    World("two donors", _SPEC, lambda rng: _panel(rng, 0.0, donors=2), caught_by="donors"),
)
