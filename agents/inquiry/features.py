"""A study in the words and marks that the study reader weighs: of the whole, of a sentence, of a column.

A feature is a name and a number. Names begin with what they are of; n-grams of words, kinds of columns, how well a column
fits the question and its two sides, and cues of how a treatment came about.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise

from leucippus.agents.inquiry.description import Description
from leucippus.agents.inquiry.matching import Columns, spoken, stems
from leucippus.agents.inquiry.sides import sides

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
_CUE = {name: re.compile(pattern) for name, pattern in _CUES.items()}
_BEST = 6


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _grams(block: str, text: str) -> Iterator[str]:
    """Words and pairs of words, each as `block:gram`."""
    found = words(text)
    yield from (f"{block}:{word}" for word in found)
    yield from (f"{block}:{one} {other}" for one, other in pairwise(found))


def cues(text: str) -> frozenset[str]:
    """Names of the kinds of cues a text holds: lot, sampled, line, date, moved, shifter, chose, path, one."""
    return frozenset(name for name, pattern in _CUE.items() if pattern.search(text.lower()))


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


def of_columns(
    question: str, description: Description, kinds: Mapping[str, str], columns: Columns
) -> dict[str, dict[str, float]]:
    """Of each column, in the order of `kinds`."""
    cause, effect = sides(question)
    told = sorted(cues(f"{description.prose} {question}"))
    fits = {part: _Fit(columns, text) for part, text in (("q", question), ("x", cause), ("y", effect))}
    prose = _Fit(columns, description.prose[:600])
    found = {}
    for at, (name, kind) in enumerate(kinds.items()):
        said = words(description.columns.get(name, ""))
        marks = [f"n:{word}" for word in words(spoken(name))] + [f"s:{word}" for word in said]
        marks += [f"s:{one} {other}" for one, other in pairwise(said)]
        marks += [f"begins:{' '.join(said[:2])}", f"kind={kind}", f"place={4 * at // len(kinds)}"]
        marks += [f"{cue}&{kind}" for cue in told] + [f"prose rank={prose.rank(name)}"]
        for part, fit in fits.items():
            marks += [f"{part} rank={fit.rank(name)}", f"{part} rank={min(fit.rank(name), 3)}&{kind}"]
        features = dict.fromkeys(marks, 1.0)
        for part, fit in fits.items():
            features |= {f"{part} score": fit.score(name), f"{part} behind": fit.behind(name)}
        features["y less x"] = fits["y"].score(name) - fits["x"].score(name)
        features["said"] = float(bool(said))
        features["asked"] = float(len(set(stems(question)) & set(stems(f"{spoken(name)}"))))
        found[name] = features
    return found


class _Fit:
    """How well columns fit a piece of text."""

    def __init__(self, columns: Columns, text: str) -> None:
        self._scores = columns.scores(text) if text.strip() else {}
        self._order = sorted(self._scores, key=lambda name: -self._scores[name])

    def rank(self, name: str) -> int:
        return min(self._order.index(name), _BEST) if self._scores else _BEST + 1

    def score(self, name: str) -> float:
        return min(self._scores.get(name, 0.0), 3.0)

    def behind(self, name: str) -> float:
        """How far behind the best."""
        return self.score(name) - self.score(self._order[0]) if self._scores else 0.0
