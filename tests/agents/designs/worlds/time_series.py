"""Interrupted time series with autocorrelated errors: clean ones, and dates at which something else happened."""

import numpy as np
import pandas as pd

from tests.agents.designs.simulation import World

Rng = np.random.Generator


def _series(
    rng: Rng, effect: float, n: int = 96, rho: float = 0.4, season: float = 0.0, slope: float = 0.0
) -> pd.DataFrame:
    """Months with a trend, a step at three fifths of them, and autoregressive errors."""
    shocks = rng.normal(0, 1, n)
    errors = np.empty(n)
    errors[0] = shocks[0] / (1 - rho**2) ** 0.5
    for i in range(1, n):
        errors[i] = rho * errors[i - 1] + shocks[i]
    t = np.arange(n)
    law = (t >= 3 * n // 5).astype(int)
    since = law * (t - 3 * n // 5)
    y = 20 + 0.05 * t + effect * law + slope * since + season * np.sin(2 * np.pi * t / 12) + errors
    dates = pd.period_range("2001-01", periods=n, freq="M").astype(str)
    return pd.DataFrame({"date": dates, "month": t % 12 + 1, "law": law, "y": y, "rain": rng.normal(0, 1, n)})


def _price_rises(rng: Rng) -> pd.DataFrame:
    """A tax at the same date, which nobody mentions."""
    frame = _series(rng, 0.0)
    price = 10 + 2 * frame["law"] + rng.normal(0, 0.5, len(frame))
    return frame.assign(price=price, y=frame["y"] + price)


def _ahead(rng: Rng) -> pd.DataFrame:
    frame = _series(rng, 2.0)
    early = frame.index.isin(frame.index[frame["law"] == 1][:1] - 1) | frame.index.isin(
        frame.index[frame["law"] == 1][:1] - 2
    )
    return frame.assign(y=frame["y"] + 5 * early)


_SPEC = {"strategy": "its", "treatment": "law", "outcome": "y", "time": "date"}
_SEASONAL = {**_SPEC, "controls": ["C(month)"]}

WORLDS = (
    World("months, step 2", _SPEC, lambda rng: _series(rng, 2.0), truth=2.0),
    World("months, no effect", _SPEC, lambda rng: _series(rng, 0.0), truth=0.0),
    World("independent errors", _SPEC, lambda rng: _series(rng, 0.0, rho=0.0), truth=0.0),
    World("errors that last", _SPEC, lambda rng: _series(rng, 0.0, n=120, rho=0.7), truth=0.0),
    World("forty months", _SPEC, lambda rng: _series(rng, 0.0, n=40), truth=0.0),
    World("seasons", _SEASONAL, lambda rng: _series(rng, 2.0, season=2.0), truth=2.0),
    World("a turn of the trend", {**_SPEC, "slope_change": True}, lambda rng: _series(rng, 2.0, slope=0.1), truth=2.0),
    World("prices rise at the same date", _SPEC, _price_rises, caught_by="nothing else changed then"),
    World("seasons left out", _SPEC, lambda rng: _series(rng, 0.0, season=3.0), caught_by="seasons"),
    World("people act ahead", _SPEC, _ahead, caught_by="no anticipation"),
    World(
        "a random walk", _SPEC, lambda rng: _series(rng, 0.0, n=144, rho=0.999), caught_by="stationary around the trend"
    ),
    World("eleven months", _SPEC, lambda rng: _series(rng, 0.0, n=11), caught_by="periods before and after"),
)
