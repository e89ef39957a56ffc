"""Causal expressions in a passage, each with the two windows its cause and its effect can stand in.

Rules over words and punctuation only. An expression whose sides are not there ("prices rose", "stops at the gate",
"delayed surgery was …") is no anchor: nothing would be asked about it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leucippus.agents.cues import Match, find_cues
from leucippus.agents.lexicon import Direction, Kind, Strength
from leucippus.agents.passages import Span, sentences

# What a subject does not reach across, reading back from its verb: a colon, a bar, a dash, "…, and", "… that".
_CLAUSE_START = re.compile(r"[;:|]|,\s+(?:and|but|so|or)\s|\s(?:that|whether)\s|\s[–—-]\s", re.IGNORECASE)
_LABEL = re.compile(r"[^.,;]{0,40}?[;:|]\s")
# "X is the main cause of Y": what is said of X ends before the copula.
_COPULA = re.compile(
    r"[\s,](?:is|are|was|were|be|been|being|becomes?|became|remains?|remained|had|has|have)"
    r"(?:\s+(?:not|no|never|also|only|been|the|a|an|one|of|its|their|[\w-]+)){0,4}\s*$",
    re.IGNORECASE,
)
_COMMA = re.compile(r",(?!\d)")
_RELATIVE = re.compile(r"[\s,](?:which|that|who)\s*$", re.IGNORECASE)
_SAME_SUBJECT = re.compile(
    r"[\s,](?:and|or|but)(?:\s+(?:also|then|thus|so|not|never|\w+ly|did|does|do|may|might))*\s*$", re.IGNORECASE
)
# "stops at", "led to in": a verb that a preposition or adverb follows has no object there.
_NO_OBJECT = re.compile(
    r"\s*(?:(?:at|in|on|with|for|from|until|when|as|here|there|again)\b|[^\w\s\"'“‘(]|\w+ly[.,;!?])", re.IGNORECASE
)


@dataclass(frozen=True)
class Anchor:
    """One expression and where its cause and effect can stand; all are spans of the passage."""

    cue: Span
    around: Span
    """The sentence or sentences they stand in."""
    cause: Span
    effect: Span


def anchors(text: str) -> Iterator[Anchor]:
    """The anchors of `text`, in order."""
    spans = sentences(text)
    previous: tuple[Match, Span] | None = None
    for match in _joined(text, find_cues(text)):
        # "after", "since", "if": far more often not causal, and nothing but the model could tell.
        if match.cue.strength is Strength.WEAK:
            continue
        number = next((i for i, (start, end) in enumerate(spans) if start <= match.start < end), None)
        if number is None:
            continue
        before = _before(text, match, spans[number][0], previous)
        if match.cue.kind is Kind.VERB and match.cue.direction is Direction.FORWARD:
            previous = match, before
        windows = _windows(text, match, before, spans, number)
        if windows is not None and all(_has_word(text, window) for window in windows):
            cause, effect = windows
            yield Anchor((match.start, match.end), (min(cause[0], spans[number][0]), spans[number][1]), cause, effect)


def _joined(text: str, matches: Sequence[Match]) -> Iterator[Match]:
    """ "Helped reduce" is one expression. Behind any other, what looks like one is part of its object: "causes delays"."""
    previous: Match | None = None
    for match in matches:
        if previous is not None and not text[previous.end : match.start].strip():
            if text[previous.start : previous.end].casefold().startswith("help"):
                previous = Match(previous.cue, previous.start, match.end)
            continue
        if previous is not None:
            yield previous
        previous = match
    if previous is not None:
        yield previous


def _windows(text: str, match: Match, before: Span, spans: Sequence[Span], number: int) -> tuple[Span, Span] | None:
    """(cause, effect), or None where one side is missing."""
    backward = match.cue.direction is Direction.BACKWARD
    after, end = (match.end, spans[number][1]), spans[number][1]
    if match.cue.kind is Kind.VERB and not backward and _NO_OBJECT.match(text, *after):
        return None
    if not _has_word(text, before):
        if match.cue.kind is not Kind.LINK:
            return None
        if backward:
            # "Because X, Y": the first comma parts the two.
            comma = _COMMA.search(text, *after)
            return ((match.end, comma.start()), (comma.end(), end)) if comma else None
        if number == 0:
            return None
        before = spans[number - 1]  # "As a result, Y": the cause is the sentence before
    return (after, before) if backward else (before, after)


def _before(text: str, match: Match, start: int, previous: tuple[Match, Span] | None) -> Span:
    if previous is not None and match.cue.kind is Kind.VERB and start <= previous[0].start:
        verb, subject = previous
        between = text[verb.end : match.start]
        if _RELATIVE.search(between):
            return verb.end, match.start  # "rain caused flooding, which led to …": the object of the verb before
        if _SAME_SUBJECT.search(between):
            return subject  # "rain caused flooding and delayed …": the subject of the verb before
    if match.cue.kind is Kind.LINK:
        label = _LABEL.match(text, start, match.start)
        return (label.end() if label else start), match.start
    end = match.start
    if match.cue.kind is Kind.NOUN and (copula := _COPULA.search(text, start, end)):
        end = copula.start()
    start = max((boundary.end() for boundary in _CLAUSE_START.finditer(text, start, end)), default=start)
    return start, end


def _has_word(text: str, span: Span) -> bool:
    return any(sign.isalnum() for sign in text[slice(*span)])
