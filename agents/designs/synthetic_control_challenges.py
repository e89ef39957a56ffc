"""What a referee would ask of a synthetic control: other donors, other dates, other placebos, the other method.

References
----------
Abadie, Diamond and Hainmueller (2010), JASA 105; (2015), Am. J. Polit. Sci. 59, section 4: placebos in space and in time,
leaving donors out.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from leucippus.agents.designs.donor_panel import Panel
from leucippus.agents.designs.result import Challenge, Estimate
from leucippus.agents.estimators.placebo import FEWEST_PLACEBOS, rank_p
from leucippus.agents.estimators.regression import t_p_value

Method = Literal["synthetic control", "synthetic did"]

FEWEST_BEFORE = 5
"""Periods before the treatment; fewer can be matched by chance with any donors (Abadie 2021, section 5)."""
_WELL_FITTED = 5**0.5
"""Placebos whose mean squared error before is over five times the treated unit's are set aside (ADH 2010, p. 502)."""


def placebo_units(data: Panel) -> Challenge:
    """What is found for donors, to whom nothing was done."""
    chance = data.placebos()
    rows = [
        {
            "placebo": ", ".join(data.donor_names[j] for j in group),
            "effect": found.att,
            "rmspe_before": found.rmspe_pre,
            "rmspe_ratio": found.ratio if np.isfinite(found.ratio) else None,
        }
        for group, found in zip(chance.groups, chance.gaps, strict=True)
    ]
    p = chance.p_value(data.synthetic())
    return Challenge(
        "placebo units",
        "stands" if p <= max(0.05, chance.least_p) else "doubt",
        f"Ranked by prediction error after over before, the treated unit's p-value among {len(rows)} placebos is {p:.3f} "
        f"(the least possible: {chance.least_p:.3f}).",
        figure=p,
        table=tuple(sorted(rows, key=lambda row: -(row["rmspe_ratio"] or 0.0))),
    )


def placebo_draws(estimate: Estimate) -> Challenge:
    """The rank of the effect among those found for donors."""
    assert estimate.p_value is not None
    least = estimate.details["least_p"]
    return Challenge(
        "placebo units",
        "stands" if estimate.p_value <= max(0.05, least) else "doubt",
        f"Among donors that pose as treated, effects as large are found in {estimate.p_value:.1%} of draws (with "
        f"{estimate.n_control} donors no p-value below {least:.3f} means anything).",
        figure=estimate.p_value,
    )


def leave_one_out(method: Method, data: Panel, estimate: Estimate) -> Challenge:
    """The effect without each donor that carries weight."""
    weights = estimate.details["weights"]
    rows = []
    for name in list(weights)[:15]:
        fewer = data.without_donor(name)
        if fewer.donors > fewer.n_treated + 1:
            rows.append({"without": name, "weight": weights[name], "estimate": _refit(method, fewer)})
    if not rows:
        return Challenge("leave one donor out", "not testable", "No donor can be spared.")
    found = [row["estimate"] for row in rows]
    worst = max(rows, key=lambda row: abs(row["estimate"] - estimate.estimate))
    moved = abs(worst["estimate"] - estimate.estimate) / estimate.se
    turns = min(found) * max(found) <= 0
    return Challenge(
        "leave one donor out",
        "doubt" if moved > 1 or turns else "stands",
        f"Without one of the {len(rows)} donors that carry most weight the effect lies between {min(found):.4g} and "
        f"{max(found):.4g}; {worst['without']} matters most ({moved:.1f} standard errors).",
        figure=moved,
        table=tuple(rows),
    )


def backdated(method: Method, data: Panel) -> Challenge:
    """No effect before there was a treatment: the date moved to two thirds of the periods before it."""
    earlier = int(np.ceil(data.pre * 2 / 3))
    if earlier < FEWEST_BEFORE or data.pre - earlier < 2:
        return Challenge("backdated treatment", "not testable", f"{data.pre} periods before are too few to divide.")
    moved = data.ending(data.pre, earlier)
    if method == "synthetic did":
        again = moved.synthetic_did()
        found, se = again.estimate, again.se
    else:
        found, se = moved.synthetic().att, moved.placebos().se
    p = t_p_value(found, se, data.donors - 1)
    return Challenge(
        "backdated treatment",
        "doubt" if p < 0.05 else "stands",
        f"With the date moved to {data.periods[earlier]}, the 'effect' before the treatment is {found:.4g} "
        f"(placebo standard error {se:.4g}, p = {p:.2g}).",
        figure=p,
    )


def other_method(method: Method, data: Panel, estimate: Estimate) -> Challenge:
    """The other of synthetic control and synthetic did: other assumptions, so another number is no error."""
    other: Method = "synthetic control" if method == "synthetic did" else "synthetic did"
    found = _refit(other, data)
    moved = abs(found - estimate.estimate) / estimate.se
    return Challenge(
        other,
        "doubt" if moved > 1 else "stands",
        f"{other.capitalize()} gives {found:.4g}, {moved:.1f} standard errors away. The two differ by design: synthetic "
        "did takes out a constant difference and weighs the periods before.",
        figure=found,
    )


def well_fitted_placebos(data: Panel) -> Challenge:
    """The rank among placebos that were fitted about as well as the treated unit."""
    found, chance = data.synthetic(), data.placebos()
    kept = tuple(placebo for placebo in chance.gaps if placebo.rmspe_pre <= _WELL_FITTED * found.rmspe_pre)
    if len(kept) < FEWEST_PLACEBOS:
        return Challenge(
            "placebos that fit",
            "not testable",
            f"Only {len(kept)} placebos are fitted about as well as the treated unit.",
        )
    effects = np.array([placebo.att for placebo in kept])
    p, least = rank_p(abs(found.att), np.abs(effects)), 1 / (1 + len(kept))
    return Challenge(
        "placebos that fit",
        "stands" if p <= max(0.05, least) else "doubt",
        f"{len(kept)} of {len(chance.gaps)} placebos have at most five times its mean squared error before. Among them "
        f"the size of the effect has p = {p:.3f}; their standard deviation is {effects.std(ddof=1):.4g}.",
        figure=p,
    )


def without_predictors(method: Method, data: Panel, estimate: Estimate) -> Challenge:
    found = _refit(method, replace(data, controls=(), x=data.x[:0]))
    moved = abs(found - estimate.estimate) / estimate.se
    return Challenge(
        "without predictors",
        "doubt" if moved > 1 else "stands",
        f"From the outcomes before alone the effect is {found:.4g}: {moved:.1f} standard errors away.",
        figure=found,
    )


def _refit(method: Method, data: Panel) -> float:
    if method == "synthetic control":
        return data.synthetic().att
    return data.synthetic_did(draws=2).estimate
