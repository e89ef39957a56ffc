"""Columns → concepts of a store, where the words of both are the same or their vectors are very near.

A wrong link is worse than none: it puts other people's claims into a column's mouth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from leucippus.agents.ask import link
from leucippus.agents.columns import names_an_identifier
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.matching import spoken, stems
from leucippus.serving.encoder import Encode
from leucippus.store.concepts import concept_words, singular
from leucippus.store.database import Store
from leucippus.store.search import nearest_concepts

_MOST_COLUMNS, _CONCEPTS_A_COLUMN = 24, 20
"""A search for a phrase takes 0.1 s in a store of a million claims."""
_NEAR = 0.8
"""Cosine of MiniLM vectors: income and basic income have 0.76, marriage and divorce 0.75, education and schooling 0.83."""
_LONGEST = 5
_FRAMES = re.compile(
    r"^(whether|if|1 if|dummy|indicator|log|real|annual|monthly|weekly|daily|hourly|total|average|mean|median|baseline|"
    r"initial|current|increased|increasing|rising|reduced|decreased|declining|falling|growing|more|less|fewer|greater|the|an?|"
    r"(rise|increase|decline|decrease|reduction|growth|change|lack|absence|level|rate|amount|number|degree|extent|risk|"
    r"incidence|prevalence|frequency|onset|share|year)s? (in|of)|for|of)\s+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s+(per \w+|at baseline|in (\d{2,4}|years|months|days|hours|dollars|euros|us dollars|kg|cm|percent))$"
)
_RATE = re.compile(r"(\w+(?:ment|ity|erty)) rates?$")
_SAYS_NOTHING = frozenset(
    "treatment treated treat group control outcome score value rate test time unit id post program programme status index "
    "year month date result response variable effect change level type class arm cohort wave count total number y x z d "
    "size share case sample region area".split()
)


def link_columns(
    store: Store, case: Case, treatment: str, outcome: str, encode: Encode | None
) -> dict[str, tuple[str, ...]]:
    """Column → concept ids; columns that nothing in the store is about are not in it, nor any if the outcome is not.

    What means the treatment or the outcome means no other column.

    Parameters
    ----------
    encode : sentences → vectors of shape (n, 384), asked only for columns that no concept's words match.
    """
    found = {name: _concepts(store, _phrases(case, name), encode) for name in (outcome, treatment)}
    if not found[outcome]:
        return {}
    taken = {*found[treatment], *found[outcome]}
    both = set(found[treatment]) & set(found[outcome])
    for name in (treatment, outcome):
        found[name] = tuple(one for one in found[name] if one not in both)
    for name in _worth_looking_up(case, treatment, outcome):
        ids = _concepts(store, _phrases(case, name), encode)
        found[name] = () if taken.intersection(ids) else ids
    return {name: ids for name, ids in found.items() if ids}


def _worth_looking_up(case: Case, treatment: str, outcome: str) -> list[str]:
    barred = ("constant", "empty", "text", "identifier")
    names = [
        column.name
        for column in case.profile.columns
        if column.name not in (treatment, outcome)
        and column.kind not in barred
        and not names_an_identifier(column.name)
    ]
    roles = ("confounder", "covariate", "mediator", "instrument", "after")
    return sorted(names, key=lambda name: -case.role(name, *roles))[:_MOST_COLUMNS]


def _phrases(case: Case, name: str) -> list[str]:
    """What to look a column up by: the first words said of it, and its name where those do not give it another sense."""
    said = re.split(r"[;,:(=.\n]", case.description.columns.get(name, ""))[0].strip()
    called = spoken(name)
    own, rest = stems(called), re.findall(r"[a-z]+", said.lower())
    phrases = [said] if said else []
    if not said:
        phrases.append(called)
    elif own and (at := next((i for i, word in enumerate(rest) if stems(word) == own[-1:]), None)) is not None:
        # "education: education spending" and "age: age of the house" are not about education and age.
        following = rest[at + 1] if at + 1 < len(rest) else ""
        if not following or following != "of" and not stems(following):
            phrases.append(called)
    return [phrase for phrase in phrases if _tells(_core(phrase))]


def _tells(core: frozenset[str]) -> bool:
    return 0 < len(core) <= _LONGEST and any(len(word) > 2 and word.isalpha() for word in core - _SAYS_NOTHING)


def _core(phrase: str) -> frozenset[str]:
    """The words of a phrase without what says how much of it: "rise in unemployment rates" → unemployment."""
    text, before = " ".join(concept_words(phrase)), ""
    while text != before:
        before = text
        text = _RATE.sub(r"\1", _TAIL.sub("", _FRAMES.sub("", text)))
    return frozenset(singular(word) for word in text.split()) - {"a", "an", "the", "of", "and"}


def _concepts(store: Store, phrases: Sequence[str], encode: Encode | None) -> tuple[str, ...]:
    cores = {phrase: _core(phrase) for phrase in phrases}
    for core in cores.values():
        found = [hit.concept_id for hit in link(store, " ".join(sorted(core))) if _core(hit.name) == core]
        if found:
            return tuple(found[:_CONCEPTS_A_COLUMN])
    if encode is not None and phrases:
        for vector in encode(list(phrases)):
            near = nearest_concepts(store, vector.tolist(), limit=3)
            if found := [hit.concept_id for hit in near if hit.score >= _NEAR]:
                return tuple(found)
    return ()
