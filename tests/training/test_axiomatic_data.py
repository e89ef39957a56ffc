"""Lessons: their answers are the graph's, their classes those of the task, their parts and wordings apart."""

import json
from collections import Counter
from dataclasses import asdict, replace
from hashlib import sha256
from itertools import combinations, islice, pairwise, permutations
from pathlib import Path
from random import Random

import networkx as nx
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leucippus.errors import InputError
from leucippus.graphs.axioms import SINGLE, UNCONDITIONAL, Axiom, Question, holds
from leucippus.graphs.dag import Edge, Graph
from leucippus.training.axiomatic.dataset import DataRecipe, Lesson, Part, lessons, part_of, write_lessons
from leucippus.training.axiomatic.structures import branching, chain, nodes_of, task_class, told
from leucippus.training.axiomatic.surface import ALPHABET, WORDS, draw_names, wording
from leucippus.training.axiomatic.tokens import UNKNOWN, build_tokenizer, vocabulary
from leucippus.training.axiomatic.traces import Mark, trace

EDGES = st.sampled_from(("", "->"))


@st.composite
def tasks(draw: st.DrawFn, most: int = 7) -> tuple[tuple[Edge, ...], Question]:
    """Edges in any order, and a question of any axiom about their nodes."""
    names = draw(st.permutations("ABCDEFG"[: draw(st.integers(3, most))]))
    pairs = [pair for pair in combinations(names, 2) if draw(EDGES)]
    pairs = pairs if len(nodes_of(pairs)) > 2 else [(names[0], names[1]), (names[1], names[2])]
    edges = tuple(draw(st.permutations(pairs)))
    x, y, *others = draw(st.permutations(nodes_of(edges)))
    axiom = draw(st.sampled_from(Axiom))
    size = draw(st.integers(1 if axiom in SINGLE else 0, 1 if axiom in SINGLE else len(others)))
    return edges, Question(axiom, x, y, () if axiom in UNCONDITIONAL else tuple(others[:size]))


@given(tasks())
def test_the_steps_lead_to_the_answer_of_the_graph(task: tuple[tuple[Edge, ...], Question]) -> None:
    edges, question = task
    *steps, answer = trace(edges, question)
    assert (answer == Mark.YES) is holds(Graph(nodes_of(edges), edges), question)
    assert set(steps) <= {*nodes_of(edges), *Mark} - {Mark.YES, Mark.NO}


@given(tasks(), st.integers(0, 1_000_000))
def test_names_and_the_order_of_telling_are_no_part_of_a_class(
    task: tuple[tuple[Edge, ...], Question], seed: int
) -> None:
    (edges, question), random = task, Random(seed)
    nodes = nodes_of(edges)
    name = dict(zip(nodes, draw_names(random, len(nodes)), strict=True))
    others = random.sample(question.given, len(question.given))
    renamed = Question(question.axiom, name[question.x], name[question.y], tuple(name[node] for node in others))
    shuffled = told(random, [(name[cause], name[effect]) for cause, effect in edges], "shuffled")
    assert task_class(shuffled, renamed) == task_class(edges, question)


def test_classes_of_small_graphs_are_those_of_isomorphism() -> None:
    """Every task of transitivity and one conditioning set over graphs of 3 and 4 nodes, two of each class."""
    drawn: dict[str, list[nx.DiGraph]] = {}
    for size in (3, 4):
        nodes = "ABCD"[:size]
        pairs = list(combinations(nodes, 2))
        for chosen in range(1, 2 ** len(pairs)):
            edges = tuple(pair for at, pair in enumerate(pairs) if chosen >> at & 1)
            if len(nodes_of(edges)) < size:
                continue
            for x, y, *others in permutations(nodes):
                graph = nx.DiGraph(edges)
                for node, role in ((x, "x"), (y, "y"), (others[0], "given")):
                    graph.nodes[node]["role"] = role
                found = task_class(edges, Question(Axiom.D_SEPARATION, x, y, (others[0],)))
                drawn.setdefault(found, []).append(graph)
    assert len(drawn) > 100

    def same(one: nx.DiGraph, other: nx.DiGraph) -> bool:
        match = nx.isomorphism.categorical_node_match("role", None)
        return bool(nx.is_isomorphic(one, other, node_match=match))

    by_shape: dict[str, list[nx.DiGraph]] = {}
    for graphs in drawn.values():
        assert all(same(graphs[0], graph) for graph in graphs[1:3])
        by_shape.setdefault(_degrees(graphs[0]), []).append(graphs[0])
    # No class has two names: first ones that could be isomorphic are not.
    assert not any(same(a, b) for graphs in by_shape.values() for a, b in combinations(graphs, 2))


