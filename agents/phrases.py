"""Where a noun phrase or clause may start and end in English, by its small words. No parser, no model.

Left to itself a small model cuts compounds ("admissions" from "asthma admissions") and runs past an object's end.
Phrases start behind a small word or punctuation and end before one; this module says where that is.
"""

from collections.abc import Iterator

from leucippus.agents.passages import Span
from leucippus.serving.copying import TOKEN, is_word

_DETERMINERS = frozenset(
    "a an the this that these those its their his her our your my some any no all both each every either neither more"
    " most less fewer much many several few such other another one two three four five six seven eight nine ten".split()
)
# Behind these a phrase may start, and before them one may end.
_SMALL = _DETERMINERS | frozenset(
    "of in on at by to for from with without within into onto over under above below between among across through"
    " during before after since until till against about around along behind beyond despite towards toward upon via per"
    " as than like near off out up down and or but nor so yet if when while where whereas although though because unless"
    " which who whom whose what how why whether there here then thus hence therefore also too even only just still not"
    " never n't ever again already often always sometimes is are was were be been being am has have had having do does"
    " did doing will would shall should can could may might must it they he she we you i them him us me said says say"
    " saying found finds find found reported reports report showed shows show shown suggests suggested suggest believes"
    " believe believed thinks think thought argued argues claims claimed noted notes warned warns explained added told"
    " recalled objected stated advised wrote knows know".split()
)
_CANNOT_START = _SMALL - _DETERMINERS - frozenset("not it they he she we you i them him us me".split())


def starts(text: str, *, nearest: bool = False) -> frozenset[int]:
    """Offsets where a phrase may start; `nearest`: up to and with the first word that says something."""
    found = set()
    boundary, after_of = True, False
    for start, end in _words(text):
        word = text[start:end].casefold()
        may_start = word not in _CANNOT_START and not (_is_small(word) and word not in _SMALL)
        if is_word(word) and may_start and not after_of and (boundary or word in _DETERMINERS):
            found.add(start)
        # "closure of the tram line": behind "of" the phrase goes on.
        boundary = (not is_word(word) or _is_small(word)) and word != "of"
        after_of = word == "of" or (after_of and word in _DETERMINERS)
        if nearest and not boundary and not after_of:
            break
    return frozenset(found)


def ends(text: str, *, nearest: bool = False) -> frozenset[int]:
    """Offsets where a phrase may end; `nearest`: from the last word that says something on.

    A text that ends in a comma closes an insertion ("rain, they say, …"): the phrase may end before that too.
    """
    found = set()
    boundary = True
    nearest = nearest and not text.rstrip().endswith((",", ")", "—", "–"))
    for start, end in reversed(list(_words(text))):
        word = text[start:end].casefold()
        says_something = is_word(word) and not _is_small(word)
        if says_something and boundary:
            found.add(end)
            if nearest:
                break
        boundary = not says_something
    return frozenset(found)


def core(phrase: str) -> str:
    """`phrase` without small words at its edges that belong to what is beside it: "the new lights never" (caused)."""
    words = phrase.split()
    while words and words[-1].casefold() in _SMALL:
        words.pop()
    while words and words[0].casefold() in _CANNOT_START:
        words.pop(0)
    return " ".join(words)


def _words(text: str) -> Iterator[Span]:
    return (match.span() for match in TOKEN.finditer(text))


def _is_small(word: str) -> bool:
    return word in _SMALL or (word.endswith("ly") and len(word) > 4 and word not in ("supply", "family", "assembly"))
