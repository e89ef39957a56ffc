"""Preferences from logs: which of two texts of one context earned more, where the logs can tell, and how surely.

Knows rewards and texts; knows no model and no trainer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.training.deconfound.arms import Arms, Floats, Ints, Judged, compare
from leucippus.training.deconfound.logs import Logs

INSTRUCTION = "Write the text."
"""The prompt of logs without contexts."""
_WHOLE = 32
"""Of contexts with no more texts than this, every pair is looked at; of larger ones, pairs drawn at random."""
_TRIES = 50
"""Pairs drawn at random for each that is wanted."""


@dataclass(frozen=True)
class PairRecipe:
    """Which pairs are learnt from."""

    most: int = 1000
    per_context: int = 8
    """Where the logs have contexts: none is to outweigh the others."""
    least: int = 8
    """Fewer teach nothing but themselves."""
    threshold: float = 1.0
    """Standard errors by which two rewards must differ; 1 is a sign right five times in six."""
    temperature: float = 1.0
    """Weighted texts: standard deviations of reward by which a text gains a factor of e."""
    heaviest: float = 20.0
    """Weighted texts: no weight is more than so many times that of a text like its context's mean."""
    seed: int = 0


@dataclass(frozen=True)
class Pair:
    """Two texts of one context, the better one first."""

    prompt: str
    chosen: str
    rejected: str
    margin: float
    """Difference of rewards, in units of the outcome."""
    confidence: float
    """Probability that its sign is right, Φ(margin / standard error)."""
    weight: float
    """2 confidence − 1, over the mean of all pairs. With a sign that is wrong with probability 1 − p, this is the size
    of the expected gradient of DPO's loss where it begins: p ∇ℓ(Δ) + (1 − p) ∇ℓ(−Δ) = (2p − 1) ∇ℓ(0) at Δ = 0."""

    def row(self) -> dict[str, Any]:
        """As TRL's trainers read it."""
        return {
            "prompt": _asked(self.prompt),
            "chosen": _said(self.chosen),
            "rejected": _said(self.rejected),
            "weight": self.weight,
        }


@dataclass(frozen=True)
class Weighted:
    """A text to learn, the more the better it is."""

    prompt: str
    text: str
    weight: float

    def row(self) -> dict[str, Any]:
        """As TRL's trainers read it."""
        return {"prompt": _asked(self.prompt), "completion": _said(self.text), "weight": self.weight}


def prompt_of(logs: Logs, context: int) -> str:
    """What a model is asked in order to have a text for a context."""
    return INSTRUCTION if logs.contexts is None else logs.contexts[context]


def prompt_row(prompt: str) -> dict[str, Any]:
    """A prompt alone, as TRL's trainers read it."""
    return {"prompt": _asked(prompt)}


def preference_pairs(
    logs: Logs, arms: Arms, judged: Judged, gamma_se: Floats, recipe: PairRecipe | None = None
) -> tuple[Pair, ...]:
    """Pairs within contexts whose difference in reward is beyond noise, in random order; the same for the same seed.

    Raises
    ------
    InputError : no context has two texts, or too few differ by more than noise.
    """
    recipe = recipe or PairRecipe()
    _check_contrast(logs, arms)
    rng = np.random.default_rng(recipe.seed)
    share = recipe.most if logs.contexts is None else recipe.per_context
    found: list[Pair] = []
    looked, nearest = 0, 0.0
    for one, other in candidates(logs, arms, recipe, rng):
        difference, se = compare(judged, gamma_se, one, other)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(difference == 0, 0.0, np.abs(difference) / se)
        looked, nearest = looked + len(z), max(nearest, float(z.max(initial=0.0)))
        passing = np.flatnonzero(z > recipe.threshold)
        passing = passing[rng.permutation(len(passing))[:share]]
        found += _pairs(logs, arms, one[passing], other[passing], difference[passing], z[passing])
        if len(found) >= recipe.most:
            break
    if len(found) < recipe.least:
        raise InputError(
            f"Of {looked:,} pairs of texts {'within contexts ' if logs.contexts is not None else ''}"
            f"{len(found)} differ in reward by more than {recipe.threshold:g} standard errors (the nearest by "
            f"{nearest:.2f}): {'too few' if found else 'there is nothing'} to learn a preference from.",
            expected=f"{recipe.least} pairs or more",
            next_step="Log more rows for each text, or texts that differ more; a lower threshold learns noise.",
        )
    found = found[: recipe.most]
    scale = float(np.mean([pair.weight for pair in found]))
    return tuple(
        Pair(p.prompt, p.chosen, p.rejected, p.margin, p.confidence, p.weight / scale)
        for p in (found[at] for at in rng.permutation(len(found)))
    )


