"""The deconfounded reward: the outcome less what the confounders did to it.

    R = Y − γ̂ᵀ(C − C̄)

Not Y − E[Y | C]: that takes out the part of f(X) that goes with C too, which is most of it where good texts were shown
to easy audiences. Nor Y − Ŷ(X, C) at a fixed C from one model of both: where the two go together it divides the credit by
its penalty.

References
----------
Loghmani (2025), arXiv 2506.00152: the problem; its method is described without equations, so this is a reconstruction.
Robinson (1988), Econometrica 56. Chernozhukov et al. (2018), Econometrics J. 21.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.training.deconfound import diagnostics
from leucippus.training.deconfound.curved import Curvature, curvature
from leucippus.training.deconfound.features import Features, features_of
from leucippus.training.deconfound.findings import Finding
from leucippus.training.deconfound.fixed_effects import two_way, within, without_groups
from leucippus.training.deconfound.instrument import Bearing, bearing, two_stage
from leucippus.training.deconfound.interacted import Additivity, Others, additivity, varying_effects
from leucippus.training.deconfound.linear import Slopes, least_squares
from leucippus.training.deconfound.logs import Floats, Ints, Logs, tally
from leucippus.training.deconfound.missing import answer_weights
from leucippus.training.deconfound.nuisance import (
    ENOUGH_WITHIN,
    Nuisance,
    Residuals,
    fold_sums,
    folds_for,
    residuals,
    ridge_nuisance,
    text_means,
    text_means_suffice,
    without_two,
)
from leucippus.training.deconfound.ridge import total
from leucippus.training.deconfound.rows import Rows, rows_of

Named = Literal["partially linear", "two-stage least squares", "fixed effects", "curved", "interacted"]
Method = Literal["auto", "partially linear", "two-stage least squares", "fixed effects", "curved", "interacted"]
__all__ = ["Deconfounded", "Finding", "Method", "Named", "deconfound"]


@dataclass(frozen=True, eq=False)
class Deconfounded:
    """A reward for every row, and how far it can be trusted."""

    r: Floats
    """(n,) in units of the outcome."""
    gamma: Floats
    """(k,) effect of one unit of each confounder on the outcome; its average where effects depend on the text."""
    gamma_se: Floats
    """(k,) robust to unequal variances, clustered by text and user."""
    names: tuple[str, ...]
    """Of the k confounders."""
    method: Named
    lam: float
    """Ridge penalty of the outcome's model, times rows and the mean variance of a feature; 0 for text means."""
    noise: float
    """Residual standard deviation of the outcome given text and confounders."""
    assumptions: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def fired(self) -> tuple[Finding, ...]:
        """The findings that ask for attention."""
        return tuple(finding for finding in self.findings if finding.fired)


def deconfound(
    logs: Logs, e: NDArray[np.float32], *, method: Method = "auto", folds: int = 5, seed: int = 0, reweigh: bool = False
) -> Deconfounded:
    """The reward of every row, from observational rows alone; rows of an experiment only test it.

    Parameters
    ----------
    e : (m, d) embeddings of `logs.texts`.
    method : auto takes fixed effects where a group is named, two stages where an instrument is, squares and products of
        confounders or effects that depend on the text where a test says that there are such. Partially linear is without
        any of them.
    folds : of texts; a text's rows are all in one.
    reweigh : weight rows by one over the chance that their outcome is known.

    Raises
    ------
    InputError : the embeddings are not those of the logs, the method lacks its column, or nothing varies.
    """
    _check(logs, e, method, folds)
    phi = features_of(e, tally(logs.text_of, logs.observational, len(e)), logs.texts)
    weight, unanswered = answer_weights(logs, phi.alone(), seed)
    group = _constants(logs, method)
    rows = rows_of(logs, weight if reweigh else None, group=group)
    fold = folds_for(rows, folds, seed)
    nuisance, left, others = _less_text(rows, phi, fold)
    instrumented = method == "two-stage least squares" or (method == "auto" and logs.z is not None)
    slopes = two_stage(left) if instrumented else least_squares(left)
    found: Bearing | None = bearing(left) if instrumented else None
    bend: Curvature | None = None
    additive: Additivity | None = None
    interacted = rows.k > 0 and method == "interacted"
    if rows.k and not instrumented:
        straight = slopes
        if rows.curves:
            bend = curvature(left, slopes)
            if method == "curved" or (method == "auto" and diagnostics.curves(bend)):
                slopes = least_squares(left, curved=True)
        additive = additivity(left, slopes, phi.alone(), fold, others, seed)
        if method == "auto" and diagnostics.depends(additive):
            # An effect that depends on the text looks curved too, where the confounder goes with the text.
            interacted, slopes = True, straight
    r = _reward(logs, rows, slopes, left, varying_effects(left, slopes, phi.alone(), fold) if interacted else None)
    told: Named = "partially linear"
    if instrumented or interacted or len(slopes.bends) or (group is not None and logs.group_of is not None):
        told = "curved" if len(slopes.bends) else "fixed effects"
        told = "two-stage least squares" if instrumented else "interacted" if interacted else told
    means = nuisance is None or nuisance.kind == "text means"
    findings = diagnostics.diagnose(
        logs, phi, left, slopes, r, fold, bearing=found, bend=bend, additive=additive, interacted=interacted,
        unanswered=unanswered, means=means,
    )  # fmt: skip
    lam = 0.0 if nuisance is None else float(nuisance.penalty[0])
    return Deconfounded(
        r, slopes.gamma, slopes.se, logs.names, told, lam, slopes.noise,
        diagnostics.assumptions(logs, told, grouped=group is not None, means=means),
        findings,
    )  # fmt: skip


