"""Bounds on an average effect where it is not identified.

References
----------
Manski (1990), Am. Econ. Rev. 80: no assumption but the outcome's range.
Lee (2009), Rev. Econ. Stud. 76: trimming bounds under selection, for units observed in either arm.
"""

from typing import Literal

import numpy as np

from leucippus.agents.estimators.regression import Floats
from leucippus.errors import DataError


def manski(
    y: Floats, d: Floats, low: float, high: float, target: Literal["ATE", "ATT", "ATC"] = "ATE"
) -> tuple[float, float]:
    """Least and greatest average effect of a treatment, given that outcomes lie in [low, high].

    Raises
    ------
    DataError : an arm is empty, or an outcome lies outside the range.
    """
    share = float(d.mean())
    if not 0 < share < 1:
        raise DataError("one arm has no rows", expected="treated and untreated rows")
    if y.min() < low or y.max() > high:
        raise DataError(
            f"outcomes reach from {y.min():g} to {y.max():g}", expected=f"values within {low:g} to {high:g}"
        )
    treated, control = float(y[d == 1].mean()), float(y[d == 0].mean())
    on_treated = treated - high, treated - low
    on_control = low - control, high - control
    if target == "ATT":
        return on_treated
    if target == "ATC":
        return on_control
    return share * on_treated[0] + (1 - share) * on_control[0], share * on_treated[1] + (1 - share) * on_control[1]


def lee(y: Floats, d: Floats, observed: Floats) -> tuple[float, float]:
    """Bounds for units whose outcome is observed in either arm, if the treatment moves observation one way only.

    Parameters
    ----------
    y : (n,) outcomes; whatever stands where `observed` is 0 is not read.
    d, observed : (n,) of 0 and 1.

    Raises
    ------
    DataError : an arm has no observed outcome.
    """
    seen = observed == 1
    rates = [float(seen[d == arm].mean()) if (d == arm).any() else 0.0 for arm in (0, 1)]
    if min(rates) == 0:
        raise DataError("an arm has no observed outcome", expected="outcomes in both arms")
    # Trim the arm that is observed more often, from either end, by its excess share.
    more = int(rates[1] > rates[0])
    trimmed, kept = np.sort(y[seen & (d == more)]), float(y[seen & (d == 1 - more)].mean())
    cut = round((1 - rates[1 - more] / rates[more]) * len(trimmed))
    least, most = float(trimmed[: len(trimmed) - cut].mean()), float(trimmed[cut:].mean())
    return (least - kept, most - kept) if more else (kept - most, kept - least)
