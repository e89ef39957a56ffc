"""Joint distributions of discrete variables, as tables: from the rows of data or given outright."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leucippus.errors import InputError, PositivityError

Value = str | int | float | bool
Floats = NDArray[np.float64]

_MOST_CELLS = 2**22
"""A table of this many takes 32 MB, and evaluation holds a few."""
_MOST_VARIABLES = 60
"""numpy arrays have at most 64 axes."""


@dataclass(frozen=True, eq=False)
class Joint:
    """A joint distribution of discrete variables."""

    names: tuple[str, ...]
    levels: tuple[tuple[Value, ...], ...]
    """The values of each variable, in the order of its axis."""
    probability: Floats
    """One axis a variable; sums to 1."""

    @classmethod
    def of(cls, columns: Mapping[str, ArrayLike]) -> "Joint":
        """The frequencies in equally long columns.

        Raises
        ------
        InputError : the columns are empty, differ in length, hold missing values or mixed types, or have too many
            combinations of values for a table.
        """
        levels, codes = [], []
        for name, column in columns.items():
            found, code = _coded(name, column)
            levels.append(found)
            codes.append(code)
        if len({len(code) for code in codes}) != 1 or not len(codes[0]):
            raise InputError(
                f"columns of {', '.join(str(len(code)) for code in codes) or 'no'} rows",
                expected="at least one row, as many in every column",
            )
        shape = tuple(len(found) for found in levels)
        if prod(shape) > _MOST_CELLS or len(shape) > _MOST_VARIABLES:
            raise InputError(
                f"{len(shape)} variables with {prod(shape):,} combinations of values",
                expected=f"at most {_MOST_VARIABLES} variables and {_MOST_CELLS:,} combinations for a table",
                next_step="Put values together into coarser ones, or ask for a smaller adjustment set.",
            )
        counts = np.bincount(np.ravel_multi_index(tuple(codes), shape), minlength=prod(shape))
        return cls(tuple(columns), tuple(levels), (counts / counts.sum()).reshape(shape))

    def level(self, name: str, value: Value) -> int:
        """Where `value` stands on the axis of `name`.

        Raises
        ------
        PositivityError : the variable never takes it.
        """
        levels = self.levels[self.names.index(name)]
        if value not in levels:
            shown = ", ".join(map(repr, levels[:10])) + (" …" if len(levels) > 10 else "")
            raise PositivityError(f"{name} = {value!r} does not occur in the data", expected=f"one of {shown}")
        return levels.index(value)


def _coded(name: str, column: ArrayLike) -> tuple[tuple[Value, ...], NDArray[np.intp]]:
    values = np.asarray(column)
    missing = values.dtype.kind == "f" and np.isnan(values).any() or any(value is None for value in values.flat)
    if not missing and values.ndim == 1:
        with suppress(TypeError):  # mixed types have no order
            found, code = np.unique(values, return_inverse=True)
            return tuple(found.tolist()), code
    raise InputError(
        f"the column {name!r} holds missing values, mixed types or more than one dimension",
        expected="values of one type, none missing, one a row",
        next_step="Drop incomplete rows only if what is missing does not depend on the variables asked about.",
    )
