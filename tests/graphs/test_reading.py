import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.errors import GraphError
from leucippus.graphs.dag import Graph
from leucippus.graphs.reading import read_graph
from tests.graphs.models import graphs

CHAIN = Graph(("A", "B", "C"), (("A", "B"), ("B", "C")))
BOW = Graph(("A", "B"), (("A", "B"),), (("A", "B"),))
CONFOUNDED = Graph(("A", "B"), (), (("A", "B"),))

READ = [
    ("A -> B -> C", CHAIN),
    ("A->B\nB->C", CHAIN),
    ("A -> B; B -> C", CHAIN),
    ("A -> B, B -> C,\n", CHAIN),
    ("A # a lone node\n\nC <- B <- A  // twice\nA /* or\nthrice */ -> B", Graph(("A", "C", "B"), CHAIN.directed)),
    ("A → B; B ↔ A", BOW),
    ('"A" -> "B"; A <-> B', BOW),
    ("A <-> B", CONFOUNDED),
    ("{A B} -> C", Graph(("A", "B", "C"), (("A", "C"), ("B", "C")))),
    ("A [latent]; A -> B; A -> C", Graph(("B", "C"), (), (("B", "C"),))),
    ("digraph { A -> B -> C }", CHAIN),
    ('strict digraph "my graph" {\n rankdir=LR; node [shape=box]\n A -> B\n B -> C; }\n', CHAIN),
    ('digraph G { A; B; C; A -> B [label="strong", weight=2]; B:n -> C:s:e }', CHAIN),
    ("digraph { A -> B -> { C } }", CHAIN),
    ("digraph { subgraph cluster_1 { A -> B } B -> C }", CHAIN),
    ("digraph { A -> B [dir=both] }", CONFOUNDED),
    ("digraph { A -> B; A -> B [dir=both style=dashed] }", BOW),
    ("digraph { A -> B; B -> C [style=dashed] }", CHAIN),
    ("digraph { A -> B [dir=both arrowtail=none]; B -> C }", CHAIN),
    ("digraph { A; B -> A [dir=back]; B -> C }", CHAIN),
    ("digraph { A -> B; { edge [dir=back]; C -> B } }", Graph(("A", "B", "C"), CHAIN.directed)),
    ("digraph { edge [dir=both]; A -> B }", CONFOUNDED),
    ('digraph { U [label="Unobserved", observed="no"]; U -> A; U -> B; A -> B }', BOW),
    ("dag { A B A -> B }", Graph(("A", "B"), (("A", "B"),))),
    ('dag {\nbb="0,0,1,1"\nA [exposure,pos="0,0"]\nB [outcome,pos="1,0"]\nU [latent]\nA -> B\nU -> {A B}\n}', BOW),
    ("dag{A->B->C}", CHAIN),
    ("dag {\n\nA ->\n B\n\n -> C\n}", CHAIN),
    ("DAG G { A <-> B }", CONFOUNDED),
    ("dag -> graph", Graph(("dag", "graph"), (("dag", "graph"),))),
    ("COVID-19 -> X.1; é_1 -> X.1", Graph(("COVID-19", "X.1", "é_1"), (("COVID-19", "X.1"), ("é_1", "X.1")))),
    (r'"a \"b\" {" -> B', Graph(('a "b" {', "B"), (('a "b" {', "B"),))),
    ("A -> B\r\nB -> C\r\n", CHAIN),
]


@pytest.mark.parametrize(("text", "graph"), READ, ids=[row[0] for row in READ])
def test_graphs_are_read(text: str, graph: Graph) -> None:
    assert read_graph(text) == graph


