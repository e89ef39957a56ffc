"""The words of a question, each in the marks that say whether it names what is done, what it is done to, or neither.

`sides` knows the verbs of English and finds the two by rules; a model over these marks, of which the rules' verdict is
one, finds them more often. Here are the marks, and how the model's numbers become two phrases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from leucippus.agents.inquiry.matching import stem
from leucippus.agents.inquiry.sides import sides

_TOKEN = re.compile(r"[A-Za-z][\w'’-]*|\d[\d.,]*|[?.,;:()]")
_PIVOT = re.compile(
    r"(rais|increas|reduc|lower|chang|affect|alter|improv|help|hurt|harm|boost|cut|add|make|lead|caus|shift|mov|do|did|have|"
    r"has|had|get|give|cost|save|bring|push|fall|rise|drop|grow|earn|differ|due|because|when|if|after|once|from|for|on|to|of|"
    r"per|than|by)"
)
"""How words begin around which the two sides of a question stand."""
_AROUND = (-3, -2, -1, 1, 2, 3)
_LIKELY = 0.25
"""Probability from which a word belongs to a side."""


def tokens(question: str) -> list[tuple[str, int, int]]:
    """Words, numbers and marks of a question: text, start, end."""
    return [(match[0], match.start(), match.end()) for match in _TOKEN.finditer(question)]


def marks(question: str) -> list[dict[str, float]]:
    """The marks of each token."""
    said = [text.lower() for text, _, _ in tokens(question)]
    cause, effect = (set(_TOKEN.findall(side.lower())) for side in sides(question))
    pivots = [at for at, word in enumerate(said) if _PIVOT.match(word)]
    found = []
    for at, word in enumerate(said):
        before = [said[one] for one in pivots if one < at][-3:][::-1]
        after = [said[one] for one in pivots if one > at][:3]
        near = {place: _at(said, at + place) for place in _AROUND}
        seen = [f"w:{word}", f"s:{stem(word)}", *(f"{place}:{other}" for place, other in near.items())]
        seen += [f"b:{near[-1]} {word}", f"c:{word} {near[1]}", f"d:{near[-2]} {near[-1]}", f"e:{near[1]} {near[2]}"]
        seen += [f"p{far}:{other}" for far, other in enumerate(before)]
        seen += [f"n{far}:{other}" for far, other in enumerate(after)]
        seen += [f"at:{min(at, 8)}", f"end:{min(len(said) - at, 8)}", f"part:{5 * at // len(said)}"]
        seen += [f"first:{' '.join(said[:2])}", f"first {4 * at // len(said)}:{' '.join(said[:2])}"]
        seen += [f"rules:{word in cause:d}{word in effect:d}", f"parted:{bool(cause):d}"]
        found.append(dict.fromkeys(seen, 1.0))
    return found


def _at(said: Sequence[str], at: int) -> str:
    return "<" if at < 0 else said[at] if at < len(said) else ">"


def phrases(question: str, model: Callable[[Mapping[str, float]], Mapping[str, float]]) -> tuple[str, str]:
    """(what is done, what it is done to), by the model's probabilities of each word; by rules where it finds neither.

    A word borrows from its neighbours: in "the chance that a person turns up" each is of the same side.
    """
    said = tokens(question)
    shares = [model(each) for each in marks(question)]
    found = {}
    for side, other in (("cause", "effect"), ("effect", "cause")):
        mine, theirs = (_smooth([share[name] for share in shares]) for name in (side, other))
        words = [text for at, (text, _, _) in enumerate(said) if mine[at] >= max(_LIKELY, theirs[at])]
        found[side] = " ".join(word for word in words if word[0].isalnum())
    return (found["cause"], found["effect"]) if any(found.values()) else sides(question)


def _smooth(shares: Sequence[float]) -> list[float]:
    """Each the larger of its own and the mean of it and its two neighbours."""
    padded = [shares[0], *shares, shares[-1]] if shares else []
    return [max(shares[at], sum(padded[at : at + 3]) / 3) for at in range(len(shares))]


def classes(question: str, cause: str, effect: str) -> list[str]:
    """The class of each token, where the two sides are pieces of the question."""
    found = []
    places = {name: question.find(words) if words else -1 for name, words in (("cause", cause), ("effect", effect))}
    for _, start, end in tokens(question):
        inside = [
            name
            for name, words in (("cause", cause), ("effect", effect))
            if places[name] >= 0 and start >= places[name] and end <= places[name] + len(words)
        ]
        found.append(inside[0] if inside else "neither")
    return found
