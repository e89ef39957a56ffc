"""What a text tells of outcome, confounders and instruments: E[v | X] for each column v, and the rows less of it.

Two ways. Where texts repeat, a text's own mean is E[v | X] without any model: what is left is the variation within a text,
which no f(X) can reach, so the effect of C is identified whatever f is. Where they do not, E[v | X] is a ridge regression
on embeddings, cross-fitted: a text's own rows, and those of no other text of its fold, have taken part in its prediction.

References
----------
Robinson (1988), Econometrica 56: y − E[y | x] on c − E[c | x].
Chernozhukov et al. (2018), Econometrics J. 21: cross-fitting, and why the two errors multiply.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from leucippus.training.deconfound.features import Features
from leucippus.training.deconfound.logs import Floats, Ints, tally
from leucippus.training.deconfound.ridge import (
    PENALTIES,
    Sums,
    blocks_of,
    held_out_loss,
    path,
    solved,
    sums_by_fold,
    text_folds,
    total,
)
from leucippus.training.deconfound.rows import Rows

ENOUGH_WITHIN = 0.5
"""Share of the rows that must be left as degrees of freedom within texts for texts to have means of their own."""
UNDERSMOOTHED = 0.02
"""Loss that a smaller penalty may cost. The penalty that predicts best shrinks both models towards the mean in the same
directions, and the product of what is missing is the bias of γ̂; what a smaller one adds is noise, other in every fold."""


@dataclass(frozen=True, eq=False)
class Nuisance:
    """E[v | X] of each column at each text."""

    predicted: Floats
    """(m, p)."""
    kind: Literal["text means", "ridge"]
    penalty: Floats
    """(p,) in units of rows times the mean variance of a feature; 0 for text means."""
    width: Ints
    """(p,) features that a column is regressed on: embeddings, or words too; 0 for text means."""
    told: Floats
    """(p,) share of the column's variance that is predicted, out of fold."""
    fold: Ints
    """(m,) of each text."""


def text_means_suffice(count: Floats) -> bool:
    """Whether texts repeat enough; count is (m,) rows of each."""
    rows = float(count.sum())
    return rows - int((count > 0).sum()) >= ENOUGH_WITHIN * rows


def text_means(rows: Rows, fold: Ints) -> Nuisance:
    """Each text's own mean."""
    count, sums = rows.by_text()
    predicted = sums / np.where(count > 0, count, 1.0)[:, None]
    whole = _squares(rows).sum(axis=0)
    told = (predicted * sums).sum(axis=0) / np.where(whole > 0, whole, 1.0)
    return Nuisance(predicted, "text means", np.zeros(rows.width), np.zeros(rows.width, dtype=np.int64), told, fold)


def ridge_nuisance(parts: list[Sums], phi: Features, fold: Ints) -> Nuisance:
    """Cross-fitted ridge regressions of the columns on features (m, D), from the sums of each fold; each column's penalty,
    and whether words help, is the folds' choice.
    """
    whole = total(parts)
    return cross_fitted([whole - part for part in parts], parts, phi, fold)


def fold_sums(rows: Rows, phi: Features, fold: Ints) -> list[Sums]:
    """What ridge regressions need of each fold of texts."""
    folds = int(fold.max()) + 1
    count, sums = rows.by_text()
    return sums_by_fold(phi, count, sums, _squares(rows, fold, folds), fold, folds)


