"""Normalising the words of a cause or an effect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leucippus.store.concepts import concept_id, concept_name, singular

ODD_TEXT = st.text(max_size=20) | st.text(alphabet="the ansi'’.,19-yx S̸ß́ͅŉ", max_size=20)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The  Financial Crises", "financial crisis"),
        ("“an increase in Taxes”", "increase in tax"),
        ("Alzheimer’s disease", "alzheimer disease"),
        ("COVID-19", "covid 19"),
        ("CO₂ emissions", "co2 emission"),
        ("1,500.5 degrees", "1500.5 degree"),
        ("these studies", "study"),
        ("headaches", "headaches"),
        ("SARS", "sars"),
        ("diabetes", "diabetes"),
        ("economics", "economics"),
        ("the", "the"),
        ("→", "→"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("हिन्दी भाषा", "हिन्दी भाषा"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert concept_name(text) == name


@given(ODD_TEXT)
def test_a_name_is_its_own_name(text: str) -> None:
    assert concept_name(concept_name(text)) == concept_name(text)


@given(ODD_TEXT)
def test_only_blank_text_has_an_empty_name(text: str) -> None:
    assert (concept_name(text) == "") <= (text.strip() == "" or not any(map(str.isprintable, text)))


@given(st.from_regex(r"[a-z]{2,12}", fullmatch=True))
def test_a_singular_is_its_own_singular(word: str) -> None:
    assert singular(singular(word)) == singular(word)


def test_the_id_of_a_concept_does_not_change() -> None:
    assert concept_id("smoking") == "97af9b68244ac968"
