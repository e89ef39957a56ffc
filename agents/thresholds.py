"""Rules: values of one column at which another, of two values, jumps.

Of every pair of columns the place with the largest local difference is looked at again by local-linear regression, at
three bandwidths. A relation that is merely steep loses its jump as the bandwidth shrinks; a rule does not. Looks for
jumps only; whether units could choose their side is for the checks of an RD design.

References
----------
Lee and Lemieux (2010), Regression discontinuity designs in economics, J. Econ. Lit. 48(2), §4: local-linear jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

import numpy as np

from leucippus.agents.columns import Column, Floats, coded, names_a_time, sample, zero_one
from leucippus.agents.dataset import Dataset

SAMPLED_ROWS = 20_000
_MOST_COLUMNS = 40
_FEWEST_VALUES = 20
_FEWEST_BESIDE = 10
_SMALLEST_JUMP = 0.2
_Z = 5.0


@dataclass(frozen=True)
class Threshold:
    """A column and a value at which another column jumps."""

    running: str
    cutoff: float
    treatment: str
    sharp: bool
    """Whether the rule has no exception in the rows looked at."""
    jump: float
    """Change of the share of the higher value of `treatment`, from just below to just above."""
    se: float
    rows: int
    """Rows looked at."""


def find_thresholds(dataset: Dataset, columns: Sequence[Column]) -> tuple[Threshold, ...]:
    """Every pair of columns with a rule between them, the largest jumps first."""
    running = [
        column.name
        for column in columns
        if column.numeric
        and column.kind in ("continuous", "count")
        and column.distinct >= _FEWEST_VALUES
        and not names_a_time(column.name)
    ][:_MOST_COLUMNS]
    switches = [column.name for column in columns if column.kind == "binary" and not names_a_time(column.name)]
    switches = switches[:_MOST_COLUMNS]
    if not running or not switches:
        return ()
    frame = sample(dataset, (*running, *switches), SAMPLED_ROWS)
    switched = {name: zero_one(coded(frame[name])) for name in switches}
    found = []
    for name in running:
        values = coded(frame[name])
        order = np.argsort(values, kind="stable")
        for switch, states in switched.items():
            kept = order[np.isfinite(values[order]) & np.isfinite(states[order])]
            jump = find_jump(values[kept], states[kept])
            if jump is not None:
                cutoff, sharp, size, se = jump
                found.append(Threshold(name, cutoff, switch, sharp, size, se, len(kept)))
    return tuple(sorted(found, key=lambda one: (not one.sharp, -abs(one.jump))))


def find_jump(x: Floats, b: Floats) -> tuple[float, bool, float, float] | None:
    """(cutoff, whether the rule has no exception, jump, standard error), or None.

    Parameters
    ----------
    x : running variable in ascending order, (n,).
    b : 0 or 1, (n,).
    """
    n = len(x)
    if n < 4 * _FEWEST_BESIDE or len(np.unique(x)) < _FEWEST_VALUES:
        return None
    split = _best_split(x, b)
    if split is None:
        return None
    left, right = b[:split], b[split:]
    beside = min(len(np.unique(x[:split])), len(np.unique(x[split:])))
    cutoff = roundest(float(x[split - 1]), float(x[split]))
    if left.min() == left.max() and right.min() == right.max():
        # With few values on one side (a dose of zero for all untreated), it is no rule but another form of the column.
        return None if beside < 5 else (cutoff, True, float(right[0] - left[0]), 0.0)
    if beside < _FEWEST_BESIDE or not _stands_out(b, split):
        return None
    jumps = []
    for share in (0.5, 0.25, 0.125):
        reach = max(int(n * share), 3 * _FEWEST_BESIDE)
        near = slice(max(0, split - reach), split + reach)
        fit = local_linear_jump(x[near], b[near], cutoff)
        if fit is None:
            return None
        jumps.append(fit)
    widest = jumps[0][0]
    steady = all(0.7 <= jump / widest <= 1.5 for jump, _ in jumps) if widest else False
    clear = all(abs(jump) >= _Z * se for jump, se in jumps[:2]) and abs(jumps[2][0]) >= 3 * jumps[2][1]
    return (cutoff, False, *jumps[1]) if steady and clear and abs(jumps[1][0]) >= _SMALLEST_JUMP else None


def _reach(n: int) -> int:
    return max(2 * _FEWEST_BESIDE, n // 20)


def _stands_out(b: Floats, split: int) -> bool:
    """Whether the means beside the split differ far more than those beside any place that shares no row with them."""
    n, reach = len(b), _reach(len(b))
    if split < reach or n - split < reach:
        return False
    total = np.concatenate([[0.0], np.cumsum(b)])
    places = np.arange(reach, n - reach + 1)
    difference = np.abs(total[places + reach] - 2 * total[places] + total[places - reach]) / reach
    elsewhere = difference[np.abs(places - split) >= 2 * reach]
    return len(elsewhere) >= reach and bool(difference[split - reach] > 2 * elsewhere.max())


def _best_split(x: Floats, b: Floats) -> int | None:
    """Rows to the left of the place where the means of the rows just beside differ most; None where nothing differs."""
    n = len(x)
    places = np.flatnonzero(np.diff(x) > 0) + 1
    total = np.concatenate([[0.0], np.cumsum(b)])
    places = places[(places >= _FEWEST_BESIDE) & (places <= n - _FEWEST_BESIDE)]
    if not len(places):
        return None
    # All rows first: a rule without exception shows nowhere as clearly.
    below, above = total[places], total[-1] - total[places]
    exact = (np.isin(below / places, (0.0, 1.0))) & (np.isin(above / (n - places), (0.0, 1.0)))
    if exact.any():
        return int(places[exact][0])
    reach = _reach(n)
    low, high = np.maximum(places - reach, 0), np.minimum(places + reach, n)
    difference = (total[high] - total[places]) / (high - places) - (total[places] - total[low]) / (places - low)
    best = int(np.argmax(np.abs(difference)))
    return int(places[best]) if abs(difference[best]) > _SMALLEST_JUMP else None


def local_linear_jump(x: Floats, b: Floats, cutoff: float) -> tuple[float, float] | None:
    """Jump at the cutoff between two straight lines, and its standard error (HC1 or plain, the larger); None if a side is too thin."""
    above = x >= cutoff
    if min(len(np.unique(x[above])), len(np.unique(x[~above]))) < 4:
        return None
    z = (x - cutoff) / max(float(np.ptp(x)), 1e-300)
    design = np.column_stack([above, np.ones(len(x)), z, z * above]).astype(np.float64)
    inverse = np.linalg.pinv(design.T @ design)
    coefficients = inverse @ design.T @ b
    residual = b - design @ coefficients
    meat = (design * residual[:, None] ** 2).T @ design
    robust = (inverse @ meat @ inverse)[0, 0] * len(x) / (len(x) - 4)
    # A side where nothing varies adds nothing to the robust variance, however few its rows; the plain one counts them.
    plain = inverse[0, 0] * float(residual @ residual) / (len(x) - 4)
    return float(coefficients[0]), float(np.sqrt(max(robust, plain)))


def roundest(low: float, high: float) -> float:
    """The number in (low, high] with the fewest digits."""
    if low < 0 <= high:
        return 0.0
    for digits in range(-floor(log10(max(abs(high), 1e-300))) - 1, 18):
        # Of the candidates with so many digits, the one just at or under `high`.
        candidate = floor(high * 10.0**digits) / 10.0**digits
        if low < candidate <= high:
            return float(round(candidate, max(digits, 0)))
    return high
