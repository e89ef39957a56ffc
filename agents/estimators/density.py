"""Whether the density of a running variable jumps at a cutoff, as it does where people choose their side.

By diff-diff's port of rddensity: local-polynomial densities on each side, compared with a bias-corrected test.

References
----------
McCrary (2008), J. Econometrics 142: the test's idea.
Cattaneo, Jansson and Ma (2020), J. Am. Stat. Assoc. 115: local polynomial density estimators.
Cattaneo, Frandsen and Titiunik (2015), J. Causal Inference 3: the binomial test in a small window.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.errors import DataError

Floats = NDArray[np.float64]

_NEAREST = 40
_ROWS_A_NEAREST = 20
"""Nearest rows are at most one in so many of all, so that a slope of the density does not tip them to one side."""
_NO_TIES = 0.9


@dataclass(frozen=True)
class DensityJump:
    """Densities just left and just right of the cutoff."""

    left: float
    """Per unit of the running variable, as a share of all rows."""
    right: float
    se: float
    """Of right − left."""
    p_value: float
    n_left: int
    """Rows within the bandwidth."""
    n_right: int
    nearest_p: float
    """That a row among the nearest is as likely on one side as on the other; nan with ties or few rows."""

    @property
    def either_p(self) -> float:
        """Of both tests, corrected for there being two."""
        return self.p_value if np.isnan(self.nearest_p) else min(1.0, 2 * min(self.p_value, self.nearest_p))


def density_jump(z: Floats) -> DensityJump:
    """Test that the density of `z` is continuous at 0.

    Parameters
    ----------
    z : (n,) running variable, measured from the cutoff.

    Raises
    ------
    DataError : too few different values near the cutoff to estimate a density.
    """
    from diff_diff import RDDensityTest

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ties and short sides, which the design's checks report
        try:
            found = RDDensityTest(cutoff=0.0).fit(pd.DataFrame({"z": z}), "z")
        except (ValueError, np.linalg.LinAlgError) as error:
            raise DataError(f"the density at the cutoff cannot be estimated: {str(error).splitlines()[0]}") from error
    if not np.isfinite(found.p_value):
        raise DataError("the density at the cutoff cannot be estimated: its standard error is not a number")
    return DensityJump(
        float(found.f_left),
        float(found.f_right),
        float(found.se_diff),
        float(found.p_value),
        int(found.n_eff_left),
        int(found.n_eff_right),
        _nearest_p(z),
    )


def _nearest_p(z: Floats) -> float:
    """Exact binomial test on the nearest rows: it sees a side that is empty, where a density has no standard error."""
    from scipy.stats import binomtest

    nearest = z[np.argsort(np.abs(z), kind="stable")[: min(_NEAREST, len(z) // _ROWS_A_NEAREST)]]
    if len(nearest) < _NEAREST or len(np.unique(nearest)) < _NO_TIES * len(nearest):
        return float("nan")
    return float(binomtest(int((nearest >= 0).sum()), len(nearest)).pvalue)
