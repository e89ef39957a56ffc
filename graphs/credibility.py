"""How credible an edge is, in words and as a probability that has been held against gold. Pure: no files, no store.

Credibility is the logistic function of a weighted sum of what an edge is made of (`leucippus.store.weave.FEATURES`).
The weights are the most likely ones under edges that gold says hold or not, and under a prior belief about each of them
that is written down here with its reason; a feature that hardly varies among those edges keeps its prior. Every weight
stays on its side: no data may make a denial speak for an edge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leucippus.store.links import Link

Floats = NDArray[np.float64]
Tier = Literal["well supported", "supported", "thin", "disputed"]


@dataclass(frozen=True)
class Prior:
    """What is believed of a weight before any data: a normal distribution cut off at `low` and `high`."""

    mean: float
    deviation: float
    low: float
    high: float
    why: str


@dataclass(frozen=True)
class Weight:
    """A weight as fitted or, where `more` is too small, as believed before. `more`: edges with more of it than most have."""

    value: float
    origin: Literal["fitted", "prior"]
    more: int


@dataclass(frozen=True)
class Bin:
    """Edges of about equal score: how many, what was said on average, and the share that held."""

    edges: int
    said: float
    held: float


PRIORS: Mapping[str, Prior] = {
    "one": Prior(-1.0, 3.0, -10.0, 10.0, "the rest; takes up how often edges hold in the corpus"),
    "sources": Prior(1.2, 0.4, 0.5, 2.0, "each doubling of independent sources adds 0.8 to the log odds, always less"),
    "repeats": Prior(0.1, 0.1, 0.0, 0.25, "who says it again knows nothing new; at most half a source's least weight"),
    "hedged": Prior(-0.5, 0.5, -3.0, 0.0, "may, might: the author is less sure than of other things"),
    "denied": Prior(
        -1.5, 0.5, -6.0, -0.5, "an edge that is only denied has no sources either: together, odds of a tenth"
    ),
    "contested": Prior(-1.0, 0.5, -4.0, 0.0, "half say it raises, half that it lowers: one half is wrong"),
    "confidence": Prior(2.0, 1.0, 0.0, 6.0, "the extractor's probability that the text says so"),
    "experimental": Prior(0.7, 0.25, 0.0, 2.0, "assigned, so not merely together: odds double"),
    "observational": Prior(0.2, 0.25, 0.0, 2.0, "seen to go together; confounding is left"),
    "opinion": Prior(-0.7, 0.25, -2.0, 0.0, "nothing but a person's word: odds halve"),
    "elicited": Prior(-1.0, 0.25, -3.0, 0.0, "a language model's word, which cites nothing"),
    "measured": Prior(1.0, 0.25, 0.0, 2.0, "estimated by us from data, with checks"),
}
"""Feature → what is believed of its weight."""

WELL_SUPPORTED, SUPPORTED = 0.8, 0.5
"""Least credibility of the two upper tiers; the first also takes two independent sources."""
DISPUTED = 0.25
"""Share of claims on the weaker side from which on an edge is disputed, however credible."""
ENOUGH_EDGES = 10
"""Labelled edges with more of a feature than most have; with fewer its weight is not fitted."""


def fit_weights(features: Floats, holds: NDArray[np.bool_], names: Sequence[str]) -> dict[str, Weight]:
    """The most likely weights: logistic regression with the normal priors and the bounds of `PRIORS`.

    With means of 0 and without bounds this is ridge logistic regression; scikit-learn's takes neither, hence L-BFGS-B
    (Byrd et al., 1995) on the same convex loss.

    Parameters
    ----------
    features : (edges, names), as `FEATURES` of the weaving gives them.
    holds : (edges,), whether gold says so.
    """
    from scipy.optimize import minimize

    priors = [PRIORS[name] for name in names]
    more = [int(_more(features[:, at])) for at in range(len(names))]
    free = np.array([name == "one" or count >= ENOUGH_EDGES for name, count in zip(names, more, strict=True)])
    weights = np.array([prior.mean for prior in priors])
    mean, deviation = weights[free], np.array([prior.deviation for prior in priors])[free]
    fixed = features[:, ~free] @ weights[~free]
    chosen = features[:, free]

    def loss(candidate: Floats) -> tuple[float, Floats]:
        logits = fixed + chosen @ candidate
        away = (candidate - mean) / deviation
        value = np.logaddexp(0.0, logits).sum() - logits[holds].sum() + 0.5 * away @ away
        return float(value), chosen.T @ (_logistic(logits) - holds) + away / deviation

    bounds = [(prior.low, prior.high) for prior, is_free in zip(priors, free, strict=True) if is_free]
    weights[free] = minimize(loss, mean, jac=True, method="L-BFGS-B", bounds=bounds).x
    return {
        name: Weight(round(float(weights[at]), 4), "fitted" if free[at] else "prior", more[at])
        for at, name in enumerate(names)
    }


def credibilities(features: Floats, names: Sequence[str], weights: Mapping[str, float]) -> Floats:
    """(edges,) credibilities of edges with these features, (edges, names): what the weaving computes in SQL."""
    return _logistic(features @ np.array([weights[name] for name in names]))


def area_under_curve(scores: Floats, holds: NDArray[np.bool_]) -> float:
    """P(an edge that holds scores above one that does not), ties counted half; nan where all or none hold."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    held = int(holds.sum())
    if held in (0, len(holds)):
        return float("nan")
    return float((ranks[holds].sum() - held * (held + 1) / 2) / (held * (len(holds) - held)))


