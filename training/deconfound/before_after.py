"""What tuning changed: what base and tuned model write, and which of two held-out texts each finds likelier.

Rewards of what they write are those of a second reward model, fitted to rows that tuning never saw: the one that a
model was tuned on is the one that it has learnt to please.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leucippus.agents.estimators.regression import t_quantile
from leucippus.training.deconfound.arms import Arms, Floats, Judged, compare
from leucippus.training.deconfound.logs import Logs
from leucippus.training.deconfound.off_policy import Estimate
from leucippus.training.deconfound.pairs import PairRecipe, candidates
from leucippus.training.deconfound.tuning import Score
from leucippus.training.deconfound.writing import Policy

_SHOWN = 4
_WIDTH = 200
"""Characters of an example."""


@dataclass(frozen=True)
class BeforeAfter:
    """Base and tuned model beside each other."""

    prompts: int
    base: float
    """Mean expected reward of what the base writes."""
    tuned: float
    gain: Estimate
    """Of the tuned over the base, prompts paired; the reward model's own error is not in it. Endless for one prompt."""
    agrees: float | None
    """Share of held-out pairs of which tuning made the better text likelier; None where there are none."""
    pairs: int
    examples: tuple[tuple[str, str, str], ...]
    """Prompt, the base's text, the tuned model's."""


def before_after(
    policy: Policy, prompts: Sequence[str], score: Score, *, tokens: int, seed: int, agreement: tuple[float | None, int]
) -> BeforeAfter:
    """Let both write for the same prompts, one text each."""
    with policy.as_base():
        base = [texts[0] for texts in policy.write(prompts, tokens=tokens, seed=seed)]
    tuned = [texts[0] for texts in policy.write(prompts, tokens=tokens, seed=seed)]
    return compared(prompts, base, tuned, score, agreement)


def compared(
    prompts: Sequence[str], base: Sequence[str], tuned: Sequence[str], score: Score, agreement: tuple[float | None, int]
) -> BeforeAfter:
    """What was written, measured."""
    was, now = score(base), score(tuned)
    gain = now - was
    mean, se, half = float(gain.mean()), float("inf"), float("inf")
    if len(gain) > 1:
        se = float(gain.std(ddof=1) / len(gain) ** 0.5)
        half = t_quantile(0.95, len(gain) - 1) * se
    shown = zip(prompts[:_SHOWN], base[:_SHOWN], tuned[:_SHOWN], strict=True)
    return BeforeAfter(
        prompts=len(prompts),
        base=float(was.mean()),
        tuned=float(now.mean()),
        gain=Estimate(mean, se, mean - half, mean + half),
        agrees=agreement[0],
        pairs=agreement[1],
        examples=tuple((_line(prompt), _line(before), _line(after)) for prompt, before, after in shown),
    )


def agreement(
    logs: Logs, arms: Arms, judged: Judged, gamma_se: Floats, moved: Floats, recipe: PairRecipe
) -> tuple[float | None, int]:
    """The share of pairs beyond noise whose better text tuning made likelier against the other, and how many there are.

    Parameters
    ----------
    moved : (q,), log π(text) of the tuned model less that of the base.
    """
    right, pairs = 0.0, 0
    for one, other in candidates(logs, arms, recipe, np.random.default_rng(recipe.seed)):
        difference, se = compare(judged, gamma_se, one, other)
        beyond = np.abs(difference) > recipe.threshold * se
        change = (moved[one] - moved[other])[beyond]
        right += float(((change * difference[beyond]) > 0).sum() + 0.5 * (change == 0).sum())
        pairs += int(beyond.sum())
    return (right / pairs if pairs else None), pairs


def _line(text: str) -> str:
    """On one line, and no longer than a table can bear."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _WIDTH else flat[: _WIDTH - 1] + "…"
