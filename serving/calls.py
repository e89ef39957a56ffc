"""What goes through the door and what comes back. Values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Literal, TypedDict, TypeVar

from pydantic import BaseModel

Value = TypeVar("Value")


class Message(TypedDict):
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Choice:
    """The answer is one of these strings."""

    options: tuple[str, ...]


@dataclass(frozen=True)
class Regex:
    """The answer matches this pattern from end to end."""

    pattern: str


@dataclass(frozen=True)
class Source:
    """A text to copy from, one run of whole words at a time."""

    text: str
    starts: frozenset[int] | None = None
    """Offsets of the words a run may start with; None = any word."""
    ends: frozenset[int] | None = None
    """Offsets behind the words a run may end with; None = any word."""


@dataclass(frozen=True)
class Copied:
    """JSON of `model` in which every string is a run of words of a source.

    `sources` gives the source for each field; "" stands for all others. Engines enforce it (serving/copying.py);
    remote endpoints are given the schema alone.
    """

    model: type[BaseModel]
    sources: Mapping[str, Source]


Shape = type[BaseModel] | Copied | Choice | Regex | None
"""What the answer must look like; None is free text."""


@dataclass(frozen=True)
class Call:
    """One request to a model. Decoding is greedy unless a temperature is given."""

    messages: Sequence[Message]
    shape: Shape = None
    adapter: str | None = None
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Usage:
    """Tokens counted by the engine that spent them."""

    prompt_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.prompt_tokens + other.prompt_tokens, self.output_tokens + other.output_tokens)


class FailureKind(StrEnum):
    UNPARSABLE = "unparsable"  # the text does not fit the shape asked for
    TRUNCATED = "truncated"  # max_tokens ran out before the shape was complete
    TOO_LONG = "too_long"  # the prompt does not fit the model's context
    REJECTED = "rejected"  # the engine or endpoint refused this request
    TIMED_OUT = "timed_out"


@dataclass(frozen=True)
class RawAnswer:
    """What an engine said, before it is parsed."""

    text: str
    usage: Usage
    truncated: bool
    probability: float | None
    """Mean token probability (geometric), in [0, 1]; None where the engine does not report it."""


@dataclass(frozen=True)
class Answer(Generic[Value]):
    value: Value
    text: str
    usage: Usage
    probability: float | None


@dataclass(frozen=True)
class Failed:
    """A request that produced no usable value: data, not an exception, so that one bad item never stops a batch."""

    kind: FailureKind
    message: str
    text: str = ""
    usage: Usage = field(default_factory=Usage)
