"""Sharp bounds on the average effect when instrument, treatment and outcome are binary, and the test of the instrument.

Nothing is assumed of how people respond to the instrument; only that it is as good as drawn by lot and acts through the
treatment alone.

References
----------
Balke and Pearl (1997), J. Am. Stat. Assoc. 92: the linear programme over the sixteen kinds of people.
Pearl (1995), On the testability of causal models with latent and instrumental variables, UAI: the inequality.
"""

from itertools import product

import numpy as np

from leucippus.agents.estimators.regression import Floats

_RESPONSES = tuple(product((0, 1), repeat=4))
"""(treatment if z = 0, treatment if z = 1, outcome if d = 0, outcome if d = 1) of each kind of person."""


def cells(z: Floats, d: Floats, y: Floats) -> Floats:
    """P(y, d | z) of three 0/1 columns of n rows each, as an array [z, d, y] of shape (2, 2, 2)."""
    counts = np.zeros((2, 2, 2))
    np.add.at(counts, (z.astype(int), d.astype(int), y.astype(int)), 1)
    return np.asarray(counts / counts.sum(axis=(1, 2), keepdims=True))


def ate_bounds(p: Floats) -> tuple[float, float] | None:
    """Sharp bounds on E[Y(1) − Y(0)], or None where no kinds of people add up to these cells.

    Parameters
    ----------
    p : P(y, d | z) as [z, d, y], (2, 2, 2).
    """
    from scipy.optimize import linprog

    effect = [y1 - y0 for _, _, y0, y1 in _RESPONSES]
    seen, shares = [], []
    for z, d, y in product((0, 1), repeat=3):
        seen.append([float((kind[z], kind[2 + d]) == (d, y)) for kind in _RESPONSES])
        shares.append(float(p[z, d, y]))
    ends = []
    for sign in (1, -1):
        found = linprog([sign * value for value in effect], A_eq=seen, b_eq=shares, bounds=(0, 1), method="highs")
        if not found.success:
            return None
        ends.append(sign * float(found.fun))
    return ends[0], ends[1]


def instrumental_inequality(p: Floats) -> float:
    """max over d of Σ over y of max over z of P(y, d | z): above 1, the instrument cannot be one (Pearl 1995)."""
    return float(p.max(axis=0).sum(axis=1).max())
