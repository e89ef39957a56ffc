"""What the figures say of an extractor that is right, wrong, silent or sure of itself."""

from dataclasses import replace

import pytest

from leucippus.store.triples import Sign
from leucippus.training.evaluate import Found, Scores, alike, calibration_error, evaluate, match
from leucippus.training.examples import Example, Mark, written
from leucippus.training.grammar import generate

RAIN = Example("Heavy rain caused floods.", (Mark((0, 10), (18, 24), None, Sign.POSITIVE, False, True),), "written")
QUIET = Example("The talks go on.", (), "written")
CHAIN = Example(
    "Heavy rain caused floods, which prevented travel.",
    (
        Mark((0, 10), (18, 24), None, Sign.POSITIVE, False, False),
        Mark((18, 24), (42, 48), None, Sign.NEGATIVE, False, False),
    ),
    "written",
)
RIGHT = Found("Heavy rain", "floods", Sign.POSITIVE, False, True, 0.9)


def gold(example: Example) -> list[Found]:
    """What an extractor finds that knows the annotation."""
    return [
        Found(
            example.text[slice(*mark.cause)],
            example.text[slice(*mark.effect)],
            mark.sign or Sign.NONE,
            mark.negated or False,
            mark.hedged or False,
            1.0,
        )
        for mark in example.marks
    ]


def turned(pair: Found) -> Found:
    return replace(pair, cause=pair.effect, effect=pair.cause)


@pytest.mark.parametrize(
    "examples",
    [[RAIN, QUIET], [CHAIN], generate(200, seed=0), written("heldout")],
    ids=["two", "a chain", "made", "held out"],
)
def test_the_annotation_itself_is_right_everywhere(examples: list[Example]) -> None:
    assert evaluate(examples, [gold(e) for e in examples]) == Scores(len(examples), 1, 1, 1, 1, 1, 1)


def test_pairs_turned_round_are_wrong_and_their_direction_is_too() -> None:
    examples = [RAIN, QUIET]
    scores = evaluate(examples, [[turned(pair) for pair in gold(e)] for e in examples])
    assert (scores.detection, scores.overlap50, scores.direction) == (1, 0, 0)


def test_direction_is_the_share_the_right_way_round_among_those_found_either_way() -> None:
    scores = evaluate([RAIN] * 4, [[RIGHT], [RIGHT], [RIGHT], [turned(RIGHT)]])
    assert (scores.overlap50, scores.direction) == (0.75, 0.75)


def test_a_pair_of_other_words_says_nothing_about_direction() -> None:
    other = replace(RIGHT, cause="a spokesman")
    scores = evaluate([RAIN, RAIN], [[RIGHT], [other]])
    assert (scores.overlap50, scores.direction) == (0.5, 1)


def test_an_extractor_that_finds_nothing_scores_nothing() -> None:
    assert evaluate([RAIN, QUIET], [[], []]) == Scores(2, 0, 0, 0, 0, 0, 0)


def test_no_texts_are_no_error() -> None:
    assert evaluate([], []) == Scores(0, 0, 0, 0, 0, 0, 0)


def test_detection_counts_texts_and_overlap_counts_pairs() -> None:
    other = replace(RIGHT, cause="the mayor", effect="the moon")
    scores = evaluate([RAIN, QUIET, CHAIN], [[RIGHT, other], [other], []])
    assert scores.detection == pytest.approx(2 * 1 / (2 + 2))
    assert scores.overlap50 == pytest.approx(2 * 1 / (3 + 3))


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (replace(RIGHT, sign=Sign.NEGATIVE), "sign"),
        (replace(RIGHT, negated=True), "negated"),
        (replace(RIGHT, hedged=False), "hedged"),
    ],
)
def test_a_wrong_attribute_lowers_its_own_figure_alone(found: Found, name: str) -> None:
    scores = evaluate([RAIN, RAIN], [[found], [RIGHT]])
    assert scores.as_dict() == Scores(2, 1, 1, 1, 1, 1, 1).as_dict() | {name: 0.5}


def test_attributes_of_pairs_that_were_not_found_do_not_count() -> None:
    wrong = replace(RIGHT, cause="the mayor", sign=Sign.NEGATIVE)
    scores = evaluate([RAIN], [[wrong, RIGHT]])
    assert (scores.sign, scores.negated, scores.hedged) == (1, 1, 1)


def test_an_annotated_pair_is_matched_once() -> None:
    assert match(RAIN, [RIGHT, RIGHT]) == {0: 0}
    assert evaluate([RAIN], [[RIGHT, RIGHT]]).overlap50 == pytest.approx(2 / 3)


def test_pairs_are_matched_in_whatever_order_they_were_found() -> None:
    assert match(CHAIN, list(reversed(gold(CHAIN)))) == {0: 1, 1: 0}


def test_as_many_answers_are_needed_as_there_are_texts() -> None:
    with pytest.raises(ValueError):
        evaluate([RAIN, QUIET], [[RIGHT]])


def test_figures_are_rounded_when_they_are_written() -> None:
    written_down = evaluate([RAIN], [[RIGHT, RIGHT]]).as_dict()
    assert written_down["overlap50"] == 0.6667 and written_down["texts"] == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Heavy rain", "heavy RAIN"),
        ("the heavy rain", "heavy rain,"),
        ("rain", "heavy rain in May"),  # 2 · 1 of 1 + 3
        ("rain rain", "rain rain snow snow"),
        ("the", "the"),
        ("it was that", "It was that"),
        ("5 %", "5"),
    ],
)
def test_spans_that_share_half_their_words_are_alike(one: str, other: str) -> None:
    assert alike(one, other) and alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rain", "snow"),
        ("rain", "heavy rain in early May"),  # 2 · 1 of 1 + 4
        ("rain", "rain snow snow snow"),
        ("the rain", "the snow"),
        ("rain", "rainy"),
        ("", ""),
        ("rain", ""),
        ("%", "%"),
    ],
)
def test_spans_that_share_less_are_not(one: str, other: str) -> None:
    assert not alike(one, other) and not alike(other, one)


def test_confidence_that_is_borne_out_has_no_error() -> None:
    confidences = [0.25] * 4 + [0.75] * 4 + [0.0, 1.0]
    right = [True, False, False, False, True, True, True, False, False, True]
    assert calibration_error(confidences, right) == pytest.approx(0)


@pytest.mark.parametrize(("confidence", "right"), [(1.0, False), (0.0, True)])
def test_to_be_sure_and_always_wrong_is_the_greatest_error(confidence: float, right: bool) -> None:
    assert calibration_error([confidence] * 5, [right] * 5) == pytest.approx(1)


def test_the_error_is_a_mean_over_bins_weighted_by_their_size() -> None:
    confidences = [0.95, 0.95, 0.95, 0.15]
    right = [True, True, False, False]
    assert calibration_error(confidences, right) == pytest.approx((abs(2.85 - 2) + 0.15) / 4)


def test_errors_of_different_bins_do_not_cancel_out_but_those_within_one_do() -> None:
    assert calibration_error([0.2, 0.8], [True, False]) == pytest.approx(0.8)
    assert calibration_error([0.2, 0.8], [True, False], bins=1) == pytest.approx(0)


@pytest.mark.parametrize("confidence", [k / 10 for k in range(11)])
def test_a_confidence_on_the_edge_of_a_bin_is_counted_once(confidence: float) -> None:
    assert calibration_error([confidence], [True]) == pytest.approx(1 - confidence)


def test_without_claims_there_is_no_error() -> None:
    assert calibration_error([], []) == 0
