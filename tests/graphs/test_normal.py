"""Plain concepts and signs from names."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.graphs.normal import Normal, normal_form
from leucippus.store.concepts import concept_name

SAID: list[tuple[str, str, int]] = [
    # more of it
    ("increase in oil prices", "oil price", 1),
    ("rising temperatures", "temperature", 1),
    ("higher unemployment", "unemployment", 1),
    ("growth of the population", "population", 1),
    ("tax increases", "tax", 1),
    ("a sharp rise in prices", "price", 1),
    ("presence of lead", "lead", 1),
    ("use of aspirin", "aspirin", 1),
    ("occurrence of stroke", "stroke", 1),
    ("onset of diabetes", "diabetes", 1),
    ("development of cancer", "cancer", 1),
    ("increased risk of lung cancer", "lung cancer", 1),
    ("lung cancer risk", "lung cancer", 1),
    ("incidence of asthma", "asthma", 1),
    ("number of accidents", "accident", 1),
    # less of it
    ("decrease in crime", "crime", -1),
    ("falling wages", "wage", -1),
    ("lower income", "income", -1),
    ("reduced ejection fraction", "ejection fraction", -1),
    ("lack of sleep", "sleep", -1),
    ("absence of fever", "fever", -1),
    ("no exercise", "exercise", -1),
    ("without insurance", "insurance", -1),
    ("not smoking", "smoking", -1),
    ("price decline", "price", -1),
    ("loss of trust", "trust", -1),
    ("habitat loss", "habitat", -1),
    # signs multiply
    ("reduction in the lack of sleep", "sleep", 1),
    ("reduced risk of death", "death", -1),
    ("increase in the absence of rules", "rule", -1),
    ("lower price increases", "price", -1),
    # order and spelling
    ("price of oil", "oil price", 1),
    ("consumption of alcohol", "alcohol consumption", 1),
    ("smoking cigarettes", "cigarette smoking", 1),
    ("cancer of the lung", "lung cancer", 1),
    ("being exposed to smoke", "exposure to smoke", 1),
    ("exposure to smoke", "exposure to smoke", 1),
    ("tumours", "tumor", 1),
    ("labour market", "labor market", 1),
    ("hospitalisation", "hospitalization", 1),
    ("diabetes type II", "type 2 diabetes", 1),
    ("type ii diabetes", "type 2 diabetes", 1),
    ("shortage of labour", "labor shortage", 1),
    ("loss of hearing", "hearing loss", 1),
]
KEPT = """
    hearing loss|weight loss|job loss|growth hormone|rising damp|low birth weight|climate change|inflation|lower back pain
    |moderate lower back pain|higher education|lower income country|falls in the elderly|economic growth|cognitive decline
    |harm reduction|quality of life|cost of living|glass of wine|drinking water|gain of function|drop in center|no one
    |increase|no|percent increase|high blood pressure|use of force|raising child|increase in price and fall in wage
    |more severe disease|tumor growth|state of emergency|reducing agent|decrease in 10 percent|labor shortage
    |falling masonry|growing spruce|growth in the province|no amount of regulation|fewer young men become monk
    |two point rate rise|number of conversations held in them|cut in corporate tax to 19|angioedema|reducing agent
    |risk factor|rapid consumption of alcohol|rise of china|absence seizure|short cut
""".replace("\n", " ").split("|")  # fmt: skip


@pytest.mark.parametrize(("said", "core", "turn"), SAID)
def test_what_is_said_of_what(said: str, core: str, turn: int) -> None:
    found = normal_form(concept_name(said))

    assert (found.core, found.turn) == (core, turn)


@pytest.mark.parametrize("name", [name.strip() for name in KEPT])
def test_a_change_word_that_is_part_of_a_name_stays(name: str) -> None:
    assert concept_name(name) == name
    assert normal_form(name) == Normal(name, 1, ())


def test_what_was_taken_off_is_told() -> None:
    found = normal_form("sharp reduction in the lack of sleep")

    assert found.dropped == ("sharp", "reduction", "in", "the", "lack", "of")


WORDS = st.sampled_from(
    "increase rise growth rising falling lower higher more less no not lack loss absence presence use risk reduction in of"
    " to the a and by decline cut price oil tax cancer tumour labour sleep hearing trust child country smoking cigarette"
    " exposed being exposure type ii 2 development number sharp heavy severe drinking water 10 organisation cancers"
    " income hospital oedema prices increases".split()
)


@settings(max_examples=1500, deadline=None)
@given(st.one_of(st.lists(WORDS, min_size=1, max_size=9).map(" ".join), st.text(max_size=40)))
def test_a_core_is_its_own_normal_form(text: str) -> None:
    name = concept_name(text)
    found = normal_form(name)

    assert normal_form(found.core) == Normal(found.core, 1, ())
    assert found.core == concept_name(found.core)
    assert bool(found.core.strip()) == bool(name.strip())
    assert found.dropped or found.turn == 1


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([("increase in", 1), ("reduction in the", -1), ("lack of", -1), ("increased", 1), ("no", -1)]),
        max_size=6,
    ),
    st.sampled_from(["sleep", "oil price", "lung cancer"]),
)
def test_signs_multiply(changes: list[tuple[str, int]], core: str) -> None:
    turn = 1
    for _, sign in changes:
        turn *= sign
    found = normal_form(concept_name(" ".join([*(words for words, _ in changes), core])))

    assert (found.core, found.turn) == (core, turn)


def test_hostile_names_come_back() -> None:
    for name in ("", "no " * 300_000 + "sleep", "x" * 1_000_000, "增加 癌症", "повышение in 温度", "- -"):
        found = normal_form(concept_name(name))
        assert found.turn == 1 and found.core == concept_name(name)
