"""Columns → concepts of a store, where the words of both are the same or their vectors are very near.

With each concept goes what it means in the woven model, and whether more of the column is more or less of that.

A wrong link is worse than none: it puts other people's claims into a column's mouth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from leucippus.agents.ask import link
from leucippus.agents.columns import names_an_identifier
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.matching import spoken, stems
from leucippus.graphs.normal import normal_form
from leucippus.serving.encoder import Encode
from leucippus.store.concepts import concept_name, concept_words, singular
from leucippus.store.database import Store
from leucippus.store.routes import meanings_of
from leucippus.store.search import ConceptHit, nearest_concepts

_MOST_COLUMNS, _CONCEPTS_A_COLUMN = 24, 20
"""A search for a phrase takes 0.1 s in a store of a million claims."""
_NEAR = 0.8
"""Cosine of MiniLM vectors: income and basic income have 0.76, marriage and divorce 0.75, education and schooling 0.83."""
_LONGEST = 5
"""Words of a core."""
_LONGEST_TEXT = 300
"""Characters of a name or a description that are looked at: what goes on beyond is no name of a thing."""
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


@dataclass(frozen=True)
class Linked:
    """A concept that a column means."""

    concept_id: str
    name: str
    root_id: str
    """What the concept means, all merges followed; itself where it is not woven in."""
    turn: int
    """1: more of the column is more of the root; -1: "lack of sleep" → sleep."""
    exact: bool
    """The column's own words are the concept's name."""


def link_columns(
    store: Store, case: Case, treatment: str, outcome: str, encode: Encode | None
) -> dict[str, tuple[Linked, ...]]:
    """Column → concepts; columns that nothing in the store is about are not in it, nor any if the outcome is not.

    What means the treatment or the outcome means no other column.

    Parameters
    ----------
    encode : sentences → vectors of shape (n, 384), asked only for columns that no concept's words match.
    """
    said = case.description.columns
    found = {name: concepts_of(store, name, said.get(name, ""), encode) for name in (outcome, treatment)}
    if not found[outcome]:
        return {}
    ours, theirs = ({one.root_id for one in found[name]} for name in (treatment, outcome))
    for name in (treatment, outcome):
        found[name] = tuple(one for one in found[name] if one.root_id not in ours & theirs)
    for name in _worth_looking_up(case, treatment, outcome):
        linked = concepts_of(store, name, said.get(name, ""), encode)
        found[name] = () if any(one.root_id in ours | theirs for one in linked) else linked
    return {name: linked for name, linked in found.items() if linked}


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


def concepts_of(store: Store, name: str, said: str, encode: Encode | None) -> tuple[Linked, ...]:
    """The concepts that a column means, by its name and by what is said of it; empty where it is not clear.

    Parameters
    ----------
    encode : sentences → vectors of shape (n, 384), asked only where no concept's words match.
    """
    phrase, hits = _hits(store, phrases_of_column(name, said), encode)
    own = concept_name(phrase)
    meant = meanings_of(store, [hit.concept_id for hit in hits])
    return tuple(
        Linked(
            hit.concept_id,
            hit.name,
            meant[hit.concept_id][0],
            normal_form(own).turn * normal_form(hit.name).turn * meant[hit.concept_id][1],
            hit.name == own,
        )
        for hit in hits
    )


def phrases_of_column(name: str, said: str) -> list[str]:
    """What to look a column up by: the first words said of it, and its name where those do not give it another sense."""
    said = re.split(r"[;,:(=.\n]", said[:_LONGEST_TEXT])[0].strip()
    called = spoken(name[:_LONGEST_TEXT])
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


def _hits(store: Store, phrases: Sequence[str], encode: Encode | None) -> tuple[str, list[ConceptHit]]:
    """The phrase that led to concepts, and these."""
    for phrase in phrases:
        core = _core(phrase)
        found = [hit for hit in link(store, " ".join(sorted(core))) if _core(hit.name) == core]
        if found:
            return phrase, found[:_CONCEPTS_A_COLUMN]
    if encode is not None and phrases:
        for phrase, vector in zip(phrases, encode(list(phrases)), strict=True):
            near = nearest_concepts(store, vector.tolist(), limit=3)
            if found := [hit for hit in near if hit.score >= _NEAR]:
                return phrase, found
    return "", []
