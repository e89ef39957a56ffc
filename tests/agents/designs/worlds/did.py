"""Differences in differences: two groups, many groups, staggered adoption, doses, triple differences; and what breaks them."""

from typing import Any

import numpy as np
import pandas as pd

from tests.agents.designs.simulation import World

Rng = np.random.Generator


def _cross_sections(rng: Rng, effect: float, n: int = 240) -> pd.DataFrame:
    """Other people each period; the groups differ in level and spread, and the effect differs among people."""
    near, after = (rng.random(n) < 0.35).astype(int), rng.integers(0, 2, n)
    own_effect = effect + rng.normal(0, 1, n)
    y = 10 + 3 * near + 2 * after + near * after * own_effect + rng.normal(0, 1 + near, n)
    return pd.DataFrame({"near": near, "after": after, "y": y, "rooms": rng.integers(1, 8, n)})


def _panel(
    rng: Rng, effect: float, units: int = 60, periods: int = 8, treated: int = 20, drift: float = 0.0
) -> pd.DataFrame:
    """Units with serially correlated errors (0.8), treated together from 2005."""
    unit, year = np.repeat(np.arange(units), periods), np.tile(np.arange(2000, 2000 + periods), units)
    error = np.empty((units, periods))
    error[:, 0] = rng.normal(0, 1, units)
    for t in range(1, periods):
        error[:, t] = 0.8 * error[:, t - 1] + 0.6 * rng.normal(0, 1, units)
    law = unit < treated
    y = (
        rng.normal(0, 2, units)[unit]
        + 0.3 * year
        + error.ravel()
        + (effect + drift * (year - 2004)) * law * (year >= 2005)
    )
    y = y + drift * (year - 2004) * law * (year < 2005)
    return pd.DataFrame({"unit": unit, "year": year, "law": law.astype(int), "y": y})


def _staggered(rng: Rng, scale: float, units: int = 80, everyone: bool = False, heat: bool = False) -> pd.DataFrame:
    """Effects grow with exposure and are larger in the first group: two-way fixed effects is biased."""
    # Callaway–Sant'Anna is about the groups' shares in the population, imputation about the treated at hand.
    cohort = np.arange(units) % 4 if heat else rng.integers(0, 4, units)
    start = np.array([2009.0 if everyone else np.inf, 2003, 2005, 2007])[cohort]
    unit, year = np.repeat(np.arange(units), 10), np.tile(np.arange(2000, 2010), units)
    exposure = np.maximum(year - start[unit] + 1, 0)
    size = np.array([0.0, 1.5, 1.0, 0.5])[cohort] if not everyone else np.array([0.2, 1.5, 1.0, 0.5])[cohort]
    y = rng.normal(0, 1, units)[unit] + 0.2 * (year - 2000) + scale * size[unit] * exposure
    y = y + rng.normal(0, 1, len(unit)) + 0.4 * rng.normal(0, 1, units)[unit] * (year - 2004.5) / 5
    frame = pd.DataFrame(
        {"unit": unit, "year": year, "start": np.where(np.isinf(start), 0, start)[unit].astype(int), "y": y}
    )
    if heat:
        frame["heat"] = rng.normal(0, 1, len(frame)) + 0.3 * (exposure > 0)
        frame["y"] += frame["heat"]
    return frame


def _average(everyone: bool = False) -> float:
    """The average over treated unit-years of size × exposure: the truth of `_staggered` at scale 1."""
    total = count = 0.0
    for size, start in ((1.5, 2003), (1.0, 2005), (0.5, 2007)):
        years = range(start, 2009 if everyone else 2010)  # the last group is untreated until 2009
        total += sum(size * (year - start + 1) for year in years)
        count += len(years)
    return total / count


def _dose(rng: Rng, slope: float, units: int = 50, periods: int = 7) -> pd.DataFrame:
    unit, year = np.repeat(np.arange(units), periods), np.tile(np.arange(periods), units)
    level, shock = rng.normal(0, 1, units), rng.normal(0, 1, periods)
    tax = (
        level[unit] + 0.5 * shock[year] + rng.normal(0, 0.5, len(unit)).cumsum() * 0.05 + rng.normal(0, 0.4, len(unit))
    )
    y = (
        slope * tax
        + 2 * level[unit]
        + shock[year]
        + rng.normal(0, 1, len(unit))
        + 0.3 * tax * rng.normal(0, 1, len(unit))
    )
    return pd.DataFrame({"unit": unit, "year": year, "tax": tax, "y": y})


