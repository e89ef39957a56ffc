"""What a referee asks of an instrument: reduced form, least squares, other estimators, whom it moves, how exact it is.

Apart from iv.py for its length only.

References
----------
Chernozhukov and Hansen (2008), Econ. Letters 100: the reduced form is the test that weak instruments cannot break.
Abadie (2003), J. Econometrics 113, theorem 3.1: who the compliers are.
Conley, Hansen and Rossi (2012), Rev. Econ. Stat. 94: an instrument with a small effect of its own.
Jiang (2017), Rev. Corp. Finance Stud. 6: estimates many times as large as those of least squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from leucippus.agents.designs.checks import baseline
from leucippus.agents.designs.result import Challenge, Estimate
from leucippus.agents.estimators import two_stage, weak_instruments

if TYPE_CHECKING:
    from leucippus.agents.designs.study import Study
    from leucippus.agents.estimators.two_stage import Partialled
    from leucippus.agents.estimators.weak_instruments import Stages

_MANY_TIMES = 5
_SIZES = (0.0, 0.01, 0.05, 0.1)
"""Direct effects tried: standard deviations of the outcome for one of the instrument."""


def reduced_form(of: Stages, estimate: Estimate) -> Challenge:
    """What cannot be seen in the reduced form is not there (Chernozhukov and Hansen 2008)."""
    p = of.reduced_p_value
    unseen = p >= 0.05 and estimate.p_value is not None and estimate.p_value < 0.05
    return Challenge(
        "reduced form",
        "doubt" if unseen else "stands",
        f"The outcome's own tie to the instrument has p = {p:.2g}"
        + (", so the estimate's significance comes from its standard error alone." if unseen else "."),
        figure=p,
    )


def least_squares(data: Partialled, estimate: Estimate) -> Challenge:
    """Least squares beside it, and the regression form of Hausman's test."""
    p, ols = two_stage.endogeneity(data)
    ratio = abs(estimate.estimate / ols.estimate) if ols.estimate else float("inf")
    differs = "differ" if p < 0.05 else "do not differ beyond chance"
    return Challenge(
        "least squares",
        "doubt" if ratio > _MANY_TIMES and p < 0.05 else "stands",
        f"Least squares gives {ols.estimate:.4g} ({ols.se:.4g}); the two {differs} (p = {p:.2g})"
        + (
            f". The estimate is {ratio:.1f} times as large: more than confounding usually does."
            if ratio > _MANY_TIMES
            else "."
        ),
        figure=ols.estimate,
    )


def anderson_rubin(of: Stages, estimate: Estimate) -> Challenge:
    fitting = weak_instruments.anderson_rubin_set(of)
    usual = estimate.ci_low <= 0 <= estimate.ci_high
    return Challenge(
        "Anderson–Rubin set",
        "doubt" if fitting.holds(0.0) != usual or fitting.empty else "stands",
        f"The 95% set that holds however weak the instrument is {fitting.text()}; the interval reported is "
        f"{estimate.ci_low:.4g} to {estimate.ci_high:.4g}.",
        figure=of.reduced_p_value,
    )


def liml(data: Partialled) -> Challenge:
    """Many or weak instruments pull 2SLS towards least squares, LIML less so."""
    first, second = two_stage.two_stage(data), two_stage.two_stage(data, "LIML")
    moved = abs(first.estimate - second.estimate) / first.se
    return Challenge(
        "LIML beside 2SLS",
        "doubt" if moved > 0.5 else "stands",
        f"LIML gives {second.estimate:.4g} ({second.se:.4g}) and 2SLS {first.estimate:.4g} ({first.se:.4g}): "
        f"{moved:.2f} standard errors apart.",
        figure=second.estimate,
    )


def one_instrument_less(data: Partialled, names: Sequence[str]) -> Challenge:
    """The estimate with each instrument left out; `names` are those of the instruments kept."""
    whole = two_stage.two_stage(data)
    rows: list[dict[str, Any]] = []
    for out in range(data.z.shape[1]):
        fit = two_stage.two_stage(data.only([i for i in range(data.z.shape[1]) if i != out]))
        rows.append({"left out": names[out], "estimate": fit.estimate, "se": fit.se})
    far = max(abs(row["estimate"] - whole.estimate) / row["se"] for row in rows)
    return Challenge(
        "one instrument less",
        "doubt" if far > 1.96 else "stands",
        f"With each instrument left out in turn the 2SLS estimate is {min(row['estimate'] for row in rows):.4g} to "
        f"{max(row['estimate'] for row in rows):.4g}; the furthest is {far:.1f} of its standard errors away.",
        figure=far,
        table=tuple(rows),
    )


def compliers(study: Study, data: Partialled, share: float) -> Challenge:
    """How many people a binary instrument moves, and how they differ from the rest."""
    rows: list[dict[str, Any]] = []
    for name in baseline(study):
        if pd.api.types.is_numeric_dtype(study.frame[name]) and not study.frame[name].isna().any():
            w = study.numbers(name)
            # E[w | complier] is the effect of the treatment on w·d (Abadie 2003, theorem 3.1).
            fit = two_stage.two_stage(data.with_outcome(w * study.d))
            rows.append({"column": name, "all": float(w.mean()), "compliers": fit.estimate, "se": fit.se})
    return Challenge(
        "compliers",
        "stands",
        f"The instrument moves {share:.1%} of the rows, and the estimate is about them"
        + (f"; their means of {len(rows)} columns stand in the table." if rows else "."),
        figure=share,
        table=tuple(rows),
    )


def direct_effect(data: Partialled) -> Challenge:
    """How much of an effect of its own the instrument may have before the sign is open (Conley et al. 2012)."""
    found = two_stage.direct_effects(data)
    rows = [dict(zip(("size", "low", "high"), (size, *found.interval(size)), strict=True)) for size in _SIZES]
    most = found.tolerated()
    return Challenge(
        "direct effect of the instrument",
        "stands" if most > 0.01 else "doubt",
        f"The interval excludes 0 as long as one standard deviation of each instrument itself moves the outcome by "
        f"less than {most:.3g} standard deviations."
        if most > 0
        else "The interval holds 0 even if the instrument has no effect of its own.",
        figure=most,
        table=tuple(rows),
    )


def single_units(study: Study, data: Partialled, estimate: Estimate) -> Challenge:
    low, high, tried = two_stage.leave_out(data)
    unit = f"{study.design.cluster} left out" if data.groups else "row left out"
    turned = (low < 0) != (high < 0) and not estimate.ci_low <= 0 <= estimate.ci_high
    return Challenge(
        "single units",
        "doubt"
        if turned or max(abs(low - estimate.estimate), abs(high - estimate.estimate)) > estimate.se
        else "stands",
        f"With one {unit}, the {tried} most influential in turn, the 2SLS estimate is {low:.4g} to {high:.4g}.",
        figure=high - low,
    )
