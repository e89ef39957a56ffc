"""Randomised controlled trial: the treatment was assigned by lot, so the arms differ by the treatment and by chance.

The treatment column is the assignment. Where some did not comply, the effect of assignment is the intention-to-treat
effect (`estimand: ITT`); the effect of what was taken needs an `iv` design with the assignment as the instrument.

References
----------
Neyman (1923): the difference in means and its variance (HC2 is that variance).
Cameron, Gelbach and Miller (2008), Rev. Econ. Stat. 90: the wild cluster bootstrap, for few clusters.
Lin (2013), Ann. Appl. Stat. 7: covariates, centred and interacted with the treatment, never hurt in large samples.
Lee (2009), Rev. Econ. Stud. 76: bounds under attrition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leucippus.agents.designs.base import Design, Name
from leucippus.agents.designs.checks import assignment_level, balance, baseline, common
from leucippus.agents.designs.result import Challenge, Check, Estimate
from leucippus.agents.estimators.bounds import lee
from leucippus.agents.estimators.regression import Fit, regress
from leucippus.agents.estimators.second import ols_second
from leucippus.agents.estimators.wild_bootstrap import FEW_CLUSTERS, wild_bootstrap
from leucippus.errors import DataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leucippus.agents.designs.study import Attrition, Floats, Study

_DOUBTFUL_BALANCE = 0.01
_NO_LOTTERY = 1e-4
_LARGE_DIFFERENCE = 0.25
"""Standard deviations; Imbens and Rubin (2015, section 14.2): beyond it regression no longer repairs imbalance."""
_ROWS_A_COVARIATE = 10
_PERMUTATIONS = 999
_FEWEST_IN_ARM = {"rows": 5, "clusters": 3}


class Rct(Design):
    """A randomised trial, possibly within blocks and by clusters."""

    estimands: ClassVar[tuple[str, ...]] = ("ATE", "ITT")
    working_copies: ClassVar[int] = 22
    column_fields: ClassVar[tuple[str, ...]] = ("blocks",)

    strategy: Literal["rct"] = "rct"
    blocks: Name = Field(default=None, description="Column of the groups within which the lot was drawn.")

    def checks(self, study: Study) -> Iterator[Check]:
        yield from common(study)
        if self.blocks is not None and study.binary:
            yield both_arms_in_every_block(study)
        if study.binary:
            yield arms_large_enough(study)
        yield lottery_against_balance(study, block_codes(study))
        if self.cluster is None:
            yield assignment_level(study)
        yield attrition_alike(study)

    def estimate(self, study: Study) -> Estimate:
        matrix, weights, method = adjustment(study)
        fit = regress(study.y, study.d, matrix, clusters=study.clusters, weights=weights, robust="HC2")
        low, high, p_value, inference = inference_of(study, matrix, weights, fit)
        return Estimate(
            fit.estimate,
            fit.se,
            low,
            high,
            estimand=self.estimand,
            population=self.subset or "the rows used",
            units=f"{self.outcome}, {study.contrast}",
            estimator=f"{method} (pyfixest)",
            inference=inference,
            n_used=fit.n,
            assumptions=(
                f"{self.treatment} was assigned by lot" + (f" within {self.blocks}" if self.blocks else "") + ".",
                "Nobody's outcome depends on what others were assigned.",
                "Rows lost along the way were not lost because of the assignment.",
            ),
            p_value=p_value,
            n_treated=study.n_treated,
            n_control=study.n_control,
            clusters=study.n_clusters,
            dropped=study.dropped,
            second=(ols_second(study.y, study.d, matrix, fit, clusters=study.clusters, weights=weights, robust="HC2"),),
        )

    def challenges(self, study: Study, estimate: Estimate) -> Iterator[Challenge]:
        yield placebo_outcomes(study)
        if study.binary and study.clusters is None and self.blocks is None:
            yield permutation(study)
        if self.controls:
            yield without_controls(study, estimate)
        if study.attrition is not None and study.attrition.treated_missing + study.attrition.control_missing:
            yield lee_bounds(study, study.attrition)

    def draw(self, axes: Axes, study: Study, estimate: Estimate) -> None:
        """Mean outcome of each arm with its 95% interval."""
        for position, arm in enumerate(np.unique(study.d)[:20]):
            y = study.y[study.d == arm]
            axes.errorbar(position, y.mean(), yerr=1.96 * y.std() / max(len(y), 1) ** 0.5, fmt="o", capsize=4)
        axes.set_xticks(range(min(len(np.unique(study.d)), 20)), [f"{arm:g}" for arm in np.unique(study.d)[:20]])
        axes.set(xlabel=self.treatment, ylabel=f"mean {self.outcome}", title=estimate.estimator)


def block_codes(study: Study) -> NDArray[np.int64] | None:
    """Block of each row, (n,) from 0, or None."""
    design = study.design
    return study.codes(design.blocks) if isinstance(design, Rct) and design.blocks is not None else None


def adjustment(study: Study) -> tuple[Floats | None, Floats | None, str]:
    """What stands beside the treatment: columns (n, k), weights (n,), and what that is called.

    Controls are centred and interacted with a binary treatment (Lin 2013) where rows allow. Blocks are indicators, and
    each row is weighted by one over the chance its block gave it of its arm: without that, a regression would weigh the
    blocks by how evenly they were split, and its coefficient would be the average effect on nobody.
    """
    x, blocks = study.x.to_numpy(), block_codes(study)
    centred = x - x.mean(axis=0)
    interacted = study.binary and min(study.d.sum(), (1 - study.d).sum()) >= _ROWS_A_COVARIATE * x.shape[1]
    columns = [centred, centred * study.d[:, None]] if interacted else [centred]
    name = "regression with interacted covariates (Lin)" if interacted else "regression with covariates"
    if x.shape[1] == 0:
        columns, name = [], "difference in means" if study.binary else "regression on the dose"
    if blocks is None:
        return np.column_stack(columns) if columns else None, None, name
    matrix = np.column_stack([*columns, blocks[:, None] == np.arange(1, blocks.max() + 1)]).astype(np.float64)
    if not study.binary:
        return matrix, None, f"{name} within blocks"
    chance = (np.bincount(blocks, study.d) / np.bincount(blocks))[blocks]
    return matrix, study.d / chance + (1 - study.d) / (1 - chance), f"{name} within blocks, weighted by their size"


def inference_of(
    study: Study, matrix: Floats | None, weights: Floats | None, fit: Fit
) -> tuple[float, float, float, str]:
    """Interval, p-value, and how they were made: by the wild cluster bootstrap where clusters are few."""
    if study.clusters is None or study.clusters.max() + 1 >= FEW_CLUSTERS or weights is not None:
        return *fit.interval(), fit.p_value, fit.inference
    wild = wild_bootstrap(study.y, study.d, matrix, study.clusters)
    method = f"restricted wild cluster bootstrap-t ({wild.draws:,} draws of {wild.weights.title()} weights)"
    return wild.ci_low, wild.ci_high, wild.p_value, f"{fit.inference}; interval and p-value by {method}"


def arms_large_enough(study: Study) -> Check:
    """How much was drawn into the smaller arm: clusters where the treatment never differs within them, else rows."""
    drawn, what = study.d, "rows"
    if study.clusters is not None:
        share = np.bincount(study.clusters, study.d) / np.bincount(study.clusters)
        if np.isin(share, (0, 1)).all():
            drawn, what = share, "clusters"
    smaller = int(min(drawn.sum(), (1 - drawn).sum()))
    few = smaller < _FEWEST_IN_ARM[what]
    return Check(
        "rows in each arm",
        "failed" if few else "passed",
        f"The smaller arm has {smaller} {what}"
        + (f"; fewer than {_FEWEST_IN_ARM[what]} do not show how much they differ by chance." if few else "."),
        figure=smaller,
        fatal=True,
        remedy=f"Bring more {what} of that arm." if few else "",
    )


def both_arms_in_every_block(study: Study) -> Check:
    blocks = block_codes(study)
    assert blocks is not None
    chance = np.bincount(blocks, study.d) / np.bincount(blocks)
    one_armed = int(((chance == 0) | (chance == 1)).sum())
    return Check(
        "both arms in every block",
        "failed" if one_armed else "passed",
        f"{one_armed} of {len(chance)} blocks have but one arm, so nothing there can be compared."
        if one_armed
        else f"Each of the {len(chance)} blocks has treated and untreated rows.",
        figure=one_armed,
        fatal=True,
        remedy="Leave those blocks out with subset; the effect is then that in the others." if one_armed else "",
    )


def lottery_against_balance(study: Study, blocks: NDArray[np.int64] | None = None) -> Check:
    """A lot leaves no covariate related to the treatment beyond chance, within the blocks it was drawn in."""
    differences, p, columns = balance(study, blocks)
    if not columns or np.isnan(p):
        return Check(
            "lottery against balance", "not testable", "No covariate measured before the treatment to compare."
        )
    name, worst = max(differences.items(), key=lambda item: abs(item[1]))
    contradicted = p < _NO_LOTTERY and abs(worst) > _LARGE_DIFFERENCE
    doubtful = p < _DOUBTFUL_BALANCE
    return Check(
        "lottery against balance",
        "failed" if doubtful else "passed",
        f"Joint test that {columns} covariates are balanced: p = {p:.2g}; the largest difference is {worst:+.2f} standard "
        f"deviations, in {name}." + (" No lot does that." if contradicted else ""),
        figure=p,
        fatal=contradicted,
        remedy="If the treatment was chosen, not drawn, state a backdoor design with the covariates as controls; if it "
        "was drawn within groups, name them as blocks."
        if doubtful
        else "",
    )


def attrition_alike(study: Study) -> Check:
    """Outcomes are missing as often among the treated as among the untreated."""
    from scipy.stats import fisher_exact

    lost = study.attrition
    if lost is None or not lost.treated or not lost.control:
        return Check("attrition", "not testable", "The treatment has no two arms whose losses could be compared.")
    table = [[m, n - m] for m, n in ((lost.treated_missing, lost.treated), (lost.control_missing, lost.control))]
    p = float(fisher_exact(table).pvalue) if lost.treated_missing + lost.control_missing else 1.0
    differs = p < 0.05
    return Check(
        "attrition",
        "failed" if differs else "passed",
        f"The outcome is missing for {lost.treated_missing / lost.treated:.1%} of the treated and "
        f"{lost.control_missing / lost.control:.1%} of the others (p = {p:.2g}).",
        figure=p,
        remedy="Read the Lee bounds, or find out why rows were lost." if differs else "",
    )


def placebo_outcomes(study: Study) -> Challenge:
    """The treatment has no effect on what was measured before it."""
    matrix, weights = unadjusted(study)
    rows: list[dict[str, Any]] = []
    for name in baseline(study):
        if study.frame[name].dtype == object or study.frame[name].isna().any():
            continue
        try:
            fit = regress(study.numbers(name), study.d, matrix, clusters=study.clusters, weights=weights, robust="HC2")
        except DataError:  # constant within the arms: the balance check shows that
            continue
        rows.append({"outcome": name, "estimate": fit.estimate, "se": fit.se, "p": fit.p_value})
    if not rows:
        return Challenge("placebo outcomes", "not testable", "No column is known to precede the treatment.")
    smallest = min(row["p"] for row in rows) * len(rows)
    return Challenge(
        "placebo outcomes",
        "doubt" if smallest < 0.05 else "stands",
        f"'Effects' on {len(rows)} columns measured before the treatment: the smallest p-value, times their number, is "
        f"{min(smallest, 1.0):.2g}.",
        figure=min(smallest, 1.0),
        table=tuple(rows),
    )


def permutation(study: Study) -> Challenge:
    """Fisher's exact test of no effect on anyone: how often a lot drawn again does as much."""
    rng = np.random.default_rng(0)
    y, d = study.y - study.y.mean(), study.d
    observed = abs(float(y @ d))
    as_large = sum(abs(float(y @ rng.permutation(d))) >= observed * (1 - 1e-12) for _ in range(_PERMUTATIONS))
    p = (1 + as_large) / (1 + _PERMUTATIONS)
    return Challenge(
        "randomisation inference",
        "stands",
        f"With the assignment drawn again {_PERMUTATIONS} times, {p:.1%} of draws differ by as much: the p-value of no "
        "effect on anyone.",
        figure=p,
    )


