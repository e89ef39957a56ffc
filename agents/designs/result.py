"""What the engine says about a design: checks, an estimate, challenges. Values only; nothing here computes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from leucippus.agents.estimators.second import SecondOpinion

CheckVerdict = Literal["passed", "failed", "not testable"]
ChallengeVerdict = Literal["stands", "doubt", "not testable"]


@dataclass(frozen=True)
class Check:
    """One thing a design must meet before its number means anything."""

    name: str
    verdict: CheckVerdict
    sentence: str
    """What was looked at and what was found, in one plain sentence."""
    figure: float | None = None
    """The statistic behind the verdict; the sentence says which."""
    fatal: bool = False
    """A failed fatal check withholds the number."""
    remedy: str = ""
    """What the user can do about a failure."""
    instead: Mapping[str, Any] | None = None
    """Fields of a design the data do support: a failed check with these moves the design there and says so."""


@dataclass(frozen=True)
class Dropped:
    """Rows of the source that are not in the estimate."""

    reason: str
    rows: int


@dataclass(frozen=True)
class Estimate:
    """A number with everything needed to read it."""

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    estimand: str
    population: str
    """Whom the estimand is about, in words."""
    units: str
    """What one unit of the estimate is: units of the outcome, and per what."""
    estimator: str
    """Method and library."""
    inference: str
    """How the standard error and the interval were made."""
    n_used: int
    assumptions: tuple[str, ...]
    level: float = 0.95
    p_value: float | None = None
    n_treated: int | None = None
    n_control: int | None = None
    clusters: int | None = None
    dropped: tuple[Dropped, ...] = ()
    second: tuple[SecondOpinion, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    """What belongs to this design alone (bandwidth, first stage, weights, effects by period …): plain JSON values."""


@dataclass(frozen=True)
class Challenge:
    """What a referee would ask of this design, and the answer."""

    name: str
    verdict: ChallengeVerdict
    sentence: str
    figure: float | None = None
    table: tuple[Mapping[str, Any], ...] = ()
    """Rows of the answer where it is more than one number (a bandwidth curve, an event study)."""


@dataclass(frozen=True)
class Bounds:
    """What can be said where there is no point identification."""

    low: float
    high: float
    estimand: str
    assumptions: tuple[str, ...]
    sentence: str