def brier(scores: Floats, holds: NDArray[np.bool_]) -> float:
    """Mean squared difference of what was said and what held."""
    return float(np.mean((scores - holds) ** 2))


def reliability(scores: Floats, holds: NDArray[np.bool_], bins: int = 10) -> list[Bin]:
    """Edges in bins of equal number, the least credible first; fewer bins where there are fewer edges."""
    order = np.argsort(scores, kind="stable")
    return [
        Bin(len(part), float(scores[part].mean()), float(holds[part].mean()))
        for part in np.array_split(order, bins)
        if len(part)
    ]


def expected_calibration_error(scores: Floats, holds: NDArray[np.bool_], bins: int = 10) -> float:
    """Mean distance of what was said from what held, over bins of equal number."""
    return sum(one.edges * abs(one.said - one.held) for one in reliability(scores, holds, bins)) / len(scores)


def tier(link: Link) -> Tier:
    """How far an edge may be relied on, in one word or two.

    disputed: a quarter of its claims or more say the contrary of the others, or most deny it. well supported: a
    credibility of at least 0.8 and two independent sources. supported: at least 0.5. thin: the rest.
    """
    against = min(link.positive, link.negative), link.denied
    if max(against) >= DISPUTED * link.claims:
        return "disputed"
    if link.credibility >= WELL_SUPPORTED and link.sources >= 2:
        return "well supported"
    return "supported" if link.credibility >= SUPPORTED else "thin"


def explain(link: Link) -> str:
    """Why an edge is as credible as it is: two sentences, whose numbers are the edge's own."""
    kinds = [
        f"{count} {words}"
        for count, words in (
            (link.measured, "measured by us"),
            (link.experimental, "from experiments"),
            (link.observational, "from observation"),
            (link.opinion, _one(link.opinion, "opinion", "opinions")),
            (link.elicited, "from a language model"),
        )
        if count
    ]
    first = (
        f"{tier(link).capitalize()}, credibility {link.credibility:.2f}: {_count(link.sources, 'independent source')}, "
        f"{_count(link.claims, 'claim')} in {_count(link.documents, 'document')}"
        + (f", {_list(kinds)}." if kinds else ", none of which says what it rests on.")
    )
    of_all = f"of {_count(link.claims, 'claim')}"
    doubts = [
        f"{count} {of_all} {_one(count, *words)}"
        for count, words in (
            (link.denied, ("denies it", "deny it")),
            (link.hedged, ("hedges", "hedge")),
        )
        if count
    ]
    if link.positive and link.negative:
        doubts.append(
            f"{link.positive} {_one(link.positive, 'says', 'say')} that it raises and {link.negative} that it lowers"
        )
    second = _list(doubts) if doubts else "no claim denies it, hedges or gives it another sign"
    read = "" if link.confidence is None else f"; the words were read with a mean confidence of {link.confidence:.2f}"
    return f"{first} {second[0].upper()}{second[1:]}{read}."


def _more(column: Floats) -> int:
    """How many values are above the commonest one."""
    found, counts = np.unique(column, return_counts=True)
    return int((column > found[counts.argmax()]).sum()) if len(column) else 0


def _logistic(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -500, 500))), dtype=np.float64)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _one(number: int, single: str, several: str) -> str:
    return single if number == 1 else several


def _list(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
