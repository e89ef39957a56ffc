"""From what two readers say to one probability that a claim is right.

A logistic regression over log-odds (Platt, 1999): the tagger's three probabilities, and, where the language model was
asked too, whether it found the same claim, and whether it found none at all. Fitted on sentences neither had learned
from; the claim counts as right if both its spans share at least half their words with an annotated pair.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from leucippus.agents.tagging import Tagged
from leucippus.errors import ModelNotFound

FILE = "confidence.json"
Second = Literal["not asked", "same", "other", "none"]
"""What the language model made of a text: this very claim, other claims, or none."""

_MOST = 12.0
_OWN = 3


class Line(BaseModel):
    """p = 1 / (1 + exp(-(bias + weights · features)))."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: tuple[float, ...]
    bias: float

    def __call__(self, features: Sequence[float]) -> float:
        z = self.bias + sum(w * x for w, x in zip(self.weights, features, strict=True))
        return 1 / (1 + math.exp(-max(-_MOST, min(_MOST, z))))


class Confidence(BaseModel):
    """How an extractor's numbers become probabilities, and from where on it speaks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float
    """Below this probability of a claim, the tagger finds none."""
    another: float
    """A further claim in a text has to be this likely, compared with its first."""
    doubtful: tuple[float, float]
    """Texts whose probability of a claim lies between these are worth a second reader."""
    keep: float
    """What is less likely to be right is not claimed."""
    tagger: Line
    both: Line

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (len(self.tagger.weights), len(self.both.weights)) != (_OWN, _OWN + 2):
            raise ValueError(f"tagger needs {_OWN} weights and both {_OWN + 2}")
        return self

    def of(self, claim: Tagged, second: Second = "not asked") -> float:
        """P(this claim is right)."""
        return (self.tagger if second == "not asked" else self.both)(features(claim, second))


def features(claim: Tagged, second: Second = "not asked") -> tuple[float, ...]:
    """What a `Line` is fitted on."""
    own = (log_odds(claim.claim), log_odds(claim.spans), log_odds(claim.anchor))
    return own if second == "not asked" else (*own, float(second == "same"), float(second == "none"))


def load_confidence(folder: Path) -> Confidence:
    """The calibration of an extractor folder.

    Raises
    ------
    ModelNotFound : there is none, or it is damaged.
    """
    try:
        return Confidence.model_validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise ModelNotFound(
            f"{folder} has no usable {FILE}: {error}", next_step="Train the extractor again."
        ) from error


def log_odds(p: float) -> float:
    """Of a probability, kept away from 0 and 1."""
    p = min(max(p, 1e-5), 1 - 1e-5)
    return math.log(p / (1 - p))
