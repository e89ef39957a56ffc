"""What a model is asked about a passage, and how its answers become candidates. Two ways.

*Anchored*, for small models: the lexicon finds each causal expression, and the model copies the cause and the effect
from the two sides of it. It chooses only where the spans begin and end; direction is given. Measured with the packaged
model on the demo corpus: overlap50 F1 0.63, against 0.40 when it is asked openly and 0.47 with a JSON schema alone.

*Open*, for strong models: one question a passage, all its claims at once, implicit ones included.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from leucippus.agents.cues import Match, find_cues
from leucippus.agents.lexicon import Direction, Strength
from leucippus.agents.passages import Span, sentences
from leucippus.agents.prompt import Prompt, load_prompt
from leucippus.serving.calls import Answer, Call, Copied, Failed, Source

_OBJECT_WITHIN = 3  # words between an expression and where its object starts: "caused, in part, the"
_SUBJECT_WITHIN = 6  # and between where its subject ends and the expression: "rain, as we have seen, also caused"


class Candidate(BaseModel):
    """One claim as a model proposes it. The windows say where in the passage its spans have to stand."""

    model_config = ConfigDict(frozen=True)

    cause: str
    relation: str
    effect: str
    cause_window: Span | None = None
    effect_window: Span | None = None
    probability: float | None = None


class Asking(ABC):
    """One way of asking. Stateless; its prompt's version is part of who read a passage."""

    prompt: Prompt

    @abstractmethod
    def calls(self, text: str, *, adapter: str | None, max_tokens: int) -> list[Call]:
        """The calls to make about one passage; none if there is nothing to ask."""

    @abstractmethod
    def candidates(self, text: str, answers: Sequence[Answer[Any] | Failed]) -> list[Candidate]:
        """The candidates in the answers to those calls, in their order."""


class _Claim(BaseModel):
    cause: str = Field(max_length=400)
    relation: str = Field(max_length=80)
    effect: str = Field(max_length=400)


class Claims(BaseModel):
    """The shape of an open answer."""

    claims: list[_Claim] = Field(max_length=8)


class Open(Asking):
    def __init__(self) -> None:
        self.prompt = load_prompt("open")

    def calls(self, text: str, *, adapter: str | None, max_tokens: int) -> list[Call]:
        messages = self.prompt.ask(f"Text: {text}")
        return [Call(messages, Copied(Claims, {"": Source(text)}), adapter=adapter, max_tokens=max_tokens)]

    def candidates(self, text: str, answers: Sequence[Answer[Any] | Failed]) -> list[Candidate]:
        return [
            Candidate(cause=claim.cause, relation=claim.relation, effect=claim.effect, probability=answer.probability)
            for answer in answers
            if isinstance(answer, Answer)
            for claim in answer.value.claims
        ]


class Pair(BaseModel):
    """The shape of an anchored answer."""

    cause: str = Field(max_length=400)
    effect: str = Field(max_length=400)


class Anchored(Asking):
    def __init__(self) -> None:
        self.prompt = load_prompt("anchored")

    def calls(self, text: str, *, adapter: str | None, max_tokens: int) -> list[Call]:
        return [
            Call(
                self.prompt.ask(f"Text: {' '.join(text[slice(*around)].split())}\nExpression: {text[slice(*cue)]}"),
                Copied(Pair, {"cause": _source(text, cause, cue), "effect": _source(text, effect, cue)}),
                adapter=adapter,
                max_tokens=max_tokens,
            )
            for cue, around, cause, effect in _anchors(text)
        ]

    def candidates(self, text: str, answers: Sequence[Answer[Any] | Failed]) -> list[Candidate]:
        return [
            Candidate(
                cause=answer.value.cause,
                relation=text[slice(*cue)],
                effect=answer.value.effect,
                cause_window=cause,
                effect_window=effect,
                probability=answer.probability,
            )
            for (cue, _, cause, effect), answer in zip(_anchors(text), answers, strict=True)
            if isinstance(answer, Answer)
        ]


def asking(way: Literal["anchored", "open"]) -> Asking:
    return Anchored() if way == "anchored" else Open()


def _anchors(text: str) -> list[tuple[Span, Span, Span, Span]]:
    """(expression, the text shown, where the cause may stand, where the effect may stand) for each causal expression."""
    spans = sentences(text)
    anchors = []
    for match in find_cues(text):
        if match.cue.strength is Strength.WEAK:
            continue  # "after", "since", "if": far more often not causal, and nothing but the model could tell
        number = next((i for i, (start, end) in enumerate(spans) if start <= match.start < end), None)
        if number is None:
            continue
        sides = _sides(text, match, spans, number)
        if sides is not None:
            cause, effect = sides
            around = (min(cause[0], effect[0], spans[number][0]), spans[number][1])
            anchors.append(((match.start, match.end), around, cause, effect))
    return anchors


def _sides(text: str, match: Match, spans: Sequence[Span], number: int) -> tuple[Span, Span] | None:
    start, end = spans[number]
    before, after = (start, match.start), (match.end, end)
    if not _has_word(text, after):
        return None
    if not _has_word(text, before):
        if match.cue.direction is Direction.BACKWARD:
            # "Because X, Y": the first comma parts the two.
            comma = text.find(",", *after)
            return ((match.end, comma), (comma + 1, end)) if comma > 0 else None
        if number == 0:
            return None
        before = spans[number - 1]  # "As a result, Y": the cause is the sentence before
    return (after, before) if match.cue.direction is Direction.BACKWARD else (before, after)


def _source(text: str, window: Span, cue: Span) -> Source:
    """What stands on one side of an expression is near it: its object right behind it, its subject just before."""
    side = text[slice(*window)]
    if window[0] == cue[1]:
        return Source(side, starts_within=_OBJECT_WITHIN)
    return Source(side, ends_within=_SUBJECT_WITHIN) if window[1] == cue[0] else Source(side)


def _has_word(text: str, span: Span) -> bool:
    return any(sign.isalnum() for sign in text[slice(*span)])
