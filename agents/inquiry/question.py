"""A question in plain words → what it asks, as typed fields with the words they came from.

Says nothing about the data beyond naming columns; which design answers it is for `propose`. The words that say what to
adjust for, what to use alone and what kind of effect is meant form a small closed set, so rules find them; which words
name treatment and outcome is for `sides`, which rows are meant for `values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from leucippus.agents.inquiry.matching import Columns

Effect = Literal["total", "indirect", "direct", "of the offer", "of taking it up", "at the cutoff"]

_INDIRECT = r"\b(indirect|mediat\w+|(runs?|works?|goes|went|flows?|comes?|operates?|passes|channel\w*|transmitted|carried) (\w+ ){0,3}(through|via|by way of)|because of its effect on|by (raising|lowering|changing|improving|boosting) \w+|share (of .{3,60})?(explained|mediated))\b"
_DIRECT = r"\b(direct effect|directly|other than through|not through|apart from its effect)\b"
_OFFER = r"\b(merely|just|simply|only|mere(ly)?) (being |to be |getting |having been )?(\w+ ){0,2}(offer\w*|invit\w*|assign\w*|eligib\w*|selected|allocated|mailed|sent|given access)|\bwhether or not (they|people|she|he|it|the \w+) (\w+ )?(took|take|used|use|attended|attend|accepted|enrolled|went|show)\w*|\bintention[- ]to[- ]treat|\bITT\b|\bregardless of (whether|take|actual|use|attendance)"
_UPTAKE = r"\b(because (they|he|she|it|of) (were|was|got|had|being)?\s?(the )?(\w+ )?(offer\w*|invit\w*|assign\w*|draw\w*|lotter\w*|encourag\w*|voucher\w*|eligible|nudged|prompted|selected)|compl(y|ier|iers)|on account of the|induced|moved by|whose \w+ (depend\w*|hing\w*|turn\w*|was (decided|shifted|moved|changed|driven))|actually (took|used|attended|received|enrol\w*|going|taking|using|attending|receiving|completing|getting|participat\w*)|local average)\b"
_CUTOFF = r"\b(barely|narrowly|only just|by a hair|close (?:races?|elections?|contests?)|reaching (?:the )?(?:\w+ ){0,3}age|just (above|below|over|under|before|after|past|passing|missing|missed|passed|reaching|made|crossing|turning|short)|at the (cut-?off|threshold|margin|limit)|right (at|around|above|below)|close to the (cut-?off|threshold)|bare(ly)? (majority|win))\b"
_ADJUST = r"\b(?:control(?:l?ing)? for|adjust(?:ing|ed)? for|allow(?:ing)? for|net of|account(?:ing)? for|holding|keeping|taking (?:\w+ )?account of|taking into account|conditional on|conditioning on|given equal|for the same|compared at the same|after removing|correcting for|once .{2,40} (?:is|are) (?:held|taken)|alike in|with the same|of (?:like|equal)|given(?= [a-z_]+\?| [a-z_]+ and)|take account of|let)\b"
_ADJUST_END = r"[.?!;]|\b(?:how|what|does|did|is|do|by how)\b"
_ONLY = r"\b(use only|using only|only use|nothing else|no other (?:column|variable|control)s?|do(?:n't| not) (?:use|add|adjust for) any|without (?:any )?(?:other )?controls)\b"
_INSTRUMENT = r"\b(?:as (?:an? |the )?(?:only )?(?:instrument\w*|source of (?:\w+ ){0,3}(?:variation|movement\w*|shifts?|changes?))|as (?:what|the thing that|that which) (?:moves?|pushes?|shifts?|drives?|draws?)|as (?:an? |the )?(?:outside|exogenous) \w+|(?:the )?accident of|instrument(?:ing|ed)? (?:\w+ )?(?:by|with|for))\b"
_NOT_CAUSAL = r"^\s*(show|list|plot|draw|summari[sz]e|describe|count|print|delete|ignore|write|tell me about|what (columns|variables|is the mean|is the average|is the median|does the (file|data)))\b|\b(predict|forecast|classify|cluster the|correlat\w+ matrix)\b"
_ENGLISH = frozenset(
    "the of to and a in is it for on with as was how what did does do by much would many has have from than at be are an "
    "if or who their they not more whether effect".split()
)


@dataclass(frozen=True)
class Question:
    """What is asked."""

    text: str
    causal: bool
    """Whether it asks what something does to something."""
    english: bool
    effect: Effect
    treatment_words: str = ""
    outcome_words: str = ""
    rows_words: tuple[str, ...] = ()
    """Phrases that may say which rows are meant."""
    adjust: tuple[str, ...] = ()
    """Columns it asks to adjust for."""
    only: bool = False
    """Whether nothing else is to be used."""
    instruments: tuple[str, ...] = ()
    """Columns it names as instruments."""
    percent: bool = False
    """Whether it asks for per cent for each per cent: an elasticity."""
    others: int = 0
    """Further questions that were in the text and are left out of it."""
    spans: Mapping[str, str] = field(default_factory=dict)
    """Field → the words it was read from."""


def read_question(text: str, cause: str, outcome: str, columns: Columns, others: int = 0) -> Question:
    """Read a question.

    Parameters
    ----------
    cause, outcome : the words for what is done and what it is done to.
    others : how many further questions were left out of the text.
    """
    spans: dict[str, str] = {}
    effect: Effect = "total"
    for name, pattern in _EFFECTS:
        found = re.search(pattern, text, re.IGNORECASE)
        if found and not (name == "indirect" and re.search(r"\btotal effect\b", text, re.IGNORECASE)):
            effect, spans["effect"] = name, found[0]
            break
    adjust = list(_adjusted(text, columns, spans))
    only = re.search(_ONLY, text, re.IGNORECASE)
    if only:
        spans["only"] = only[0]
    instruments = list(_instruments(text, columns, spans))
    return Question(
        text,
        bool(text.strip()) and not re.search(_NOT_CAUSAL, text, re.IGNORECASE),
        is_english(text),
        effect,
        whose(cause, text),
        outcome,
        tuple(rows_phrases(text)),
        tuple(name for name in adjust if name not in instruments),
        bool(only),
        tuple(instruments),
        len(re.findall(r"\bper ?cent(?:age)?\b(?! points?)|%", text, re.IGNORECASE)) >= 2
        or "elasticity" in text.lower(),
        others,
        spans,
    )


def whose(words: str, text: str) -> str:
    """Words with what "its" and "their" in them stand for: "its price", after "the quantity of fish", is that of fish."""
    found = _ITS.search(words)
    before = text[: text.find(words)] if found and words in text else ""
    owners = _OF.findall(before)
    return f"{words} of {owners[-1].strip()}" if owners else words


_ITS = re.compile(r"\b(?:its|their)\b", re.IGNORECASE)
_OF = re.compile(
    r"\b(?:of|for) ((?:(?!\b(?:of|for|when|if|as|change|changes|sold|bought|rise|fall|and|is|are|was|were)\b)\w+[ -]?){1,4})",
    re.IGNORECASE,
)


_EFFECTS: tuple[tuple[Effect, str], ...] = (
    ("direct", _DIRECT),
    ("indirect", _INDIRECT),
    ("of the offer", _OFFER),
    ("of taking it up", _UPTAKE),
    ("at the cutoff", _CUTOFF),
)


def rows_phrases(text: str) -> Iterator[str]:
    """Phrases such as "for men", "in 1995", "when the letter is signed", "women's"."""
    for pattern in _ROWS:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            yield match[0].strip()


_ROWS = (
    r"\b(?:for|among|amongst|within|of|in|when|where|on|during|at) (?:the |those |these |all |only )?[\w' %-]{2,60}?(?=[,?.;:]|$|\b(?:do|does|did|how|what|who|which|that|is|was|were|by|from|to|rather|instead|when|if|than)\b)",
    r"\b\w+(?:'s|s')(?= \w)",
    r"\b(?:men|women|boys|girls|males|females|husbands|wives)\b",
)


def is_english(text: str) -> bool:
    """Whether enough of the words are the commonest of English; a text of few words gets the benefit of the doubt."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    share = sum(word in _ENGLISH for word in words) / max(len(words), 1)
    latin = sum(character.isascii() for character in text) / max(len(text), 1)
    return latin > 0.7 and (len(words) < 4 or share >= 0.15)


