"""How strong an unmeasured common cause would have to be to explain an estimate away: closed forms.

References
----------
VanderWeele and Ding (2017), Ann. Intern. Med. 167: the E-value, and its Table 2 for differences of means.
Cinelli and Hazlett (2020), JRSS B 82: robustness value eq. (19), bounds by an observed control eqs. (11) and (12).
"""

import math


def e_value(risk_ratio: float) -> float:
    """Least risk ratio that a cause must have with both treatment and outcome to explain `risk_ratio` away."""
    ratio = max(risk_ratio, 1 / risk_ratio)
    return ratio + math.sqrt(ratio * (ratio - 1))


def risk_ratio_of_difference(standardised: float) -> float:
    """Approximate risk ratio of a difference of means, in standard deviations of the outcome: exp(0.91 d)."""
    return math.exp(0.91 * standardised)


def partial_r2(t: float, dof: float) -> float:
    """Share of the outcome's residual variance that a regressor with t statistic `t` explains."""
    return t**2 / (t**2 + dof)


def robustness_value(t: float, dof: float, alpha: float | None = None) -> float:
    """Share of the residual variance of both treatment and outcome that a cause must explain to undo an estimate.

    Parameters
    ----------
    t : t statistic of the treatment.
    dof : residual degrees of freedom.
    alpha : None to bring the estimate to 0, or a level at which it is to lose significance.
    """
    from scipy.stats import t as student

    f = abs(t) / math.sqrt(dof)
    if alpha is not None:
        f -= float(student.ppf(1 - alpha / 2, dof - 1)) / math.sqrt(dof - 1)
    return 0.0 if f <= 0 else (math.sqrt(f**4 + 4 * f**2) - f**2) / 2


def confounder_like(r2_treatment: float, r2_outcome: float) -> tuple[float, float] | None:
    """Partial R2 (with treatment, with outcome) of a cause as strong as an observed control; None if there is none.

    Parameters
    ----------
    r2_treatment : the control's partial R2 with the treatment, given the other controls.
    r2_outcome : its partial R2 with the outcome, given the treatment and the other controls.
    """
    if r2_treatment >= 0.5 or r2_outcome >= 1:
        return None
    with_treatment = r2_treatment / (1 - r2_treatment)
    with_control = r2_treatment**2 / (1 - r2_treatment) ** 2
    eta = (1 + math.sqrt(with_control)) / math.sqrt(1 - with_control)
    return with_treatment, min(1.0, eta**2 * r2_outcome / (1 - r2_outcome))


def bias(se: float, dof: float, r2_treatment: float, r2_outcome: float) -> float:
    """Largest bias of a regression coefficient from a cause of these partial R2 (ibid. eq. 14)."""
    return se * math.sqrt(dof * r2_outcome * r2_treatment / (1 - r2_treatment))
