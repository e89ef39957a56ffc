"""The rows of logs as columns that a text may tell something of: outcome, confounders, their curves, instruments.

No copy of the rows is made: a column or a block of rows is put together when it is asked for, so that memory holds a
block and what belongs to a text or a group.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leucippus.training.deconfound.logs import Floats, Ints, Logs, tally

BLOCK = 65_536
_FEW = 5
"""Confounders up to which their products are looked at too."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Columns y | c | curves | z, each less its mean; rows of weight 0 teach nothing."""

    logs: Logs
    weight: Floats
    """(n,)."""
    curves: tuple[tuple[int, int], ...]
    """Pairs of confounders whose product is a column; the square where both are one."""
    centre: Floats
    """(1 + k,) of y and c."""
    scale: Floats
    """(1 + k,) standard deviations of y and c."""
    z_width: int
    group: Ints | None = None
    """(n,) codes of what adds a constant to the outcome: groups, or contexts."""

    @property
    def n(self) -> int:
        return len(self.weight)

    @property
    def used(self) -> int:
        """Rows that teach."""
        return int(np.count_nonzero(self.weight))

    @property
    def k(self) -> int:
        return int(self.logs.c.shape[1])

    @property
    def width(self) -> int:
        return 1 + self.k + len(self.curves) + self.z_width

    @property
    def c_at(self) -> list[int]:
        return list(range(1, 1 + self.k))

    @property
    def curves_at(self) -> list[int]:
        return list(range(1 + self.k, 1 + self.k + len(self.curves)))

    @property
    def z_at(self) -> list[int]:
        return list(range(self.width - self.z_width, self.width))

    def column(self, j: int, rows: slice = slice(None)) -> Floats:
        """Column j of these rows."""
        if j == 0:
            return np.asarray(self.logs.y[rows] - self.centre[0])
        if j <= self.k:
            return np.asarray(self.logs.c[rows, j - 1] - self.centre[j])
        if j <= self.k + len(self.curves):
            one, other = self.curves[j - 1 - self.k]
            first, second = (self.column(i + 1, rows) / self.scale[i + 1] for i in (one, other))
            return np.asarray(first * second)
        assert self.logs.z is not None
        z = self.logs.z[rows]
        if not self.logs.z_levels:
            return np.asarray(z, dtype=np.float64)
        return np.asarray(z == j - (self.width - self.z_width) + 1, dtype=np.float64)

    def block(self, rows: slice) -> Floats:
        """(b, width) all columns of some rows."""
        return np.column_stack([self.column(j, rows) for j in range(self.width)])

    def slices(self) -> Iterator[slice]:
        """Blocks that cover all rows."""
        for start in range(0, self.n, BLOCK):
            yield slice(start, min(start + BLOCK, self.n))

    def by_text(self) -> tuple[Floats, Floats]:
        """Sum of weights of each text, (m,), and weighted sums of the columns, (m, width)."""
        return self._sums(self.logs.text_of, len(self.logs.texts))

    def _sums(self, code: Ints, groups: int) -> tuple[Floats, Floats]:
        count = tally(code, self.weight, groups)
        sums = np.empty((groups, self.width))
        for j in range(self.width):
            sums[:, j] = tally(code, self.weight * self.column(j), groups)
        return count, sums


def rows_of(logs: Logs, weight: Floats | None = None, *, curves: bool = True, group: Ints | None = None) -> Rows:
    """The observational rows of logs, weighted.

    Parameters
    ----------
    weight : (n,), such as one over the chance that the outcome is known; all 1 if None.
    curves : whether squares and products of confounders are columns.
    group : (n,) codes of what adds a constant to the outcome.
    """
    w = logs.observational.astype(np.float64)
    if weight is not None:
        w *= weight
    total = float(w.sum())
    columns = [logs.y, *(logs.c[:, j] for j in range(logs.c.shape[1]))]
    centre = np.array([float(w @ column) / total for column in columns])
    spread = [float(w @ (column - mean) ** 2) / total for column, mean in zip(columns, centre, strict=True)]
    scale = np.sqrt(np.array(spread))
    z_width = 0 if logs.z is None else max(1, logs.z_levels - 1)
    return Rows(logs, w, _curves(logs.c) if curves else (), centre, np.where(scale > 0, scale, 1.0), z_width, group)


def _curves(c: Floats) -> tuple[tuple[int, int], ...]:
    """Squares of confounders of more than two values, and the products of few confounders."""
    k = c.shape[1]
    many: list[int] = [j for j in range(k) if not _two_valued(c[:, j])]
    products = [(i, j) for i in range(k) for j in range(i + 1, k)] if k <= _FEW else []
    # Indicators of one column exclude each other: their product is 0 in every row.
    return (*((j, j) for j in many), *(pair for pair in products if bool(np.any(c[:, pair[0]] * c[:, pair[1]] != 0))))


def _two_valued(column: Floats) -> bool:
    return bool(np.all((column == column.min()) | (column == column.max())))
