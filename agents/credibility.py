"""The weights that edges are woven with, from their file; how they came about is told there and in graphs/credibility.py."""

import json
from functools import cache
from importlib.resources import files

from leucippus.errors import ModelNotFound
from leucippus.store.weave import FEATURES

_NAME = "shipped/credibility.json"


@cache
def _shipped() -> dict[str, float]:
    path = files("leucippus.agents") / _NAME
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        weights = {str(name): float(weight["value"]) for name, weight in made["weights"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelNotFound(
            f"The weights of credibility cannot be read from {path}: {error}",
            expected="the file that comes with Leucippus",
            next_step="Install Leucippus again, or make the file with benchmarks/credibility.py --write.",
        ) from error
    if unknown := weights.keys() ^ FEATURES.keys():
        raise ModelNotFound(
            f"The weights in {path} are not those of this version: {', '.join(sorted(unknown))}.",
            next_step="Install Leucippus again, or make the file with benchmarks/credibility.py --write.",
        )
    return weights


def default_weights() -> dict[str, float]:
    """Feature of an edge → its weight in the log odds that the edge holds, as shipped.

    Raises
    ------
    ModelNotFound : the file is missing, damaged or of another version.
    """
    return dict(_shipped())
