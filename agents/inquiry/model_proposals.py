"""The language model as one more proposer: one question, and an answer that can only name strategies and columns.

What a model says is untrusted, and so is what it has read: a description may hold instructions. So its answer has fields
for strategies and column names alone, both from closed lists. Numbers, dates and row filters are the rules' to find, and
every candidate is vetted like any other.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from leucippus.agents.designs.base import UNSOLVABLE
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.model_designs import answer_shape, fault, filled
from leucippus.agents.inquiry.propose import Candidate, Fields
from leucippus.agents.inquiry.reader import Reading
from leucippus.agents.prompt import load_prompt
from leucippus.errors import DataError, DesignError, LeucippusError
from leucippus.serving.calls import Answer, Call, Failed, FailureKind
from leucippus.serving.client import Client

MODEL_WEIGHT = 0.5
"""Share of a model the user chose in strategies and candidates."""
PACKAGED_WEIGHT = 0.05
"""The same of the packaged model of 135M weights, measured at chance on naming strategies."""

_MOST_COLUMNS = 60
_MAX_TOKENS = 320
_ROOM = 3200
"""Characters of the user's words: with instructions and answer under 2,000 tokens, what a default engine holds."""
_LONGEST_NAME, _LONGEST_SAID, _LONGEST_QUESTION = 60, 90, 500


@dataclass(frozen=True, eq=False)
class Proposed:
    """What the model proposes; candidates' weights add up to at most 1, before the model's own weight."""

    candidates: tuple[Candidate, ...] = ()
    strategies: Mapping[str, float] = field(default_factory=dict)
    """Strategy → its share of the model's vote; empty where it gave no usable answer."""
    note: str = ""
    """What went wrong, in one sentence; empty where nothing did."""