def _adjusted(text: str, columns: Columns, spans: dict[str, str]) -> Iterator[str]:
    for match in re.finditer(_ADJUST, text, re.IGNORECASE):
        rest = text[match.end() :]
        stop = re.search(_ADJUST_END, rest, re.IGNORECASE)
        listed = rest[: stop.start()] if stop else rest
        spans["adjust"] = (match[0] + listed).strip()
        yield from named_in(listed, columns)


def named_in(listed: str, columns: Columns) -> Iterator[str]:
    """The columns a list of phrases means: "poverty and the share of English learners"."""
    seen = set()
    for phrase in re.split(r",|;|\band\b|\bor\b|\bas well as\b|\bfor example\b|\bsuch as\b|\blike\b|\bplus\b", listed):
        scores = columns.scores(phrase) if re.search(r"\w{2}", phrase) else {}
        if not scores:
            continue
        top = max(scores.values())
        for name, score in scores.items():
            if score >= max(_NEARLY * top, _SURE) and name not in seen:
                seen.add(name)
                yield name


_NEARLY = 0.95
_SURE = 0.9
"""Half of the rare words shared, and some nearness of meaning."""


def _instruments(text: str, columns: Columns, spans: dict[str, str]) -> Iterator[str]:
    match = re.search(_INSTRUMENT, text, re.IGNORECASE)
    if match is None:
        return
    spans["instrument"] = match[0]
    before = re.split(
        r"\b(?:using|use|with|if|only|taking|take|treating|treat)\b", text[: match.start()], flags=re.IGNORECASE
    )[-1]
    yield from named_in(before if len(before) > 3 else text[match.end() :].split(",")[0], columns)
