"""Only what stands in the document becomes a claim, and every offset of a claim gives back its words."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.agents.asking import Candidate
from leucippus.agents.grounding import find_verbatim, ground
from leucippus.store.triples import Claim, Document, Failure, Passage, Sign

BEFORE = "The minutes of May. "


def _passage(text: str) -> tuple[Document, Passage]:
    """A passage that does not start its document."""
    document = Document.of(f"{BEFORE}{text} And so on.", media_type="text/plain", title="t")
    return document, Passage.of(document, len(BEFORE), len(BEFORE) + len(text))


def _ground(text: str, *candidates: Candidate, require_cue: bool = True) -> tuple[list[Claim], list[Failure]]:
    return ground(_passage(text)[1], candidates, reader_id="reader", require_cue=require_cue)


def _said(cause: str, effect: str, relation: str = "says") -> Candidate:
    return Candidate(cause=cause, relation=relation, effect=effect, probability=0.5)


def _claim(text: str, cause: str, effect: str) -> Claim:
    claims, rejected = _ground(text, _said(cause, effect))
    assert not rejected
    (claim,) = claims
    return claim


def _reason(text: str, cause: str, effect: str) -> str:
    claims, (rejected,) = _ground(text, _said(cause, effect))
    assert claims == []
    return rejected.message


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("heavy rain", ["Heavy\n  rain", "heavy rain"]),
        ("HEAVY   RAIN", ["Heavy\n  rain", "heavy rain"]),
        ("“heavy rain”,", ["Heavy\n  rain", "heavy rain"]),
        ("rain", ["rain", "rain"]),
        ("rai", []),
        ("ain", []),
        ("train", ["train"]),
        ("the heavy", []),
        (".*", []),
        ("", []),
        (" ,.", []),
    ],
)
def test_verbatim_is_whole_words_white_space_and_case_aside(phrase: str, found: list[str]) -> None:
    text = "Heavy\n  rain stopped a train; heavy rain, again."
    assert [text[slice(*span)] for span in find_verbatim(phrase, text)] == found


def test_a_word_met_a_thousand_times_is_looked_at_a_few() -> None:
    assert len(list(find_verbatim("rain", "rain " * 1000))) == 8


REJECTED = [
    ("Heavy rain caused floods.", "snow", "floods", "cause not in the passage"),
    ("Heavy rain caused floods.", "Heavy rain", "fires", "effect not in the passage"),
    ("The train caused delays.", "rain", "delays", "cause not in the passage"),
    ("This caused floods.", "This", "floods", "cause names nothing"),
    ("Rain caused it.", "Rain", "it", "effect names nothing"),
    ("Heavy rain caused floods.", "Heavy rain", "rain", "cause and effect overlap"),
    ("Rain fell and floods came.", "Rain", "floods", "no causal expression joins cause and effect"),
]


@pytest.mark.parametrize(
    ("text", "cause", "effect", "reason"), REJECTED, ids=[row[3] + ": " + row[0] for row in REJECTED]
)
def test_rejects(text: str, cause: str, effect: str, reason: str) -> None:
    assert _reason(text, cause, effect) == reason


def test_a_rejected_candidate_is_kept_as_it_was_said() -> None:
    _, (failure,) = _ground("Heavy rain caused floods.", _said("snow", "floods", "caused"))
    assert (failure.stage, failure.error) == ("ground", "Rejected")
    assert failure.item == _passage("Heavy rain caused floods.")[1].passage_id
    assert json.loads(failure.detail or "") == {
        "cause": "snow",
        "relation": "caused",
        "effect": "floods",
        "probability": 0.5,
    }


def test_one_bad_candidate_spoils_no_good_one() -> None:
    claims, rejected = _ground("Heavy rain caused floods.", _said("snow", "floods"), _said("Heavy rain", "floods"))
    assert [claim.cause for claim in claims] == ["Heavy rain"] and len(rejected) == 1


def test_a_pair_without_an_expression_is_accepted_only_where_none_is_required() -> None:
    candidate = _said("Rain", "floods", "somehow")
    claims, rejected = _ground("Rain fell and floods came.", candidate, require_cue=False)
    assert [claim.relation for claim in claims] == ["somehow"] and not rejected


def test_the_same_spans_are_one_claim() -> None:
    claims, _ = _ground("Heavy rain caused floods.", _said("Heavy rain", "floods"), _said("heavy  RAIN", "floods"))
    assert len(claims) == 1


SWAPPED = [
    "Floods were caused by rain.",
    "Floods are the result of rain.",
    "Floods came because of rain.",
]


@pytest.mark.parametrize("text", SWAPPED)
def test_a_pair_given_in_the_order_of_a_passive_is_turned(text: str) -> None:
    claim = _claim(text, "Floods", "rain")
    assert (claim.cause, claim.effect) == ("rain", "Floods")


@pytest.mark.parametrize("text", SWAPPED)
def test_a_pair_given_right_is_left_alone(text: str) -> None:
    claim = _claim(text, "rain", "Floods")
    assert (claim.cause, claim.effect) == ("rain", "Floods")


READINGS = [
    ("Rain causes floods.", Sign.POSITIVE, False, False),
    ("Rain prevents floods.", Sign.NEGATIVE, False, False),
    ("Rain affects floods.", Sign.NONE, False, False),
    ("Rain did not cause floods.", Sign.POSITIVE, True, False),
    ("Rain may cause floods.", Sign.POSITIVE, False, True),
    ("Perhaps rain prevents floods.", Sign.NEGATIVE, False, True),
]


@pytest.mark.parametrize(("text", "sign", "negated", "hedged"), READINGS, ids=[row[0] for row in READINGS])
def test_the_words_decide_sign_negation_and_hedging(text: str, sign: Sign, negated: bool, hedged: bool) -> None:
    claim = _claim(text, "rain", "floods")
    assert (claim.sign, claim.negated, claim.hedged) == (sign, negated, hedged)


def test_the_condition_is_verbatim() -> None:
    assert _claim("Rain causes floods if drains are blocked.", "Rain", "floods").conditions == "if drains are blocked"


def test_the_relation_is_the_expression_as_written() -> None:
    assert _claim("Rain never\n caused floods.", "Rain", "floods").relation == "caused"


def test_the_quote_is_the_sentence_around_both() -> None:
    text = "It was cold. Heavy rain caused floods. Birds sang."
    assert _claim(text, "Heavy rain", "floods").quote == "Heavy rain caused floods."


def test_the_quote_is_both_sentences_where_they_stand_apart() -> None:
    text = "It was cold. Heavy rain fell. As a result, floods came. Birds sang."
    assert _claim(text, "Heavy rain", "floods").quote == "Heavy rain fell. As a result, floods came."


def test_of_many_places_the_pair_that_is_joined_is_taken() -> None:
    text = "Rain fell on floods. Later, rain caused floods."
    claim = _claim(text, "rain", "floods")
    assert (claim.cause_start - len(BEFORE), claim.quote) == (text.rindex("rain"), "Later, rain caused floods.")


def test_a_window_keeps_a_span_to_its_side() -> None:
    text = "Rain caused mud. Rain caused floods."
    window = (text.rindex("Rain"), len(text))
    candidate = Candidate(cause="rain", relation="caused", effect="mud", cause_window=window, effect_window=window)
    _, (failure,) = _ground(text, candidate)
    assert failure.message == "effect not in the passage"


def test_the_confidence_is_the_probability_of_the_answer() -> None:
    assert _claim("Rain causes floods.", "Rain", "floods").confidence == 0.5


_WORDS = ["rain", "Floods", "caused", "was caused by", "because", "may", "not", "the", "café", "İ", "ß", "№ 5", "x-ray"]
_GAPS = [" ", "  ", "\n", ", ", ". ", ".\n\n", "? ", "\u00a0", "\u2028", " — ", "”", "\t"]
_texts = st.lists(st.tuples(st.sampled_from(_WORDS), st.sampled_from(_GAPS)), min_size=1, max_size=14).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
) | st.text(max_size=60)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_offset_gives_back_its_words(data: st.DataObject) -> None:
    text = data.draw(_texts)
    document = Document.of(f"{BEFORE}{text}\nEnd.", media_type="text/plain", title="t")
    if not text:
        return
    passage = Passage.of(document, len(BEFORE), len(BEFORE) + len(text))
    offsets = st.integers(0, len(text))
    candidates = []
    for _ in range(3):
        cause, effect = (sorted((data.draw(offsets), data.draw(offsets))) for _ in range(2))
        # As a model would repeat it: white space folded, case lost.
        candidates.append(_said(" ".join(text[slice(*cause)].split()).upper(), " ".join(text[slice(*effect)].split())))
    claims, rejected = ground(passage, candidates, reader_id="r", require_cue=data.draw(st.booleans()))
    assert len(claims) + len(rejected) <= len(candidates) and (claims or rejected)
    for claim in claims:
        assert document.text[claim.start : claim.end] == claim.quote
        assert document.text[claim.cause_start : claim.cause_end] == claim.cause
        assert document.text[claim.effect_start : claim.effect_end] == claim.effect
        assert passage.start <= claim.start <= min(claim.cause_start, claim.effect_start)
        assert max(claim.cause_end, claim.effect_end) <= claim.end <= passage.end
        assert claim.cause_end <= claim.effect_start or claim.effect_end <= claim.cause_start
        assert claim.conditions is None or claim.conditions in claim.quote
