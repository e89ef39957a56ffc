"""What a referee asks of back-door adjustment: other sets, other methods, and how strong a missed cause would have to be.

Apart from backdoor.py for its length only. Re-estimates use regressions that take milliseconds, and are held against
the same regression of the design as stated, so that what moves is what the challenge changed.

References
----------
VanderWeele and Ding (2017), Cinelli and Hazlett (2020): see estimators/sensitivity.py.
Crump, Hotz, Imbens and Mitnik (2009), Biometrika 96: trimming.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leucippus.agents.designs.base import plain
from leucippus.agents.designs.checks import baseline
from leucippus.agents.designs.result import Challenge, Estimate
from leucippus.agents.designs.study import Floats, Study, indicators
from leucippus.agents.estimators.basis import basis
from leucippus.agents.estimators.doubly_robust import Scores, partially_linear
from leucippus.agents.estimators.influence import Effect
from leucippus.agents.estimators.matching import match
from leucippus.agents.estimators.overlap import balancing_weights, weighted_difference
from leucippus.agents.estimators.regression import Fit, regress
from leucippus.agents.estimators.sensitivity import (
    bias,
    confounder_like,
    e_value,
    partial_r2,
    risk_ratio_of_difference,
    robustness_value,
)
from leucippus.agents.estimators.standardise import standardise, without_each
from leucippus.errors import DataError
from leucippus.graphs.adjustment import minimal_adjustment_sets, optimal_adjustment_set

if TYPE_CHECKING:
    from leucippus.agents.estimators.overlap import Target

_FAR = 1.96
_CUTS = (0.01, 0.02, 0.05, 0.1)
_MOST_SETS = 6
_MOST_CONTROLS = 40
_MOST_MATCHED = 5_000
_MOST_BENCHMARKED = 200
"""Indicator columns beyond this make the search for the strongest control slow and its answer meaningless."""


def quick(
    study: Study,
    x: Floats,
    y: Floats | None = None,
    keep: NDArray[np.bool_] | None = None,
    *,
    straight: bool = False,
) -> Effect | Fit | None:
    """The estimand by a fast regression, with other controls, another outcome or fewer rows; `straight`: no squares.

    None where the rows do not carry it.
    """
    rows = slice(None) if keep is None else keep
    outcome, d = (study.y if y is None else y)[rows], study.d[rows]
    clusters = None if study.clusters is None else np.unique(study.clusters[rows], return_inverse=True)[1]
    target: Any = study.design.estimand
    try:
        if not study.binary:
            return regress(outcome, d, x[rows], clusters=clusters)
        matrix = basis(x[rows], 0 if straight else int(min(d.sum(), (1 - d).sum())))
        if target == "ATO":
            return weighted_difference(outcome, d, matrix, target, clusters)
        return standardise(outcome, d, matrix, target, clusters)
    except DataError:
        return None


def other_sets(study: Study, estimate: Estimate) -> Challenge:
    """Sets of measured columns that the graph calls valid as well must give the same effect but for noise."""
    design, graph, name = study.design, study.graph, "other adjustment sets by the graph"
    if graph is None or not {design.treatment, design.outcome} <= set(graph.nodes):
        return Challenge(name, "not testable", "No graph names both treatment and outcome.")
    complete = [node for node in graph.nodes if node in study.frame and not study.frame[node].isna().any()]
    best = optimal_adjustment_set(graph, design.treatment, design.outcome, measured=complete)
    found = minimal_adjustment_sets(graph, design.treatment, design.outcome, measured=complete, limit=_MOST_SETS)
    stated = frozenset(map(plain, design.controls))
    others = [members for members in dict.fromkeys(([] if best is None else [best]) + found) if members != stated]
    if not others:
        return Challenge(name, "not testable", "The graph offers no other valid set among the measured columns.")
    rows: list[dict[str, Any]] = []
    for members in others:
        effect = quick(study, indicators(study.frame, graph.ordered(members)).to_numpy())
        if effect is not None:
            rows.append({"controls": list(graph.ordered(members)), "estimate": effect.estimate, "se": effect.se})
    if not rows:
        return Challenge(name, "not testable", "The rows do not carry the estimate with the other valid sets.")
    farthest = max(rows, key=lambda row: abs(row["estimate"] - estimate.estimate))
    apart = abs(farthest["estimate"] - estimate.estimate) / max(farthest["se"], estimate.se)
    return Challenge(
        name,
        "doubt" if apart > _FAR else "stands",
        f"With {len(rows)} other valid sets the estimate goes as far as {farthest['estimate']:.4g} "
        f"({', '.join(farthest['controls']) or 'no controls'}): {apart:.1f} standard errors away"
        + (", so the graph or a measurement is wrong." if apart > _FAR else "."),
        figure=farthest["estimate"],
        table=tuple(rows),
    )


def e_value_of(study: Study, estimate: Estimate, e: Floats | None) -> Challenge:
    """The E-value of the estimate and of the interval's end nearer to no effect; `e`: propensities of two arms."""
    nearer = estimate.ci_low if estimate.estimate > 0 else estimate.ci_high
    if nearer * estimate.estimate < 0:
        nearer = 0.0
    y = study.y
    if e is not None and np.isin(y, (0, 1)).all():
        target: Target = study.design.estimand  # type: ignore[assignment]
        weights = balancing_weights(study.d, e, target)
        risk = float(np.average(y[study.d == 0], weights=weights[study.d == 0]))
        if risk <= 0 or risk + min(estimate.estimate, nearer) <= 0:
            return Challenge("E-value", "not testable", "A risk of 0 has no risk ratio.")
        ratio, edge, how = 1 + estimate.estimate / risk, 1 + nearer / risk, f"from a risk of {risk:.2g} untreated"
    else:
        unit = 1.0 if study.binary else float(study.d.std())
        scale = unit / float(y.std())
        ratio, edge = (risk_ratio_of_difference(value * scale) for value in (estimate.estimate, nearer))
        how = "approximated from the effect in standard deviations of the outcome" + (
            "" if study.binary else " for one standard deviation of the treatment"
        )
    point, limit = e_value(ratio), e_value(edge)
    return Challenge(
        "E-value",
        "stands" if nearer else "doubt",
        f"A missed cause would need a risk ratio of {point:.2f} with both treatment and outcome to explain the estimate "
        f"away (risk ratio {ratio:.2f}, {how}), and of {limit:.2f} to bring the interval to no effect.",
        figure=point,
        table=({"of": "estimate", "E-value": point}, {"of": "interval", "E-value": limit}),
    )


