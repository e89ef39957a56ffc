"""γ̂ where the first confounder is endogenous: two-stage least squares on residuals, and how far its instrument bears.

Y = f(X) + γᵀC + ε with E[ε | X, Z] = 0: what is not measured may move the first confounder, but neither the instrument
nor the choice of the text. A text that was chosen after that confounder's unmeasured part fails this, whatever Z is.

References
----------
Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, section 5.2.
Chernozhukov et al. (2018), Econometrics J. 21: section 4.2, partially linear with an instrument.
Montiel Olea and Pflueger (2013), J. Bus. Econ. Stat. 31. Hansen (1982), Econometrica 50.
"""

from dataclasses import dataclass

import numpy as np

from leucippus.agents.estimators.two_stage import Partialled, over_identification, partial_out
from leucippus.agents.estimators.weak_instruments import anderson_rubin_set, stages
from leucippus.errors import DataError, InputError
from leucippus.training.deconfound.linear import Slopes, check_rank, with_errors
from leucippus.training.deconfound.logs import Floats
from leucippus.training.deconfound.nuisance import Residuals


@dataclass(frozen=True)
class Bearing:
    """What the instrument does to the first confounder."""

    f: float
    """Effective first-stage F, robust."""
    critical: float
    """What it must exceed for a bias below a tenth of the worst, at 5 %."""
    j: float | None
    """Hansen's J; None with no more instruments than endogenous columns."""
    j_p_value: float | None
    interval: str
    """Anderson and Rubin's 95 % set of the effect: it holds however weak the instrument is; empty for several columns."""

    @property
    def weak(self) -> bool:
        return self.f < self.critical


def endogenous(residuals: Residuals) -> list[int]:
    """Positions among the confounders of those that the instrument stands for: the first named column's."""
    logs = residuals.rows.logs
    first = logs.spec.confounders[0]
    return [j for j, name in enumerate(logs.names) if name == first or name.startswith(f"{first}=")]


def two_stage(residuals: Residuals) -> Slopes:
    """γ̂ by 2SLS: first confounder's columns endogenous, the others their own instruments.

    Raises
    ------
    InputError : fewer instruments than endogenous columns; nothing varies in a confounder or in the instrument.
    """
    rows = residuals.rows
    moved = endogenous(residuals)
    if rows.z_width < len(moved):
        raise InputError(
            f"one instrument of {rows.z_width} column{'s' * (rows.z_width > 1)} for {len(moved)} columns of "
            f"{rows.logs.spec.confounders[0]!r}",
            expected="an instrument with as many levels as that confounder, or a confounder that is one number",
        )
    cross = residuals.cross()
    own = [rows.c_at[j] for j in range(rows.k) if j not in moved]
    at = [*rows.z_at, *own]
    zz, zc = cross[np.ix_(at, at)], cross[np.ix_(at, rows.c_at)]
    check_rank(cross[np.ix_(rows.c_at, rows.c_at)], residuals)
    first = np.linalg.lstsq(zz, zc, rcond=None)[0]  # (instruments, k)
    inner = zc.T @ first
    if np.linalg.matrix_rank(inner, hermitian=True) < rows.k:
        raise InputError(
            f"the instrument {rows.logs.spec.instrument!r} moves nothing in {rows.logs.spec.confounders[0]!r}",
            next_step="Bring another instrument.",
        )
    gamma = np.asarray(np.linalg.solve(inner, first.T @ cross[at, 0]), dtype=np.float64)
    bread = np.asarray(np.linalg.inv(inner), dtype=np.float64)
    return with_errors(residuals, rows.c_at, gamma, bread, lambda block: block[:, at] @ first)


def bearing(residuals: Residuals) -> Bearing:
    """Strength and, where more instruments than needed allow it, agreement of the instruments.

    With several endogenous columns it is that of the weakest, the others held fixed.
    """
    moved = endogenous(residuals)
    found = []
    for j in moved:
        data = _partialled(residuals, j)
        try:
            of = stages(data)
        except DataError as error:
            raise InputError(f"the instrument cannot be used: {error.problem}") from error
        found.append((of.effective_f, of.critical_f, data, of))
    f, critical, data, of = min(found, key=lambda one: one[0] / one[1])
    j_test = over_identification(data) if len(moved) == 1 and data.z.shape[1] > 1 else None
    said = anderson_rubin_set(of).text() if len(moved) == 1 else ""
    return Bearing(f, critical, None if j_test is None else j_test[0], None if j_test is None else j_test[1], said)


def _partialled(residuals: Residuals, j: int) -> Partialled:
    """Outcome, endogenous confounder j and instruments, the other confounders taken out."""
    rows = residuals.rows
    used = rows.weight > 0
    root = np.sqrt(rows.weight[used])

    def column(at: int) -> Floats:
        return np.asarray(residuals.column(at)[used] * root)

    others = [column(at) for i, at in enumerate(rows.c_at) if i != j]
    z = np.column_stack([column(at) for at in rows.z_at])
    clusters = rows.logs.text_of if rows.logs.user_of is None else rows.logs.user_of
    alone = len(np.unique(clusters[used])) == int(used.sum())
    try:
        return partial_out(
            column(0), column(rows.c_at[j]), z, np.column_stack(others) if others else None,
            None if alone else clusters[used],
        )  # fmt: skip
    except DataError as error:
        raise InputError(f"the instrument cannot be used: {error.problem}", next_step=error.next_step) from error
