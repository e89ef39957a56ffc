"""What an analysis has to say: an answer or a refusal, how it came about, and what it rests on. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from leucippus.agents.answer import Answer
from leucippus.graphs.dag import Graph

Reason = Literal[
    "no question",
    "not causal",
    "not English",
    "column missing",
    "no comparison",
    "no overlap",
    "no support at the cutoff",
    "no period before",
    "set together",
    "assumption fails",
    "declined",
]
"""Why there is no number."""


@dataclass(frozen=True)
class Read:
    """One thing the question was read as."""

    field: str
    """treatment, outcome, rows, adjust for, effect …"""
    value: str
    words: str
    """The piece of the question or description it comes from; empty where it was inferred from the data."""


@dataclass(frozen=True)
class RunnerUp:
    """A design that was considered and is not the answer's."""

    strategy: str
    design: Mapping[str, object]
    """Its specification, plain JSON values."""
    why: str
    """Why it lost."""


@dataclass(frozen=True)
class Citation:
    """A claim of the large causal model that bears on the question."""

    claim: str
    quote: str
    document: str
    role: str
    """confounder, mediator, collider, instrument, direct cause."""


@dataclass(frozen=True)
class Refusal:
    """Why there is no number, what shows it, and what would help."""

    reason: Reason
    sentence: str
    evidence: tuple[str, ...]
    """Sentences of the checks that failed."""
    remedies: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Finding:
    """The outcome of an analysis. Exactly one of `answer.estimate` and `refusal` is there."""

    question: str
    source: str
    """The data, as the user named them."""
    description: str
    read: tuple[Read, ...]
    told: str
    """The sentence that says how the treatment came about; empty where none does."""
    choice: str
    """Why this design, in two sentences."""
    answer: Answer | None
    """None where no design could be tried at all."""
    refusal: Refusal | None
    runners_up: tuple[RunnerUp, ...] = ()
    notes: tuple[str, ...] = ()
    """What the user should know beside the answer: a request that was not followed and why, a model that failed."""
    citations: tuple[Citation, ...] = ()
    graph: Graph | None = None
    """The user's causal graph, or the one recalled."""


_STRATEGIES = {
    "rct": "randomised trial",
    "backdoor": "adjustment for measured confounders",
    "iv": "instrumental variable",
    "rd": "regression discontinuity",
    "did": "difference-in-differences",
    "synthetic_control": "synthetic control",
    "its": "interrupted time series",
    "mediation": "mediation",
    "frontdoor": "front door",
    "survival": "time to an event",
}


def strategy_in_words(strategy: str) -> str:
    return _STRATEGIES.get(strategy, strategy)