def _triple(rng: Rng, effect: float, n: int = 600) -> pd.DataFrame:
    """Treated places drift as a whole; only the affected part of their people is touched."""
    law, after, affected = (rng.integers(0, 2, n) for _ in range(3))
    y = law + after + affected + 2 * law * after + affected * after - law * affected + effect * law * after * affected
    return pd.DataFrame({"law": law, "after": after, "affected": affected, "y": y + rng.normal(0, 1 + affected, n)})


def _triple_panel(rng: Rng, effect: float) -> pd.DataFrame:
    """States × years × {affected, not}, a shock to each state and year."""
    state, year, affected = (a.ravel() for a in np.meshgrid(range(24), range(6), (0, 1), indexing="ij"))
    law = state < 12
    shock, own = rng.normal(0, 1, (24, 6)), rng.normal(0, 1, (24, 2))
    y = shock[state, year] + own[state, affected] + 0.5 * law * (year >= 3) + effect * law * (year >= 3) * affected
    y = y + rng.normal(0, 0.7, len(state))
    return pd.DataFrame({"state": state, "year": year, "affected": affected, "law": law.astype(int), "y": y})


_BASE: dict[str, Any] = {"strategy": "did", "outcome": "y"}
CROSS = {**_BASE, "treatment": "near", "time": "after"}
PANEL = {**_BASE, "treatment": "law", "unit": "unit", "time": "year", "first_treated": 2005}
STAGGERED = {**_BASE, "treatment": "start", "unit": "unit", "time": "year", "first_treated": "start"}
DOSE = {**_BASE, "treatment": "tax", "unit": "unit", "time": "year", "estimand": "ATE"}
TRIPLE = {**_BASE, "treatment": "law", "time": "after", "third_difference": "affected"}
_TRIPLE_PANEL = {
    **_BASE,
    "treatment": "law",
    "time": "year",
    "first_treated": 3,
    "third_difference": "affected",
    "cluster": "state",
}

WORLDS = (
    World("cross-sections, effect 1", CROSS, lambda rng: _cross_sections(rng, 1.0), truth=1.0),
    World("cross-sections, no effect", CROSS, lambda rng: _cross_sections(rng, 0.0), truth=0.0),
    World("panel, effect 1", PANEL, lambda rng: _panel(rng, 1.0), truth=1.0),
    World("panel, no effect", PANEL, lambda rng: _panel(rng, 0.0), truth=0.0),
    World("20 units, no effect", PANEL, lambda rng: _panel(rng, 0.0, units=20, treated=8), truth=0.0),
    World("one treated unit, no effect", PANEL, lambda rng: _panel(rng, 0.0, units=25, treated=1), truth=0.0),
    World("staggered, growing effects", STAGGERED, lambda rng: _staggered(rng, 1.0), truth=_average()),
    World("staggered, no effect", STAGGERED, lambda rng: _staggered(rng, 0.0), truth=0.0),
    World(
        "staggered, everyone treated in the end",
        STAGGERED,
        lambda rng: _staggered(rng, 1.0, everyone=True).query("year < 2009"),
        truth=_average(everyone=True),
    ),
    World(
        "staggered, a control that moves",
        {**STAGGERED, "controls": ["heat"]},
        lambda rng: _staggered(rng, 1.0, heat=True),
        truth=_average(),
    ),
    World("dose, slope 1", DOSE, lambda rng: _dose(rng, 1.0), truth=1.0),
    World("dose, no effect", DOSE, lambda rng: _dose(rng, 0.0), truth=0.0),
    World("triple difference", TRIPLE, lambda rng: _triple(rng, 1.0), truth=1.0),
    World("triple difference, no effect", TRIPLE, lambda rng: _triple(rng, 0.0), truth=0.0),
    World("triple difference over states", _TRIPLE_PANEL, lambda rng: _triple_panel(rng, 0.0), truth=0.0),
    World("trends part before", PANEL, lambda rng: _panel(rng, 0.0, drift=0.4), caught_by="pre-trend"),
    World("no period before", PANEL, lambda rng: _panel(rng, 1.0).query("year >= 2005"), caught_by="pre-periods exist"),
    World(
        "nobody untreated", PANEL, lambda rng: _panel(rng, 1.0).query("law == 1"), caught_by="comparison group exists"
    ),
)