def without_controls(study: Study, estimate: Estimate) -> Challenge:
    """A lot makes covariates unnecessary, so leaving them out moves the estimate by chance only."""
    matrix, weights = unadjusted(study)
    bare = regress(study.y, study.d, matrix, clusters=study.clusters, weights=weights, robust="HC2")
    moved = abs(bare.estimate - estimate.estimate) / bare.se
    return Challenge(
        "without covariates",
        "doubt" if moved > 1.96 else "stands",
        f"Without covariates the estimate is {bare.estimate:.4g} ({bare.se:.4g}): {moved:.1f} standard errors away.",
        figure=bare.estimate,
    )


def lee_bounds(study: Study, lost: Attrition) -> Challenge:
    """What the effect on those never lost can be, if the treatment moves nobody out of the data and others in."""
    none = np.zeros(lost.treated_missing + lost.control_missing)
    arm = np.concatenate([study.d, np.ones(lost.treated_missing), np.zeros(lost.control_missing)])
    try:
        low, high = lee(np.concatenate([study.y, none]), arm, np.concatenate([np.ones(study.n), none]))
    except DataError as error:
        return Challenge("Lee bounds", "not testable", f"{error.problem}.")
    return Challenge(
        "Lee bounds",
        "stands" if low * high > 0 else "doubt",
        f"Among those whose outcome would be seen either way, the effect is between {low:.4g} and {high:.4g} (before "
        "sampling error), whoever was lost.",
        figure=low,
    )


def unadjusted(study: Study) -> tuple[Floats | None, Floats | None]:
    """Columns and weights of the comparison without controls, within blocks where there are any."""
    matrix, weights, _ = adjustment(replace(study, design=study.design.model_copy(update={"controls": ()})))
    return matrix, weights
