"""Phrases are not cut in the middle."""

from leucippus.agents.phrases import core, ends, starts


def started(text: str, *, nearest: bool = False) -> list[str]:
    return [text[at:].split()[0] for at in sorted(starts(text, nearest=nearest))]


def ended(text: str, *, nearest: bool = False) -> list[str]:
    return [text[:at].split()[-1] for at in sorted(ends(text, nearest=nearest))]


def test_a_compound_is_not_entered_in_the_middle() -> None:
    assert started("asthma admissions among young children") == ["asthma", "young"]
    assert ended("asthma admissions among young children") == ["admissions", "children"]


def test_an_object_starts_with_the_first_word_that_says_something() -> None:
    assert started("the waiting times in every ward", nearest=True) == ["the", "waiting"]


def test_a_subject_ends_just_before_its_verb() -> None:
    assert ended("Flooding at the substation also", nearest=True) == ["substation"]


def test_an_insertion_before_the_verb_lets_the_subject_end_earlier() -> None:
    assert ended("Rain, they wrote at night,", nearest=True) == ["Rain", "night"]


def test_of_keeps_a_phrase_together() -> None:
    assert started("The closure of the tram line") == ["The", "closure"]


def test_core_takes_off_what_belongs_to_the_verb() -> None:
    assert core("the new lights never") == "the new lights"
    assert core("which it was") == ""
    assert core("and also") == ""
