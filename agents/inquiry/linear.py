"""A multinomial logistic regression over named features: weights in a file, probabilities out. NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leucippus.errors import ModelNotFound

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Linear:
    """Weights of features for classes."""

    classes: tuple[str, ...]
    features: tuple[str, ...]
    weights: Floats
    """(features, classes)."""
    bias: Floats
    """(classes,)."""
    rarity: Floats
    """(features,) by which counts are weighed; all 0 where values are taken as they are."""

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: at for at, name in enumerate(self.features)}

    def probabilities(self, features: Mapping[str, float]) -> dict[str, float]:
        """Class → probability; features that were never learned count nothing."""
        logits = self.bias.copy()
        for name, value in self.weighed(features).items():
            logits += value * self.weights[self._place[name]]
        shares = np.exp(logits - logits.max())
        return dict(zip(self.classes, (shares / shares.sum()).tolist(), strict=True))

    def weighed(self, features: Mapping[str, float]) -> dict[str, float]:
        known = {name: value for name, value in features.items() if name in self._place}
        if not self.rarity.any():
            return known
        return normalised({name: damped(value) * self.rarity[self._place[name]] for name, value in known.items()})

    def arrays(self, name: str) -> dict[str, Any]:
        """For `np.savez`."""
        return {
            f"{name}.classes": np.array(self.classes),
            f"{name}.features": np.frombuffer("\n".join(self.features).encode(), dtype=np.uint8),
            f"{name}.weights": self.weights.astype(np.float16),
            f"{name}.bias": self.bias.astype(np.float32),
            f"{name}.rarity": self.rarity.astype(np.float16),
        }


def damped(count: float) -> float:
    """A word that comes four times says less than four times as much."""
    return float(1 + np.log(count)) if count > 0 else 0.0


def normalised(features: Mapping[str, float]) -> dict[str, float]:
    """Each block of features (what stands before the colon) to length 1: long texts weigh no more than short ones."""
    lengths: dict[str, float] = {}
    for name, value in features.items():
        block = name.split(":", 1)[0]
        lengths[block] = lengths.get(block, 0.0) + value * value
    return {name: value / (lengths[name.split(":", 1)[0]] ** 0.5 or 1.0) for name, value in features.items()}


def load(path: Path, names: Sequence[str]) -> dict[str, Linear]:
    """The models of a file.

    Raises
    ------
    ModelNotFound : it is not there, or holds other things.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            return {
                name: Linear(
                    tuple(map(str, held[f"{name}.classes"])),
                    tuple(held[f"{name}.features"].tobytes().decode().split("\n")),
                    held[f"{name}.weights"].astype(np.float64),
                    held[f"{name}.bias"].astype(np.float64),
                    held[f"{name}.rarity"].astype(np.float64),
                )
                for name in names
            }
    except (OSError, KeyError, ValueError) as error:
        raise ModelNotFound(f"{path} holds no study reader: {error}", expected=", ".join(names)) from error
