"""The columns of a study in the marks that the study reader weighs: their words, their kind, and how well they fit.

A column is seen next to the question and its two sides, next to the cues of the description, and next to what the study
seems to be: the running variable of a discontinuity is looked for where a discontinuity is likely.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np

from leucippus.agents.inquiry.description import Description, is_logarithm
from leucippus.agents.inquiry.features import Features, cues, words
from leucippus.agents.inquiry.matching import Columns, spoken, stems
from leucippus.agents.inquiry.sides import sides as rules

_BEST = 6
_NEAREST = 5
_LIKELY = 0.15
"""Probability from which a strategy colours what is looked for."""
_NEAR = 3.0
"""What cosines are multiplied by, to weigh about as much as other marks."""
_LOG = re.compile(r"\blog|\bln\b", re.IGNORECASE)
_SUM = re.compile(r"\w+ \+ \w+|\bsum of|\btotal|\bmean of|\baverage of|\ball \w+", re.IGNORECASE)
_TOTAL = re.compile(r"\btotal|\boverall|\bcombined|\baltogether|\ball\b|\bin sum", re.IGNORECASE)
_PROPORTION = re.compile(r"\bper ?cent(?!age points?)|%|proportion|elasticit", re.IGNORECASE)


def of_columns(
    question: str,
    sides: tuple[str, str],
    strategies: Mapping[str, float],
    description: Description,
    kinds: Mapping[str, str],
    columns: Columns,
) -> dict[str, dict[str, float]]:
    """Of each column, in the order of `kinds`.

    Parameters
    ----------
    sides : the question's words for what is done and what it is done to, as a model finds them; what the rules find is
        looked at besides.
    strategies : how likely each is, by the words alone.
    """
    cause, effect = sides
    told = sorted(cues(f"{description.prose} {question}"))
    by_rule = dict(zip("uv", rules(question), strict=True))
    fits = {part: _Fit(columns, text) for part, text in ({"q": question, "x": cause, "y": effect} | by_rule).items()}
    prose = _Fit(columns, description.prose[:600])
    near = _nearness(columns, kinds, {"q": question, "x": cause, "y": effect})
    asked = "log" if _LOG.search(question) else "share" if _PROPORTION.search(question) else "plain"
    logs = {name: is_logarithm(name, description.columns.get(name, "")) for name in kinds}
    found = {}
    for at, (name, kind) in enumerate(kinds.items()):
        said = words(description.columns.get(name, ""))
        marks = [f"n:{word}" for word in words(spoken(name))] + [f"s:{word}" for word in said]
        marks += [f"s:{one} {other}" for one, other in pairwise(said)]
        marks += [f"begins:{' '.join(said[:2])}", f"kind={kind}", f"place={4 * at // len(kinds)}"]
        marks += [f"{cue}&{kind}" for cue in told] + [f"prose rank={prose.rank(name)}"]
        for part, fit in fits.items():
            marks += [f"{part} rank={fit.rank(name)}", f"{part} rank={min(fit.rank(name), 3)}&{kind}"]
        if logs[name]:
            marks.append(f"log&{asked}")
        elif any(logs[other] and other.lower().endswith(name.lower()) for other in kinds if other != name):
            marks.append(f"has a log&{asked}")
        if _SUM.search(description.columns.get(name, "")):
            marks.append(f"sum&{'total' if _TOTAL.search(question) else 'plain'}")
        features = dict.fromkeys(marks, 1.0)
        for part, fit in fits.items():
            features |= {f"{part} score": fit.score(name), f"{part} behind": fit.behind(name)}
        features |= near[name]
        for strategy, share in strategies.items():
            if share > _LIKELY:
                features |= {f"S={strategy}": share, f"S={strategy}&{kind}": share}
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


def _nearness(columns: Columns, names: Iterable[str], texts: Mapping[str, str]) -> Mapping[str, Features]:
    """How near in meaning each column's name, and what is said of it, are to texts; and in which place among all."""
    found: dict[str, dict[str, float]] = {name: {} for name in names}
    for part, text in texts.items():
        if not text.strip():
            continue
        for what, cosines in zip("ns", columns.nearness(text), strict=True):
            order = np.argsort(-cosines, kind="stable")
            for place, at in enumerate(order):
                found[columns.names[at]] |= {
                    f"{part}{what} near": _NEAR * float(cosines[at]),
                    f"{part}{what} behind": _NEAR * float(cosines[at] - cosines[order[0]]),
                    f"{part}{what} place={min(place, _NEAREST)}": 1.0,
                }
    return found