def cross_fitted(
    train: list[Sums], held: list[Sums], phi: Features, fold: Ints, slack: float = UNDERSMOOTHED
) -> Nuisance:
    """The same from sums over each fold's training rows and over its own.

    Parameters
    ----------
    slack : the smallest penalty is taken whose held-out loss is above the least by no more than this share.
    """
    p, widths = len(held[0].v), phi.widths
    least, penalty, width = np.full(p, np.inf), np.zeros(p), np.full(p, widths[0])
    fits = [[path(part.narrow(w)) for part in train] for w in widths]
    for of_width, w in zip(fits, widths, strict=True):
        pairs = zip(of_width, held, strict=True)
        losses = np.sum([held_out_loss(fit, part.narrow(w)) for fit, part in pairs], axis=0)
        better = losses.min(axis=0) < least
        least = np.where(better, losses.min(axis=0), least)
        chosen = (losses <= losses.min(axis=0) * (1 + slack)).argmax(axis=0)  # penalties grow
        penalty, width = np.where(better, PENALTIES[chosen], penalty), np.where(better, w, width)
    predicted = np.zeros((len(fold), p))
    for f in range(len(train)):
        beta, offset = np.zeros((phi.width, p)), np.zeros(p)
        for of_width, w in zip(fits, widths, strict=True):
            fit = of_width[f]
            for j in np.flatnonzero(width == w):
                beta[:w, j] = fit.weights(float(penalty[j]), int(j))
                offset[j] = fit.v_mean[j] - fit.x_mean @ beta[:w, j]
        for at in blocks_of(np.flatnonzero(fold == f)):
            predicted[at] = offset + phi.block(at) @ beta
    spread = np.sum([part.vv - part.v**2 / part.n for part in train], axis=0) / max(1, len(train) - 1)
    told = 1 - least / np.where(spread > 0, spread, 1.0)
    return Nuisance(predicted, "ridge", penalty, width, told, fold)


def without_two(rest: Callable[[int, int], Sums], phi: Features, nuisance: Nuisance, columns: int) -> Iterator[Floats]:
    """For each fold in turn, predictions (m, columns) of the first columns at the other folds' texts, by models that saw
    neither fold; penalties and features are those of `nuisance`.

    Parameters
    ----------
    rest : the sums of all folds but two.
    """
    fold = nuisance.fold
    folds = int(fold.max()) + 1
    for f in range(folds):
        predicted = np.zeros((len(fold), columns))
        for g in range(folds):
            if g == f:
                continue
            beta, offset = np.zeros((phi.width, columns)), np.zeros(columns)
            for w in phi.widths:
                at = np.flatnonzero(nuisance.width[:columns] == w)
                beta[:w, at], offset[at] = solved(rest(f, g).narrow(w), at, nuisance.penalty[at])
            for texts in blocks_of(np.flatnonzero(fold == g)):
                predicted[texts] = offset + phi.block(texts) @ beta
        yield predicted


@dataclass(frozen=True, eq=False)
class Residuals:
    """Rows less what their text tells of them, and less their group's mean of that where groups have constant effects."""

    rows: Rows
    predicted: Floats
    """(m, p)."""
    group_mean: Floats | None = None
    """(G, p)."""
    taken: float = 0.0
    """Degrees of freedom that means of texts and groups have cost."""

    def column(self, j: int, rows: slice = slice(None)) -> Floats:
        logs = self.rows.logs
        found = self.rows.column(j, rows) - self.predicted[logs.text_of[rows], j]
        if self.group_mean is not None and self.rows.group is not None:
            found -= self.group_mean[self.rows.group[rows], j]
        return np.asarray(found)

    def block(self, rows: slice) -> Floats:
        return np.column_stack([self.column(j, rows) for j in range(self.rows.width)])

    def blocks(self) -> Iterator[tuple[Floats, Floats]]:
        """Weights (b,) and residuals (b, p), block after block."""
        for rows in self.rows.slices():
            yield self.rows.weight[rows], self.block(rows)

    def cross(self) -> Floats:
        """(p, p) weighted sums of products."""
        total = np.zeros((self.rows.width, self.rows.width))
        for weight, block in self.blocks():
            total += (block * weight[:, None]).T @ block
        return total


def residuals(rows: Rows, nuisance: Nuisance) -> Residuals:
    """Rows less E[v | X]."""
    taken = 0.0
    if nuisance.kind == "text means":
        taken = float(len(np.unique(rows.logs.text_of[rows.weight > 0])))
    return Residuals(rows, nuisance.predicted, None, taken)


def folds_for(rows: Rows, folds: int, seed: int) -> Ints:
    """A fold for each text, (m,)."""
    return text_folds(len(rows.logs.texts), folds, seed)


def _squares(rows: Rows, fold: Ints | None = None, folds: int = 1) -> Floats:
    """(folds, p) weighted sums of squared columns over the rows of each fold of texts."""
    code = np.zeros(rows.n, dtype=np.int64) if fold is None else fold[rows.logs.text_of]
    return np.column_stack([tally(code, rows.weight * rows.column(j) ** 2, folds) for j in range(rows.width)])