def _degrees(graph: nx.DiGraph) -> str:
    roles = graph.nodes(data="role")
    return repr(sorted((str(role), graph.in_degree(node), graph.out_degree(node)) for node, role in roles))


def test_chains_and_branching_graphs() -> None:
    random = Random(0)
    names = list("ABCDE")
    assert chain(random, names, flipped=False, order="told in order") == tuple(pairwise(names))
    assert chain(random, names, flipped=False, order="reversed")[0] == ("D", "E")
    flipped = {chain(random, names, flipped=True, order="told in order") for _ in range(300)}
    assert len(flipped) == 16
    for count in (0, 4, 7, 99):
        edges = branching(random, names, count)
        assert len(set(edges)) == len(edges) == min(count, 10)
        assert nx.is_directed_acyclic_graph(nx.DiGraph(edges))


@given(st.integers(0, 1_000_000), st.integers(1, 60), st.integers(0, 6))
def test_names_are_different_and_never_words(seed: int, count: int, more: int) -> None:
    names = draw_names(Random(seed), count, 1, 3 + more)
    assert len(set(names)) == count
    assert not {name.casefold() for name in names} & {word.casefold() for word in WORDS}
    assert all(1 <= len(name) <= 3 + more and set(name) <= set(ALPHABET) for name in names)


def test_names_that_spell_words_are_drawn_anew() -> None:
    names = draw_names(Random(0), 4, 1, 3, "noYESyOI")  # from these No, yes, iS, do … could be drawn
    assert not {name.casefold() for name in names} & {word.casefold() for word in WORDS}
    many = {name for seed in range(300) for name in draw_names(Random(seed), 20, 2, 2, "noNOdDtTiIsS")}
    assert {"nt", "sn"} <= {name.casefold() for name in many}
    assert not {"no", "do", "to", "is"} & {name.casefold() for name in many}


@pytest.mark.parametrize(("count", "shortest", "longest"), [(3, 0, 2), (3, 3, 2), (32, 1, 1)])
def test_names_that_there_are_not(count: int, shortest: int, longest: int) -> None:
    with pytest.raises(InputError):
        draw_names(Random(0), count, shortest, longest)


PARTS: tuple[Part, ...] = ("train", "validation", "test")
RECIPE = DataRecipe()


@pytest.fixture(scope="module")
def drawn() -> dict[Part, list[Lesson]]:
    return {part: list(islice(lessons(RECIPE, part), 3000)) for part in PARTS}


def test_every_axiom_is_balanced(drawn: dict[Part, list[Lesson]]) -> None:
    for found in drawn.values():
        assert {lesson.axiom for lesson in found} == set(Axiom)
        for axiom in Axiom:
            said = Counter(lesson.answer for lesson in found if lesson.axiom == axiom)
            # A task is put into words up to four times at once.
            assert abs(said[Mark.YES] - said[Mark.NO]) <= 4


def test_nothing_comes_twice_and_no_class_in_two_parts(drawn: dict[Part, list[Lesson]]) -> None:
    prompts = [lesson.prompt for found in drawn.values() for lesson in found]
    assert len(set(prompts)) == len(prompts)
    for part, found in drawn.items():
        assert {part_of(lesson.task) for lesson in found} == {part}
        assert all(3 <= lesson.nodes <= RECIPE.most_nodes for lesson in found)


