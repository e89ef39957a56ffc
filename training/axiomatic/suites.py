"""The suites that a model's reasoning is measured on: questions about graphs like its lessons', and ever larger ones.

No suite holds what a model learned from. Graphs no larger than those of the lessons are of classes that belong to the
test part by their name alone; the others are larger than any that was taught. Half of the answers are Yes.

References
----------
Vashishtha et al. (2025): lengths 7 to 15, 20 and 50, flips, shuffles, reversals, branching graphs, long names.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random

from leucippus.errors import InputError
from leucippus.graphs.axioms import Axiom, Question, holds
from leucippus.graphs.dag import Edge, Graph
from leucippus.training.axiomatic.dataset import DataRecipe, Lesson, draw_question, part_of, put
from leucippus.training.axiomatic.structures import Order, branching, chain, nodes_of, task_class
from leucippus.training.axiomatic.traces import Mark

TAUGHT = DataRecipe().most_nodes
"""Nodes of the largest graphs that models learn from, unless they were told otherwise."""
_TRIES = 3_000
"""Graphs drawn for one item before an answer is taken to have no class that may be asked about."""
_SETS, _MOST_GIVEN = 16, 3
_ADJACENT = 0.1
"""Chance with which a pair joined by an edge, which nothing can separate, is asked about nevertheless."""
_NAMES = DataRecipe(long_names=0.0, confusable=0.0)
_LONG_NAMES = replace(_NAMES, shortest_name=8, longest_name=10)


@dataclass(frozen=True)
class Task:
    """A question about a graph, not yet in words."""

    edges: tuple[Edge, ...]
    """In the order of telling."""
    question: Question
    answer: bool
    task: str
    """The class of the task."""


@dataclass(frozen=True)
class Suite:
    """Questions of one axiom about graphs of one kind, of `fewest` to `most` nodes."""

    family: str
    fewest: int
    most: int
    axiom: Axiom = Axiom.TRANSITIVITY
    flipped: bool = False
    """Every edge of a chain points either way."""
    order: Order = "told in order"
    density: float | None = None
    """Edges for each node of a random acyclic graph; None for chains."""
    long_names: bool = False
    """Of eight to ten characters."""

    @property
    def sizes(self) -> str:
        return f"{self.fewest}" if self.fewest == self.most else f"{self.fewest}-{self.most}"

    @property
    def name(self) -> str:
        return f"{self.family} {self.sizes}"

    def tasks(self, count: int = 500, seed: int = 0, taught: int = TAUGHT) -> list[Task]:
        """At most `count` tasks, the same for the same seed; as many are answered Yes as No, give or take one.

        Where no class that may be asked about has one of the answers, only tasks with the other one are there; where
        none has either, none are.

        Parameters
        ----------
        taught : nodes of the largest graphs that the model learned from: up to there only classes of the test part.
        """
        random = Random(f"suite {self.name} {seed}")
        found: dict[bool, list[Task]] = {True: [], False: []}
        lacking: set[bool] = set()
        for at in range(count):
            wanted = at % 2 == 0
            task = None if wanted in lacking else self._draw(random, wanted, taught)
            if task is None:
                lacking.add(wanted)
            else:
                found[wanted].append(task)
        if found[True] and found[False]:
            fewer = min(len(tasks) for tasks in found.values())
            found = {answer: tasks[: fewer + 1] for answer, tasks in found.items()}
        drawn = [*found[True], *found[False]]
        random.shuffle(drawn)
        return drawn

    def lessons(self, count: int = 500, seed: int = 0, taught: int = TAUGHT) -> list[Lesson]:
        """The same tasks in formal words, no wording twice."""
        random = Random(f"words {self.name} {seed}")
        lessons: dict[str, Lesson] = {}
        recipe = _LONG_NAMES if self.long_names else _NAMES
        for task in self.tasks(count, seed, taught):
            lesson = put(random, task.edges, task.question, recipe, task.task)
            while lesson.prompt in lessons:
                lesson = put(random, task.edges, task.question, recipe, task.task)
            assert lesson.answer == (Mark.YES if task.answer else Mark.NO), (
                "steps lead to another answer than the graph"
            )
            lessons[lesson.prompt] = lesson
        return list(lessons.values())

    def _draw(self, random: Random, wanted: bool, taught: int) -> Task | None:
        for _ in range(_TRIES):
            names = [f"n{at}" for at in range(random.randint(self.fewest, self.most))]
            if self.density is None:
                edges = chain(random, names, flipped=self.flipped, order=self.order)
            else:
                edges = branching(random, names, int(self.density * len(names)))
            graph = Graph(nodes_of(edges), edges)
            if len(graph.nodes) < len(names):  # nothing is said of a node without edges
                continue
            draw = draw_matched if self.axiom is Axiom.D_SEPARATION else draw_question
            question = draw(random, graph, self.axiom, wanted)
            if question is None:
                continue
            task = task_class(edges, question)
            if len(names) > taught or part_of(task) == "test":
                return Task(edges, question, wanted, task)
        return None


def draw_matched(random: Random, graph: Graph, axiom: Axiom, wanted: bool) -> Question | None:
    """A question whose answer is as wanted, about nodes of which another set would have given the other answer.

    So neither the nodes nor how far they are apart give the answer away. Adjacent nodes, for which there is but one
    answer, are asked about now and then.
    """
    x, y, *others = random.sample(graph.nodes, len(graph.nodes))
    adjacent = y in graph.children(x) | graph.parents(x)
    if adjacent and (wanted or random.random() >= _ADJACENT):
        return None
    answers: dict[tuple[str, ...], bool] = {}
    for _ in range(1 if adjacent else _SETS):
        given = tuple(random.sample(others, random.randint(0, min(_MOST_GIVEN, len(others)))))
        if given not in answers:
            answers[given] = holds(graph, Question(axiom, x, y, given))
    if not adjacent and len(set(answers.values())) < 2:
        return None
    return next((Question(axiom, x, y, given) for given, answer in answers.items() if answer is wanted), None)


def suites(names: Iterable[str] = ()) -> tuple[Suite, ...]:
    """All suites, or those of such names or families.

    Raises
    ------
    InputError : no suite and no family has such a name.
    """
    every = tuple(_every())
    asked = [name.strip().casefold() for name in names]
    if not asked:
        return every
    for name in asked:
        if not any(name in (suite.name, suite.family) for suite in every):
            families = dict.fromkeys(suite.family for suite in every)
            raise InputError(
                f"There is no suite {name!r}.",
                expected=f"a family ({', '.join(families)}), or a family and its nodes, such as {every[0].name!r}",
            )
    return tuple(suite for suite in every if suite.name in asked or suite.family in asked)


def _every() -> Iterator[Suite]:
    each, beyond = [(at, at) for at in range(3, 7)], [(at, at) for at in range(7, 16)]
    short, far, farthest = (3, 6), (20, 20), (50, 50)
    separation = Axiom.D_SEPARATION
    for sizes in (*each, short, *beyond, far, farthest):
        yield Suite("line", *sizes)
    for sizes in (short, *beyond, far, farthest):
        yield Suite("flipped", *sizes, flipped=True)
    for sizes in (short, *beyond, far):
        yield Suite("shuffled", *sizes, order="shuffled")
    for sizes in (short, *beyond):
        yield Suite("flipped and shuffled", *sizes, flipped=True, order="shuffled")
    for sizes in (*each, short):
        yield Suite("reversed", *sizes, order="reversed")
    for density in (1.4, 2.0):
        for nodes in (5, 8, 10, 12):
            yield Suite(f"branching {density}", nodes, nodes, density=density)
    for sizes in (*each, *beyond[:3]):
        yield Suite("long names", *sizes, long_names=True)
    for sizes in (*each, short, *beyond):
        yield Suite("d-separation", *sizes, separation, flipped=True)
    for nodes in (5, 8, 10, 12):
        yield Suite("d-separation branching 1.4", nodes, nodes, separation, density=1.4)
    for axiom in Axiom:
        if axiom not in (Axiom.TRANSITIVITY, separation):
            yield Suite(axiom.value, 3, 6, axiom, density=1.4)
            yield Suite(axiom.value, 8, 10, axiom, density=1.4)
