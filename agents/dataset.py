"""A data set: one table in DuckDB, and what reading it brought to light. `intake` makes these from files and queries.

The table is called `data`. Its source is never written to; pandas sees only the columns an estimator asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

import duckdb

from leucippus.agents.expressions import quote
from leucippus.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_NAMED_IN_ERRORS = 12


@dataclass(frozen=True)
class Dataset:
    """A table and how it was read."""

    source: str
    """The file, query or name it came from, for people."""
    connection: duckdb.DuckDBPyConnection
    """A database with the table or view `data`."""
    types: Mapping[str, str]
    """Column → DuckDB type, in the order of the source."""
    rows: int
    notes: tuple[str, ...] = ()
    """What reading changed: an encoding, separators taken out of numbers, codes with labels."""
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Column → code → label, where the source has them (Stata, SPSS)."""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    """Column → what the source says it is."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.types)

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """These columns (all, if None) as pandas."""
        names = self.columns if columns is None else tuple(columns)
        return self.connection.execute(f"SELECT {', '.join(map(quote, names))} FROM data").df()

    def require(self, name: str, role: str, also: Sequence[str] = ()) -> None:
        """Fail if there is no such column; `also` are names that would do as well.

        Raises
        ------
        DataError : no such column; the message says which come close.
        """
        known = (*self.columns, *also)
        if name in known:
            return
        by_lower = {column.lower(): column for column in known}
        close = [by_lower[match] for match in get_close_matches(name.lower(), by_lower, n=3)]
        listed = ", ".join(known[:_NAMED_IN_ERRORS]) + (" …" if len(known) > _NAMED_IN_ERRORS else "")
        raise DataError(
            f"no column {name!r} ({role}) in {self.source}",
            expected=f"one of: {listed}",
            next_step=f"Did you mean {' or '.join(map(repr, close))}?" if close else "Check the name.",
        )


def from_frame(frame: pd.DataFrame, source: str = "the data frame") -> Dataset:
    """A data set from pandas, copied into a database in memory.

    Raises
    ------
    DataError : two columns share a name, or a name is empty.
    """
    names = [str(name) for name in frame.columns]
    check_names(names, source)
    connection = duckdb.connect()
    connection.register("given", frame.set_axis(names, axis=1))
    connection.execute("CREATE TABLE data AS SELECT * FROM given")
    connection.unregister("given")
    return over(connection, source)


def over(connection: duckdb.DuckDBPyConnection, source: str, notes: Sequence[str] = ()) -> Dataset:
    """The data set over a connection that has a table `data`."""
    described = connection.execute("DESCRIBE data").fetchall()
    counted = connection.execute("SELECT count(*) FROM data").fetchone()
    return Dataset(
        source, connection, {row[0]: row[1] for row in described}, counted[0] if counted else 0, tuple(notes)
    )


def check_names(names: Sequence[str], source: str) -> None:
    """Fail where columns cannot be told apart by name (upper and lower case are one, as in SQL).

    Raises
    ------
    DataError : a name is empty or used twice.
    """
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if not name.strip():
            raise DataError(f"column {position} of {source} has no name", next_step="Give every column a name.")
        if name.lower() in seen:
            raise DataError(
                f"columns {seen[name.lower()]} and {position} of {source} are both called {name!r}",
                expected="a different name for every column",
                next_step="Rename one of them.",
            )
        seen[name.lower()] = position