def robustness(study: Study) -> Challenge:
    """Robustness value of the linear regression, and what a cause as strong as the strongest control would do."""
    y, d, x = study.y, study.d, study.x
    t, se, dof, strengths = _partials(y, d, x.to_numpy())
    if dof < 2 or not np.isfinite(t):
        return Challenge("robustness value", "not testable", "The regression has no degrees of freedom left.")
    value, for_significance = robustness_value(t, dof), robustness_value(t, dof, 0.05)
    said = (
        f"A missed cause that explains {value:.1%} of what the controls leave of both treatment and outcome would bring "
        f"the regression's {t * se:.4g} to 0; {for_significance:.1%} would take its significance."
    )
    biases = {}
    for column, (with_treatment, with_outcome) in zip(x.columns, strengths, strict=True):
        like = confounder_like(with_treatment, with_outcome)
        if like is not None:
            biases[str(column)] = (bias(se, dof, *like), *like)
    if not biases:
        return Challenge("robustness value", "stands" if for_significance else "doubt", said, figure=value)
    name, (worst, with_treatment, with_outcome) = max(biases.items(), key=lambda item: item[1][0])
    left = abs(t * se) - worst
    return Challenge(
        "robustness value",
        "doubt" if left <= 0 or not for_significance else "stands",
        f"{said} One as strong as {name}, the strongest control ({with_treatment:.1%} and {with_outcome:.1%}), "
        + (f"would leave {np.copysign(left, t):.4g}." if left > 0 else "would be enough to bring it to 0."),
        figure=value,
        table=tuple({"as strong as": key, "bias": item[0]} for key, item in biases.items()),
    )


