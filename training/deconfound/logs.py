"""Logs of a company as numbers: which text each row showed, what came of it, and why it might have come anyway.

`reading.read_logs` makes them of a file. They may be millions of rows: confounders too many for memory lie in a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class LogSpec:
    """Which column plays which part."""

    text: str
    """What was shown: the treatment X."""
    outcome: str
    """What came of it, Y: numbers, or true and false."""
    confounders: tuple[str, ...] = ()
    """What moved the outcome and the choice of the text, C; each known before the text was shown."""
    context: str | None = None
    """What the text answers to, such as a prompt: texts of one context can be compared."""
    instrument: str | None = None
    """Moves the first confounder and has no other way to the outcome, Z."""
    group: str | None = None
    """An id, such as an author, whose constant effect on the outcome is to be removed."""
    time: str | None = None
    """When the text was shown."""
    user: str | None = None
    """Who answered: rows of one user are not independent."""
    experiment: str | None = None
    """True where the text was drawn at random."""
    allow: tuple[str, ...] = ()
    """Confounders to be taken although they look as if the outcome or the text had caused them."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Column → its part, in words."""
        named = {
            "text": self.text,
            "outcome": self.outcome,
            "context": self.context,
            "instrument": self.instrument,
            "group": self.group,
            "time": self.time,
            "user": self.user,
            "experiment": self.experiment,
        }
        return {column: "confounder" for column in self.confounders} | {
            column: part for part, column in named.items() if column is not None
        }


@dataclass(frozen=True, eq=False)
class Unanswered:
    """Rows without an outcome: they cannot teach, but show which rows are lacking."""

    text_of: Ints
    """(u,) positions in `Logs.texts`."""
    c: Floats
    """(u, k) confounders."""


@dataclass(frozen=True, eq=False)
class Logs:
    """Rows as numbers. Codes are from 0 without gaps; names of users and groups are not kept."""

    spec: LogSpec
    texts: list[str]
    """Each text once, in the order of first appearance; masked, unless that was refused."""
    text_of: Ints
    """(n,) positions in `texts`."""
    y: Floats
    """(n,) outcomes."""
    c: Floats
    """(n, k) confounders; a categorical one is an indicator for each level but the most frequent."""
    names: tuple[str, ...]
    """Of those k columns; an indicator's is column=level."""
    contexts: list[str] | None
    context_of: Ints | None
    """(n,)."""
    z: Floats | None
    """(n,) the instrument, or the codes of its levels."""
    group_of: Ints | None
    """(n,)."""
    user_of: Ints | None
    """(n,)."""
    time: Floats | None
    """(n,) seconds, or what the column counts; NaN where missing."""
    randomised: NDArray[np.bool_] | None
    """(n,)."""
    sha256: str
    """Of the file."""
    dropped: Mapping[str, int]
    """Reason → rows left out."""
    masked: Mapping[str, int] = field(default_factory=dict)
    """Kind of personal data → times it was masked, each text counted once."""
    z_levels: int = 0
    """Levels of a categorical instrument; 0 for a numeric one."""
    unanswered: Unanswered | None = None
    notes: tuple[str, ...] = ()
    """What reading changed."""

    @property
    def n(self) -> int:
        return len(self.y)

    @property
    def observational(self) -> NDArray[np.bool_]:
        """(n,) rows in which the text was not drawn at random: all that may choose a hyper-parameter."""
        return np.ones(self.n, dtype=bool) if self.randomised is None else ~self.randomised


def tally(code: Ints, weight: Floats | NDArray[np.bool_], groups: int) -> Floats:
    """(groups,) sums of weights (n,) over the rows of each code (n,)."""
    return np.bincount(code, weights=weight, minlength=groups).astype(np.float64, copy=False)
