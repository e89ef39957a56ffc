"""PLACEHOLDER to be written."""

from leucippus.agents.dataset import Dataset
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.study import Timing


def timing(dataset: Dataset, design: Design) -> dict[str, Timing]:
    return {}


def bystanders(dataset: Dataset, named: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(n for n in dataset.columns if n not in named)[:50]
