"""Where the causal expressions of a text stand, and whether a passage is worth a model's time.

This module knows words, not clauses: what a cue says about two given spans is `leucippus.agents.reading`. The
expressions themselves are data in `leucippus.agents.lexicon`.
"""

import re
import string
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from leucippus.agents.lexicon import ADVERB, BE, DEFAULT_HINTS, HINTS, LEXICON, WIDE_HINTS, Cue, Kind, Strength


class Reach(StrEnum):
    """How much the first pass lets through, from the surest cues to nearly any hint of purpose, time or means."""

    STRICT = "strict"
    BALANCED = "balanced"
    DEFAULT = "default"
    WIDE = "wide"


@dataclass(frozen=True, slots=True)
class Match:
    """`text[start:end]` is an occurrence of `cue`."""

    cue: Cue
    start: int
    end: int


# "the increase", "a cut", "its damage" are nouns, not verbs.
_BEFORE_A_NOUN = re.compile(
    r"\b(?:the|an?|its|their|his|her|our|your|no|of|any|some|such|further|sharp|main|major)\s{1,8}\Z"
)
_LOWER = {ord(upper): upper.lower() for upper in string.ascii_uppercase}
_SPACE = r"\s{1,8}"  # bounded, so that a page of blanks stays linear


def _compile(patterns: tuple[str, ...], before: str = "") -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){before}(?:{'|'.join(patterns)})\b".replace(" ", _SPACE))


def _plain(text: str) -> str:
    """`text` in lower case, letter for letter: str.lower can change the length, and offsets must hold."""
    return text.translate(_LOWER)


def _lines(block: str) -> tuple[str, ...]:
    return tuple(line for line in block.splitlines() if line)


@cache
def _compiled() -> tuple[tuple[Cue, re.Pattern[str]], ...]:
    return tuple((cue, _compile((cue.pattern,), BE + ADVERB if cue.after_be else "")) for cue in LEXICON)


@cache
def _any_cue() -> re.Pattern[str]:
    plain, after_be = (tuple(cue.pattern for cue in LEXICON if cue.after_be is wanted) for wanted in (False, True))
    return _compile((*plain, f"{BE}{ADVERB}(?:{'|'.join(after_be)})"))


@cache
def _first_pass(reach: Reach) -> re.Pattern[str]:
    patterns = tuple(cue.pattern for cue in LEXICON if reach is not Reach.STRICT or cue.strength is not Strength.WEAK)
    order = list(Reach)
    for limit, hints in ((Reach.BALANCED, HINTS), (Reach.DEFAULT, DEFAULT_HINTS), (Reach.WIDE, WIDE_HINTS)):
        if order.index(reach) >= order.index(limit):
            patterns += _lines(hints)
    return _compile(patterns)


def find_cues(text: str) -> list[Match]:
    """The cues of `text` in order, none overlapping: where several begin together the longest stands."""
    plain = _plain(text)
    kept: list[Match] = []
    hit = _any_cue().search(plain)
    while hit is not None:
        start, end = hit.start(), hit.start() + 1
        noun = _BEFORE_A_NOUN.search(plain, max(0, start - 16), start) is not None
        found = [
            Match(cue, start, longest.end())
            for cue, pattern in _compiled()
            if not (noun and cue.kind is Kind.VERB) and (longest := pattern.match(plain, start))
        ]
        if found:
            kept.append(max(found, key=lambda match: match.end))
            end = kept[-1].end
        hit = _any_cue().search(plain, end)
    return kept


def may_be_causal(text: str, reach: Reach = Reach.DEFAULT) -> bool:
    """Whether `text` is worth a model's time: no when it holds no word a causal sentence is likely to hold."""
    return _first_pass(reach).search(_plain(text)) is not None
