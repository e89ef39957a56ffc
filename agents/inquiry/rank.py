"""Candidates × data → the one with the best evidence, why the others lost, or why none will do.

A candidate's score is how likely it was by the words, times what its failed checks leave of that. One whose fatal check
fails is out. When the likeliest is out, another strategy may step in only if the words speak for it nearly as much: an
adjustment that nobody spoke for is no remedy for a lottery that was none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leucippus.agents.designs.result import Check
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.propose import Candidate
from leucippus.agents.vet import BASIC, Vetting, vet
from leucippus.errors import DataError, DesignError
from leucippus.graphs.dag import Graph

_FAILED = 0.7
"""What a failed check that is not fatal leaves of a score."""
_STEPS_IN = 0.5
"""Score of the next strategy, over that of the one that is out, from which it may step in."""
_GUESSED = 0.5
"""What is left of the weight of an instrument that nobody named once its first stage turns out to be none."""
_MOST = 6


@dataclass(frozen=True, eq=False)
class Judged:
    """A candidate and what its data say."""

    candidate: Candidate
    vetting: Vetting | None
    """None where the specification does not fit the data at all."""
    score: float
    why: str
    """Why it is out, or what speaks against it; empty where nothing does."""

    @property
    def stands(self) -> bool:
        return self.vetting is not None and not self.vetting.refused


@dataclass(frozen=True, eq=False)
class Ranking:
    """All that were tried, the best first."""

    judged: tuple[Judged, ...]
    choice: Judged | None
    out: Judged | None
    """The likeliest candidate, where no other may step in for it: its reasons are those of the refusal."""


def rank(case: Case, candidates: Iterable[Candidate], graph: Graph | None = None) -> Ranking:
    """Vet candidates, the likeliest first, until none that is left could win."""
    judged: list[Judged] = []
    best = 0.0
    for candidate in sorted(candidates, key=lambda one: -one.weight)[:_MOST]:
        if candidate.weight <= best:
            break
        judged.append(judge(case, candidate, graph))
        if judged[-1].stands:
            best = max(best, judged[-1].score)
    return decide(judged, bool(case.question.instruments))


def judge(case: Case, candidate: Candidate, graph: Graph | None = None) -> Judged:
    try:
        vetting = vet(case.dataset, candidate.design, graph)
    except (DataError, DesignError) as error:
        return Judged(candidate, None, 0.0, str(error))
    if vetting.refused:
        return Judged(candidate, vetting, 0.0, " ".join(check.sentence for check in vetting.fatal))
    score = candidate.weight * _FAILED ** sum(not _of_errors(check, candidate) for check in vetting.failures)
    return Judged(candidate, vetting, score, " ".join(check.sentence for check in vetting.failures))


def _of_errors(check: Check, candidate: Candidate) -> bool:
    """Whether a check is of how errors go together: that tells of an interval, not of which design is the right one.

    But few treated units of a panel speak for a synthetic control.
    """
    panel = getattr(candidate.design, "unit", None) is not None
    return check.name == "level of assignment" or (check.name == "treated clusters" and not panel)


def decide(judged: Sequence[Judged], stated: bool = False) -> Ranking:
    """Choose among candidates; `stated`: the user named the instrument."""
    standing = sorted((one for one in judged if one.stands), key=lambda one: -one.score)
    refused = [one for one in judged if one.vetting is not None and not one.stands]
    order = (*standing, *(one for one in judged if not one.stands))
    if not standing:
        return Ranking(order, None, refused[0] if refused else None)
    best = standing[0]
    for one in refused:
        basic = any(check.name in BASIC for check in one.vetting.fatal) if one.vetting else False
        mine, theirs = best.candidate.design, one.candidate.design
        same = (mine.strategy, mine.treatment) == (theirs.strategy, theirs.treatment)
        weight = one.candidate.weight * (_GUESSED if theirs.strategy == "iv" and not stated else 1.0)
        if weight > best.candidate.weight and not same and (basic or best.score < _STEPS_IN * weight):
            return Ranking(order, None, one)
    return Ranking(order, best, None)
