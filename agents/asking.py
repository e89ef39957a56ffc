"""What a model is asked about a passage, and how its answers become candidates. Two ways.

*Anchored*, for small models: the lexicon finds each causal expression, and the model copies the cause and the effect
from the two sides of it. It chooses only where the spans begin and end; direction is given. The README has the figures.

*Open*, for strong models: one question a passage, all its claims at once, implicit ones included.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from leucippus.agents.anchors import anchors
from leucippus.agents.passages import Span
from leucippus.agents.phrases import ends, starts
from leucippus.agents.prompt import Prompt, load_prompt
from leucippus.serving.calls import Answer, Call, Copied, Failed, Message, Source


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


class Pairs(BaseModel):
    """The shape of a brief answer."""

    claims: list[Pair] = Field(max_length=8)


class Brief(Asking):
    """One question a passage and no examples, for a model that was tuned to answer it."""

    def __init__(self) -> None:
        self.prompt = load_prompt("brief")

    def messages(self, text: str) -> list[Message]:
        return self.prompt.ask(" ".join(text.split()))

    def calls(self, text: str, *, adapter: str | None, max_tokens: int) -> list[Call]:
        return [Call(self.messages(text), Copied(Pairs, {"": Source(text)}), adapter=adapter, max_tokens=max_tokens)]

    def candidates(self, text: str, answers: Sequence[Answer[Any] | Failed]) -> list[Candidate]:
        return [
            Candidate(cause=claim.cause, relation="", effect=claim.effect, probability=answer.probability)
            for answer in answers
            if isinstance(answer, Answer)
            for claim in answer.value.claims
        ]


class Anchored(Asking):
    def __init__(self) -> None:
        self.prompt = load_prompt("anchored")

    def calls(self, text: str, *, adapter: str | None, max_tokens: int) -> list[Call]:
        return [
            Call(
                self.prompt.ask(f"Text: {_line(text, anchor.around)}\nExpression: {_line(text, anchor.cue)}"),
                Copied(
                    Pair,
                    {
                        "cause": _source(text, anchor.cause, anchor.cue),
                        "effect": _source(text, anchor.effect, anchor.cue),
                    },
                ),
                adapter=adapter,
                max_tokens=max_tokens,
            )
            for anchor in anchors(text)
        ]

    def candidates(self, text: str, answers: Sequence[Answer[Any] | Failed]) -> list[Candidate]:
        return [
            Candidate(
                cause=answer.value.cause,
                relation=text[slice(*anchor.cue)],
                effect=answer.value.effect,
                cause_window=anchor.cause,
                effect_window=anchor.effect,
                probability=answer.probability,
            )
            for anchor, answer in zip(anchors(text), answers, strict=True)
            if isinstance(answer, Answer)
        ]


def _line(text: str, span: Span) -> str:
    return " ".join(text[slice(*span)].split())


def asking(way: Literal["anchored", "open", "brief"]) -> Asking:
    return Anchored() if way == "anchored" else Open() if way == "open" else Brief()


def _source(text: str, window: Span, cue: Span) -> Source:
    """Whole phrases only; an object starts right behind its expression, a subject ends just before it."""
    side = text[slice(*window)]
    follows, precedes = window[0] == cue[1], cue[0] - 60 < window[1] <= cue[0]
    return Source(side, starts=starts(side, nearest=follows), ends=ends(side, nearest=precedes))
