"""A study in the words and marks that the study reader weighs: of the whole, and of a sentence.

A feature is a name and a number. Names begin with what they are of; n-grams of words, kinds of columns, cues of how a
treatment came about. Those of a question's words are in `question_words`, those of columns in `column_marks`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise

from leucippus.agents.inquiry.description import Description
from leucippus.agents.inquiry.matching import spoken

Features = Mapping[str, float]
_WORD = re.compile(r"[a-z][a-z'-]*|\d+")
_CUES = {
    "lot": r"\b(random(?:ly|i[sz]\w+|i[sz]ation)?|lotter\w+|by lot|by chance|dr[ae]wn?|drew|coin|envelopes?|dice|die|urn|"
    r"hat|ballot|computer|generator|experiment\w*|trial|a/b)\b",
    "sampled": r"\b(random(?:ly)? (?:sample|survey\w*|select\w* (?:house|people|respond))|representative sample)\b",
    "line": r"\b(cut-?off|threshold|at least|or more|or less|minimum|maximum|margin|eligib\w+|qualif\w+|score\w*|points?|"
    r"limit|below|above|just|birthday|majority|elections?)\b",
    "date": r"\b(law|act|policy|reform|introduc\w+|adopt\w+|rolled out|rollout|since|before and after|came into|took effect|"
    r"switch\w+|states?|provinces?|regions?|counties|districts|opened|closed)\b",
    "moved": r"\b(offer\w*|invit\w*|assign\w*|encourag\w*|voucher\w*|letter|did not (?:take|show|come|use)|take-?up|took it up|"
    r"not all|some of (?:those|the)|compl\w+)\b",
    "shifter": r"\b(instrument\w*|distance|near\w*|weather|rain\w*|wind|storm\w*|tax(?:es)?|tariff\w*|births?|quarter|draft|"
    r"supply|demand|prices?|exogenous|outside|no (?:direct )?(?:bearing|effect|influence)|ability|unobserved)\b",
    "chose": r"\b(chose\w*|choose|decid\w+|volunt\w+|opted|self-select\w*|applied|signed up|prefer\w*|some \w+ others|"
    r"more often|tend to|differ\w*)\b",
    "path": r"\b(through|via|mediat\w+|because of its|channel|indirect\w*|runs)\b",
    "one": r"\b(monthly|weekly|daily|quarterly|series|one (?:city|country|state|hospital|firm)|national)\b",
}  # fmt: skip
_NO_LOT = re.compile(
    r"\b(?:no|not|never|nobody|without|neither|nothing|rather than|instead of|n't)\b[^.;,]{0,40}?\b"
    r"(?:random\w*|lotter\w+|lot|chance|draw\w*|drawn|coin|assigned|ballot|dice)\b"
)
_CUE = {name: re.compile(pattern) for name, pattern in _CUES.items()}


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _grams(block: str, text: str) -> Iterator[str]:
    """Words and pairs of words, each as `block:gram`."""
    found = words(text)
    yield from (f"{block}:{word}" for word in found)
    yield from (f"{block}:{one} {other}" for one, other in pairwise(found))


def cues(text: str) -> frozenset[str]:
    """Names of the kinds of cues a text holds: lot, sampled, line, date, moved, shifter, chose, path, one; and no lot,
    where it says that nothing was drawn."""
    text = text.lower()
    told = _NO_LOT.sub(" ", text)
    found = {name for name, pattern in _CUE.items() if pattern.search(told)}
    return frozenset(found | ({"no lot"} if told != text else set()))


def of_study(question: str, description: Description, kinds: Mapping[str, str]) -> Features:
    """Of question, prose and columns together."""
    columns = " ".join(f"{spoken(name)} {description.columns.get(name, '')}" for name in kinds)
    counts = Counter([*_grams("q", question), *_grams("p", description.prose), *_grams("c", columns)])
    counts.update(f"k:{kind}" for kind in kinds.values())
    counts.update(f"u:{name}" for name in cues(description.prose))
    counts.update(f"v:{name}" for name in cues(question))
    return {name: float(count) for name, count in counts.items()}


def of_sentence(sentence: str, place: int, sentences: int) -> Features:
    """Of one sentence of a description."""
    counts = Counter(_grams("t", sentence))
    counts.update(f"u:{name}" for name in cues(sentence))
    counts.update([f"at:{min(place, 4)}", f"from the end:{min(sentences - place, 4)}"])
    return {name: float(count) for name, count in counts.items()}
