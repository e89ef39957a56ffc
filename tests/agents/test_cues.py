"""The lexicon, where its entries are found in a text, and what the first pass lets through."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.agents.cues import Reach, find_cues, may_be_causal
from leucippus.agents.lexicon import LEXICON, Direction, Strength
from leucippus.store.triples import Sign

F, B, E = Direction.FORWARD, Direction.BACKWARD, Direction.EITHER

FOUND: list[tuple[str, list[tuple[str, Direction, str]]]] = [
    ("Frost causes cracks.", [("causes", F, "+")]),
    ("Cracks are caused by frost.", [("are caused by", B, "+")]),
    ("Cracks partly caused by frost.", [("partly caused by", B, "+")]),
    ("Haste led directly to waste.", [("led directly to", F, "+")]),
    ("It resulted in a draw.", [("resulted in", F, "+")]),
    ("It resulted mainly from haste.", [("resulted mainly from", B, "+")]),
    ("Theft was reduced by lamps.", [("was reduced by", B, "-")]),
    ("Theft was reduced by 5%.", []),
    ("Theft was reduced by about 12 per cent.", []),
    ("Rents increased by a third.", []),
    ("Rents increased to 900 euros.", []),
    ("Sales fell in May.", []),
    ("The increase in rents shocked us.", []),
    ("The cause of the fire was arson.", [("cause of", F, "+")]),
    ("The effect of heat on steel.", [("effect of", B, "none")]),
    ("Heat has an effect on steel.", [("effect on", F, "none")]),
    ("He left because of rain.", [("because of", B, "+")]),
    ("He left because it rained.", [("because", B, "+")]),
    ("As a result of rain, he left.", [("As a result of", B, "+")]),
    ("It rained; as a result, he left.", [("as a result", F, "+")]),
    ("The flood was due to rain.", [("was due to", B, "+")]),
    ("The roof fell, so that rain came in.", [("so that", F, "+")]),
    ("Wealth is linked to health.", [("is linked to", E, "none")]),
    ("Nets protect against malaria.", [("protect against", F, "-")]),
    ("Bans were followed by riots.", [("were followed by", F, "+")]),
    ("Fears drove down prices.", [("drove down", F, "-")]),
    ("Prices were driven down by fears.", [("were driven down by", B, "-")]),
    ("Rain\n  brought about\n  floods.", [("brought about", F, "+")]),
    ("İİİ frost CAUSES cracks.", [("CAUSES", F, "+")]),
]

NOT_CAUSAL = [
    "The museum opens at nine on Sundays.",
    "Her brother is a dentist in Leeds.",
    "Three of the chairs were blue.",
    "The committee met again last Thursday.",
    "Paris is the capital of France.",
    "The parcel contains two books and a lamp.",
    "He plays the violin and the flute.",
    "The room was empty and quiet.",
    "Both teams wore white shirts.",
    "The house has four bedrooms and a garden.",
    "She was the first woman on the board.",
    "The river is two hundred miles long.",
    "Rents rose.",
    "The lecture was recorded.",
    "Its colours are red and gold.",
]

CAUSAL_WITHOUT_A_STRONG_CUE = [
    "The town emptied after the mine closed.",
    "Workers walked out to protest the pay freeze.",
    "She trimmed her bills by insulating the loft.",
    "When the ice melted, the path became a stream.",
    "The gale tore the roof off, leaving the barn open.",
    "The stall sold out, so we went home.",
    "Two hikers were killed in the avalanche.",
    "A soot-induced haze hung over the port.",
    "Ashes came from the volcano.",
    "They were fined for failing to report the leak.",
]


@pytest.mark.parametrize(("text", "expected"), FOUND, ids=[text for text, _ in FOUND])
def test_finds(text: str, expected: list[tuple[str, Direction, str]]) -> None:
    found = [(text[m.start : m.end], m.cue.direction, str(m.cue.sign)) for m in find_cues(text)]
    assert found == expected


@pytest.mark.parametrize("text", NOT_CAUSAL)
def test_spares_the_model(text: str) -> None:
    assert not may_be_causal(text)


@pytest.mark.parametrize("text", CAUSAL_WITHOUT_A_STRONG_CUE)
def test_lets_through_what_only_hints(text: str) -> None:
    assert may_be_causal(text)
    assert not may_be_causal(text, Reach.STRICT)


def test_each_reach_contains_the_one_before() -> None:
    for text in [*NOT_CAUSAL, *CAUSAL_WITHOUT_A_STRONG_CUE, *(text for text, _ in FOUND)]:
        verdicts = [may_be_causal(text, reach) for reach in Reach]
        assert verdicts == sorted(verdicts)


def test_every_found_cue_passes_the_first_pass() -> None:
    for text, expected in FOUND:
        assert may_be_causal(text) or not expected


def test_an_expression_and_its_passive_agree_on_sign() -> None:
    sign = {cue.name: cue.sign for cue in LEXICON}
    for name in (name for name in sign if name.endswith(" (passive)")):
        assert sign[name] is sign[name.removesuffix(" (passive)")]


def test_association_claims_no_sign_but_prediction_does() -> None:
    assert {cue.sign for cue in LEXICON if cue.strength is Strength.ASSOCIATION} == {Sign.NONE, Sign.POSITIVE}


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.lists(st.sampled_from([text for text, _ in FOUND]), max_size=4).map(" ".join))
def test_matches_are_ordered_disjoint_and_inside(text: str) -> None:
    end = 0
    for match in find_cues(text):
        assert end <= match.start < match.end <= len(text)
        assert text[match.start : match.end].strip() == text[match.start : match.end]
        end = match.end
    assert isinstance(may_be_causal(text), bool)


@pytest.mark.parametrize("unit", ["because ", "was ", "as a ", " ", "led ", "lead largely ", "so ", "x", "reduced by "])
def test_hostile_text_stays_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.perf_counter()
        find_cues(text)
        for reach in Reach:
            may_be_causal(text, reach)
        return time.perf_counter() - start

    seconds(1_000)
    assert seconds(100_000) < 20
