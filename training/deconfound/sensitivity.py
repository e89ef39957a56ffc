"""How strong a cause that is not measured would have to be to undo the reward, against the strongest that is.

The reward is boiled down to one number: the slope of the outcome in the reward expected of the text, confounders and groups
held fixed; 1 if the reward is right. A cause of partial R² with both text and outcome can move it by no more than the bound.

References
----------
Cinelli and Hazlett (2020), JRSS B 82: robustness value eq. (19), bounds eqs. (11), (12) and (14).
Chernozhukov, Cinelli, Newey, Sharma and Syrgkanis (2022), arXiv 2112.13398: the same beyond linear models.
"""

import numpy as np

from leucippus.agents.estimators.sensitivity import bias, confounder_like, partial_r2, robustness_value
from leucippus.training.deconfound.findings import Finding
from leucippus.training.deconfound.logs import Floats, tally
from leucippus.training.deconfound.rows import Rows


def sensitivity(rows: Rows, expected: Floats) -> Finding:
    """The robustness value of the reward as a finding that never fires: it is a bound, not a test.

    Parameters
    ----------
    expected : (m,) reward of each text learned from other texts.
    """
    k = rows.k
    group = np.zeros(rows.n, dtype=np.int64) if rows.group is None else rows.group
    count = tally(group, rows.weight, int(group.max()) + 1)

    def centred(column: Floats) -> Floats:
        mean = tally(group, rows.weight * column, len(count)) / np.where(count > 0, count, 1.0)
        return np.asarray(column - mean[group])

    columns = [centred(column) for column in (rows.column(0), expected[rows.logs.text_of])]
    columns += [centred(rows.column(j)) for j in rows.c_at]
    cross = np.array([[float((rows.weight * one) @ other) for other in columns] for one in columns])
    dof = float(rows.used - k - 1 - np.count_nonzero(count))
    slope, t = _slope(cross, 0, [1, *range(2, 2 + k)], dof)
    if not np.isfinite(t) or dof < 1:
        return Finding(
            "unmeasured", 0.0, None, False, "the reward does not vary between texts, so nothing can be said of it."
        )
    value = robustness_value(t, dof)
    worst, named = 0.0, ""
    for j in range(k):
        others = [2 + i for i in range(k) if i != j]
        with_text = partial_r2(_slope(cross, 1, [2 + j, *others], dof + 1)[1], dof + 1)
        with_outcome = partial_r2(_slope(cross, 0, [2 + j, 1, *others], dof)[1], dof)
        like = confounder_like(with_text, with_outcome)
        moved = np.inf if like is None else bias(abs(slope / t), dof, like[0], like[1])
        if moved > worst:
            worst, named = float(moved), rows.logs.names[j]
    said = (
        f"a cause that is not measured would have to explain {100 * value:.0f} % of what is left of both text and outcome to "
        "undo the reward."
    )
    if named:
        share = "all" if not np.isfinite(worst) or worst >= abs(slope) else f"at most {100 * worst / abs(slope):.0f} %"
        said += f" One as strong as {named!r}, the strongest that is measured, could take away {share} of it."
    return Finding("unmeasured", value, None, False, said)


def _slope(cross: Floats, outcome: int, on: list[int], dof: float) -> tuple[float, float]:
    """Coefficient and classical t of the first of `on`, from sums of products of columns."""
    inner = cross[np.ix_(on, on)]
    inverse = np.linalg.pinv(inner, hermitian=True)
    b = inverse @ cross[on, outcome]
    variance = max(float(cross[outcome, outcome] - b @ cross[on, outcome]), 0.0) / max(dof, 1.0) * float(inverse[0, 0])
    return float(b[0]), float(b[0]) / variance**0.5 if variance > 0 else float("inf")