def leave_one_control_out(study: Study) -> Challenge:
    """Which control the estimate rests on: regressions in each arm, without squares."""
    name = "leave one control out"
    whole = quick(study, study.x.to_numpy(), straight=True)
    if whole is None:
        return Challenge(name, "not testable", "The rows do not carry a regression in each arm.")
    controls = study.design.controls[:_MOST_CONTROLS]
    rows = [{"without": control, "estimate": value} for control, value in _without_each(study, controls)]
    farthest = max(rows, key=lambda row: abs(row["estimate"] - whole.estimate))
    apart = abs(farthest["estimate"] - whole.estimate) / whole.se
    turned = farthest["estimate"] * whole.estimate < 0 and apart > _FAR
    return Challenge(
        name,
        "doubt" if turned else "stands",
        f"The estimate rests most on {farthest['without']}: a regression without it gives {farthest['estimate']:.4g} "
        f"rather than {whole.estimate:.4g} ({apart:.1f} standard errors)"
        + (", with the other sign: a cause like it that was missed could do as much." if turned else "."),
        figure=farthest["estimate"],
        table=tuple(rows),
    )


def _without_each(study: Study, controls: Sequence[str]) -> list[tuple[str, Any]]:
    """(control, estimate without it): of two arms from the same sums over rows, otherwise fitted again."""
    target: Any = study.design.estimand
    if study.binary and target != "ATO":
        x = study.x.to_numpy()
        spread = x.std(axis=0)
        z = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        at = {name: position for position, name in enumerate(study.x.columns)}
        groups = [[at[name] for name in indicators(study.frame, [control]).columns] for control in controls]
        return list(zip(controls, without_each(study.y, study.d, z, groups, target), strict=True))
    found = []
    for control in controls:
        left = [other for other in study.design.controls if other != control]
        effect = quick(study, indicators(study.frame, left).to_numpy(), straight=True)
        if effect is not None:
            found.append((control, effect.estimate))
    return found


def other_methods(study: Study, estimate: Estimate, method: str, matrix: Floats) -> Challenge:
    """The same estimand by methods that lean on other models; `matrix`: the controls as those use them, (n, p)."""
    y, d, clusters = study.y, study.d, study.clusters
    target: Any = study.design.estimand
    rows: list[dict[str, Any]] = []
    tried: list[tuple[str, Any]] = [
        ("no adjustment", lambda: standardise(y, d, matrix[:, :0], "ATE", clusters)),
        ("partially linear", lambda: partially_linear(y, d, matrix, clusters).effect(matrix.shape[1] + 1, clusters)),
        ("weighting", lambda: weighted_difference(y, d, matrix, target, clusters)),
    ]
    if target != "ATO":
        tried.append(("g-computation", lambda: standardise(y, d, matrix, target, clusters)))
        if study.n <= _MOST_MATCHED and clusters is None and study.design.controls:
            tried.append(("matching", lambda: match(y, d, study.x.to_numpy(), target)))
    for name, how in tried:
        if name == method:
            continue
        try:
            effect = how()
        except DataError as error:
            rows.append({"method": name, "estimate": None, "se": None, "why": error.problem})
        else:
            rows.append({"method": name, "estimate": effect.estimate, "se": effect.se})
    adjusted = [row for row in rows if row["estimate"] is not None and row["method"] != "no adjustment"]
    if not adjusted:
        return Challenge(
            "other methods", "not testable", "No other method can be used on these rows.", table=tuple(rows)
        )
    farthest = max(adjusted, key=lambda row: abs(row["estimate"] - estimate.estimate))
    apart = abs(farthest["estimate"] - estimate.estimate) / max(estimate.se, farthest["se"])
    return Challenge(
        "other methods",
        "doubt" if apart > _FAR else "stands",
        f"Of {len(adjusted)} other methods {farthest['method']} goes farthest, to {farthest['estimate']:.4g} "
        f"({farthest['se']:.4g}): {apart:.1f} standard errors away.",
        figure=farthest["estimate"],
        table=tuple(rows),
    )


