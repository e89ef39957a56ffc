"""From the words of a cause or an effect to the name of a concept. Pure text: knows no store and no meaning.

Two phrases get one name when they differ only in case, width, articles, quotes, punctuation or a plain English plural.
"Rise in X" stays apart from "X": taking the direction off would have to turn the sign of the claim.
"""

import re
import unicodedata
from functools import lru_cache

from leucippus.store.triples import stable_id

_DETERMINERS = frozenset({
    "a", "an", "the", "this", "that", "these", "those", "its", "their", "his", "her", "our", "my", "your",
    "some", "any", "each", "every", "such",
})  # fmt: skip
_ONE_QUOTE = str.maketrans(dict.fromkeys("’‘`´ʼ", "'"))
_POSSESSIVE = re.compile(r"(?<=[^\W_])('s)+(?!\w)")

# Plurals that no rule below gets right, and singulars that look like plurals.
_IRREGULAR = {
    "analyses": "analysis", "children": "child", "crises": "crisis", "diagnoses": "diagnosis", "hypotheses": "hypothesis",
    "men": "man", "metastases": "metastasis", "mice": "mouse", "prognoses": "prognosis", "psychoses": "psychosis",
    "viruses": "virus", "women": "woman",
}  # fmt: skip
_SINGULAR = frozenset({
    "always", "asbestos", "calories", "chaos", "christmas", "cookies", "diabetes", "herpes", "hiccups",
    "kansas", "measles", "movies", "mumps", "pancreas", "perhaps", "rabies", "rickets", "series", "species",
    "texas", "zombies",
})  # fmt: skip
_SHORTEST_PLURAL = 5  # shorter words that end in s are too often not plurals: bias, lens, SARS, news


def concept_id(name: str) -> str:
    """The id of the concept called `name`, a result of `concept_name`."""
    return stable_id("concept", name)


@lru_cache(maxsize=65536)
def concept_name(text: str) -> str:
    """The name of the concept that `text` stands for; `concept_name(concept_name(t)) == concept_name(t)`.

    Empty only if `text` is blank: a phrase without any letter or digit is its own name.
    """
    name = _name_once(text)
    # Taking a sign out can bring two others together into a third: go on until nothing changes.
    while (again := _name_once(name)) != name:
        name = again
    return name


def _name_once(text: str) -> str:
    words = list(concept_words(text))
    if not words:
        return " ".join(_folded(text).split())
    while len(words) > 1 and words[0] in _DETERMINERS:
        words = words[1:]
    *rest, head = words
    return " ".join((*rest, singular(head)))


def concept_words(text: str) -> tuple[str, ...]:
    """The words of `text`, case folded and without punctuation."""
    text = _POSSESSIVE.sub("", _folded(text).translate(_ONE_QUOTE))
    kept = []
    for at, sign in enumerate(text):
        if sign.isalnum() or unicodedata.category(sign)[0] == "M":
            kept.append(sign)
        elif sign in ".," and text[at - 1 : at].isdecimal() and text[at + 1 : at + 2].isdecimal():
            kept.append("." if sign == "." else "")
        else:
            kept.append("" if sign == "'" else " ")
    return tuple(word for word in "".join(kept).split() if any(map(str.isalnum, word)))


def singular(word: str) -> str:
    """`word` without a plain English plural ending; left alone in doubt."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _SINGULAR or len(word) < _SHORTEST_PLURAL or not word.isalpha():
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "tches", "xes")):
        return word[:-2]
    # ss, us, is: glass, virus, crisis. ics: economics. ches: branch or avalanche?
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "ics", "ches")):
        return word[:-1]
    return word


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
