"""The name of a concept → the plain concept it is about, and whether more of the one is more or less of the other.

English rules alone: no store, no vectors, no model. "Rise in X", "X increase" and "presence of X" are X; "lack of X" and
"falling X" are X turned; "price of oil" is "oil price"; "tumour" is "tumor". The sign is never lost, and in doubt a name
stays as it is: a change word that is part of a name (weight loss, growth hormone, lower back pain) is left alone.
A shortage is not a small amount (demand can make one), so "shortage of X" is "X shortage" and no more.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from leucippus.graphs.normal_words import (
    ABSTRACT,
    ADJECTIVE,
    ALIVE,
    AMERICAN,
    AMERICAN_PARTS,
    CONDITION,
    CONDITIONS,
    DETERMINERS,
    DONE_TO,
    FROM_TO,
    HEADS,
    HOW_MUCH,
    JOINING,
    LESS,
    LESS_BEFORE,
    LESS_BEHIND,
    LOSSES,
    LOST,
    MEASURED_IN,
    MORE,
    MORE_BEFORE,
    MORE_BEHIND,
    MOST_TURNED,
    MOVING,
    NAMES,
    NAMES_BEGIN,
    NAMES_BEHIND,
    NOUNS,
    ORDERED,
    PEOPLE_AND_PLACES,
    PLAIN_ADJECTIVES,
    QUANTITIES,
    RISK_BEHIND,
    ROMAN,
    SMALL,
    USED,
)
from leucippus.store.concepts import concept_name
from leucippus.store.merges import Turn

_LONGEST = 24
"""Words; longer names are clauses or worse, and nothing is taken off them."""
_LONGEST_CORE = 5
"""Words that are left when something is taken off; more of them are rather a clause ("fewer men in the hills became …")."""


@dataclass(frozen=True)
class Normal:
    """What a name is about. `dropped`: the words taken off, in the order they went; empty if only spelling or order
    changed. `core` is a name as `concept_name` makes it, and its own normal form."""

    core: str
    turn: Turn
    dropped: tuple[str, ...]


_Step = tuple[tuple[str, ...], int, tuple[str, ...]]  # words left, turn, words dropped


@lru_cache(maxsize=65536)
def normal_form(name: str) -> Normal:
    """What `name`, a result of `concept_name`, is about.

    The core is never empty, and `normal_form(core) == Normal(core, 1, ())`. Signs multiply: "reduction in the lack of
    sleep" is sleep, +1.
    """
    words = tuple(name.split())
    if not words or len(words) > _LONGEST:
        return Normal(name, 1, ())
    dropped: list[str] = []
    whole = words = _tidy(words, fresh=False)
    turn = 1
    while step := _step(words):
        rest, sign, gone = step
        words, turn = _tidy(rest, fresh=True), turn * sign
        dropped += gone
    if dropped and len(words) > _LONGEST_CORE:
        return Normal(" ".join(whole), 1, ())
    return Normal(" ".join(words), 1 if turn > 0 else -1, tuple(dropped))


@lru_cache(maxsize=65536)
def american(word: str) -> str:
    """The American spelling of a British one; any other word as it is."""
    word = AMERICAN.get(word, word)
    for pattern, spelling in AMERICAN_PARTS:
        word = pattern.sub(spelling, word)
    return word


def is_adjective(word: str) -> bool:
    """Whether an English word is rather an adjective than a noun, by its ending; some nouns are taken for one."""
    if word in NOUNS or is_condition(word):
        return False
    return word in PLAIN_ADJECTIVES or word in HOW_MUCH or ADJECTIVE.fullmatch(word) is not None


def is_condition(word: str) -> bool:
    """Whether a word is something that befalls: a disease, an injury, an accident."""
    return word in CONDITIONS or CONDITION.fullmatch(word) is not None


def _tidy(words: tuple[str, ...], *, fresh: bool) -> tuple[str, ...]:
    """Words in American spelling, as `concept_name` has them; `fresh`: not known to be its result."""
    while True:
        spelt = [american(word) for word in words]
        for at, word in enumerate(spelt[1:], start=1):
            if spelt[at - 1] in ORDERED:
                spelt[at] = ROMAN.get(word, word)
        if len(spelt) > 2 and spelt[-2] == "type" and spelt[-1].isdecimal() and "type" not in spelt[:-2]:
            spelt = [*spelt[-2:], *spelt[:-2]]  # diabetes type 2
        if tuple(spelt) == words and not fresh:
            return words
        tidied, fresh = tuple(concept_name(" ".join(spelt)).split()), False
        if tidied == words:
            return words
        words = tidied


def _step(words: tuple[str, ...]) -> _Step | None:
    """One thing taken off or turned round, with fewer words left than there were; None if there is nothing."""
    if _is_name(words):
        return None
    lead = next((at for at, word in enumerate(words) if word not in HOW_MUCH), len(words))
    before, words = words[:lead], words[lead:]
    if len(words) < 2 or _is_name(words):
        return None
    step = _change_of(words) or _change_before(words) or (None if before else _change_behind(words) or _turned(words))
    if step is None:
        return None
    rest, turn, gone = step
    # "High risk of X" is said of X; "high cost of X" is no "X cost".
    if before and not gone:
        return None
    return rest, turn, (*before, *gone)


def _is_name(words: tuple[str, ...]) -> bool:
    return "_".join(words) in NAMES or "_".join(words[:2]) in NAMES_BEGIN


def _is_quantity(word: str) -> bool:
    return word in QUANTITIES or is_condition(word) or ABSTRACT.fullmatch(word) is not None


def _change_of(words: tuple[str, ...]) -> _Step | None:
    first = words[0] if words[0].endswith("ss") else words[0].removesuffix("s")
    link = words[1]
    turn = 1 if link in MORE.get(first, ()) else -1 if link in LESS.get(first, ()) else 0
    rest, gone = _after(words, 2)
    if not turn or not _whole(rest):
        return None
    head = rest[-1]
    refused = (
        (link == "in" and (PEOPLE_AND_PLACES & set(rest) or (first == "drop" and head in NAMES_BEHIND)))
        or ((first, link) in (("rise", "of"), ("growth", "in")) and not _is_quantity(head))
        or (first == "growth" and ALIVE & set(rest))
        or (first == "use" and head in USED)
        or (first == "loss" and head not in LOST)
        or (first == "development" and not is_condition(head))
    )
    return _turned(words) if refused else (rest, turn, gone)


def _change_before(words: tuple[str, ...]) -> _Step | None:
    first = words[0]
    turn = 1 if first in MORE_BEFORE else -1 if first in LESS_BEFORE else 0
    if first == "not" and words[1].endswith("ing") and len(words[1]) > 5:
        turn = -1
    rest, gone = _after(words, 1)
    if not turn or not _whole(rest):
        return None
    begin, head = rest[0], rest[-1]
    refused = (
        (first in MOVING and not _is_quantity(head))
        or (head in PEOPLE_AND_PLACES and len(rest) > 1)  # lower income country
        or (first in ("more", "less") and (is_adjective(begin) or begin.endswith(("ing", "ly"))))
    )
    return None if refused else (rest, turn, gone)


def _change_behind(words: tuple[str, ...]) -> _Step | None:
    *rest, last = words
    head = rest[-1]
    if not _whole(tuple(rest)) or SMALL & set(rest) or is_adjective(head) or MEASURED_IN & set(rest):
        return None
    if last in MORE_BEHIND | LESS_BEHIND:
        known = head in QUANTITIES or last in ("increase", "decrease")
        turn = 1 if last in MORE_BEHIND else -1
    else:
        known = (last in RISK_BEHIND and is_condition(head)) or (last == "loss" and head in LOST)
        turn = -1 if last == "loss" else 1
    return (tuple(rest), turn, (last,)) if known else None


def _turned(words: tuple[str, ...]) -> _Step | None:
    """The same words in the order that others are put in."""
    first, second, last = words[0], words[1], words[-1]
    if second in DONE_TO.get(first, ()) and len(words) == 2:
        return (second, first), 1, ()
    if words[:3] == ("being", "exposed", "to") and len(words) > 3:
        return ("exposure", *words[2:]), 1, ()
    head = concept_name(first)
    as_head = head in HEADS or (head == "loss" and last in LOSSES)
    rest, _ = _after(words, 2)
    if second == "of" and as_head and len(rest) <= MOST_TURNED and not SMALL & set(rest) and _whole(rest):
        return (*rest, first), 1, ()
    return None


def _after(words: tuple[str, ...], at: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words from `at` on without determiners before them, and all that was left out."""
    while at < len(words) and words[at] in DETERMINERS:
        at += 1
    return words[at:], words[:at]


def _whole(rest: tuple[str, ...]) -> bool:
    """Whether what is left is one thing that can stand alone."""
    return (
        bool(rest)
        and not JOINING & set(rest)
        and rest[0] not in SMALL
        and rest[-1] not in SMALL | DETERMINERS
        and not rest[0][0].isdecimal()
        and not any(here in FROM_TO and there[0].isdecimal() for here, there in pairwise(rest))
        and not all(word in HOW_MUCH or is_adjective(word) for word in rest)
        and any(len(word) > 1 and word[0].isalpha() for word in rest)
    )
