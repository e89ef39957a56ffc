"""What an elicitation is given: root topics, how far to branch, how many tokens to spend. Checks it, in plain words."""

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leucippus.errors import InputError
from leucippus.store.concepts import concept_name

LONGEST_ROOT = 200
"""Characters of a root topic: longer ones are texts to read, not topics."""
_MOST_ROOTS = 100
_BUDGET = re.compile(r"(\d{1,12}(?:[_,]\d{3})*)\s*(k|m)?\s*(?:-?\s*tokens?)?", re.IGNORECASE)
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}


class ElicitSettings(BaseModel):
    """How a model is asked about topics. The defaults are those of DEMOCRITUS where it has one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    depth: int = Field(default=3, ge=1, le=8, description="levels of subtopics below the roots")
    branching: int = Field(default=10, ge=1, le=30, description="subtopics asked for each topic")
    budget: int = Field(default=20_000, ge=1, description="tokens of prompts and answers together, never exceeded")
    strategy: Literal["active", "uniform"] = Field(
        default="active",
        description="active: where most new knowledge a token is expected; uniform: level by level, breadth first",
    )
    questions: int = Field(default=2, ge=1, le=8, description="causal questions a topic")
    statements: int = Field(default=2, ge=1, le=8, description="causal statements a question")
    guide: str = Field(default="", max_length=1000, description="what to keep in mind, shown with every question")
    seed: int = Field(default=0, ge=0, lt=2**31, description="of the sampling of answers")


def elicit_settings(**given: Any) -> ElicitSettings:
    """Settings from what a user handed over.

    Raises
    ------
    InputError : a value is out of range or of the wrong kind.
    """
    try:
        return ElicitSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = ElicitSettings.model_fields.get(name)
        shown = repr(first["input"])
        raise InputError(
            f"{name} is {shown if len(shown) <= 60 else shown[:60] + ' …'}: {first['msg']}.",
            expected=f"{known.description}" if known else f"one of {', '.join(ElicitSettings.model_fields)}",
        ) from error


def parse_budget(text: str) -> int:
    """Tokens in "20000", "20,000", "20k", "20000-tokens" or "20000 tokens".

    Raises
    ------
    InputError : anything else, or no tokens at all.
    """
    found = _BUDGET.fullmatch(text.strip()[:60])
    tokens = int(re.sub("[_,]", "", found[1])) * _TIMES[(found[2] or "").lower()] if found else 0
    if tokens < 1:
        raise InputError(
            f"The budget {text.strip()[:60]!r} is not a number of tokens.", expected="20000, 20k or 20000-tokens"
        )
    return tokens


def root_topics(roots: Sequence[str]) -> list[str]:
    """The roots without superfluous white space, each concept once.

    Raises
    ------
    InputError : there is none, there are too many, or one is empty, too long or unprintable.
    """
    named: dict[str, str] = {}
    for root in roots:
        topic = " ".join(root.split())
        if not any(map(str.isalnum, topic)):
            raise InputError(f"The topic {root[:60]!r} has no words.", expected="a topic such as 'climate adaptation'")
        if len(topic) > LONGEST_ROOT:
            raise InputError(
                f"A topic of {len(topic):,} characters: {topic[:60]!r} …",
                expected=f"at most {LONGEST_ROOT}",
                next_step="Name the topic in a few words; what to keep in mind goes into the guide.",
            )
        if not topic.isprintable():
            raise InputError(f"The topic {topic[:60]!r} holds characters that cannot be shown.")
        named.setdefault(concept_name(topic), topic)
    if not named:
        raise InputError("No topic to ask about.", next_step='leucippus elicit "climate adaptation"')
    if len(named) > _MOST_ROOTS:
        raise InputError(f"{len(named)} root topics.", expected=f"at most {_MOST_ROOTS}")
    return list(named.values())
