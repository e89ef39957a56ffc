"""Groups with a constant effect on the outcome: differences within a group know nothing of it.

    Y = α_g + f(X) + γᵀC + ε

As within groups every model of the text is linear in features, E[v | X, g] = φ(X)′β + a_g is fitted to rows less their
group's means over the training rows; a text's own fold takes no part. Then the means of what is left go too.

References
----------
Frisch and Waugh (1933), Econometrica 1. Wooldridge (2010), section 10.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leucippus.training.deconfound.features import Features
from leucippus.training.deconfound.logs import Floats, Ints, tally
from leucippus.training.deconfound.nuisance import Nuisance, Residuals, cross_fitted
from leucippus.training.deconfound.ridge import Sums, blocks_of, total
from leucippus.training.deconfound.rows import Rows

_GROUPS_AT_A_TIME = 1_024
_MOST_PASSES, _CONVERGED = 500, 1e-9


def without_groups(residuals: Residuals, of: NDArray[np.bool_] | None = None) -> Residuals:
    """Residuals less their group's mean over all rows, or over those of the mask `of`, (n,)."""
    rows = residuals.rows
    weight = rows.weight if of is None else rows.weight * of
    code, count = _counts(rows, weight)
    bare, width = Residuals(rows, residuals.predicted), residuals.predicted.shape[1]
    mean = np.column_stack([tally(code, weight * bare.column(j), len(count)) for j in range(width)])
    mean /= np.where(count > 0, count, 1.0)[:, None]
    return Residuals(rows, residuals.predicted, mean, residuals.taken + float((count > 0).sum()))


@dataclass(frozen=True, eq=False)
class Within:
    """Sums over rows less the means that their groups have in the training rows."""

    train: Mapping[tuple[int, ...], Sums]
    """Folds that are held out, one or two in order → sums of the others."""
    held: list[Sums]
    """Of each fold, less the means of the others."""

    def nuisance(self, phi: Features, fold: Ints) -> Nuisance:
        """Cross-fitted ridge regressions within groups, on features (m, D) of the texts with folds (m,)."""
        return cross_fitted([self.train[(f,)] for f in range(len(self.held))], self.held, phi, fold)


def within(rows: Rows, phi: Features, fold: Ints, parts: list[Sums]) -> Within:
    """The sums of `parts`, those of each fold of texts, less what groups have in common.

    With s_g and N_g the sum of φ and of weights over a group's training rows and h_g, M_g those over its held-out rows:
    Σ (φ − φ̄)(φ − φ̄)′ is Σ φφ′ − Σ_g s_g s_g′/N_g over training rows, and over held-out rows
    Σ φφ′ − Σ_g (h_g φ̄_g′ + φ̄_g h_g′) + Σ_g M_g φ̄_g φ̄_g′; no row is visited.
    """
    from scipy.sparse import coo_matrix

    code, weights = _counts(rows, rows.weight)
    folds, groups, texts = len(parts), len(weights), len(rows.logs.texts)
    shown = coo_matrix((rows.weight, (code, rows.logs.text_of)), shape=(groups, texts)).tocsr()
    key = code * folds + fold[rows.logs.text_of]
    v = np.stack([tally(key, rows.weight * rows.column(j), groups * folds) for j in range(rows.width)], axis=-1)
    v = v.reshape(groups, folds, rows.width)
    count = tally(key, rows.weight, groups * folds).reshape(groups, folds)
    whole = total(parts)
    train: dict[tuple[int, ...], Sums] = {(f,): _centred(whole - parts[f]) for f in range(folds)}
    train |= {(f, g): _centred(whole - parts[f] - parts[g]) for f in range(folds) for g in range(f + 1, folds)}
    held = [_centred(part) for part in parts]
    for start in range(0, groups, _GROUPS_AT_A_TIME):
        some = slice(start, start + _GROUPS_AT_A_TIME)
        x = _sums_of_features(shown[some], phi, fold, folds)
        for out, sums in train.items():
            at = [f for f in range(folds) if f not in out]
            n = count[some][:, at].sum(axis=1)[:, None]
            share = np.divide(1.0, n, out=np.zeros_like(n), where=n > 0)
            s, t = x[:, at].sum(axis=1), v[some][:, at].sum(axis=1)
            x_mean, v_mean = s * share, t * share
            _subtract(sums, s.T @ x_mean, s.T @ v_mean, (t * v_mean).sum(axis=0))
            if len(out) == 1:
                h, u, more = x[:, out[0]], v[some, out[0]], count[some, out[0]][:, None]
                xx = h.T @ x_mean + x_mean.T @ h - x_mean.T @ (more * x_mean)
                xv = h.T @ v_mean + x_mean.T @ u - x_mean.T @ (more * v_mean)
                _subtract(held[out[0]], xx, xv, (2 * u * v_mean - more * v_mean**2).sum(axis=0))
    return Within(train, held)


def _centred(of: Sums) -> Sums:
    """A copy, to be worked on, that takes its means to be 0."""
    return Sums(of.n, np.zeros_like(of.x), of.xx.copy(), of.xv.copy(), np.zeros_like(of.v), of.vv.copy())


def _subtract(sums: Sums, xx: Floats, xv: Floats, vv: Floats) -> None:
    sums.xx[...] -= xx
    sums.xv[...] -= xv
    sums.vv[...] -= vv


def two_way(rows: Rows) -> Residuals:
    """Means of texts and of groups taken out together, by turns until nothing changes: for texts that repeat."""
    code, count = _counts(rows, rows.weight)
    text_of, texts = rows.logs.text_of, len(rows.logs.texts)
    text_count = tally(text_of, rows.weight, texts)
    by_text, by_group = np.zeros((texts, rows.width)), np.zeros((len(count), rows.width))
    for j in range(rows.width):
        left = rows.column(j)
        smallest = _CONVERGED * max(float(np.abs(left).max()), np.finfo(float).tiny)
        for _ in range(_MOST_PASSES):
            step = tally(text_of, rows.weight * left, texts) / np.where(text_count > 0, text_count, 1.0)
            left = left - step[text_of]
            by_text[:, j] += step
            more = tally(code, rows.weight * left, len(count)) / np.where(count > 0, count, 1.0)
            left = left - more[code]
            by_group[:, j] += more
            if float(np.abs(more).max()) <= smallest:
                break
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    used = rows.weight > 0
    links = coo_matrix((np.ones(int(used.sum())), (text_of[used], texts + code[used])), shape=(texts + len(count),) * 2)
    alone = (text_count == 0).sum() + (count == 0).sum()
    # Within each part of texts and groups that meet, one mean is the sum of the others.
    apart = int(connected_components(links, directed=False, return_labels=False)) - int(alone)
    taken = float((text_count > 0).sum() + (count > 0).sum() - apart)
    return Residuals(rows, by_text, by_group, taken)


def _sums_of_features(shown: Any, phi: Features, fold: Ints, folds: int) -> Floats:
    """(groups, folds, D) sums of φ over the rows of each fold; `shown` is sparse, weights of (groups, texts)."""
    found = np.zeros((shown.shape[0], folds, phi.width))
    columns = shown.tocsc()
    present = np.flatnonzero(np.diff(columns.indptr))
    for f in range(folds):
        for at in blocks_of(present[fold[present] == f]):
            found[:, f] += columns[:, at] @ phi.block(at)
    return found


def _counts(rows: Rows, weight: Floats) -> tuple[Ints, Floats]:
    """Group of each row, (n,), and the weight of each group, (G,)."""
    assert rows.group is not None
    return rows.group, tally(rows.group, weight, int(rows.group.max()) + 1)