def weighted_texts(logs: Logs, arms: Arms, judged: Judged, recipe: PairRecipe | None = None) -> tuple[Weighted, ...]:
    """Texts weighted by exp(advantage / temperature): reward-weighted regression. Weights have mean 1.

    The advantage is a text's reward less its context's mean, in standard deviations of all advantages.

    Raises
    ------
    InputError : no context has two texts, or none is better than another by more than noise.

    References
    ----------
    Peters and Schaal (2007), Reinforcement learning by reward-weighted regression, ICML, eq. (6).
    Peng et al. (2019), Advantage-weighted regression, arXiv 1910.00177: weights with an upper end.
    """
    recipe = recipe or PairRecipe()
    _check_contrast(logs, arms)
    rows = np.bincount(arms.context, weights=arms.n)
    mean = (np.bincount(arms.context, weights=arms.n * judged.mean) / np.maximum(rows, 1))[arms.context]
    advantage = judged.mean - mean
    sd = float(np.sqrt(np.average(advantage**2, weights=arms.n)))
    doubt = float(np.sqrt(np.average(judged.variance, weights=arms.n)))
    if sd <= recipe.threshold * doubt or not sd > 0:
        raise InputError(
            f"The rewards of texts in one context differ by {sd:.3g} (standard deviation), each known to within "
            f"{doubt:.3g}: there is nothing to weight texts by.",
            expected="differences beyond noise",
            next_step="Log more rows for each text, or texts that differ more.",
        )
    rng = np.random.default_rng(recipe.seed)
    chosen = rng.permutation(len(advantage))[: recipe.most]
    weight = np.exp(np.minimum(advantage[chosen] / (sd * recipe.temperature), np.log(recipe.heaviest)))
    weight /= weight.mean()
    return tuple(
        Weighted(prompt_of(logs, int(arms.context[at])), logs.texts[arms.text[at]], float(w))
        for at, w in zip(chosen, weight, strict=True)
    )


def _check_contrast(logs: Logs, arms: Arms) -> None:
    texts = np.bincount(arms.context)
    if (texts > 1).any():
        return
    if logs.contexts is None:
        raise InputError("The logs hold a single text: no text is better than another.", expected="two texts or more")
    raise InputError(
        f"Each of the {int((texts > 0).sum()):,} contexts showed a single text, so that texts cannot be told from "
        "contexts.",
        expected="contexts in which two texts or more were shown",
        next_step="Leave --context out to compare texts across contexts, if contexts do not move the outcome.",
    )


def candidates(logs: Logs, arms: Arms, recipe: PairRecipe, rng: np.random.Generator) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of arms, context by context in random order."""
    order = np.argsort(arms.context, kind="stable")
    bounds = np.flatnonzero(np.diff(arms.context[order], prepend=-1, append=-1))
    for at in rng.permutation(len(bounds) - 1):
        members = order[bounds[at] : bounds[at + 1]]
        size = len(members)
        if size < 2:
            continue
        if size <= _WHOLE:
            one, other = np.triu_indices(size, 1)
        else:
            wanted = recipe.per_context if logs.contexts is not None else recipe.most
            one, other = _drawn(size, _TRIES * wanted, rng)
        yield members[one], members[other]


def _drawn(size: int, tries: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Different pairs of different numbers below `size`, in random order."""
    one, other = rng.integers(size, size=(2, min(tries, size * (size - 1) // 2)))
    low, high = np.minimum(one, other), np.maximum(one, other)
    _, first = np.unique(low * size + high, return_index=True)
    first = np.sort(first)
    first = first[low[first] != high[first]]
    return low[first], high[first]


def _pairs(logs: Logs, arms: Arms, one: Ints, other: Ints, difference: Floats, z: Floats) -> Iterator[Pair]:
    from scipy.special import ndtr

    for a, b, d, p in zip(one, other, difference, ndtr(z), strict=True):
        better, worse = (a, b) if d > 0 else (b, a)
        yield Pair(
            prompt=prompt_of(logs, int(arms.context[a])),
            chosen=logs.texts[arms.text[better]],
            rejected=logs.texts[arms.text[worse]],
            margin=float(abs(d)),
            confidence=float(p),
            weight=float(2 * p - 1),
        )


def _asked(prompt: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}]


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]
