"""What every research design has in common: the fields of its specification and the five things it can do.

A design is one file in this folder. It holds one subclass of `Design` with

    fields       what the analyst (or the model) states: treatment, outcome, and what this design needs beside them
    checks       what the data and the graph must meet before a number exists
    estimate     the number, through a library
    challenges   what a referee would ask next
    draw         its figure

and one line in `registry.py`. `rct.py` is the shortest example to copy.

References
----------
The field names are those of the identification specifications scored by Sawarni, Tan and Syrgkanis (2026),
CausalReasoningBenchmark, arXiv 2602.20571.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from leucippus.agents.designs.result import Bounds, Challenge, Check, Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leucippus.agents.designs.study import Study

Value = str | float | int | bool
MOST_LEVELS = 500
"""Levels of a control that become indicator columns; more is a sign of an identifier."""
UNSOLVABLE = (ArithmeticError, ValueError, np.linalg.LinAlgError)
"""What the libraries underneath raise where numbers are too alike or too large for them."""

_AVERAGE = r"(ate|(average )?(causal |treatment )?effect)"
ESTIMANDS: dict[str, str] = {
    "ATE": r"c?ate|((conditional )?average (causal |treatment )?effect)|(average )?slope",
    "ATT": rf"atet?t|atet|tot|{_AVERAGE} (on|of|for|among) the treated",
    "ATC": rf"atc|atu|{_AVERAGE} (on|of|for|among) the (untreated|controls?)",
    "ATO": rf"ato|{_AVERAGE} (on|of|for|in|among) the overlap( population)?|overlap( weighted)?( effect)?",
    "ITT": r"itt|intent(ion)?[- ]to[- ]treat( effect)?",
    "LATE": rf"late|cace|local average (treatment )?effect|{_AVERAGE} (on|of|for|among) the compliers|"
    r"complier average (causal|treatment) effect",
    "effect at the cutoff": r"(c?ate|late|att|(local )?(average )?(treatment )?effect) at (the )?cut-?off",
    "indirect effect": r"acme|nie|(natural |average |causal )*(indirect|mediated|mediation) effect",
    "direct effect": r"ade|nde|(natural |average |causal )*direct effect",
    "level shift": r"level( shift| change)?|step( change)?|ate over time",
    "hazard ratio": r"(log )?hazard ratio|hr",
    "RMST difference": r"(difference in )?(rmst|restricted mean( survival time)?)( difference)?",
}
"""Name → how people write it, whole. A design knows which it can estimate, and reads a text as one of those."""


def _as_names(value: object) -> object:
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return tuple(part for part in re.split(r"\s*,\s*", value.strip()) if part)
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_names)]
"""Column names; a text with commas is read as several."""
Name = Annotated[str | None, BeforeValidator(_none_if_empty)]
"""One column name, or None."""


def estimand_name(text: str, among: tuple[str, ...]) -> str | None:
    """The one of these estimands that the text names, or None. What is said in brackets may add to it, not contradict."""
    outside = re.sub(r"\(.*\)", " ", text)
    name = next((name for name in among if _names(outside, name)), None)
    for remark in re.findall(r"\((.*)\)", text):
        if any(_names(remark, other) for other in ESTIMANDS if other != name):
            return None
    return name


def _names(text: str, estimand: str) -> bool:
    wanted = " ".join(text.lower().split()).strip(" .,;:")
    return wanted == estimand.lower() or re.fullmatch(ESTIMANDS[estimand], wanted) is not None


class Design(BaseModel, ABC):
    """A research design: what is claimed about how the treatment came about, in fields that can be checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    estimands: ClassVar[tuple[str, ...]]
    """What this design can estimate; the first is the default."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other names of the strategy, in lower case with one underscore between words."""
    column_fields: ClassVar[tuple[str, ...]] = ()
    """Fields beyond treatment, outcome, controls and cluster that name columns."""
    value_or_column_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that hold a column or a value (`first_treated: effyear` or `1931`). Missing values there mean something,
    so they cost no rows."""
    gap_fields: ClassVar[tuple[str, ...]] = ()
    """Fields whose columns may have gaps, since the design needs only their means: missing values cost no rows."""
    codes_treatment: ClassVar[bool] = True
    """Whether `Study` turns the treatment into 0/1 or a dose; a design over groups and periods makes its own."""

    working_copies: ClassVar[int] = 30
    """Peak memory of checks, estimate and challenges over that of the columns as numbers. Measured with seven to 22
    columns of half a million to a million rows: 6 to 7 back-door, 16 discontinuity, 19 to 23 trial,
    28 instrument, 33 difference-in-differences."""

    strategy: str
    treatment: str = Field(description="Column that was set, given or chosen.")
    outcome: str = Field(description="Column in which the effect is looked for; a number.")
    controls: Names = Field(
        default=(), description="Columns to adjust for, all fixed before the treatment. C(column): one level each."
    )
    treated_value: Value | None = Field(default=None, description="Value of the treatment that counts as treated.")
    control_value: Value | None = Field(default=None, description="Value it is compared with; other rows are left out.")
    estimand: str = Field(default="", description="ATE, ATT, ITT, LATE …; each design says which it can estimate.")
    cluster: Name = Field(
        default=None, description="Column of the groups within which treatment or errors go together."
    )
    subset: str = Field(default="", description="Expression: the rows the question is about.")
    derived: dict[str, str] = Field(default_factory=dict, description="New column → expression over earlier ones.")
    before_treatment: Names = Field(
        default=(),
        description="Columns known to be measured before the treatment: to test balance with, not to adjust for.",
    )
    after_treatment: Names = Field(default=(), description="Columns known to be measured after the treatment.")

    @field_validator("*", mode="before")
    @classmethod
    def _none_means_default(cls, value: object, info: Any) -> object:
        return cls.model_fields[info.field_name].get_default(call_default_factory=True) if value is None else value

    @model_validator(mode="after")
    def _known_estimand(self) -> Design:
        name = estimand_name(self.estimand, self.estimands) if self.estimand else self.estimands[0]
        if name is None:
            raise ValueError(f"estimand {self.estimand!r}: this design estimates {', '.join(self.estimands)}")
        object.__setattr__(self, "estimand", name)
        return self

    @property
    def unit_and_time(self) -> tuple[str | None, str | None]:
        """The columns within which, and along which, `lag` and `diff` look back."""
        return getattr(self, "unit", None), getattr(self, "time", None)

    def columns(self) -> tuple[str, ...]:
        """Every column the design names, each once, `C(column)` as the column."""
        found = [self.treatment, self.outcome, *(plain(control) for control in self.controls)]
        for field in ("cluster", *self.column_fields):
            value = getattr(self, field)
            found.extend((value,) if isinstance(value, str) else value or ())
        return tuple(dict.fromkeys(plain(name) for name in found))

    @abstractmethod
    def checks(self, study: Study) -> Iterator[Check]:
        """What the data and the graph say about the design, the gravest first; `checks.common` is the shared part."""

    @abstractmethod
    def estimate(self, study: Study) -> Estimate:
        """The number. Called only when no fatal check has failed.

        Raises
        ------
        DataError : the data do not carry the estimate after all (a singular system, a solver that fails).
        """

    @abstractmethod
    def challenges(self, study: Study, estimate: Estimate) -> Iterator[Challenge]:
        """What a referee would ask of this design."""

    def bounds(self, study: Study) -> Bounds | None:
        """What can still be said when the number is withheld, or None."""
        return None

    @abstractmethod
    def draw(self, axes: Axes, study: Study, estimate: Estimate) -> None:
        """The design's figure, on axes that are already there."""


def plain(control: str) -> str:
    """`C(village)` → `village`; anything else as it is."""
    found = re.fullmatch(r"C\((.+)\)", control.strip())
    return plain(found[1].strip()) if found else control
