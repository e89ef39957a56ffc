"""Lessons and suites in plain English, and how well a language model answers them.

The tasks, and their split by class, are those of training/axiomatic/dataset.py. Tests ask of classes that no lesson is
about, under names that no lesson uses; in the wordings of the lessons, and apart from that in families of wordings that
no lesson uses.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from leucippus.errors import InputError
from leucippus.graphs.axioms import Axiom, axioms_named, holds
from leucippus.graphs.dag import Graph
from leucippus.training.axiomatic.dataset import Part, draw_question, part_of
from leucippus.training.axiomatic.paraphrases import (
    FAMILIES,
    INSTRUCTION,
    KEPT,
    LEARNED,
    Family,
    ask,
    draw_names,
    explain,
    tell,
)
from leucippus.training.axiomatic.structures import ORDERS, branching, chain, nodes_of, task_class, told
from leucippus.training.axiomatic.traces import Mark

_TRIES = 1000
_CLADDER = {"question", "answer"}


@dataclass(frozen=True)
class Spoken:
    """One question in plain English, and what a model should write."""

    prompt: str
    steps: str
    """What leads to the answer; empty where a model is to answer at once."""
    answer: str
    """Yes or No, to the question as it is put."""
    axiom: str
    nodes: int
    task: str
    """The class of the task."""
    family: str

    @property
    def completion(self) -> str:
        """All that a model is to write."""
        return f"{self.steps} So the answer is {self.answer.lower()}." if self.steps else self.answer

    def conversation(self) -> dict[str, Any]:
        """As a fine-tuning trainer wants it."""
        return {
            "prompt": [{"role": "user", "content": self.prompt}],
            "completion": [{"role": "assistant", "content": self.completion}],
        }


@dataclass(frozen=True)
class SpokenRecipe:
    """What is asked about which graphs."""

    axioms: Mapping[str, float] = field(
        default_factory=lambda: {
            Axiom.TRANSITIVITY: 0.2, Axiom.D_SEPARATION: 0.2, Axiom.INTERVENTION: 0.12, Axiom.IRRELEVANCE: 0.1,
            Axiom.COLLIDER: 0.08, Axiom.CONFOUNDER: 0.1, Axiom.BACK_DOOR: 0.12, Axiom.ADJUSTMENT: 0.08,
        }
    )  # fmt: skip
    """And how often, relative to each other."""
    sizes: Mapping[int, float] = field(default_factory=lambda: {3: 0.25, 4: 0.35, 5: 0.25, 6: 0.15})
    """Nodes, and how often a graph has so many."""
    branching: float = 0.4
    """Share of graphs that are no chains: Erdős-Rényi, one edge fewer than nodes up to 1.4 for each node."""
    flipped: float = 0.6
    """Share of chains whose edges point either way."""
    letters: float = 0.15
    """Share of lessons whose nodes are letters."""
    with_steps: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        axioms_named(self.axioms)
        if not self.sizes or min(self.sizes) < 3 or max(self.sizes) > len(LEARNED.letters):
            raise InputError(
                f"Graphs of {', '.join(map(str, self.sizes)) or 'no'} nodes cannot be asked about.",
                expected=f"sizes from 3 to {len(LEARNED.letters)}",
            )


def spoken_lessons(recipe: SpokenRecipe, part: Part, *, held_out: bool = False) -> Iterator[Spoken]:
    """Lessons without end, the same for the same recipe; of each way to ask, as many answers are Yes as No.

    Parameters
    ----------
    part : the task classes that are asked about. Names are those of the lessons in `train`, and others elsewhere.
    held_out : whether the wordings are of the families that no lesson uses.
    """
    random = Random(f"spoken {recipe.seed} {part} {held_out}")
    axioms, weights = list(axioms_named(recipe.axioms)), list(recipe.axioms.values())
    families = [family for family in FAMILIES if family.held_out == held_out]
    said_already: set[str] = set()
    ahead: Counter[tuple[Axiom, bool]] = Counter()  # Yes less No
    while True:
        (axiom,) = random.choices(axioms, weights)
        # Some axioms are turned down more often than others: another one is drawn only where this one seems not to be.
        for _ in range(_TRIES):
            (nodes,) = random.choices(list(recipe.sizes), list(recipe.sizes.values()))
            family = random.choice(families)
            kind = axiom, family.questions[axiom].opposite
            wanted = ahead[kind] < 0 if ahead[kind] else random.random() < 0.5
            lesson = _draw(random, recipe, part, nodes, axiom, family, wanted)
            if lesson is not None and lesson.prompt not in said_already:
                said_already.add(lesson.prompt)
                ahead[kind] += 1 if wanted else -1
                yield lesson
                break


def _draw(
    random: Random, recipe: SpokenRecipe, part: Part, nodes: int, axiom: Axiom, family: Family, wanted: bool
) -> Spoken | None:
    """A lesson whose answer is as wanted; None if the graph drawn has none, or its class is of another part."""
    names = draw_names(random, LEARNED if part == "train" else KEPT, nodes, recipe.letters)
    if random.random() < recipe.branching:
        edges = branching(random, names, random.randint(nodes - 1, int(1.4 * nodes)))
    else:
        ordered = chain(random, names, flipped=random.random() < recipe.flipped, order="told in order")
        edges = told(random, ordered, random.choice(ORDERS))
    graph = Graph(nodes_of(edges), edges)
    if len(graph.nodes) != nodes:
        return None
    question = draw_question(random, graph, axiom, wanted != family.questions[axiom].opposite)
    if question is None or part_of(task := task_class(edges, question)) != part:
        return None
    premises, edges = tell(random, family, edges)
    asked, opposite = ask(family, question)
    return Spoken(
        prompt=f"{premises} {asked} {INSTRUCTION}",
        steps=explain(edges, question) if recipe.with_steps else "",
        answer=Mark.YES if holds(graph, question) != opposite else Mark.NO,
        axiom=axiom,
        nodes=nodes,
        task=task,
        family=family.name,
    )


@dataclass(frozen=True)
class SpokenSuite:
    """A set of questions with one thing made harder."""

    name: str
    items: tuple[Spoken, ...]


def spoken_suites(count: int = 300, seed: int = 1) -> tuple[SpokenSuite, ...]:
    """Questions about the test part, every axiom as often as another: what was learned, other wordings, larger graphs."""
    alike = SpokenRecipe(axioms=dict.fromkeys(Axiom, 1.0), seed=seed)
    larger = replace(alike, sizes=dict.fromkeys(range(7, 11), 1.0))
    drawn = (
        ("3-6 nodes, wordings of the lessons", alike, False),
        ("3-6 nodes, other wordings", alike, True),
        ("7-10 nodes, wordings of the lessons", larger, False),
    )
    return tuple(
        SpokenSuite(name, tuple(islice(spoken_lessons(recipe, "test", held_out=held_out), count)))
        for name, recipe, held_out in drawn
    )


def cladder(path: Path) -> SpokenSuite:
    """CLadder's questions from a JSONL file (background, given_info, question, answer; query_type names the kind).

    Raises
    ------
    InputError : the file cannot be read, or a line is no such question.

    References
    ----------
    Jin et al. (2023), CLadder: assessing causal reasoning in language models.
    """
    items = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}", expected="a JSONL file of questions") from error
    for at, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or not row.keys() >= _CLADDER or str(row["answer"]).lower() not in ("yes", "no"):
            raise InputError(
                f"Line {at} of {path} is no question.", expected="JSON with question and answer, yes or no"
            )
        said = [str(row[key]).strip() for key in ("background", "given_info", "question") if row.get(key)]
        items.append(
            Spoken(
                prompt=" ".join([*said, INSTRUCTION]),
                steps="",
                answer=str(row["answer"]).capitalize(),
                axiom=str(row.get("query_type", "")),
                nodes=0,
                task="",
                family="cladder",
            )
        )
    if not items:
        raise InputError(f"{path} is empty.", expected="a JSONL file of questions")
    return SpokenSuite("CLadder", tuple(items))