async def propose_with_model(client: Client, case: Case, *, patience_s: float = 120) -> Proposed:
    """Ask a model once for designs. Its faults are notes, never exceptions.

    Parameters
    ----------
    patience_s : how long to wait for the answer of a model that is ready.
    """
    shown = _shown(case)
    shape = answer_shape(shown)
    try:
        await client.start()
        answer = await _ask(client, case, shown, shape, _ROOM, patience_s)
        if isinstance(answer, Failed) and answer.kind is FailureKind.TOO_LONG:
            answer = await _ask(client, case, shown, shape, _ROOM // 3, patience_s)
    except TimeoutError:
        return _nothing(f"it gave no answer within {patience_s:g} s")
    except LeucippusError as error:
        return _nothing(error.problem)
    except Exception as error:  # noqa: BLE001  whatever an engine, Ray or a proxy raises, the rules can do without it
        return _nothing(f"asking it failed ({type(error).__name__})")
    if isinstance(answer, Failed):
        return _nothing(_WHY.get(answer.kind, "its answer could not be used"))
    designs = _checked(answer.value, shape)
    if designs is None:
        return _nothing("its answer names other things than strategies and columns of the data")
    return _proposed(case, designs)


def blend(reading: Reading, proposed: Proposed, weight: float) -> Reading:
    """A reading whose strategies are `weight` parts the model's and the rest its own; as it was where nothing is proposed."""
    total = sum(proposed.strategies.values())
    if total <= 0:
        return reading
    weight = min(max(weight, 0.0), 1.0)
    mixed = {
        name: (1 - weight) * p + weight * proposed.strategies.get(name, 0.0) / total
        for name, p in reading.strategies.items()
    }
    return replace(reading, strategies=mixed)


def weighed(proposed: Proposed, weight: float) -> tuple[Candidate, ...]:
    """The candidates, at the weight of this model."""
    return tuple(replace(one, weight=weight * one.weight) for one in proposed.candidates)


_WHY = {
    FailureKind.TIMED_OUT: "it gave no answer in time",
    FailureKind.UNPARSABLE: "its answer was not in the form asked for",
    FailureKind.TRUNCATED: "its answer was cut off before it was complete",
    FailureKind.TOO_LONG: "the question and the description are too long for it",
    FailureKind.REJECTED: "it refused the request",
}


def _nothing(why: str) -> Proposed:
    why = " ".join(why.split()).rstrip(".")[:200]
    return Proposed(note=f"The language model proposed nothing: {why}; the rules carry on.")


# Asking


async def _ask(
    client: Client, case: Case, shown: Sequence[str], shape: type[BaseModel], room: int, patience_s: float
) -> Answer[Any] | Failed:
    call = Call(load_prompt("design").ask(_content(case, shown, room)), shape, max_tokens=_MAX_TOKENS)
    return await asyncio.wait_for(client.generate(call), patience_s)


def _shown(case: Case) -> list[str]:
    """The columns a model may choose from: of very many those that the words make most of."""
    names = [
        name
        for name, column in case.by_name.items()
        if name.isprintable() and len(name) <= _LONGEST_NAME and column.kind not in ("empty", "constant")
    ]
    likely = sorted(names, key=lambda name: case.role(name, "other") - 2 * case.role(name, "treatment", "outcome"))
    kept = set(likely[:_MOST_COLUMNS])
    return [name for name in names if name in kept] or list(case.by_name)[:1]


def _content(case: Case, shown: Sequence[str], room: int) -> str:
    """The user's words, each part on lines of its own and none longer than its share of the room."""
    listed = [f"{json.dumps(name, ensure_ascii=False)} ({case.by_name[name].kind})" for name in shown]
    left = room - sum(map(len, listed)) - _LONGEST_QUESTION
    each = max(0, min(_LONGEST_SAID, left // (2 * len(listed))))
    for at, name in enumerate(shown):
        said = " ".join(case.description.columns.get(name, "").split())[:each]
        listed[at] += f": {json.dumps(said, ensure_ascii=False)}" if said else ""
    question = " ".join(case.question.text.split())[:_LONGEST_QUESTION]
    prose = " ".join(case.description.prose.split())[: max(room // 4, room - sum(map(len, listed)) - len(question))]
    return "\n".join(["QUESTION", question, "DESCRIPTION", prose, "COLUMNS", *listed])


# Answers


def _checked(value: Any, shape: type[BaseModel]) -> list[Any] | None:
    """The designs of an answer, held to the form once more: a client is not trusted to have done it."""
    try:
        value = value.model_dump() if isinstance(value, BaseModel) else value
        designs: list[Any] = shape.model_validate(value).designs  # type: ignore[attr-defined]  # pyright: ignore
    except ValidationError:
        return None
    return designs


def _proposed(case: Case, designs: Sequence[Any]) -> Proposed:
    found: list[tuple[Fields, float]] = []
    why = ""
    for rank, one in enumerate(designs):
        wrong = fault(one)
        try:
            made = [] if wrong else list(filled(case, one))
        except (DataError, DesignError, *UNSOLVABLE):  # columns that no rule was written for
            made = []
        found += [(each, share / (rank + 1)) for each, share in made]
        if not made:
            why = why or wrong or f"its {one.strategy} design does not fit the data"
    candidates: list[Candidate] = []
    for fields, weight in found:
        try:
            design = parse_design(fields)
        except DesignError as error:
            why = why or f"its {fields['strategy']} design cannot be used: {error.problem}"
            continue
        if all(design != other.design for other in candidates):
            candidates.append(Candidate(design, weight, ("model",), f"the language model proposes {design.strategy}"))
    if not candidates:
        return _nothing(why)
    total = sum(one.weight for one in candidates)
    candidates = [replace(one, weight=one.weight / total) for one in candidates]
    votes: dict[str, float] = {}
    for candidate in candidates:
        votes[candidate.design.strategy] = votes.get(candidate.design.strategy, 0.0) + candidate.weight
    note = f"One design of the language model was left out: {why[:200]}." if why else ""
    return Proposed(tuple(candidates), votes, note)
