"""Which column a phrase means: words shared, rare ones counting more, and nearness of meaning.

Compares a phrase with a column's name, what is said of it, and (for columns of words) its values.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from leucippus.serving.encoder import Encode, encode

_STOP = frozenset(
    "a an and any are as at be been being by can did do does each for from had has have how in into is it its just like "
    "many more most much no not of on one only or other our over per rather some such than that the their them then there "
    "these they this those to up us use used using was we were what when whether which who whose why will with would yes "
    "column columns variable value values number data name id effect effects affect affects change changes changed "
    "difference impact make makes made raise raised lower lowered increase increased average mean if".split()
)
_SUFFIXES = (
    "ations ation ments ment ances ance ences ence ities ity ings ing ions ion als al ives ive ies ied ers ed es er ly s y e"
).split()
_EXACT, _EXACT_WORD = 3.0, 1.0
"""What it is worth that the column's name stands in the phrase letter by letter, and where it is a plain word besides."""
_SHORT, _SHORTEST = 0.8, 5
"""The same where the name abbreviates words in a row: `beertax` of beer tax, `nearinc` of near the incinerator."""
_MEANING = 1.0
_QUOTED = 2
"""Words that mean something in a phrase from which it counts as quoted."""
_LONGEST = 200
"""Characters of what is said of a column that are compared for their meaning."""


def spoken(name: str) -> str:
    """A column's name as words: `TrainingOffer_w1` → `training offer w1`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z]{3})(?=\d)", " ", name)
    return re.sub(r"[\W_]+", " ", apart).strip().lower() or name


def stems(text: str) -> list[str]:
    """Words that mean something, cut back to what inflections of them share."""
    text = re.sub(r"%|\bpercentages?\b|\bper cent\b", " percent ", text)
    words = re.findall(r"[a-z]+|\d+", spoken(text).replace("'", "") if "_" in text else text.lower().replace("'", ""))
    return [stem(word) for word in words if word not in _STOP]


def stem(word: str) -> str:
    """A word cut back to what its inflections share."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word


@dataclass(frozen=True)
class Columns:
    """The columns of a data set, ready to be compared with phrases."""

    names: tuple[str, ...]
    said: Mapping[str, str]
    """Column → what is said of it."""
    values: Mapping[str, tuple[str, ...]]
    """Column of words → its values."""
    embed: Encode = encode

    @cached_property
    def _words(self) -> dict[str, set[str]]:
        return {
            name: {*stems(spoken(name)), *stems(self.said.get(name, "")), *stems(" ".join(self.values.get(name, ())))}
            for name in self.names
        }

    @cached_property
    def _rarity(self) -> dict[str, float]:
        counts = Counter(word for words in self._words.values() for word in words)
        return {word: float(np.log((1 + len(self.names)) / (0.5 + count))) for word, count in counts.items()}

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        return self.embed([f"{spoken(name)}: {self.said.get(name, '')}" for name in self.names])

    @cached_property
    def _apart(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Vectors of the names, and of what is said of them (the name where nothing is)."""
        names = [spoken(name) for name in self.names]
        said = [self.said.get(name, "")[:_LONGEST] or spoken(name) for name in self.names]
        vectors = self.embed([*names, *said])
        return vectors[: len(names)], vectors[len(names) :]

    def nearness(self, phrase: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Cosines of a phrase with the columns' names, and with what is said of them; each of shape (columns,)."""
        vector = self._vector(phrase)
        names, said = self._apart
        return names @ vector, said @ vector

    def _vector(self, phrase: str) -> NDArray[np.float32]:
        if phrase not in self._encoded:
            self._encoded[phrase] = self.embed([phrase])[0]
        return self._encoded[phrase]

    @cached_property
    def _encoded(self) -> dict[str, NDArray[np.float32]]:
        return {}

    @cached_property
    def _scored(self) -> dict[str, Mapping[str, float]]:
        return {}

    def scores(self, phrase: str) -> Mapping[str, float]:
        """Column → how well the phrase fits it; about 1 where half of the phrase's rare words are the column's."""
        if phrase not in self._scored:  # the same few phrases are asked about again and again, and each is encoded
            self._scored[phrase] = self._score(phrase)
        return self._scored[phrase]

    def _score(self, phrase: str) -> Mapping[str, float]:
        wanted = set(stems(phrase))
        near = self._vectors @ self._vector(phrase) if phrase.strip() else np.zeros(len(self.names))
        plain = re.findall(r"[a-z]+", phrase.lower())
        most = sum(self._rarity.get(word, 1.0) for word in wanted) or 1.0
        found = {}
        for at, name in enumerate(self.names):
            shared = sum(self._rarity[word] for word in wanted & self._words[name])
            letters = re.sub(r"[^a-z]", "", name.lower())
            short = (
                len(letters) >= _SHORTEST
                and len(letters) > len(spoken(name).split()[0]) - 1
                and abbreviates(letters, plain)
            )
            found[name] = 2 * shared / most + self._exact(name, phrase) + _SHORT * short + _MEANING * float(near[at])
        return found

    def _exact(self, name: str, phrase: str) -> float:
        places = re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", phrase, 0 if len(name) < 4 else re.IGNORECASE)
        return max((_EXACT if _stands_out(name, phrase, *at.span()) else _EXACT_WORD for at in places), default=0.0)

    def quoted(self, text: str) -> list[str]:
        """The columns of which the text says word for word what the description says, units aside; the longest wins:
        "sales" is not quoted where "sales in the following year" is."""
        plain = " ".join(re.findall(r"\w+", text.lower()))
        found = {name: " ".join(re.findall(r"\w+", _bare(said).lower())) for name, said in self.said.items()}
        found = {
            name: said for name, said in found.items() if len(stems(said)) >= _QUOTED and f" {said} " in f" {plain} "
        }
        return [
            name for name, said in found.items() if not any(said != other and said in other for other in found.values())
        ]

    def named(self, text: str) -> list[str]:
        """The columns a text names letter by letter, in its order; short names and common words only where they stand
        apart from prose: in quotes, brackets, with an underscore or digit, or as no English word."""
        found = []
        for name in sorted(self.names, key=len, reverse=True):
            for match in re.finditer(rf"(?<![\w]){re.escape(name)}(?!\w)", text):
                if _stands_out(name, text, match.start(), match.end()):
                    found.append((match.start(), name))
                    break
        return [name for _, name in sorted(found)]


def _bare(said: str) -> str:
    """What is said of a column without units, codes and remarks."""
    return re.split(r"[,;:(]|\.\s", said, maxsplit=1)[0]


def _stands_out(name: str, text: str, start: int, end: int) -> bool:
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    return bool(re.search(r"[\d_.]|[a-z][A-Z]|^[A-Z]{2,}$", name)) or bool(set(around) & set("`'\"()“”"))


def abbreviates(short: str, words: Sequence[str]) -> bool:
    """Whether letters are beginnings of words in a row: `afam` of African-American."""
    return any(_begins(short, words[at:]) for at in range(len(words)))


def _begins(short: str, words: Sequence[str]) -> bool:
    if not short:
        return True
    if not words:
        return False
    longest = next((n for n in range(min(len(short), len(words[0])), 0, -1) if words[0].startswith(short[:n])), 0)
    return any(_begins(short[n:], words[1:]) for n in range(longest, 1, -1))
