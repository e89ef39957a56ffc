"""Ridge regression of many columns on one set of features, at many penalties, from sums over folds.

Rows enter only through sums for each text, so a fit costs the same for ten rows a text as for one. The sums of a training
set are those of all folds less the fold that is held out; one eigendecomposition serves every penalty and every column.

References
----------
Hoerl and Kennard (1970), Technometrics 12. Golub, Heath and Wahba (1979), Technometrics 21: the penalty by validation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leucippus.training.deconfound.features import Features
from leucippus.training.deconfound.logs import Floats, Ints

PENALTIES: Floats = np.logspace(-6, 2, 25)
"""Times the mean variance of a feature and the number of rows."""
BLOCK = 4_096


@dataclass(frozen=True, eq=False)
class Sums:
    """What a ridge regression needs of some rows; the features are φ (D), the columns v (p)."""

    n: float
    """Sum of weights."""
    x: Floats
    """(D,) sum of φ."""
    xx: Floats
    """(D, D) sum of φφ′."""
    xv: Floats
    """(D, p) sum of φv′."""
    v: Floats
    """(p,) sum of v."""
    vv: Floats
    """(p,) sum of v²."""

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(
            self.n - other.n,
            self.x - other.x,
            self.xx - other.xx,
            self.xv - other.xv,
            self.v - other.v,
            self.vv - other.vv,
        )

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.n + other.n,
            self.x + other.x,
            self.xx + other.xx,
            self.xv + other.xv,
            self.v + other.v,
            self.vv + other.vv,
        )

    def narrow(self, width: int) -> "Sums":
        """The same of the first features."""
        if width == len(self.x):
            return self
        return Sums(self.n, self.x[:width], self.xx[:width, :width], self.xv[:width], self.v, self.vv)


@dataclass(frozen=True, eq=False)
class Path:
    """Coefficients at every penalty: β(λ) = Q (Λ + λ)⁻¹ Q′b."""

    q: Floats
    """(D, D) eigenvectors."""
    values: Floats
    """(D,) eigenvalues of the centred sums of squares."""
    rotated: Floats
    """(D, p) Q′b."""
    unit: float
    """What a penalty of 1 is: the rows times the mean variance of a feature."""
    x_mean: Floats
    v_mean: Floats
    n: float

    def weights(self, penalty: float, column: int | slice = slice(None)) -> Floats:
        """(D, p), or (D,) of one column."""
        shrunk = 1 / (self.values + penalty * self.unit)
        part = self.rotated[:, column]
        return np.asarray(self.q @ (shrunk[:, None] * part if part.ndim == 2 else shrunk * part))


def sums_by_fold(phi: Features, count: Floats, sums: Floats, squares: Floats, fold: Ints, folds: int) -> list[Sums]:
    """Sums of each fold.

    Parameters
    ----------
    phi : (m, D) features of the texts, centred.
    count : (m,) weight of each text's rows; a text of weight 0 takes no part.
    sums : (m, p) weighted sums of the columns over a text's rows.
    squares : (folds, p) weighted sums of the squared columns over a fold's rows.
    fold : (m,) of each text.
    """
    found = []
    for f in range(folds):
        members = np.flatnonzero((fold == f) & (count > 0))
        x, xx, xv = np.zeros(phi.width), np.zeros((phi.width, phi.width)), np.zeros((phi.width, sums.shape[1]))
        for at in blocks_of(members):
            part = phi.block(at).astype(np.float64)
            xx += (part * count[at, None]).T @ part
            x += count[at] @ part
            xv += part.T @ sums[at]
        found.append(Sums(float(count[members].sum()), x, xx, xv, sums[members].sum(axis=0), squares[f]))
    return found


def path(of: Sums) -> Path:
    """Fit at every penalty at once."""
    x_mean, v_mean = of.x / of.n, of.v / of.n
    centred = of.xx - np.outer(of.x, x_mean)
    values, q = np.linalg.eigh((centred + centred.T) / 2)
    values = values.clip(min=0.0)
    unit = max(float(values.mean()), np.finfo(float).tiny)
    return Path(q, values, q.T @ (of.xv - np.outer(of.x, v_mean)), unit, x_mean, v_mean, of.n)


def solved(of: Sums, columns: Ints, penalty: Floats) -> tuple[Floats, Floats]:
    """Coefficients (D, q) and intercepts (q,) of some columns, each at its own penalty, without a decomposition."""
    from scipy.linalg import cho_factor, cho_solve

    x_mean, v_mean = of.x / of.n, of.v[columns] / of.n
    centred = of.xx - np.outer(of.x, x_mean)
    right = of.xv[:, columns] - np.outer(of.x, v_mean)
    unit = max(float(np.trace(centred)) / len(centred), np.finfo(float).tiny)
    beta = np.empty_like(right)
    for one in np.unique(penalty):
        at = penalty == one
        factor = cho_factor(centred + one * unit * np.eye(len(centred)), lower=True, check_finite=False)
        beta[:, at] = cho_solve(factor, right[:, at], check_finite=False)
    return beta, v_mean - x_mean @ beta


def held_out_loss(fit: Path, held: Sums, penalties: Floats = PENALTIES) -> Floats:
    """Sum of squared errors of each column at each penalty on rows that were held out, (penalties, p)."""
    n, xm, vm = held.n, fit.x_mean, fit.v_mean
    x = held.x - n * xm
    total = held.vv - 2 * vm * held.v + n * vm**2
    cross = fit.q.T @ (held.xv - np.outer(xm, held.v) - np.outer(x, vm))
    inner = fit.q.T @ (held.xx - np.outer(held.x, xm) - np.outer(xm, held.x) + n * np.outer(xm, xm)) @ fit.q
    losses = np.empty((len(penalties), len(vm)))
    for at, penalty in enumerate(penalties):
        b = fit.rotated / (fit.values + penalty * fit.unit)[:, None]
        losses[at] = total - 2 * (b * cross).sum(axis=0) + (b * (inner @ b)).sum(axis=0)
    return losses


def total(parts: list[Sums]) -> Sums:
    """The sums of all folds."""
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


def text_folds(texts: int, folds: int, seed: int) -> Ints:
    """(texts,) a fold for each text: a text is never in two."""
    return np.random.default_rng(seed).permutation(np.arange(texts) % folds).astype(np.int64)


def blocks_of(members: Ints) -> Iterator[Ints]:
    """Positions in pieces whose features fit in little memory."""
    for start in range(0, len(members), BLOCK):
        yield members[start : start + BLOCK]
