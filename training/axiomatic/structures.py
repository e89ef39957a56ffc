"""Graphs to ask about, the order in which their edges are told, and which of them are one and the same task.

Two tasks are of one class if a renaming of nodes turns one graph and question into the other: names and the order of
telling do not count. Classes are found by colour refinement, so two classes may share a name, but never does one class
have two: what is split by it is split by class.

References
----------
Vashishtha et al. (2025): chains with random flips; branching graphs of n nodes with 1.4 n or 2 n edges.
Weisfeiler and Leman (1968): colour refinement.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import combinations, pairwise
from random import Random
from typing import Literal

from leucippus.graphs.axioms import Question
from leucippus.graphs.dag import Edge

Order = Literal["told in order", "shuffled", "reversed"]
ORDERS: tuple[Order, ...] = ("told in order", "shuffled", "reversed")
_ROUNDS = 4
"""Of refinement: how far a node sees. More would split no class of the small graphs that are learned from further."""


def chain(random: Random, names: Sequence[str], *, flipped: bool, order: Order) -> tuple[Edge, ...]:
    """A path through `names`; flipped: every edge's direction is drawn."""
    edges = list(pairwise(names))
    if flipped:
        edges = [(a, b) if random.random() < 0.5 else (b, a) for a, b in edges]
    return told(random, edges, order)


def branching(random: Random, names: Sequence[str], edges: int) -> tuple[Edge, ...]:
    """A random acyclic graph (Erdős–Rényi, by number of edges), told in any order; nodes without edges are not told."""
    ranked = random.sample(names, len(names))
    pairs = list(combinations(ranked, 2))
    return tuple(random.sample(pairs, min(edges, len(pairs))))


def told(random: Random, edges: Sequence[Edge], order: Order) -> tuple[Edge, ...]:
    """The edges in the order of telling."""
    match order:
        case "told in order":
            return tuple(edges)
        case "shuffled":
            return tuple(random.sample(edges, len(edges)))
        case "reversed":
            return tuple(reversed(edges))


def nodes_of(edges: Sequence[Edge]) -> tuple[str, ...]:
    """The nodes, in the order in which they are first told of."""
    return tuple(dict.fromkeys(node for edge in edges for node in edge))


def task_class(edges: Sequence[Edge], question: Question) -> str:
    """A name of the class of a task: the same for tasks that a renaming of nodes turns into each other."""
    colour = dict.fromkeys(nodes_of(edges), 0)
    colour |= dict.fromkeys(question.given, 3) | {question.x: 1, question.y: 2}
    causes: dict[str, list[str]] = {node: [] for node in colour}
    effects: dict[str, list[str]] = {node: [] for node in colour}
    for cause, effect in edges:
        effects[cause].append(effect)
        causes[effect].append(cause)
    for _ in range(_ROUNDS):
        seen = {
            node: (colour[node], sorted(map(colour.__getitem__, causes[node])), sorted(map(colour.__getitem__, effects[node])))
            for node in colour
        }  # fmt: skip
        colour = {node: _number(repr(about)) for node, about in seen.items()}
    return f"{_number(repr((question.axiom, sorted(colour.values())))):016x}"


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
