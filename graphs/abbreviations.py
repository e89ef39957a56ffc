"""Abbreviations that a text defines itself, "congestive heart failure (CHF)": text → short and long forms with offsets.

The algorithm of Schwartz and Hearst, "A simple algorithm for identifying abbreviation definitions in biomedical text",
Pacific Symposium on Biocomputing 8 (2003), 451-462, with one thing of ours: initials come first. Pure text, nothing learned.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from leucippus.graphs.normal import normal_form
from leucippus.store.concepts import concept_name

_LONGEST_SHORT = 10
"""Characters; with the next two, the conditions of the paper on a short form."""
_MOST_WORDS_OF_SHORT = 2
_REACH = 300
"""Characters before a bracket that are looked at: ten short-form letters allow fifteen words."""
_SMALL = frozenset("a an and as at by for from in is of on or our the their to was were which with".split())
_BRACKET = re.compile(r"[(\[]([^()\[\]]{2,300}?)[)\]]")
_PLURAL = re.compile(r"(?<=[A-Z0-9]{2})s$")
"""The s of "COCs" stands for no word."""
_WORD = re.compile(r"\S+")
_CUT = re.compile(r"[;,:]|\b(?:or|i\.e\.|e\.g\.|see)\b")
_SENTENCE_END = re.compile(r"[.!?;:]\s|[()\[\]\n]")


@dataclass(frozen=True)
class Definition:
    """One definition: `text[start:end]` is the long form, `text[short_start:short_end]` the short one."""

    short: str
    long: str
    start: int
    end: int
    short_start: int
    short_end: int


def definitions(text: str) -> list[Definition]:
    """Every "long form (SHORT)" and "SHORT (long form)" of a text, in the order of the text."""
    return list(_definitions(text))


def unambiguous(texts: Iterable[str], *, share: float = 0.9) -> dict[str, str]:
    """What each short form means in these texts, as names that `concept_name` makes.

    Stricter than the paper: a long form of several words gives the short one the first letters of two of them, begins
    with no small word and has none of its words. A short form counts once a text. It is left out unless its commonest
    long form has at least `share` of the texts that define it (spellings and orders of one long form count together),
    or if its letters are an ordinary word in as many texts as define it ("cat", "aids").
    """
    meant: dict[str, Counter[str]] = defaultdict(Counter)
    lower: Counter[str] = Counter()
    for text in texts:
        found = {(found.short, found.long) for found in definitions(text)}
        for short, long in {(concept_name(short), concept_name(long)) for short, long in found}:
            if _abbreviates(short, long):
                meant[short][long] += 1
        # Only in lower case can it be told from the abbreviation.
        lower.update({word for word in re.findall(r"\b[a-z]{2,10}\b", text)} - {short for short, _ in found})
    chosen = {}
    for short in sorted(meant):
        plain: Counter[str] = Counter()
        for long, times in meant[short].items():
            plain[normal_form(long).core] += times
        core, most = min(plain.items(), key=lambda pair: (-pair[1], pair[0]))
        if most >= share * plain.total() and lower[short] < plain.total():
            of_core = [(-times, long) for long, times in meant[short].items() if normal_form(long).core == core]
            chosen[short] = min(of_core)[1]
    return chosen


def _abbreviates(short: str, long: str) -> bool:
    words = long.split()
    if not short or not words or short[0] != long[0] or words[0] in _SMALL or set(short.split()) & set(words):
        return False
    initials = iter(short)
    return len(words) == 1 or sum(word[0] in initials for word in words) >= 2


def _definitions(text: str) -> Iterator[Definition]:
    for bracket in _BRACKET.finditer(text):
        inside_start, inside_end = bracket.span(1)
        inside = text[inside_start:inside_end]
        if cut := _CUT.search(inside):  # "(CHF; see above)"
            inside_end = inside_start + cut.start()
            inside = text[inside_start:inside_end]
        inside_start += len(inside) - len(inside.lstrip())
        inside_end -= len(inside) - len(inside.rstrip())
        inside = text[inside_start:inside_end]
        before_start = _sentence_start(text, bracket.start())
        before_end = before_start + len(text[before_start : bracket.start()].rstrip())
        if _is_short(inside):
            start = _long_start(inside, text, before_start, before_end)
            short_span, end = (inside_start, inside_end), before_end
        else:  # "CHF (congestive heart failure)"
            at = max(text.rfind(" ", before_start, before_end) + 1, before_start)
            if not _is_short(text[at:before_end]):
                continue
            start = _long_start(text[at:before_end], text, inside_start, inside_end)
            short_span, end = (at, before_end), inside_end
            if start != inside_start:
                continue
        short = text[slice(*short_span)]
        if start is not None and _is_long(short, text[start:end]):
            yield Definition(short, text[start:end], start, end, *short_span)


def _sentence_start(text: str, end: int) -> int:
    begin = max(0, end - _REACH)
    ends = [match.end() for match in _SENTENCE_END.finditer(text, begin, end)]
    return ends[-1] if ends else begin


def _is_short(words: str) -> bool:
    return (
        2 <= len(words) <= _LONGEST_SHORT
        and len(words.split()) <= _MOST_WORDS_OF_SHORT
        and words[0].isalnum()
        and any(sign.isalpha() for sign in words)
        and any(sign.isupper() or sign.isdigit() for sign in words)
    )


def _long_start(short: str, text: str, begin: int, end: int) -> int | None:
    """Where the long form starts: the letters of the short form found from right to left, the first at a word's start."""
    words = [match.start() for match in _WORD.finditer(text, begin, end)]
    begin = words[-min(len(short) + 5, len(short) * 2) :][0] if words else begin
    short = _PLURAL.sub("", short)
    # "Combined oral contraceptives (COC)" is three words, though the last alone has the letters.
    if short.isalpha() and short.lower() == "".join(text[start].lower() for start in words[-len(short) :]):
        return words[-len(short)]
    at = end - 1
    for place in range(len(short) - 1, -1, -1):
        sign = short[place].lower()
        if not sign.isalnum():
            continue
        while at >= begin and (text[at].lower() != sign or (place == 0 and at > begin and text[at - 1].isalnum())):
            at -= 1
        if at < begin:
            return None
        at -= 1
    return at + 1


def _is_long(short: str, long: str) -> bool:
    """Conditions of the paper: longer than the short form, more than one letter a letter, without the short form."""
    return len(long) > len(short) and short not in long.split() and not long[0].isspace()
