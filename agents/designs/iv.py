"""Instrumental variables: something as good as drawn by lot moves the treatment, and the outcome through it alone.

How weak is too weak, one rule for every instrument:

    strong    the effective F exceeds its critical value for 10% of the worst-case bias: 2SLS and its usual interval
    weak      below that: the check fails and the interval is Anderson and Rubin's, valid however weak the instrument;
              several weak instruments are put together by LIML, which they bias less than 2SLS
    too weak  the Anderson–Rubin set has no end (the first stage is not significant at 5%) or the effective F is below
              3.84: the number is withheld, and the reason shows F and set

Fixed effects are controls written `C(column)`.

References
----------
Imbens and Angrist (1994), Econometrica 62: what 2SLS estimates, the effect on those whom the instrument moves.
Montiel Olea and Pflueger (2013), J. Bus. Econ. Stat. 31: effective F. Andrews, Stock and Sun (2019), Annu. Rev. Econ.
11: to report by it, and Anderson–Rubin sets where it is low. Dufour (1997), Econometrica 65: sets without end.
Kitagawa (2015), Econometrica 83; Huber and Mellace (2015), Rev. Econ. Stat. 97: what a binary instrument implies.
Koenker and Machado (1999), J. Econometrics 93: the cube of the number of instruments must be small beside the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from leucippus.agents.designs import iv_challenges as asked
from leucippus.agents.designs.base import Design, Names, plain
from leucippus.agents.designs.checks import assignment_level, baseline, common
from leucippus.agents.designs.result import Bounds, Challenge, Check, Estimate
from leucippus.agents.designs.study import Study, indicators
from leucippus.agents.estimators import balke_pearl, two_stage, weak_instruments
from leucippus.agents.estimators.joint_test import explained
from leucippus.agents.estimators.regression import Fit, Floats
from leucippus.agents.estimators.two_stage import Partialled, partial_out
from leucippus.agents.estimators.weak_instruments import ConfidenceSet, Stages
from leucippus.errors import DataError
from leucippus.graphs.instruments import instruments, is_instrument

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_F = 3.84
"""The 95% point of χ²(1): with one instrument, the Anderson–Rubin set has no end exactly below about this F."""
_DOUBTFUL = 0.01
_IMPOSSIBLE = 1e-4
_SAME_THING = 1e-3
"""A column of which controls and instruments leave less than this share is another form of them."""
_BINS = 5
_THE_SAME = 1 - 1e-6


class Iv(Design):
    """The effect on those whose treatment one or several instruments move."""

    estimands: ClassVar[tuple[str, ...]] = ("LATE",)
    aliases: ClassVar[tuple[str, ...]] = ("instrumental_variables", "instrumental_variable", "2sls")
    column_fields: ClassVar[tuple[str, ...]] = ("instrument",)

    strategy: Literal["iv"] = "iv"
    instrument: Names = Field(
        default=(), description="Columns that move the treatment and nothing else. Text and C(column): one arm each."
    )

    @model_validator(mode="after")
    def _instruments_apart(self) -> Iv:
        if not self.instrument:
            raise ValueError("an iv design needs an instrument: a column that moves the treatment and nothing else")
        for role, names in (
            ("the treatment", (self.treatment,)),
            ("the outcome", (self.outcome,)),
            ("a control", tuple(map(plain, self.controls))),
        ):
            both = [name for name in map(plain, self.instrument) if name in names]
            if both:
                raise ValueError(f"instrument: {', '.join(both)} is {role} as well; it can be only one of the two")
        return self

    def checks(self, study: Study) -> Iterator[Check]:
        hopeless = False
        for check in chain(common(study), [instrument_varies(study)]):
            yield check
            hopeless |= check.fatal and check.verdict == "failed"
        if hopeless:
            return
        try:
            data, of = brought_together(study)
        except DataError as error:
            yield Check(
                "instrument varies given the controls",
                "failed",
                f"{error.problem}.",
                fatal=True,
                remedy=error.next_step,
            )
            return
        yield varies_given_controls(study, data)
        yield not_the_treatment(data)
        yield strength(of)
        yield instrument_is_earlier(study)
        if study.graph is not None:
            yield exclusion_by_graph(study)
        yield instrument_against_balance(study, data)
        yield instrumental_inequality(study, data)
        if data.z.shape[1] > 1:
            yield over_identification(data, of)
        yield not_too_many(data)
        if self.cluster is None:
            arms = np.unique(instrument_columns(study), axis=0, return_inverse=True)[1]
            yield assignment_level(study, arms.ravel().astype(np.float64), "The instrument")

    def estimate(self, study: Study) -> Estimate:
        data, of = brought_together(study)
        weak, several = of.effective_f < of.critical_f, data.z.shape[1] > 1
        method: two_stage.Method = "LIML" if weak and several else "2SLS"
        usual = two_stage.two_stage(data)
        fit = usual if method == "2SLS" else two_stage.two_stage(data, method)
        fitting = weak_instruments.anderson_rubin_set(of)
        low, high = fitting.hull if weak else fit.interval()
        words = f"{fit.inference}, t with {fit.dof:g} degrees of freedom"
        if weak:
            words = f"Anderson–Rubin interval, since the instrument is weak (F = {of.effective_f:.1f}); {fit.inference}"
        return Estimate(
            fit.estimate,
            fit.se,
            low,
            high,
            estimand=self.estimand,
            population="those whose treatment the instrument moves" + (f", among {self.subset}" if self.subset else ""),
            units=f"{self.outcome}, {study.contrast}",
            estimator=f"{method} (linearmodels)",
            inference=words,
            n_used=fit.n,
            assumptions=(
                f"{', '.join(self.instrument)} is as good as drawn by lot"
                + (" given the controls." if self.controls else "."),
                f"{', '.join(self.instrument)} acts on {self.outcome} through {self.treatment} alone.",
                f"It moves nobody's {self.treatment} the other way (monotonicity).",
                "Nobody's outcome depends on the instrument or treatment of others.",
            ),
            p_value=of.reduced_p_value if weak else fit.p_value,
            n_treated=study.n_treated,
            n_control=study.n_control,
            clusters=data.groups,
            dropped=study.dropped,
            # The second engine has no LIML; `challenges` hold that against 2SLS.
            second=()
            if method == "LIML"
            else (
                two_stage.second_engine(
                    study.y, study.d, instrument_columns(study)[:, list(data.kept)], study.x, usual, study.clusters
                ),
            ),
            details=details(study, data, of, fitting, usual),
        )

    def challenges(self, study: Study, estimate: Estimate) -> Iterator[Challenge]:
        data, of = brought_together(study)
        yield asked.reduced_form(of, estimate)
        yield asked.least_squares(data, estimate)
        yield asked.anderson_rubin(of, estimate)
        if data.z.shape[1] > 1:
            yield asked.liml(data)
            yield asked.one_instrument_less(data, estimate.details["instruments"])
        if "complier_share" in estimate.details:
            yield asked.compliers(study, data, estimate.details["complier_share"])
        yield asked.direct_effect(data)
        yield asked.single_units(study, data, estimate)
        bounds = self.bounds(study)
        if bounds is not None:
            yield Challenge("bounds on everyone's effect", "stands", bounds.sentence, figure=bounds.low)

    def bounds(self, study: Study) -> Bounds | None:
        """Balke–Pearl bounds, where instrument, treatment and outcome are binary and there are no controls."""
        z = binary_instrument(study)
        if z is None or not study.binary or set(np.unique(study.y)) != {0.0, 1.0} or self.controls:
            return None
        if study.graph is not None and exclusion_by_graph(study).verdict == "failed":
            return None
        ends = balke_pearl.ate_bounds(balke_pearl.cells(z, study.d, study.y))
        if ends is None:
            return None
        return Bounds(
            *ends,
            estimand="ATE",
            assumptions=("The instrument is as good as drawn by lot.", f"It acts through {self.treatment} alone."),
            sentence=f"Without monotonicity the average effect on everyone is between {ends[0]:.3g} and {ends[1]:.3g} "
            "(Balke–Pearl bounds, before sampling error).",
        )

    def draw(self, axes: Axes, study: Study, estimate: Estimate) -> None:
        """Outcome against treatment, both as the instrument moves them: means of ten groups by predicted treatment."""
        data, of = brought_together(study)
        index = data.z @ of.first
        levels = np.unique(index.round(12))
        cuts = levels if len(levels) <= 10 else np.unique(np.quantile(index, np.linspace(0, 1, 11)[:-1]))
        group = np.searchsorted(cuts, index.round(12), side="right")
        means = pd.DataFrame({"d": data.d, "y": data.y}).groupby(group).mean()
        axes.scatter(means["d"] + study.d.mean(), means["y"] + study.y.mean())
        axes.axline((study.d.mean(), study.y.mean()), slope=estimate.estimate)
        axes.set(xlabel=f"{self.treatment}, as the instrument moves it", ylabel=self.outcome, title=estimate.estimator)


@lru_cache(maxsize=1)  # checks, estimate, challenges and figure of one study all start from it
def brought_together(study: Study) -> tuple[Partialled, Stages]:
    """Outcome, treatment and instruments less the controls, and first stage and reduced form.

    Raises
    ------
    DataError : the controls leave no instrument, or rows or clusters are too few.
    """
    data = partial_out(study.y, study.d, instrument_columns(study), study.x, study.clusters)
    return data, weak_instruments.stages(data)


def instrument_columns(study: Study) -> Floats:
    return np.asarray(indicators(study.frame, _design(study).instrument), dtype=np.float64)


def instrument_names(study: Study) -> list[str]:
    return list(indicators(study.frame, _design(study).instrument).columns)


def binary_instrument(study: Study) -> Floats | None:
    """The instrument as 0/1 where it is a single one of two values."""
    z = instrument_columns(study)
    return (z[:, 0] == z.max()).astype(np.float64) if z.shape[1] == 1 and len(np.unique(z)) == 2 else None


def _design(study: Study) -> Iv:
    assert isinstance(study.design, Iv)
    return study.design


def instrument_varies(study: Study) -> Check:
    constant = [name for name in map(plain, _design(study).instrument) if study.frame[name].nunique() < 2]
    return Check(
        "instrument varies",
        "failed" if constant else "passed",
        f"The instrument {', '.join(constant)} is constant, so it moves nothing."
        if constant
        else f"Every instrument varies ({', '.join(_design(study).instrument)}).",
        fatal=True,
        remedy=f"Leave out {', '.join(constant)}, or bring rows in which it differs." if constant else "",
    )


def varies_given_controls(study: Study, data: Partialled) -> Check:
    names, least = instrument_names(study), int(np.argmin(data.shares[list(data.kept)]))
    lost = [name for i, name in enumerate(names) if i not in data.kept]
    share = float(data.shares[data.kept[least]])
    return Check(
        "instrument varies given the controls",
        "passed",
        f"The controls leave {share:.1%} of the variance of {names[data.kept[least]]}"
        + (", the least of all instruments." if len(data.kept) > 1 else ".")
        + (f" The other instruments and the controls determine {', '.join(lost)}: left out." if lost else ""),
        figure=share,
    )


def not_the_treatment(data: Partialled) -> Check:
    """An instrument that is the treatment in another form turns 2SLS into least squares under a better name."""
    share = explained(data.z, data.d)[0]
    same = share > _THE_SAME
    return Check(
        "instrument is not the treatment",
        "failed" if same else "passed",
        f"The instruments explain {share:.1%} of what the controls leave of the treatment"
        + (": they are the treatment in another form, and this is least squares." if same else "."),
        figure=share,
        remedy="If all complied with a lot, state an rct design; otherwise name an instrument." if same else "",
    )


def strength(of: Stages) -> Check:
    """The rule at the head of this file."""
    fitting = weak_instruments.anderson_rubin_set(of)
    too_weak = not fitting.bounded or of.effective_f < LEAST_F
    weak = of.effective_f < of.critical_f
    sentence = (
        f"First stage: effective F = {of.effective_f:.2f} (robust F = {of.f:.2f}); above {of.critical_f:.1f} the bias "
        "is less than 10% of the worst there can be."
    )
    if too_weak:
        sentence += (
            f" So weak a first stage gives no number; the Anderson–Rubin 95% set of the effect is {fitting.text()}."
        )
    elif weak:
        sentence += " The instrument is weak: the interval is the Anderson–Rubin set, which is valid nevertheless."
    return Check(
        "instrument strength",
        "failed" if weak else "passed",
        sentence,
        figure=of.effective_f,
        fatal=too_weak,
        remedy="Bring an instrument that moves the treatment more, or more rows." if weak else "",
    )


def instrument_is_earlier(study: Study) -> Check:
    design = _design(study)
    names = list(map(plain, design.instrument))
    declared = [name for name in names if name in design.after_treatment]
    late = [name for name in names if name in study.timing and study.timing[name].when == "after"]
    known = [name for name in names if name in study.timing or name in design.before_treatment]
    name = "instrument precedes the treatment"
    if declared or late:
        why = "is said to come" if declared else f"seems to be measured ({study.timing[late[0]].why})"
        return Check(
            name,
            "failed",
            f"{', '.join(declared or late)} {why} after the treatment, which it cannot have moved then.",
            fatal=bool(declared),
            remedy="Use an instrument from before the treatment.",
        )
    if known:
        return Check(name, "passed", f"{', '.join(known)} is measured before the treatment.")
    return Check(name, "not testable", f"Nothing says when {', '.join(names)} was measured.")


def exclusion_by_graph(study: Study) -> Check:
    """Whether each instrument reaches the outcome through the treatment alone, given the controls."""
    design, graph, name = _design(study), study.graph, "exclusion by the graph"
    assert graph is not None
    names = list(map(plain, design.instrument))
    missing = [node for node in (design.treatment, design.outcome, *names) if node not in graph.nodes]
    if missing:
        return Check(name, "not testable", f"The graph has no node {', '.join(missing)}.")
    given = [control for control in map(plain, design.controls) if control in graph.nodes]
    wrong = [z for z in names if not is_instrument(graph, design.treatment, design.outcome, z, given)]
    words = f" given {', '.join(given)}" if given else ""
    if not wrong:
        return Check(name, "passed", f"By the graph {', '.join(names)} is an instrument{words}.")
    others = [found.text() for found in instruments(graph, design.treatment, design.outcome, measured=_measured(study))]
    return Check(
        name,
        "failed",
        f"By the graph {', '.join(wrong)} is no instrument{words}: it is unrelated to {design.treatment}, or reaches "
        f"{design.outcome} in other ways than through it.",
        fatal=True,
        remedy=f"By the graph these would do: {'; '.join(others)}."
        if others
        else "The graph has no instrument to offer.",
    )


def _measured(study: Study) -> list[str]:
    assert study.graph is not None
    return [name for name in study.graph.nodes if name in study.frame]


def instrument_against_balance(study: Study, data: Partialled) -> Check:
    """Whether what was there before is unrelated to the instrument, given the controls, as with a lot."""
    name = "instrument against balance"
    found = {
        column: weak_instruments.stages(data.with_outcome(w)).reduced_p_value
        for column, w in beforehand(study, data).items()
    }
    if not found:
        return Check(name, "not testable", "No column beside the controls is known to precede the treatment.")
    column, smallest = min(found.items(), key=lambda item: item[1])
    p = min(1.0, smallest * len(found))
    return Check(
        name,
        "failed" if p < _DOUBTFUL else "passed",
        f"{len(found)} columns from before the treatment were held against the instrument: the closest tie is with "
        f"{column} (p = {p:.2g} after Bonferroni)"
        + (
            ". As good as drawn by lot it is not, unless that column came after the treatment."
            if p < _DOUBTFUL
            else "."
        ),
        figure=p,
        remedy=f"Add {column} to the controls, and ask what else goes with the instrument." if p < _DOUBTFUL else "",
    )


def beforehand(study: Study, data: Partialled) -> dict[str, Floats]:
    """Columns known to precede the treatment, neither controls nor the instrument in another form, (n,) each."""
    taken = {*map(plain, study.design.controls), *map(plain, _design(study).instrument)}
    frame = study.frame[[name for name in baseline(study) if name not in taken]]
    columns = indicators(frame.fillna(frame.median(numeric_only=True)), frame.columns)
    found = {}
    for name in columns:
        w = columns[name].to_numpy()
        left = w - data.basis @ (data.basis.T @ w)
        apart = left - data.z @ np.linalg.lstsq(data.z, left, rcond=None)[0]
        if (apart**2).sum() > _SAME_THING * ((w - w.mean()) ** 2).sum():
            found[str(name)] = w
    return found


def instrumental_inequality(study: Study, data: Partialled) -> Check:
    """A binary instrument can only add treated people, and take untreated ones away, at every level of the outcome."""
    from scipy.stats import t

    name = "instrumental inequality"
    z = binary_instrument(study)
    if z is None or not study.binary:
        return Check(name, "not testable", "Only a binary instrument of a binary treatment has this implication.")
    of = weak_instruments.stages(data)
    values = np.unique(study.y)
    cuts = values[1:] if len(values) <= _BINS else np.unique(np.quantile(study.y, np.arange(1, _BINS) / _BINS))
    level = np.searchsorted(cuts, study.y, side="right")
    found = []
    for d, direction in ((1, 1.0), (0, -1.0)):
        for b in np.unique(level):
            cell = weak_instruments.stages(data.with_outcome(((level == b) & (study.d == d)).astype(np.float64)))
            moved, se = float(cell.reduced[0]) * direction * np.sign(of.first[0]), float(cell.covariance[0, 0]) ** 0.5
            if se > 0:
                found.append(float(t.cdf(moved / se, of.dof)))
    p = min(1.0, min(found) * len(found)) if found else 1.0
    impossible = p < _IMPOSSIBLE and not study.design.controls
    return Check(
        name,
        "failed" if p < _DOUBTFUL else "passed",
        f"A valid instrument only adds treated people at each level of {study.design.outcome}, and only takes "
        f"untreated ones away: p = {p:.2g} over {len(found)} comparisons"
        + (
            ", so it moves some the other way, acts on the outcome itself, or was not drawn by lot."
            if p < _DOUBTFUL
            else "."
        ),
        figure=p,
        fatal=impossible,
        remedy="Look for a direct effect of the instrument, or for people who do the opposite of what it asks."
        if p < _DOUBTFUL
        else "",
    )


def over_identification(data: Partialled, of: Stages) -> Check:
    """Whether the instruments, each on its own, would tell one story."""
    statistic, p, degrees = two_stage.over_identification(data)
    empty = weak_instruments.anderson_rubin_set(of).empty
    return Check(
        "over-identification",
        "failed" if p < 0.05 or empty else "passed",
        f"Hansen's J = {statistic:.2f} with {degrees} degrees of freedom (p = {p:.2g})"
        + ("; the Anderson–Rubin set is empty: no effect fits all instruments" if empty else "")
        + (": some instrument is not valid, or they move people with other effects." if p < 0.05 or empty else "."),
        figure=p,
        fatal=empty and of.effective_f < of.critical_f,
        remedy="Read the estimate of each instrument alone (`one instrument less`)." if p < 0.05 or empty else "",
    )


def not_too_many(data: Partialled) -> Check:
    count, units = data.z.shape[1], data.groups or len(data.y)
    most = max(1, int(units ** (1 / 3)))
    return Check(
        "number of instruments",
        "failed" if count > most else "passed",
        f"{count} instruments for {units:,} {'clusters' if data.groups else 'rows'}; inference stays reliable up to "
        f"about {most} (the cube root).",
        figure=count,
        remedy="Choose fewer instruments beforehand, and compare 2SLS with LIML." if count > most else "",
    )


def details(study: Study, data: Partialled, of: Stages, fitting: ConfidenceSet, usual: Fit) -> dict[str, Any]:
    """Plain values about first stage, reduced form, least squares and sets."""
    names = instrument_names(study)
    kept = [names[i] for i in data.kept]
    ends = [[end if np.isfinite(end) else None for end in interval] for interval in fitting.intervals]
    found: dict[str, Any] = {
        "instruments": kept,
        "instruments_left_out": [name for name in names if name not in kept],
        "first_stage": dict(zip(kept, map(float, of.first), strict=True)),
        "first_stage_f": of.f,
        "effective_f": of.effective_f,
        "critical_f": of.critical_f,
        "reduced_form": dict(zip(kept, map(float, of.reduced), strict=True)),
        "anderson_rubin_set": ends,
        "two_stage": usual.estimate,
        "se_constant_variance": two_stage.two_stage(data, robust="iid").se if data.clusters is None else None,
    }
    if study.binary and binary_instrument(study) is not None:
        found["complier_share"] = abs(float(of.first[0])) * float(np.ptp(instrument_columns(study)))
    return found