def test_parts_have_their_shares() -> None:
    shares = Counter(part_of(sha256(str(at).encode()).hexdigest()[:16]) for at in range(20_000))
    assert shares["train"] / 20_000 == pytest.approx(0.80, abs=0.02)
    assert shares["test"] / 20_000 == pytest.approx(0.15, abs=0.02)


def test_the_tokenizer_reads_all_that_is_written(drawn: dict[Part, list[Lesson]]) -> None:
    tokenizer = build_tokenizer()
    unknown = tokenizer.convert_tokens_to_ids(UNKNOWN)
    texts = [text for found in drawn.values() for lesson in found for text in (lesson.prompt, lesson.completion)]
    read = tokenizer(texts).input_ids
    assert not any(unknown in ids for ids in read)
    for text, ids in zip(texts, read, strict=True):
        assert "".join(tokenizer.convert_ids_to_tokens(ids)) == text.replace(" ", "")
    assert tokenizer("é").input_ids == [unknown]
    assert len(vocabulary()) == len(set(vocabulary())) == len(tokenizer)


def test_labels_are_single_tokens_and_names_never_are() -> None:
    tokenizer = build_tokenizer()
    for label in (Mark.YES, Mark.NO):
        assert tokenizer.tokenize(label) == [label]
    assert tokenizer.tokenize("Note causes Yesno.") == [*"Note", "causes", *"Yesno", "."]
    assert tokenizer.tokenize("A1 and b d-separated given {c}?") == [*"A1", "and", "b", "d-separated", "given", *"{c}?"]


def test_the_wording_of_questions() -> None:
    edges = (("A1", "b"), ("b", "C"))
    asked = {axiom: wording(edges, Question(axiom, "A1", "C", ("b",))) for axiom in Axiom}
    assert asked[Axiom.D_SEPARATION] == "A1 causes b. b causes C. Are A1 and C d-separated given {b}?"
    assert wording(edges, Question(Axiom.TRANSITIVITY, "A1", "C")).endswith("Does A1 cause C?")
    assert len(set(asked.values())) == len(Axiom)


def test_files_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    recipe = replace(RECIPE, seed=3)
    first = write_lessons(recipe, "train", 500, tmp_path / "a" / "train.parquet")
    again = write_lessons(recipe, "train", 500, tmp_path / "b" / "train.parquet")
    other = write_lessons(replace(recipe, seed=4), "train", 500, tmp_path / "c" / "train.parquet")
    assert first == again != other
    written = tmp_path / "a" / "train.parquet"
    assert first.sha256 == sha256(written.read_bytes()).hexdigest() != other.sha256
    assert json.loads(written.with_suffix(".json").read_text()) == json.loads(json.dumps(asdict(first)))
    rows = pq.read_table(written).to_pylist()
    assert [Lesson(**row) for row in rows] == list(islice(lessons(recipe, "train"), 500))
    assert first.tasks == len({row["task"] for row in rows})
    assert sum(sum(said.values()) for said in first.answers.values()) == first.lessons == 500


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="written"):
        write_lessons(RECIPE, "test", 10, tmp_path / "file" / "test.parquet")
    (tmp_path / "test.json").mkdir()  # the manifest cannot be written
    with pytest.raises(InputError, match="written"):
        write_lessons(RECIPE, "test", 10, tmp_path / "test.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "test.json"]


def test_recipes_that_cannot_be() -> None:
    with pytest.raises(InputError, match="gravity"):
        DataRecipe(axioms={"gravity": 1.0})
    with pytest.raises(InputError, match="nodes"):
        DataRecipe(fewest_nodes=0, most_nodes=0)
    with pytest.raises(InputError, match="nodes"):
        DataRecipe(fewest_nodes=6, most_nodes=5)


def test_without_steps_the_answer_is_all() -> None:
    recipe = DataRecipe(with_steps=False, axioms={Axiom.TRANSITIVITY: 1.0})
    for lesson in islice(lessons(recipe, "train"), 50):
        assert lesson.completion == lesson.answer in (Mark.YES, Mark.NO)
