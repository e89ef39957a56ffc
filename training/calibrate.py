"""Fit an extractor's thresholds and probabilities on sentences it has not learned from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leucippus.agents.confidence import Confidence, Line, features, log_odds
from leucippus.agents.passages import Span
from leucippus.agents.tagger_extractor import characters, compare
from leucippus.agents.tagging import Tagged, claim_chance, decode
from leucippus.errors import InputError
from leucippus.serving.tagger import Scores
from leucippus.training.evaluate import Found, evaluate, match
from leucippus.training.examples import Example

Pairs = list[tuple[Span, Span]]
_RIDGE = 1e-2
_ANOTHER = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)
_SLACK = 0.01
"""F1s this close are taken as equal: the sentences kept for calibration are few hundred."""
_KEEP = 0.5
"""A claim more likely wrong than right is not made: F1 on sentences kept apart is as good with 0.2 as with 0.5."""
_DOUBTFUL = 0.1
"""Share of the texts that a second reader is asked about."""


def calibrate(examples: Sequence[Example], scores: Sequence[Scores], said: Sequence[Pairs | None]) -> Confidence:
    """The calibration of a tagger from its scores for texts it has not learned from.

    Parameters
    ----------
    said : the pairs the language model found in each text; None where it was not asked.
    """
    claims = [claim_chance(s.head) for s in scores]
    # F1 is flat over a wide range, and of text unlike what it learned from a tagger is less sure.
    threshold = best_threshold(claims, [bool(example.marks) for example in examples], _SLACK)

    def overlap50(another: float) -> float:
        return evaluate(
            examples, [found_by(e, s, threshold, another) for e, s in zip(examples, scores, strict=True)]
        ).overlap50

    by_share = {another: overlap50(another) for another in _ANOTHER}
    another = max(by_share, key=lambda share: by_share[share])
    own, own_right, both, both_right = [], [], [], []
    for example, s, pairs in zip(examples, scores, said, strict=True):
        tagged = decode(s.head, s.words, threshold=threshold, another=another)
        right = match(example, [_found(example.text, s, claim) for claim in tagged])
        for i, claim in enumerate(tagged):
            own.append(features(claim))
            own_right.append(i in right)
            if pairs is not None:
                second = compare(
                    pairs, characters(example.text, s, claim.cause), characters(example.text, s, claim.effect)
                )
                both.append(features(claim, second))
                both_right.append(i in right)
    line = fit_line(own, own_right)
    together = fit_line(both, both_right) if both else Line(weights=(*line.weights, 0.0, 0.0), bias=line.bias)
    distance = sorted(abs(log_odds(c) - log_odds(threshold)) for c in claims)[int(_DOUBTFUL * len(claims))]
    return Confidence(
        threshold=threshold,
        another=another,
        doubtful=(_chance(log_odds(threshold) - distance), _chance(log_odds(threshold) + distance)),
        keep=_KEEP,
        tagger=line,
        both=together,
    )


def found_by(example: Example, scores: Scores, threshold: float, another: float) -> list[Found]:
    """What the tagger finds in one text."""
    return [
        _found(example.text, scores, claim)
        for claim in decode(scores.head, scores.words, threshold=threshold, another=another)
    ]


def _found(text: str, scores: Scores, claim: Tagged) -> Found:
    cause, effect = (text[slice(*characters(text, scores, span))] for span in (claim.cause, claim.effect))
    return Found(cause, effect, claim.sign, claim.negated, claim.hedged, claim.spans)


def _chance(odds: float) -> float:
    return round(float(1 / (1 + np.exp(-odds))), 4)


def fit_line(features: Sequence[Sequence[float]], right: Sequence[bool]) -> Line:
    """Logistic regression by Newton's method, with a small ridge so that separable data have an answer too."""
    if not right:
        raise InputError(
            "The tagger finds no claim in the sentences kept for calibration.", next_step="Train it longer."
        )
    x = np.column_stack([np.asarray(features, dtype=float).reshape(len(right), -1), np.ones(len(right))])
    y = np.asarray(right, dtype=float)
    beta: NDArray[np.float64] = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (y - p) - _RIDGE * beta
        hessian = (x * (p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(x.shape[1])
        step = np.linalg.solve(hessian, gradient)
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            break
    return Line(weights=tuple(round(float(b), 6) for b in beta[:-1]), bias=round(float(beta[-1]), 6))


def best_threshold(scores: Sequence[float], wanted: Sequence[bool], slack: float = 0.0) -> float:
    """The cut of `scores` with the best F1 for `wanted`; 0.5 if none is wanted.

    Of cuts less than `slack` worse than the best, the lowest is taken.
    """
    if not any(wanted):
        return 0.5
    order = np.argsort(-np.asarray(scores, dtype=float), kind="stable")
    ranked, truth = np.asarray(scores, dtype=float)[order], np.asarray(wanted, dtype=float)[order]
    f1 = 2 * truth.cumsum() / (np.arange(1, len(truth) + 1) + truth.sum())
    following = np.append(ranked[1:], 0.0)
    f1[ranked == following] = -1  # equal scores cannot be parted
    last = np.flatnonzero(f1 >= f1.max() - slack)[-1]
    return float(ranked[last] + following[last]) / 2
