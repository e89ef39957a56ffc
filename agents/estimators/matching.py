"""Nearest-neighbour matching on the controls, with bias correction.

Each row of the target is compared with its `neighbours` nearest rows of the other arm (with replacement, Mahalanobis
distance); the outcome difference that a regression predicts from what distance is left is taken off.

References
----------
Abadie and Imbens (2006), Econometrica 74: variance, Theorems 6 and 7.
Abadie and Imbens (2011), J. Bus. Econ. Stat. 29: bias correction, eq. (4).
"""

from typing import Literal

import numpy as np

from leucippus.agents.estimators.influence import Effect
from leucippus.agents.estimators.regression import Floats
from leucippus.errors import DataError

NEIGHBOURS = 4


def match(
    y: Floats, d: Floats, x: Floats, target: Literal["ATE", "ATT", "ATC"], neighbours: int = NEIGHBOURS
) -> Effect:
    """Effect by bias-corrected matching.

    Parameters
    ----------
    y, d : (n,); `d` of 0 and 1.
    x : (n, k) controls.

    Raises
    ------
    DataError : an arm has no more rows than `neighbours`, or there is nothing to match on.
    """
    arms = [np.flatnonzero(d == arm) for arm in (0, 1)]
    white = _whitened(x)
    if white.shape[1] == 0 or min(map(len, arms)) <= neighbours:
        raise DataError(
            f"{min(map(len, arms))} rows in the smaller arm and {white.shape[1]} varying controls to match on",
            expected=f"more than {neighbours} rows in each arm and a control",
        )
    imputed = np.empty((len(y), 2))
    used = np.zeros(len(y))
    variance = np.empty(len(y))
    for arm in (0, 1):
        mine, other = arms[arm], arms[1 - arm]
        nearest = other[_nearest(white[other], white[mine], neighbours)]
        design = np.column_stack([np.ones(len(other)), white[other]])
        slopes = np.linalg.lstsq(design, y[other], rcond=None)[0][1:]
        correction = (white[mine][:, None, :] - white[nearest]) @ slopes
        imputed[mine, arm], imputed[mine, 1 - arm] = y[mine], (y[nearest] + correction).mean(axis=1)
        if target == "ATE" or target == ("ATT" if arm else "ATC"):
            used += np.bincount(nearest.ravel(), minlength=len(y))
        # sigma^2(x), from the nearest rows of the same arm, oneself left out.
        alike = mine[_nearest(white[mine], white[mine], neighbours + 1)]
        others = np.where((alike == mine[:, None])[:, :, None], np.nan, y[alike][:, :, None])[:, :, 0]
        found = np.isnan(others).any(axis=1)
        others[~found, -1] = np.nan  # oneself lost among ties: drop the last
        variance[mine] = neighbours / (neighbours + 1) * (y[mine] - np.nanmean(others, axis=1)) ** 2
    effects = imputed[:, 1] - imputed[:, 0]
    over = {"ATE": np.ones(len(y)), "ATT": d, "ATC": 1 - d}[target]
    size = over.sum()
    estimate = float(over @ effects / size)
    share = used / neighbours
    if target == "ATE":
        extra = share**2 + (2 - 1 / neighbours) * share
    else:
        extra = (1 - over) * (share**2 - share / neighbours)
    total = float(over @ (effects - estimate) ** 2 + extra @ variance)
    words = f"Abadie-Imbens standard error, {neighbours} neighbours"
    return Effect(estimate, total**0.5 / float(size), float(len(y) - x.shape[1] - 1), words)


def _nearest(among: Floats, of: Floats, neighbours: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Positions in `among`, (rows of `of`, neighbours)."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=neighbours).fit(among).kneighbors(of, return_distance=False)
    return np.asarray(found, dtype=np.int64)


def _whitened(x: Floats) -> Floats:
    """Columns (n, rank) in which Euclidean distance is Mahalanobis distance; collinear directions are left out."""
    centred = x - x.mean(axis=0)
    spread = centred.std(axis=0)
    centred = centred[:, spread > 0] / spread[spread > 0]
    values, vectors = np.linalg.eigh(centred.T @ centred / len(x))
    keep = values > 1e-8 * max(float(values.max(initial=0.0)), 1e-300)
    return np.asarray(centred @ (vectors[:, keep] / np.sqrt(values[keep])), dtype=np.float64)
