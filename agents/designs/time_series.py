"""Interrupted time series: one series, and a date from which everything in it was treated.

The default model is a straight trend, the controls, and a step at the date (`level shift`); `slope_change` lets the
trend turn there as well. What the series would have done without the treatment is what its trend and controls say:
whatever else changed at that date is counted as the effect.

References
----------
Wagner, Soumerai, Zhang and Ross-Degnan (2002), J. Clin. Pharm. Ther. 27: segmented regression.
Lopez Bernal, Cummins and Gasparrini (2017), Int. J. Epidemiol. 46: interrupted time series, a tutorial.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from leucippus.agents.designs.base import Design, Value
from leucippus.agents.designs.checks import common
from leucippus.agents.designs.result import Challenge, Check, Estimate
from leucippus.agents.designs.series import Series, series
from leucippus.agents.designs.study import indicators
from leucippus.agents.estimators.independence import independent
from leucippus.agents.estimators.second import SecondOpinion
from leucippus.agents.estimators.segmented import Segmented, gls_ar1, ljung_box, newey_west_lags, segmented
from leucippus.errors import DataError, DesignError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leucippus.agents.designs.study import Study

FEWEST_BEFORE, FEWEST_AFTER = 6, 3
FEW = 12
"""Periods on each side below which trend and autocorrelation are guesses (Wagner et al. 2002)."""
_FEWEST_SPARE = 5
_NEAR_UNIT_ROOT = 0.85
_SEASONS = {"month": 12, "quarter": 4}
_WHITE = 2.58
_AHEAD = 2
_JUMP = 0.01
_PLACEBO_DATES = 20


class TimeSeries(Design):
    """One series before and after a date."""

    estimands: ClassVar[tuple[str, ...]] = ("level shift", "ATT")
    aliases: ClassVar[tuple[str, ...]] = ("event_study_its", "interrupted_time_series", "time_series")
    column_fields: ClassVar[tuple[str, ...]] = ("time",)
    value_or_column_fields: ClassVar[tuple[str, ...]] = ("first_treated",)
    codes_treatment: ClassVar[bool] = False

    strategy: Literal["its"] = "its"
    treatment: str = Field(
        description="Column that is 1 from the date on and 0 before; or any column, if first_treated says when."
    )
    time: str = Field(description="Column of the periods; one row for each.")
    first_treated: Value | None = Field(default=None, description="First period with the treatment.")
    slope_change: bool = Field(default=False, description="Whether the trend turns at the date as well.")
    trend: Literal["linear", "none"] = Field(default="linear", description="linear, or none for a series without one.")

    def checks(self, study: Study) -> Iterator[Check]:
        data = series(study, self)
        yield from common(study)
        yield date_known(study, data)
        yield periods_around(data)
        yield shift_not_determined(data)
        if data.before < FEWEST_BEFORE or data.after < FEWEST_AFTER or data.spare < _FEWEST_SPARE or data.determined:
            return
        fit = data.fit()
        yield autocorrelation_allowed_for(fit)
        yield wanders(fit)
        yield seasons(data, fit)
        yield nothing_else_changed(study, data)
        yield no_anticipation(data)

    def estimate(self, study: Study) -> Estimate:
        data = series(study, self)
        fit = data.fit()
        low, high = fit.interval()
        at_once, at_once_se = fit.coefficient(0)
        details: dict[str, Any] = {
            "level_shift": at_once,
            "level_shift_se": at_once_se,
            "newey_west_se": fit.se_hac,
            "newey_west_lags": fit.lags,
            "autoregressive_se": fit.se_ar,
            "ordinary_se": fit.se_iid,
            "autocorrelation": fit.rho,
            "durbin_watson": fit.durbin_watson,
        }
        if self.slope_change:
            details["slope_change"], details["slope_change_se"] = fit.coefficient(1)
        shape = "a step and a turn of the trend" if self.slope_change else "a step"
        return Estimate(
            fit.estimate,
            fit.se,
            low,
            high,
            estimand=self.estimand,
            population=f"this series from {data.labels[data.change]} to {data.labels[-1]}",
            units=f"{self.outcome}, {self.treatment} on rather than off"
            + (" (at once)" if self.slope_change and self.estimand == "level shift" else ""),
            estimator=f"segmented regression with {shape} (ordinary least squares, statsmodels)",
            inference=f"{'Newey–West' if fit.se_hac >= fit.se_ar else 'autoregressive'} standard error, the larger of "
            f"Newey–West with {fit.lags} lags ({fit.se_hac:.4g}) and first-order autoregression with coefficient "
            f"{fit.rho:.2f} ({fit.se_ar:.4g}); t with {fit.dof:.0f} degrees of freedom",
            n_used=len(data.y),
            assumptions=(
                f"Without the treatment {self.outcome} would have followed its trend and the controls as before.",
                f"Nothing else that the controls leave out changed at {data.labels[data.change]}.",
                "Nobody acted ahead of the date.",
                "The effect is there at once and stays" + (", or grows along a line." if self.slope_change else "."),
            ),
            p_value=fit.p_value,
            n_treated=int(data.on.sum()),
            n_control=int((1 - data.on).sum()),
            dropped=study.dropped,
            second=(generalised_least_squares(data, fit),),
            details=details,
        )

    def challenges(self, study: Study, estimate: Estimate) -> Iterator[Challenge]:
        data = series(study, self)
        yield placebo_dates(data)
        yield other_shape(data, estimate)
        yield other_lags(data, estimate)
        yield around_the_date(data, estimate)
        if self.controls:
            yield without_controls(data, estimate)

    def draw(self, axes: Axes, study: Study, estimate: Estimate) -> None:
        """The series, the fit, and the fit with the effect taken out."""
        data = series(study, self)
        fit = data.fit()
        effect = data.effects @ fit.coefficients[: data.effects.shape[1]]
        since = slice(data.change, None)
        axes.plot(data.position, data.y, ".", color="grey", label=self.outcome)
        axes.plot(data.position, fit.fitted, label="fit")
        axes.plot(data.position[since], (fit.fitted - effect)[since], "--", label="without the treatment")
        axes.axvline((data.position[data.change - 1] + data.position[data.change]) / 2, color="grey", linewidth=0.8)
        axes.set(xlabel=self.time, ylabel=self.outcome, title=estimate.estimator)
        axes.legend()


def date_known(study: Study, data: Series) -> Check:
    switches = int(np.abs(np.diff(data.on)).sum())
    turned = data.on[0] == 0
    good = switches == 1 and turned and not data.disagreement
    sentence = f"{study.design.treatment} turns {'on' if turned else 'off'} in {data.labels[data.change]}"
    sentence += "." if switches == 1 else f" and changes {switches} times in all: one effect is taken for every time."
    return Check(
        "treatment date",
        "passed" if good else "failed",
        sentence + data.disagreement,
        figure=data.change,
        fatal=bool(data.disagreement) or (data.slope_change and (switches > 1 or not turned)),
        remedy=""
        if good
        else "Correct first_treated or the treatment column."
        if data.disagreement
        else "Narrow the subset to the time around one change; leave slope_change out for a treatment that ends.",
    )


def periods_around(data: Series) -> Check:
    few = min(data.before, data.after) < FEW or data.spare < _FEWEST_SPARE
    return Check(
        "periods before and after",
        "failed" if few else "passed",
        f"{data.before} periods without the treatment and {data.after} with it; {data.spare} more than there are "
        f"parameters. Fewer than {FEW} on a side leave the trend a guess.",
        figure=min(data.before, data.after),
        fatal=data.before < FEWEST_BEFORE or data.after < FEWEST_AFTER or data.spare < _FEWEST_SPARE,
        remedy="Bring a longer series, shorter periods, or fewer controls." if few else "",
    )


def shift_not_determined(data: Series) -> Check:
    return Check(
        "treatment varies given trend and controls",
        "failed" if data.determined else "passed",
        "Trend and controls together fix the treatment, so its effect cannot be told from theirs."
        if data.determined
        else "Trend and controls do not fix the treatment.",
        fatal=True,
        remedy="Leave out the control that changes at the same date." if data.determined else "",
    )


def autocorrelation_allowed_for(fit: Segmented) -> Check:
    lags = max(1, min(10, len(fit.residuals) // 5))
    p = ljung_box(fit.residuals, lags)
    return Check(
        "independent residuals",
        "failed" if p < 0.05 else "passed",
        f"Ljung–Box test of {lags} autocorrelations of the residuals: p = {p:.2g}; Durbin–Watson {fit.durbin_watson:.2f}. "
        f"The standard error allows for it (first autocorrelation {fit.rho:.2f}).",
        figure=p,
        remedy="Do not read a standard error for independent rows." if p < 0.05 else "",
    )


def wanders(fit: Segmented) -> Check:
    """A series that keeps every shock makes steps by itself."""
    near = fit.rho > _NEAR_UNIT_ROOT
    return Check(
        "stationary around the trend",
        "failed" if near else "passed",
        f"The first autocorrelation around the trend, corrected for the fit, is {fit.rho:.2f}"
        + (": the series wanders, and a step cannot be told from that." if near else "."),
        figure=fit.rho,
        remedy="Use changes from period to period as the outcome, or a comparison series (strategy: did)."
        if near
        else "",
    )


def seasons(data: Series, fit: Segmented) -> Check:
    """What is left after trend, shift and first-order autocorrelation does not repeat with the season."""
    season = _SEASONS.get(data.kind)
    candidates = (season,) if season else () if data.kind in ("year", "before and after") else (12, 4)
    white = fit.residuals[1:] - fit.rho * fit.residuals[:-1]
    n, total = len(white), float(white @ white)
    found = {lag: float(white[lag:] @ white[:-lag] / total) for lag in candidates if n >= 3 * lag}
    if not found:
        return Check("seasons", "not testable", "Too few periods within a year, or too few years, to look for seasons.")
    lag, largest = max(found.items(), key=lambda item: item[1])
    repeats = largest * np.sqrt(n) > _WHITE
    return Check(
        "seasons",
        "failed" if repeats else "passed",
        f"What trend and controls leave has an autocorrelation of {largest:.2f} at {lag} periods"
        + (": it repeats with the season." if repeats else "."),
        figure=largest,
        remedy="Add the season to the controls, such as C(month)." if repeats else "",
    )


def nothing_else_changed(study: Study, data: Series) -> Check:
    """Columns that the design does not name and that step at the same date."""
    found: dict[str, float] = {}
    looked = 0
    for name in study.bystanders:
        column = study.frame[name]
        if column.isna().any() or column.nunique() < 2 or column.dtype == object and column.nunique() > 2:
            continue
        try:
            values = indicators(study.frame, [name]).to_numpy()[data.order, 0].astype(np.float64)
        except DesignError:
            continue  # a date: it says when, not what
        if independent(np.column_stack([np.ones(len(values)), data.position, values])) != [0, 1, 2]:
            continue
        looked += 1
        if len(np.unique(values)) == 2:
            turns = np.flatnonzero(np.diff(values)) + 1
            if len(turns) == 1 and abs(int(turns[0]) - data.change) <= 1:
                found[name] = 0.0
            continue
        alone = replace(data, y=values, x=np.empty((len(values), 0)), slope_change=False, averaged=False)
        try:
            found[name] = alone.fit().p_value
        except DataError:
            continue  # nothing is left around trend and step, so there is no error to judge a step by
    jumps = {name: p for name, p in found.items() if p * max(looked, 1) < _JUMP}
    if not looked:
        return Check("nothing else changed then", "not testable", "There is no other column to look at.")
    return Check(
        "nothing else changed then",
        "failed" if jumps else "passed",
        f"{looked} other columns were looked at; "
        + (f"at the same date there is a step in {', '.join(jumps)}." if jumps else "none steps at the same date."),
        figure=len(jumps),
        remedy="If it is not a consequence of the treatment, its effect is counted as the treatment's: find a series it "
        "did not touch."
        if jumps
        else "",
    )


def no_anticipation(data: Series) -> Check:
    """The last periods before the date lie on the trend."""
    ahead = np.zeros(len(data.y))
    ahead[max(data.change - _AHEAD, 0) : data.change] = 1
    try:
        fit = segmented(data.y, ahead[:, None], np.column_stack([data.effects, data.rest]))
    except DataError as error:
        return Check(
            "no anticipation", "not testable", f"The last {_AHEAD} periods before cannot be set apart: {error.problem}."
        )
    early = fit.p_value < 0.01
    return Check(
        "no anticipation",
        "failed" if early else "passed",
        f"The last {_AHEAD} periods before the date lie {fit.estimate:+.3g} off the line (p = {fit.p_value:.2g}).",
        figure=fit.p_value,
        remedy="Set first_treated to when people began to act, or leave those periods out by subset." if early else "",
    )


def generalised_least_squares(data: Series, fit: Segmented) -> SecondOpinion:
    """Another estimator of the same shift: efficient if errors are autoregressive of first order."""
    estimate, se, rho = gls_ar1(data.y, data.effects, data.rest, data.contrast)
    apart = abs(estimate - fit.estimate) / fit.se
    return SecondOpinion(
        "statsmodels GLSAR",
        estimate,
        se,
        apart < 1,
        f"generalised least squares with autoregressive errors (coefficient {rho:.2f}) weighs periods otherwise: "
        f"{apart:.1f} standard errors apart",
    )


def placebo_dates(data: Series) -> Challenge:
    """Steps at dates when nothing happened, in the periods without the treatment alone."""
    before = data.rows(slice(0, data.change))
    n = len(before.y)
    rows: list[dict[str, Any]] = []
    for at in np.unique(np.linspace(FEWEST_BEFORE, n - FEWEST_AFTER, _PLACEBO_DATES).astype(int)):
        if not FEWEST_BEFORE <= at <= n - FEWEST_AFTER:
            continue
        moved = replace(before, on=(np.arange(n) >= at).astype(float), slope_change=False, averaged=False)
        if moved.spare < _FEWEST_SPARE or moved.determined:
            continue
        fit = moved.fit()
        rows.append({"date": before.labels[at], "estimate": fit.estimate, "se": fit.se, "p": fit.p_value})
    if data.on[0] == 1 or not rows:
        return Challenge("placebo dates", "not testable", "Too few periods before the date to move it among them.")
    smallest = min(min(row["p"] for row in rows) * len(rows), 1.0)
    return Challenge(
        "placebo dates",
        "doubt" if smallest < 0.05 else "stands",
        f"With the date moved to {len(rows)} earlier ones, the smallest p-value of a step, times their number, is "
        f"{smallest:.2g}.",
        figure=smallest,
        table=tuple(rows),
    )


def other_shape(data: Series, estimate: Estimate) -> Challenge:
    """With a turn of the trend if there was none, without it if there was."""
    other = replace(data, slope_change=not data.slope_change, averaged=True)
    name = "with a turn of the trend" if other.slope_change else "without a turn of the trend"
    if other.spare < _FEWEST_SPARE or other.determined or np.abs(np.diff(data.on)).sum() > 1 or data.on[0] == 1:
        return Challenge(name, "not testable", "The series does not carry that model.")
    fit = other.fit()
    moved = abs(fit.estimate - estimate.estimate) / estimate.se
    sentence = f"The mean effect over the treated periods is then {fit.estimate:.4g} ({fit.se:.4g})"
    if other.slope_change:
        slope, slope_se = fit.coefficient(1)
        sentence += f", with the slope changing by {slope:.3g} ({slope_se:.3g}) a period"
    return Challenge(
        name,
        "doubt" if moved > 1.96 else "stands",
        f"{sentence}: {moved:.1f} standard errors from the estimate.",
        figure=fit.estimate,
    )


def other_lags(data: Series, estimate: Estimate) -> Challenge:
    """Newey–West errors with fewer and more lags."""
    n = len(data.y)
    rule = newey_west_lags(n)
    fits = {lags: data.fit(lags) for lags in sorted({0, rule, 2 * rule, max(n // 4, 1)})}
    rows = tuple({"lags": lags, "newey_west_se": fit.se_hac} for lags, fit in fits.items())
    largest = max(row["newey_west_se"] for row in rows)
    return Challenge(
        "other lags",
        "doubt" if largest > 1.5 * estimate.se else "stands",
        f"With {', '.join(str(row['lags']) for row in rows)} lags the Newey–West standard error lies between "
        f"{min(row['newey_west_se'] for row in rows):.4g} and {largest:.4g}; {estimate.se:.4g} is used.",
        figure=largest,
        table=rows,
    )


def around_the_date(data: Series, estimate: Estimate) -> Challenge:
    """Without the period before and the period of the change."""
    kept = np.abs(np.arange(len(data.y)) - data.change + 0.5) > 1
    fewer = data.rows(kept)
    if len(np.unique(fewer.on)) < 2 or fewer.spare < _FEWEST_SPARE or fewer.determined:
        return Challenge("without the periods around the date", "not testable", "Too few periods would be left.")
    fit = fewer.fit()
    moved = abs(fit.estimate - estimate.estimate) / estimate.se
    return Challenge(
        "without the periods around the date",
        "doubt" if moved > 1 else "stands",
        f"Without the last period before and the first after, the estimate is {fit.estimate:.4g} ({fit.se:.4g}): "
        f"{moved:.1f} standard errors away.",
        figure=fit.estimate,
    )


def without_controls(data: Series, estimate: Estimate) -> Challenge:
    fit = replace(data, x=data.x[:, :0]).fit()
    moved = abs(fit.estimate - estimate.estimate) / estimate.se
    return Challenge(
        "without controls",
        "doubt" if moved > 1.96 else "stands",
        f"With the trend alone the estimate is {fit.estimate:.4g} ({fit.se:.4g}): {moved:.1f} standard errors away.",
        figure=fit.estimate,
    )
