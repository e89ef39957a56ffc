"""The shared vocabulary: documents, passages, claims, and who read them.

Values only. Ids are functions of content, so writing anything twice is writing it once.
"""

import hashlib
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field


class Sign(StrEnum):
    """Which way the effect moves when the cause is present or grows, as the text asserts it."""

    POSITIVE = "+"
    NEGATIVE = "-"
    NONE = "none"


class Evidence(StrEnum):
    """What a claim rests on, as its document tells it."""

    EXPERIMENTAL = "experimental"
    OBSERVATIONAL = "observational"
    OPINION = "opinion"
    ELICITED = "elicited"
    """A language model said it when asked."""
    MEASURED = "measured"
    """An analysis of ours estimated it from data."""
    UNSTATED = "unstated"


Kind = Literal["read", "elicited", "measured"]
"""How a document came to be: found by us, said by a model, or written about an analysis of ours."""


def stable_id(*parts: object) -> str:
    """16 hex digits that depend on `parts` alone: 64 bits, a clash among 10 million ids has odds of 3 in a million."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        piece = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(piece).to_bytes(8, "little"))
        digest.update(piece)
    return digest.hexdigest()


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Document(_Value):
    """One text as we read it. Every offset in the store counts characters of `text`."""

    document_id: str
    media_type: str
    title: str
    text: str
    published: str | None = Field(default=None, description="ISO 8601 date the document bears, if it bears one")
    kind: Kind = "read"

    @classmethod
    def of(cls, text: str, *, media_type: str, title: str, published: str | None = None, kind: Kind = "read") -> Self:
        """A document whose id is the hash of its text: the same text found twice is one document.

        What a model said or we measured is never the same document as what was read, whatever its words.
        """
        parts = (text,) if kind == "read" else (text, kind)
        return cls(
            document_id=stable_id("document", *parts),
            media_type=media_type,
            title=title,
            text=text,
            published=published,
            kind=kind,
        )


class Passage(_Value):
    """A run of whole sentences, `document.text[start:end]`."""

    passage_id: str
    document_id: str
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    text: str

    @classmethod
    def of(cls, document: Document, start: int, end: int) -> Self:
        return cls(
            passage_id=stable_id("passage", document.document_id, start, end),
            document_id=document.document_id,
            start=start,
            end=end,
            text=document.text[start:end],
        )


class Reader(_Value):
    """Who read: everything that decides what a passage is read as. Two equal readers write equal claims."""

    model: str
    adapter: str | None = None
    prompt_version: str
    seed: int = 0

    @property
    def reader_id(self) -> str:
        return stable_id("reader", self.model, self.adapter or "", self.prompt_version, self.seed)


class Claim(_Value):
    """What a document says about a cause and an effect, with the words it says it in.

    `cause`, `effect` and `quote` are verbatim: `document.text[start:end] == quote`, and likewise for the spans of
    cause and effect. `relation` is the causal expression as written where one was recognised, else the reader's word.
    """

    claim_id: str
    document_id: str
    passage_id: str
    reader_id: str
    cause: str
    cause_start: int
    cause_end: int
    relation: str
    effect: str
    effect_start: int
    effect_end: int
    sign: Sign
    negated: bool
    hedged: bool
    conditions: str | None = Field(default=None, description="the 'if/when/among …' clause of the quote, verbatim")
    evidence: Evidence = Evidence.UNSTATED
    population: str | None = Field(default=None, description="of whom it is said, verbatim; likewise place and period")
    place: str | None = None
    period: str | None = None
    quote: str
    start: int
    end: int
    confidence: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="P(the claim is what the text says), calibrated for the packaged extractor; else the mean token "
        "probability of the model's answer",
    )

    @staticmethod
    def id_of(reader_id: str, document_id: str, cause: tuple[int, int], effect: tuple[int, int]) -> str:
        """One reader makes one claim about one pair of spans of one document."""
        return stable_id("claim", reader_id, document_id, *cause, *effect)


class Failure(_Value):
    """Something that could not be done, kept as data."""

    item: str = Field(description="what it happened to: a path, a passage id")
    stage: str = Field(description="read | generate | ground | elicit")
    error: str = Field(description="type of the failure")
    message: str
    detail: str | None = Field(
        default=None, description="as JSON: the candidate that was rejected, the answer that failed"
    )