def _check(logs: Logs, e: NDArray[np.float32], method: str, folds: int) -> None:
    if e.ndim != 2 or len(e) != len(logs.texts):
        raise InputError(f"embeddings of shape {e.shape} for {len(logs.texts)} texts", expected="one row for each text")
    if not bool(np.isfinite(e).all()):
        raise InputError("embeddings that are not finite", next_step="Embed the texts anew.")
    if method not in get_args(Method):
        raise InputError(f"no method {method!r}", expected=f"one of {', '.join(get_args(Method))}")
    if method == "two-stage least squares" and logs.z is None:
        raise InputError("two stages without an instrument", next_step="Name its column with --instrument.")
    if method == "fixed effects" and logs.group_of is None:
        raise InputError("fixed effects without a group", next_step="Name its column with --group.")
    observed = len(np.unique(logs.text_of[logs.observational]))
    if not 2 <= folds <= observed:
        raise InputError(f"{folds} folds of {observed} observational texts", expected=f"2 to {observed} folds")


def _constants(logs: Logs, method: Method) -> Ints | None:
    """(n,) codes of what adds a constant to the outcome: the group if one is named, else the context where rows of a
    context are several. A prompt can move both the answer and how it is liked, and no embedding of the answer tells it.
    """
    if method == "partially linear":
        return None
    used = logs.observational
    if logs.group_of is not None:
        if int(np.bincount(logs.group_of[used]).max(initial=0)) < 2:
            raise InputError(
                f"every row has a {logs.spec.group!r} of its own",
                expected="groups with several rows: a constant effect shows in how its rows are alike",
                next_step="Leave the group out.",
            )
        return logs.group_of
    if logs.context_of is None or len(np.unique(logs.context_of[used])) > (1 - ENOUGH_WITHIN) * used.sum():
        return None
    return logs.context_of


def _less_text(rows: Rows, phi: Features, fold: Ints) -> tuple[Nuisance | None, Residuals, Others | None]:
    """What text and group leave of each column; no nuisance model where both have means of their own. Last, the
    residuals that a test of additivity learns from, where it must learn from others.
    """
    count = tally(rows.logs.text_of, rows.weight > 0, len(rows.logs.texts))
    if text_means_suffice(count):
        if rows.group is not None:
            return None, two_way(rows), None
        found = text_means(rows, fold)
        return found, residuals(rows, found), None
    parts = fold_sums(rows, phi, fold)
    if rows.group is not None:
        sums = within(rows, phi, fold, parts)
        found = sums.nuisance(phi, fold)
        in_fold = fold[rows.logs.text_of]

        def others(columns: int) -> Iterator[Residuals]:
            twice = without_two(lambda f, g: sums.train[(min(f, g), max(f, g))], phi, found, columns)
            return (without_groups(Residuals(rows, one), in_fold != f) for f, one in enumerate(twice))

        return found, without_groups(residuals(rows, found)), others
    found = ridge_nuisance(parts, phi, fold)
    whole = total(parts)

    def apart(columns: int) -> Iterator[Residuals]:
        return (
            Residuals(rows, one) for one in without_two(lambda f, g: whole - parts[f] - parts[g], phi, found, columns)
        )

    return found, residuals(rows, found), apart


def _reward(logs: Logs, rows: Rows, slopes: Slopes, left: Residuals, delta: Floats | None) -> Floats:
    """R = Y − τ̂(X)ᵀ(C − C̄) − (α̂_g − ᾱ), (n,), and less what squares and products did where there are such.

    The constants of groups are taken out, those of contexts not: what a prompt adds cannot be told from what its answers
    have in common, and answers are compared within it.
    """
    r = np.array(logs.y, dtype=np.float64)
    for j in range(rows.k):
        slope = slopes.gamma[j] + (0.0 if delta is None else delta[logs.text_of, j])
        r -= slope * (logs.c[:, j] - rows.centre[1 + j])
    for i, effect in enumerate(slopes.bends):
        bent = rows.column(rows.curves_at[i])
        r -= effect * (bent - float(rows.weight @ bent) / float(rows.weight.sum()))
    if rows.group is not None and logs.group_of is not None:
        # What is left of y − γᵀc − f̂(X) in a group is its constant; rows of an experiment have no say in it, unless
        # there are no others.
        effects = np.concatenate([slopes.gamma, slopes.bends])
        f = left.predicted[:, 0] - left.predicted[:, 1 : 1 + len(effects)] @ effects
        over, groups = r - rows.centre[0] - f[logs.text_of], int(rows.group.max()) + 1
        taught, all_rows = rows.weight, np.ones(logs.n)
        count, every = tally(rows.group, taught, groups), tally(rows.group, all_rows, groups)
        own = tally(rows.group, over, groups) / np.maximum(every, 1)
        alpha = np.where(count > 0, tally(rows.group, taught * over, groups) / np.where(count > 0, count, 1), own)
        r -= (alpha - float(alpha @ count) / float(count.sum()))[rows.group]
    return r