REFUSED = [
    ("", "there is no node"),
    ("  \n # nothing\n", "there is no node"),
    ("digraph {}", "there is no node"),
    ("A ->", "line 1: found the end of the text\nExpected: a node's name"),
    ("A -> B\n-> C", "line 2: found '->'\nExpected: a node's name"),
    ("A -> B\nice cream -> C", "line 2: found 'cream'\nExpected: an arrow"),
    ("A -- B", "line 1: found '--'"),
    ("graph { A -- B }", "line 1: found '--'"),
    ("digraph { A -> B [dir=none] }", "line 1: found '->'"),
    ("A --> B", "line 1: cannot read '--> B'"),
    ("A <- -> B", "line 1: found '->'"),
    ("A <-- B", "line 1: cannot read '<-- B'"),
    ("A <html> B", "line 1: cannot read '<html> B'"),
    ("dag { A @-> B }", "line 1: cannot read '@-> B }'"),
    ("pag { A -> B }", "line 1: found 'pag'"),
    ("digraph { A -> B", "line 1: found the end of the text\nExpected: a closing }"),
    ("digraph {\n{ A -> B }", "line 2: found the end of the text\nExpected: a closing }"),
    ("A -> B }", "line 1: found '}'"),
    ("digraph { A } B", "line 1: found 'B'\nExpected: nothing after the graph"),
    ("A [latent", "line 1: found the end of the text\nExpected: an attribute"),
    ("A [x=]", "line 1: found ']'\nExpected: a value after ="),
    ("A ] B", "line 1: found ']'"),
    ('A -> "B', "line 1: cannot read '\"B'\nExpected: a closing quote"),
    ('A -> ""', "line 1: found ''"),
    ('A -> "B\nC"', "line 1: found"),
    ("A /* B", "line 1: cannot read '/* B'\nExpected: a closing */"),
    ("A -> A", "'A' to itself"),
    ("A -> B -> A", "a cycle: A -> B -> A"),
    ("\x00", "line 1: cannot read"),
    ("A" * 201, "line 1: found"),
    ("x" * 200_001, "200,001 characters"),
    (";".join(f"N{i}" for i in range(501)), "at most 500 nodes"),
    (f"{{{' '.join(f'A{i}' for i in range(200))}}} -> {{{' '.join(f'B{i}' for i in range(200))}}}", "20,000 edges"),
    ("{" * 100_000, "groups inside each other"),
    ("digraph {" + "{" * 30 + "A" + "}" * 30 + "}", "groups inside each other"),
]


@pytest.mark.parametrize(("text", "problem"), REFUSED, ids=[repr(row[0][:25]) for row in REFUSED])
def test_what_cannot_be_read_is_refused_and_why(text: str, problem: str) -> None:
    with pytest.raises(GraphError) as met:
        read_graph(text)
    assert problem in str(met.value)


_WORDS = ["A", "B", '"', "->", "<-", "<->", "--", "{", "}", "[", "]", ";", ",", "=", ":", "\n", " ", "#", "/*", "*/"]
_WORDS += ["digraph", "dag", "subgraph", "strict", "edge", "node", "latent", "dir", "both", "é", "\\", "@", "\x00"]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(_WORDS), max_size=25).map(" ".join) | st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(read_graph(text), Graph)
    except GraphError as met:
        assert met.problem


@given(graphs(most=7))
def test_a_graph_written_down_is_read_back(graph: Graph) -> None:
    lines = [*graph.nodes, *(f"{a} -> {b}" for a, b in graph.directed), *(f"{a} <-> {b}" for a, b in graph.bidirected)]
    assert read_graph("\n".join(lines)) == graph
    assert read_graph("dag {" + " ".join(lines) + "}") == graph


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 200_000,
        "A " * 100_000,
        "digraph {" + "A\n\n" * 50_000 + "}",
        '"' + "\\" * 199_998,
        ";".join(f"L{i} [latent]; L{i} -> {{{' '.join(f'B{j}' for j in range(60))}}}" for i in range(300)),
        "/" * 200_000,
        "-" * 200_000,
        "[" * 200_000,
        "A" + "[a]" * 60_000,
    ],
    ids=range(9),
)
def test_hostile_text_takes_no_long_time(text: str) -> None:
    started = time.perf_counter()
    with suppress(GraphError):
        read_graph(text)
    assert time.perf_counter() - started < 10