def trimming(study: Study, estimate: Estimate, scores: Scores, e: Floats) -> Challenge:
    """The estimate among rows whose propensity is not extreme, at several cut-offs."""
    rows: list[dict[str, Any]] = []
    for cut in _CUTS:
        keep = (e >= cut) & (e <= 1 - cut)
        if keep.sum() < 10 or scores.weight[keep].sum() <= 0 or len(np.unique(study.d[keep])) < 2:
            continue
        effect = scores.effect(1, None if study.clusters is None else study.clusters, keep)
        rows.append(
            {"propensity within": [cut, 1 - cut], "rows": int(keep.sum()), "estimate": effect.estimate, "se": effect.se}
        )
    if not rows:
        return Challenge("trimming curve", "not testable", "Too few rows are left at any cut-off.")
    farthest = max(rows, key=lambda row: abs(row["estimate"] - estimate.estimate))
    apart = abs(farthest["estimate"] - estimate.estimate) / max(estimate.se, farthest["se"])
    return Challenge(
        "trimming curve",
        "doubt" if apart > _FAR else "stands",
        f"Without rows of extreme propensity the estimate goes as far as {farthest['estimate']:.4g} (propensities within "
        f"{farthest['propensity within'][0]:g} of 0 and 1 left out, {study.n - farthest['rows']:,} rows): {apart:.1f} "
        "standard errors away.",
        figure=farthest["estimate"],
        table=tuple(rows),
    )


def placebo_outcomes(study: Study) -> Challenge:
    """The treatment has no 'effect' on what was measured before it and is not adjusted for."""
    early = [name for name in study.bystanders if (t := study.timing.get(name)) is not None and t.when == "before"]
    rows: list[dict[str, Any]] = []
    for name in _numeric(study, [name for name in early if name in baseline(study)]):
        values = study.numbers(name)
        keep = np.isfinite(values)
        if len(np.unique(study.d[keep])) < 2 or np.ptp(values[keep]) == 0:
            continue
        effect = quick(study, study.x.to_numpy(), values, keep)
        if effect is not None and effect.se > 0:
            rows.append({"outcome": name, "estimate": effect.estimate, "se": effect.se, "p": effect.p_value})
    if not rows:
        return Challenge(
            "placebo outcomes", "not testable", "No numeric column known to precede the treatment is left unadjusted."
        )
    smallest = min(1.0, min(row["p"] for row in rows) * len(rows))
    return Challenge(
        "placebo outcomes",
        "doubt" if smallest < 0.05 else "stands",
        f"'Effects' on {len(rows)} columns measured before the treatment: the smallest p-value, times their number, is "
        f"{smallest:.2g}" + (": the arms differ where no effect can be." if smallest < 0.05 else "."),
        figure=smallest,
        table=tuple(rows),
    )


def _numeric(study: Study, names: Iterable[str]) -> list[str]:
    return [name for name in names if study.frame[name].dtype != object]


def _partials(y: Floats, d: Floats, x: Floats) -> tuple[float, float, float, list[tuple[float, float]]]:
    """Of least squares of `y` on `d` and `x`: t, se and degrees of freedom of `d`, and each control's partial R2.

    The partial R2 are (with the treatment given other controls, with the outcome given treatment and other controls).
    """
    z = np.column_stack([d, x])
    z = z - z.mean(axis=0)
    spread = z.std(axis=0)
    z, y = z / np.where(spread > 0, spread, 1.0), y - y.mean()
    t_values, dof = _t_values(z, y)
    se = float("nan") if t_values[0] == 0 else float(_coefficient(z, y) / t_values[0] / spread[0])
    if x.shape[1] > _MOST_BENCHMARKED:
        return float(t_values[0]), se, dof, [(1.0, 1.0)] * x.shape[1]
    with_treatment, dof_treatment = _t_values(z[:, 1:], z[:, 0])
    strengths = [
        (partial_r2(float(a), dof_treatment), partial_r2(float(b), dof))
        for a, b in zip(with_treatment, t_values[1:], strict=True)
    ]
    return float(t_values[0]), se, dof, strengths


def _t_values(z: Floats, y: Floats) -> tuple[Floats, float]:
    gram = z.T @ z
    inverse = np.linalg.pinv(gram, rcond=1e-10, hermitian=True)
    coefficients = inverse @ (z.T @ y)
    residual = y - z @ coefficients
    dof = float(len(y) - 1 - np.linalg.matrix_rank(gram, hermitian=True))
    variance = float(residual @ residual) / max(dof, 1.0) * np.diag(inverse)
    return np.divide(coefficients, np.sqrt(variance), out=np.zeros_like(coefficients), where=variance > 0), dof


def _coefficient(z: Floats, y: Floats) -> float:
    return float((np.linalg.pinv(z.T @ z, rcond=1e-10, hermitian=True) @ (z.T @ y))[0])
