"""What a question asks, from its words."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from leucippus.agents.inquiry.matching import Columns, stems
from leucippus.agents.inquiry.question import is_english, read_question
from leucippus.agents.inquiry.sides import sides


def no_meaning(texts: Sequence[str]) -> NDArray[np.float32]:
    """An encoder to which no two texts are alike."""
    return np.zeros((len(texts), 4), dtype=np.float32)


COLUMNS = Columns(
    ("wage", "educ", "near_college", "poor_share", "english_learners", "age"),
    {
        "poor_share": "share of poor families",
        "english_learners": "per cent of pupils who learn English",
        "age": "years",
    },
    {},
    no_meaning,
)


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("Did the course raise wages?", "total"),
        ("What did merely being offered the course do to wages, whether or not people took it?", "of the offer"),
        ("For those who took the course because they were offered it, how much did wages rise?", "of taking it up"),
        ("How much of the effect on wages runs through confidence?", "indirect"),
        ("How much does barely winning add to the next vote share?", "at the cutoff"),
        ("What is the direct effect of the course, not through confidence?", "direct"),
    ],
)
def test_the_effect_that_is_meant(text: str, effect: str) -> None:
    assert read_question(text, "", "", COLUMNS).effect == effect


def test_what_to_adjust_for() -> None:
    text = "How do wages change with schooling, allowing for the share of poor families and for English learners?"
    assert read_question(text, "", "", COLUMNS).adjust == ("poor_share", "english_learners")


def test_a_named_instrument_is_no_control() -> None:
    found = read_question(
        "Using near_college as an instrument, what does a year of school add to wages?", "", "", COLUMNS
    )
    assert found.instruments == ("near_college",)
    assert found.adjust == ()


@pytest.mark.parametrize(
    ("text", "causal"),
    [
        ("Did the fence cut thefts?", True),
        ("Was the scheme worth it?", True),
        ("What is the average wage?", False),
        ("List the columns.", False),
        ("Predict next month's sales.", False),
    ],
)
def test_causal_questions(text: str, causal: bool) -> None:
    assert read_question(text, "", "", COLUMNS).causal is causal


def test_languages() -> None:
    assert is_english("By how much did the tax change what people drink?")
    assert not is_english("Wie stark hat die Steuer den Verbrauch von Limonade verändert?")
    assert not is_english("Combien le programme a-t-il augmenté les revenus des familles ?")
    assert not is_english("这个项目提高了工资吗？")


def test_per_cent_for_per_cent_and_two_questions() -> None:
    text = "By what per cent do sales fall if the price rises by one per cent? And profits?"
    found = read_question(text, "", "", COLUMNS)
    assert found.percent


@pytest.mark.parametrize(
    ("text", "cause", "effect"),
    [
        ("What did the fence do to thefts?", "the fence", "thefts"),
        ("Does a letter make people pay in time?", "a letter", "people pay in time"),
        ("What is the effect of the dam on harvests downstream?", "the dam", "harvests downstream"),
        ("For women, by how many points did the course raise scores?", "the course", "scores by how many points"),
        ("What is the elasticity of sales with respect to the price?", "the price", "sales"),
        ("How do rents respond when a bridge opens?", "a bridge opens", "rents"),
        ("Is it raining?", "", ""),
    ],
)
def test_the_two_sides(text: str, cause: str, effect: str) -> None:
    found = sides(text)
    assert found[0] == cause
    assert set(effect.split()) <= set(found[1].replace("?", "").split()) | {"by", "how", "many"}


def test_inflections_share_a_stem() -> None:
    assert set(stems("earnings")) == set(stems("earned")) == set(stems("earn"))
