"""From a tagger's numbers to claims. The numbers are made by hand, so that the right claims are known."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.agents.tagging import (
    ANCHOR,
    CAUSE,
    CLAIM,
    EFFECT,
    HEDGED,
    LINK,
    NEGATED,
    SIGN,
    SIGNS,
    WIDTH,
    Floats,
    Layer,
    Tagged,
    Words,
    anchor_scores,
    decode,
    span_scores,
)
from leucippus.store.triples import Sign

Pair = tuple[Words, Words]
RAIN, FLOODS, LOSSES = (2, 4), (7, 9), (12, 14)


def _head(probability: float) -> Floats:
    """The numbers of a text that makes a claim with this probability."""
    head = np.zeros(WIDTH, np.float32)
    head[CLAIM] = math.log(probability / (1 - probability))
    return head


def _blank(length: int) -> Floats:
    return np.zeros((length, WIDTH), np.float32)


def _say(words: Floats, layer: Layer, span: Words, rank: int, log_odds: float) -> None:
    """Raise the score of one span and of no other. Each span of a layer needs a rank of its own."""
    words[span[0], layer.from_.start + rank] = 1
    words[span[1] - 1, layer.to.start + rank] = log_odds


def _text(length: int, *pairs: Pair) -> Floats:
    """A text that says these pairs for certain, each hung on a word of its own: the first free one after a span."""
    words = _blank(length)
    words[:, ANCHOR] = -30
    for rank, (pair, anchor) in enumerate(zip(pairs, _anchors(length, pairs), strict=True)):
        words[anchor, ANCHOR] = 0
        for layer, span in zip((CAUSE, EFFECT), pair, strict=True):
            for asked, own, word in zip(layer.asked, layer.own, (span[0], span[1] - 1), strict=False):
                words[anchor, asked.start + rank] = 1
                words[word, own.start + rank] = 25
    return words


def _anchors(length: int, pairs: Sequence[Pair]) -> list[int]:
    taken = {word for pair in pairs for span in pair for word in range(*span)}
    found: list[int] = []
    for pair in pairs:
        after = min(pair)[1]
        free = [word for word in (*range(after, length), *range(after)) if word not in taken]
        found.append(free[0] if free else 0)
        taken.add(found[-1])
    return found


def _pairs(found: list[Tagged]) -> list[Pair]:
    return [(claim.cause, claim.effect) for claim in found]


def _overlap(one: Words, other: Words) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def test_no_claim_is_read_below_the_threshold() -> None:
    words = _text(16, (RAIN, FLOODS))
    assert decode(_head(0.4), words) == []
    assert _pairs(decode(_head(0.4), words, threshold=0.3)) == [(RAIN, FLOODS)]
    assert _pairs(decode(_head(0.6), words)) == [(RAIN, FLOODS)]
    assert decode(_head(0.6), words, threshold=0.7) == []


@pytest.mark.parametrize("length", [0, 1])
def test_a_text_too_short_for_two_spans_makes_no_claim(length: int) -> None:
    assert decode(_head(0.99), _blank(length)) == []


def test_two_words_are_enough_for_a_claim() -> None:
    assert _pairs(decode(_head(0.99), _text(2, ((1, 2), (0, 1))))) == [((1, 2), (0, 1))]


def test_one_claim_is_read_with_its_chances() -> None:
    (claim,) = decode(_head(0.8), _text(16, (RAIN, FLOODS)))
    assert (claim.cause, claim.effect, claim.link) == (RAIN, FLOODS, None)
    assert claim.claim == pytest.approx(0.8, abs=1e-5)
    assert claim.spans == pytest.approx(1, abs=1e-3)
    assert claim.anchor == pytest.approx(1, abs=1e-5)


def test_an_effect_may_stand_before_its_cause() -> None:
    assert _pairs(decode(_head(0.8), _text(16, (LOSSES, RAIN)))) == [(LOSSES, RAIN)]


@pytest.mark.parametrize("at, sign", [(0, Sign.POSITIVE), (1, Sign.NEGATIVE), (2, Sign.NONE)])
def test_the_sign_is_the_largest_of_three_over_both_spans_and_the_anchor(at: int, sign: Sign) -> None:
    words = _text(16, (RAIN, FLOODS))
    words[:, SIGN.start + (at + 1) % 3] = 9
    words[slice(*RAIN), SIGN] = words[slice(*FLOODS), SIGN] = words[4, SIGN] = 0
    words[slice(*RAIN), SIGN.start + (at + 2) % 3] = 1
    words[slice(*FLOODS), SIGN.start + at] = 2
    (claim,) = decode(_head(0.8), words)
    assert claim.sign == sign == SIGNS[at]


@pytest.mark.parametrize("span, others, expected", [(3.0, 0.0, True), (-3.0, 9.0, False), (0.0, 9.0, False)])
def test_negation_and_hedging_are_read_off_the_spans_and_the_anchor_alone(
    span: float, others: float, expected: bool
) -> None:
    for column, other in ((NEGATED, HEDGED), (HEDGED, NEGATED)):
        words = _text(16, (RAIN, FLOODS))
        words[:, column] = others
        words[slice(*RAIN), column] = words[slice(*FLOODS), column] = words[4, column] = span
        words[:, other] = -1
        (claim,) = decode(_head(0.8), words)
        negated, hedged = (expected, False) if column == NEGATED else (False, expected)
        assert (claim.negated, claim.hedged) == (negated, hedged)


def test_two_spans_that_disagree_about_negation_are_weighed() -> None:
    words = _text(16, (RAIN, FLOODS))
    assert words[4, ANCHOR] == 0 and not words[4, [NEGATED, HEDGED]].any()
    words[slice(*RAIN), NEGATED], words[slice(*FLOODS), NEGATED] = 3, -2
    words[slice(*RAIN), HEDGED], words[slice(*FLOODS), HEDGED] = 2, -3
    (claim,) = decode(_head(0.8), words)
    assert (claim.negated, claim.hedged) == (True, False)


@pytest.mark.parametrize(
    "linking, link",
    [
        ([], None),
        ([5], (5, 6)),
        ([4, 5, 6], (4, 7)),
        ([2, 3, 7, 8], None),
        ([3, 4, 5], (4, 6)),
        ([0, 5], (5, 6)),
        ([5, 15], (5, 6)),
        ([9, 10], (9, 11)),
        ([0], (0, 1)),
    ],
)
def test_the_link_is_a_run_of_linking_words_outside_of_both_spans(linking: list[int], link: Words | None) -> None:
    words = _text(16, (RAIN, FLOODS))
    words[linking, LINK] = 1
    (claim,) = decode(_head(0.8), words)
    assert claim.link == link


@pytest.mark.parametrize("linking, link", [([0, 11], (11, 12)), ([0, 17], (0, 1)), ([17], (17, 18))])
def test_of_two_links_the_one_nearer_to_the_anchor_is_taken(linking: list[int], link: Words) -> None:
    cause, effect = (1, 7), (9, 10)
    words = _text(20, (cause, effect))
    assert words[7, ANCHOR] == 0
    words[linking, LINK] = 1
    (claim,) = decode(_head(0.8), words)
    assert (claim.cause, claim.effect) == (cause, effect)
    assert claim.link == link


def test_one_cause_has_two_effects() -> None:
    found = decode(_head(0.8), _text(16, (RAIN, FLOODS), (RAIN, LOSSES)))
    assert sorted(_pairs(found)) == [(RAIN, FLOODS), (RAIN, LOSSES)]
    assert [claim.spans for claim in found] == pytest.approx([1, 1], abs=0.01)
    assert [claim.anchor for claim in found] == pytest.approx([0.5, 0.5], abs=0.01)


def test_two_causes_have_one_effect() -> None:
    found = decode(_head(0.8), _text(16, (RAIN, LOSSES), (FLOODS, LOSSES)))
    assert sorted(_pairs(found)) == [(RAIN, LOSSES), (FLOODS, LOSSES)]


def test_the_effect_of_one_claim_is_the_cause_of_the_next() -> None:
    assert sorted(_pairs(decode(_head(0.8), _text(16, (RAIN, FLOODS), (FLOODS, LOSSES))))) == [
        (RAIN, FLOODS),
        (FLOODS, LOSSES),
    ]


def test_a_short_claim_stands_within_a_span_of_a_longer_one() -> None:
    outer, inner = ((0, 2), (4, 14)), ((11, 13), (5, 8))
    assert sorted(_pairs(decode(_head(0.8), _text(16, outer, inner)))) == [outer, inner]


def test_what_hangs_on_two_words_is_one_claim_with_the_chances_of_both() -> None:
    words = _text(16, (RAIN, FLOODS), (RAIN, FLOODS), (FLOODS, LOSSES))
    one, other = decode(_head(0.8), words)
    assert (one.cause, one.effect, other.cause, other.effect) == (RAIN, FLOODS, FLOODS, LOSSES)
    assert (one.anchor, other.anchor) == pytest.approx((2 / 3, 1 / 3), abs=1e-5)


def test_a_further_claim_has_to_be_about_as_likely_as_the_first() -> None:
    words = _text(16, (RAIN, FLOODS), (RAIN, LOSSES))
    words[5, ANCHOR] = -1
    head = _head(0.8)
    assert _pairs(decode(head, words, another=0.5)) == [(RAIN, FLOODS)]
    assert _pairs(decode(head, words, another=0.2)) == [(RAIN, FLOODS), (RAIN, LOSSES)]


def _cut_in_many_ways(odd: Words, log_odds: float) -> Floats:
    """A text whose cause is one phrase near its beginning, cut in four like ways, or a word near its end."""
    words = _blank(26)
    for rank, cut in enumerate([(1, 4), (2, 4), (2, 5), (1, 5)]):
        _say(words, CAUSE, cut, rank, 10)
    for rank, unlikely in enumerate([(20, 21), (21, 22), (22, 23)], 5):
        _say(words, CAUSE, unlikely, rank, 4)
    _say(words, CAUSE, odd, 9, log_odds)
    _say(words, EFFECT, (24, 25), 0, 20)
    return words


def test_a_span_cut_in_many_like_ways_wins_over_a_likelier_odd_one() -> None:
    odd = (18, 19)
    words = _cut_in_many_ways(odd, 10.5)
    assert divmod(int(span_scores(words, CAUSE, [0]).argmax()), len(words)) == (odd[0], odd[1] - 1)
    (claim,) = decode(_head(0.8), words, another=0.9)
    assert claim.cause[0] <= 2 and 4 <= claim.cause[1] <= 6


def test_an_odd_span_likelier_than_all_those_ways_together_wins() -> None:
    (claim,) = decode(_head(0.8), _cut_in_many_ways((18, 19), 14), another=0.9)
    assert 5 < claim.cause[0] <= 18 < claim.cause[1]


def test_a_certain_span_is_read_as_it_is() -> None:
    words = _blank(10)
    _say(words, CAUSE, (2, 4), 0, 36)
    _say(words, EFFECT, (8, 10), 0, 36)
    assert span_scores(words, CAUSE, [0])[0, 2, 3] == pytest.approx(0)
    assert _pairs(decode(_head(0.8), words, another=0.9)) == [((2, 4), (8, 10))]


@pytest.mark.parametrize("layer", [CAUSE, EFFECT], ids=["cause", "effect"])
def test_span_scores_are_the_log_of_a_softmax_over_all_spans(layer: Layer) -> None:
    words = np.random.default_rng(3).normal(size=(6, WIDTH)).astype(np.float32)
    anchors = [4, 1]
    found = span_scores(words, layer, anchors)
    assert found.shape == (2, 6, 6)
    for anchor, scores in zip(anchors, found, strict=True):

        def number(word: int, kind: int, anchor: int = anchor) -> float:
            own = float(words[word, (layer.start, layer.end, layer.inside)[kind]])
            return own + float(words[anchor, layer.asked[kind]] @ words[word, layer.own[kind]])

        raw = {
            (s, t): number(s, 0)
            + number(t, 1)
            + sum(number(word, 2) for word in range(s, t + 1))
            + float(words[s, layer.from_] @ words[t, layer.to])
            for s in range(6)
            for t in range(s, 6)
        }
        total = math.log(sum(math.exp(score - 100) for score in raw.values())) + 100
        for s in range(6):
            for t in range(6):
                assert scores[s, t] == pytest.approx(raw[s, t] - total if s <= t else -math.inf, abs=1e-3)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(1, 40), scale=st.sampled_from([0.0, 0.1, 1.0, 30.0, 1000.0]))
def test_span_scores_sum_to_one_over_spans_that_do_not_run_backwards(seed: int, length: int, scale: float) -> None:
    words = (np.random.default_rng(seed).normal(size=(length, WIDTH)) * scale).astype(np.float32)
    for layer in (CAUSE, EFFECT):
        (scores,) = span_scores(words, layer, [length // 2])
        assert float(np.exp(scores).sum()) == pytest.approx(1, abs=1e-4)
        assert np.all(np.isneginf(scores[np.tril_indices(length, -1)]))
        assert np.all(np.isfinite(scores[np.triu_indices(length)]))


@pytest.mark.parametrize("scale", [0.0, 1.0, 1000.0])
def test_anchor_scores_are_the_log_of_a_softmax_over_the_words(scale: float) -> None:
    words = (np.random.default_rng(5).normal(size=(9, WIDTH)) * scale).astype(np.float32)
    scores = anchor_scores(words)
    assert float(np.exp(scores).sum()) == pytest.approx(1, abs=1e-4)
    assert np.diff(scores) == pytest.approx(np.diff(words[:, ANCHOR]), rel=1e-4, abs=1e-4)


@settings(deadline=None, max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.integers(0, 40),
    scale=st.sampled_from([0.0, 0.1, 1.0, 5.0, 1000.0]),
    another=st.sampled_from([0.0, 0.5, 0.9]),
)
def test_any_numbers_give_different_claims_whose_spans_lie_in_the_text(
    seed: int, length: int, scale: float, another: float
) -> None:
    numbers = (np.random.default_rng(seed).normal(size=(length + 1, WIDTH)) * scale).astype(np.float32)
    found = decode(numbers[0], numbers[1:], threshold=0.0, another=another)
    for claim in found:
        spans = [claim.cause, claim.effect] + ([claim.link] if claim.link else [])
        assert all(0 <= start < end <= length for start, end in spans)
        assert not any(_overlap(one, other) for one, other in pairwise(sorted(spans)))
        assert 0 <= claim.claim <= 1 and 0 <= claim.anchor <= 1 + 1e-4 and 0 <= claim.spans <= 1 + 1e-4
    worth = [claim.spans * claim.anchor for claim in found]
    assert all(other >= another * worth[0] * (1 - 1e-5) for other in worth[1:])
    assert len(set(_pairs(found))) == len(found)
