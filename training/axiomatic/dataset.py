"""Lessons: questions about small graphs in words, the steps to the answer and the answer, split by class of task.

A task class belongs to one part (`train`, `validation`, `test`) by its name alone, so that no seed can bring a tested
graph and question into training under other names. Within a part no wording comes twice, and of every axiom as many
lessons are answered Yes as No.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import blake2b, sha256
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Literal

from leucippus.errors import InputError
from leucippus.graphs.axioms import SINGLE, UNCONDITIONAL, Axiom, Question, axioms_named, holds
from leucippus.graphs.dag import Edge, Graph
from leucippus.training.axiomatic.structures import ORDERS, Order, branching, chain, nodes_of, task_class, told
from leucippus.training.axiomatic.surface import ALPHABET, draw_names, wording
from leucippus.training.axiomatic.traces import Mark, trace

Part = Literal["train", "validation", "test"]
_PARTS: tuple[tuple[Part, int], ...] = (("train", 80), ("validation", 5), ("test", 15))
"""And how many of a hundred classes are theirs."""
_SALT = "206"
"""With it, unlike with most, each of the smallest suites has tested tasks of both answers."""
_QUESTIONS_A_GRAPH, _WORDINGS_A_TASK, _TRIES = 4, 4, 40
_MOST_GIVEN = 3
_BARREN = 100_000
"""Graphs in a row that gave no lesson, after which there are none left."""
_HANDFUL = 4


@dataclass(frozen=True)
class Lesson:
    """One question, as a model reads it and should answer it."""

    prompt: str
    steps: str
    """What leads to the answer, in one line; empty where a model is to answer at once."""
    answer: str
    axiom: str
    nodes: int
    task: str
    """The class of the task."""

    @property
    def completion(self) -> str:
        """All that a model is to write."""
        return f"{self.steps} {self.answer}".strip()


@dataclass(frozen=True)
class DataRecipe:
    """What is asked about which graphs."""

    axioms: Mapping[str, float] = field(
        default_factory=lambda: {
            Axiom.TRANSITIVITY: 0.22, Axiom.D_SEPARATION: 0.34, Axiom.INTERVENTION: 0.05, Axiom.IRRELEVANCE: 0.04,
            Axiom.COLLIDER: 0.04, Axiom.CONFOUNDER: 0.08, Axiom.BACK_DOOR: 0.12, Axiom.ADJUSTMENT: 0.11,
        }
    )  # fmt: skip
    """And how often, relative to each other."""
    fewest_nodes: int = 3
    most_nodes: int = 6
    shortest_name: int = 1
    longest_name: int = 3
    long_names: float = 0.1
    """Share of lessons whose names may be twice as long."""
    confusable: float = 0.4
    """Share of lessons whose names are drawn from a handful of characters: among fifty names many are alike."""
    branching: float = 0.45
    """Share of graphs that are no chains: Erdős-Rényi, one edge fewer than nodes up to two and a half for each node."""
    flipped: float = 0.6
    """Share of chains whose edges point either way."""
    orders: tuple[Order, ...] = ORDERS
    """In which a chain is told, drawn alike."""
    with_steps: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        axioms_named(self.axioms)
        if not 3 <= self.fewest_nodes <= self.most_nodes:
            raise InputError(
                f"Graphs of {self.fewest_nodes} to {self.most_nodes} nodes cannot be asked about.",
                expected="at least 3 nodes, and no fewer at most than at least",
            )


def part_of(task: str) -> Part:
    """The part that a class of tasks belongs to."""
    digest = blake2b(f"{_SALT} {task}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") % sum(share for _, share in _PARTS)
    for part, share in _PARTS:
        if place < share:
            return part
        place -= share
    raise AssertionError("shares add up")


def lessons(recipe: DataRecipe, part: Part) -> Iterator[Lesson]:
    """Lessons without end, the same for the same recipe; of every axiom half are answered Yes, give or take a few.

    Raises
    ------
    InputError : there are no lessons, or no more, of such a recipe.
    """
    random = Random(f"{recipe.seed} {part}")
    axioms, weights = list(axioms_named(recipe.axioms)), list(recipe.axioms.values())
    told_already: set[bytes] = set()
    ahead: Counter[Axiom] = Counter()  # Yes less No
    barren = 0
    while True:
        barren += 1
        if barren > _BARREN:
            raise InputError(
                f"No further lesson was found in {_BARREN:,} graphs.",
                expected="axioms that such graphs answer both ways, and fewer lessons",
            )
        names = [f"n{at}" for at in range(random.randint(recipe.fewest_nodes, recipe.most_nodes))]
        edges, order = _graph(random, recipe, names)
        graph = Graph(nodes_of(edges), edges)
        if len(graph.nodes) < 3:
            continue
        for axiom in random.choices(axioms, weights, k=_QUESTIONS_A_GRAPH):
            wanted = ahead[axiom] < 0 if ahead[axiom] else random.random() < 0.5
            found = draw_question(random, graph, axiom, wanted)
            if found is None or part_of(task := task_class(edges, found)) != part:
                continue
            for _ in range(_WORDINGS_A_TASK):
                lesson = put(random, told(random, edges, order), found, recipe, task)
                if (key := blake2b(lesson.prompt.encode(), digest_size=8).digest()) not in told_already:
                    told_already.add(key)
                    ahead[axiom] += 1 if lesson.answer == Mark.YES else -1
                    barren = 0
                    yield lesson


def draw_question(random: Random, graph: Graph, axiom: Axiom, wanted: bool) -> Question | None:
    """A question about the graph whose answer is as wanted; None if none was met in some tries."""
    for _ in range(_TRIES):
        x, y, *others = random.sample(graph.nodes, min(len(graph.nodes), 2 + _MOST_GIVEN))
        most = len(others)
        if axiom in SINGLE:
            fewest = most = 1
        elif axiom in UNCONDITIONAL:
            fewest = most = 0
        else:
            fewest = 0
        question = Question(axiom, x, y, tuple(others[: random.randint(fewest, most)]))
        if holds(graph, question) == wanted:
            return question
    return None


def put(random: Random, edges: Sequence[Edge], question: Question, recipe: DataRecipe, task: str) -> Lesson:
    """A task in words, under names drawn anew."""
    nodes = nodes_of(edges)
    longest = recipe.longest_name * (2 if random.random() < recipe.long_names else 1)
    alphabet = ALPHABET if random.random() >= recipe.confusable else random.sample(ALPHABET, _HANDFUL)
    drawn = draw_names(random, len(nodes), recipe.shortest_name, longest, alphabet)
    name = dict(zip(nodes, drawn, strict=True))
    told_edges = [(name[cause], name[effect]) for cause, effect in edges]
    asked = Question(question.axiom, name[question.x], name[question.y], tuple(name[node] for node in question.given))
    *steps, answer = trace(told_edges, asked)
    return Lesson(
        wording(told_edges, asked),
        " ".join(steps) if recipe.with_steps else "",
        answer,
        question.axiom,
        len(nodes),
        task,
    )


def _graph(random: Random, recipe: DataRecipe, names: Sequence[str]) -> tuple[tuple[Edge, ...], Order]:
    """A graph told in order, and the order in which it is to be told."""
    if random.random() < recipe.branching:
        return branching(random, names, random.randint(len(names) - 1, int(2.5 * len(names)))), "shuffled"
    flipped = random.random() < recipe.flipped
    return chain(random, names, flipped=flipped, order="told in order"), random.choice(recipe.orders)


@dataclass(frozen=True)
class Manifest:
    """What lies in a data file."""

    recipe: dict[str, Any]
    part: Part
    lessons: int
    answers: dict[str, dict[str, int]]
    """Axiom → answer → lessons."""
    tasks: int
    """Classes of tasks."""
    sha256: str


def write_lessons(recipe: DataRecipe, part: Part, count: int, file: Path) -> Manifest:
    """Write `count` lessons as Parquet and, beside it, a manifest; what is half written never stands under its name.

    Raises
    ------
    InputError : the folder cannot be written, or has no room.
    """
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    answers: dict[str, Counter[str]] = {}
    tasks: set[str] = set()
    unfinished = file.with_suffix(".part")
    schema = pa.schema([(name, pa.int32() if name == "nodes" else pa.string()) for name in Lesson.__dataclass_fields__])
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            drawn = islice(lessons(recipe, part), count)
            while rows := list(islice(drawn, 10_000)):
                for lesson in rows:
                    answers.setdefault(lesson.axiom, Counter())[lesson.answer] += 1
                    tasks.add(lesson.task)
                writer.write_table(pa.Table.from_pylist([asdict(lesson) for lesson in rows], schema))
        with unfinished.open("rb") as read:
            digest = _digest(read)
        manifest = Manifest(
            asdict(recipe), part, count, {axiom: dict(said) for axiom, said in answers.items()}, len(tasks), digest
        )
        file.with_suffix(".json").write_text(json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n")
        unfinished.replace(file)
    except OSError as error:
        raise InputError(
            f"Lessons cannot be written to {file}: {error}", expected="a folder that can be written, with room"
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return manifest


def _digest(file: Any) -> str:
    digest = sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()
