"""What other tools read back is what the model holds."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leucippus.agents.export import acyclic, export
from leucippus.errors import InputError, StoreError
from leucippus.graphs.reading import read_graph
from leucippus.store.database import Store, open_store
from leucippus.store.links import all_links, all_nodes
from leucippus.store.triples import Claim, Document, Passage, Reader, Sign
from leucippus.store.weave import weave
from leucippus.store.write import PassageResult, Planned, add_documents, add_passages, plan, record_batch, start_run

WEIGHTS = {"one": -1.0, "sources": 2.0, "denied": -3.0}
NASTY = 'a <b> & "c" \x00\x0b\x1f\x7f \ufffe \ud7ff 😀 العربية // */ \\ \r\n line]]>'
SAID = [
    ("smoking", "cancer", Sign.POSITIVE, False),
    ("smoking", "cancer", Sign.NEGATIVE, False),
    ("cancer", "stress", Sign.POSITIVE, False),
    ("cancer", "stress", Sign.POSITIVE, False),
    ("stress", "smoking", Sign.POSITIVE, False),
    ("coffee", "cancer", Sign.POSITIVE, True),
    ("stress", "stress", Sign.POSITIVE, False),
    ('"""', "\\\\", Sign.NONE, False),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.duckdb", threads=1) as opened:
        yield opened


@pytest.fixture
def woven(store: Store) -> Store:
    fill(store, SAID)
    weave(store, WEIGHTS)
    return store


def fill(store: Store, said: list[tuple[str, str, Sign, bool]]) -> None:
    """One document a claim, each with all signs that are hard to write."""
    reader = Reader(model="test", prompt_version="1")
    run_id = start_run(store, command="extract", settings={}, reader=reader)
    for at, (cause, effect, sign, negated) in enumerate(said):
        text = f"{cause} → {effect} {at} {NASTY.replace(chr(0), '')}"
        document = Document.of(text, media_type="text/plain", title=f"{at} {NASTY}")
        passage = Passage.of(document, 0, len(text))
        add_documents(store, [(document, f"/corpus/{at}.txt")])
        add_passages(store, [passage])
        plan(store, run_id, reader, [Planned(passage.passage_id, 0, at)])
        target = len(cause) + 3
        claim = Claim(
            claim_id=f"claim {at}", document_id=document.document_id, passage_id=passage.passage_id,
            reader_id=reader.reader_id, cause=cause, cause_start=0, cause_end=len(cause), relation="→", effect=effect,
            effect_start=target, effect_end=target + len(effect), sign=sign, negated=negated, hedged=False,
            quote=text, start=0, end=len(text), population="adults",
        )  # fmt: skip
        record_batch(store, run_id, reader.reader_id, [PassageResult(passage.passage_id, (claim,))])


def test_graphml_reads_back_in_networkx(woven: Store, tmp_path: Path) -> None:
    file = tmp_path / "lcm.graphml"
    done = export(woven, file, "graphml")
    graph = networkx.read_graphml(file)

    assert (done.nodes, done.edges) == (graph.number_of_nodes(), graph.number_of_edges()) == (len(all_nodes(woven)), 5)
    names = networkx.get_node_attributes(graph, "name")
    for link in all_links(woven):
        ((_, _, read),) = [
            edge for edge in graph.edges(data=True) if (names[edge[0]], names[edge[1]]) == (link.cause, link.effect)
        ]
        assert read["credibility"] == pytest.approx(link.credibility)
        assert (read["sources"], read["claims"], read["denied"]) == (link.sources, link.claims, link.denied)
        assert (read["sign"], read["contested"]) == (link.sign.value, link.contested)
        assert '<b> & "c" ��' in read["quote"] and "😀" in read["quote"] and "\r" in read["quote"]


def test_graphml_of_an_empty_model_is_an_empty_graph(store: Store, tmp_path: Path) -> None:
    done = export(store, tmp_path / "lcm.graphml", "graphml")

    assert (done.nodes, done.edges) == (0, 0)
    assert networkx.read_graphml(tmp_path / "lcm.graphml").number_of_nodes() == 0


@given(st.text())
def test_any_text_is_written_as_xml_that_can_be_read(text: str) -> None:
    from leucippus.agents.export_streams import _xml

    written = _xml(text)
    read = ElementTree.fromstring(f"<a>{written}</a>".encode("utf-8", "strict")).text or ""
    assert len(read) == len(text)
    assert all(one == other or one == "\N{REPLACEMENT CHARACTER}" for one, other in zip(read, text, strict=True))


def test_json_ld_holds_every_claim_with_its_place(woven: Store, tmp_path: Path) -> None:
    done = export(woven, tmp_path / "lcm.jsonld", "jsonld")
    read = json.loads((tmp_path / "lcm.jsonld").read_text(encoding="utf-8"))

    by_id = {thing["@id"]: thing for thing in read["@graph"]}
    claims = [thing for thing in read["@graph"] if thing["@type"] == "Claim"]
    assert (done.nodes, done.edges, done.claims, len(claims)) == (len(all_nodes(woven)), 5, 8, 8)
    assert len(by_id) == len(read["@graph"])
    for claim in claims:
        assert by_id[claim["document"]]["identifier"].startswith("/corpus/")
        assert by_id[claim["cause"]]["@type"] == "Concept"
        assert ("edge" in claim) == (claim["cause"] != claim["effect"])
        assert "edge" not in claim or by_id[claim["edge"]]["cause"] == claim["cause"]
        assert claim["quote"][claim["effectStart"] : claim["effectEnd"]] == claim["effectWords"]
        assert claim["population"] == "adults" and claim["end"] == len(claim["quote"])
    used = {key for thing in read["@graph"] for key in thing if not key.startswith("@")}
    assert used - read["@context"].keys() <= {"name", "encodingFormat", "identifier", "datePublished"}


def test_parquet_reads_back(woven: Store, tmp_path: Path) -> None:
    folder = tmp_path / "o'ut [x]"
    done = export(woven, folder, "parquet", least=0.0)

    def read(name: str) -> list[tuple[object, ...]]:
        with (folder / f"{name}.parquet").open("rb"):
            return duckdb.sql("FROM read_parquet($1)", params=[f"{tmp_path}/o'ut [[]x]/{name}.parquet"]).fetchall()

    assert (len(read("nodes")), len(read("edges")), len(read("claims"))) == (done.nodes, done.edges, done.claims)
    assert done.claims == 8
    assert [file.name for file in done.files] == ["nodes.parquet", "edges.parquet", "claims.parquet"]
    assert sorted(file.name for file in folder.iterdir()) == sorted(file.name for file in done.files)
    links = {(link.cause, link.effect, link.sign.value, link.contested) for link in all_links(woven)}
    assert {(row[1], row[3], row[4], row[5]) for row in read("edges")} == links
    with pytest.raises(InputError, match="There are files"):
        export(woven, folder, "parquet")
    (folder / "mine.txt").write_text("mine")
    export(woven, folder, "parquet", force=True)
    assert (folder / "mine.txt").read_text() == "mine"


def test_dagitty_leaves_out_the_weakest_edge_of_a_cycle(woven: Store, tmp_path: Path) -> None:
    done = export(woven, tmp_path / "lcm.dag", "dagitty")
    graph = read_graph(text := (tmp_path / "lcm.dag").read_text(encoding="utf-8"))

    (dropped,) = done.dropped
    assert (dropped.cause, dropped.effect) == ("stress", "smoking")
    assert '// left out, it closes a cycle: "stress" -> "smoking"' in text
    assert {("smoking", "cancer"), ("cancer", "stress")} < set(graph.directed)
    assert (len(graph.nodes), len(graph.directed)) == (done.nodes, done.edges) == (5, 3)
    assert (done.denied, "coffee" in graph.nodes) == (1, False)


def test_dagitty_names_are_printable_short_and_apart(store: Store, tmp_path: Path) -> None:
    long = "very " * 100
    fill(store, [(f"{long}one", f"{long}two", Sign.POSITIVE, False), ("'''", '"""', Sign.POSITIVE, False)])
    weave(store, WEIGHTS)
    export(store, tmp_path / "lcm.dag", "dagitty")

    assert len(read_graph((tmp_path / "lcm.dag").read_text(encoding="utf-8")).nodes) == 4


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), unique=True))
def test_kept_edges_make_a_dag_that_has_room_for_no_other(edges: list[tuple[str, str]]) -> None:
    kept, dropped = acyclic(edges)

    assert sorted(kept + dropped) == sorted(edges)
    assert networkx.is_directed_acyclic_graph(networkx.DiGraph(kept))
    for edge in dropped:
        better = networkx.DiGraph([one for one in kept if edges.index(one) < edges.index(edge)])
        assert not networkx.is_directed_acyclic_graph(networkx.DiGraph([*better.edges, edge]))


def test_only_credible_edges_where_asked(woven: Store, tmp_path: Path) -> None:
    second = all_links(woven)[1].credibility

    for form, path in (("graphml", tmp_path / "a"), ("jsonld", tmp_path / "b"), ("parquet", tmp_path / "c")):
        assert export(woven, path, form, least=second).edges == 2


def test_nothing_is_overwritten_unless_asked(woven: Store, tmp_path: Path) -> None:
    file = tmp_path / "lcm.graphml"
    file.write_text("mine")
    with pytest.raises(InputError, match="There is a file"):
        export(woven, file, "graphml")
    assert file.read_text() == "mine"
    export(woven, file, "graphml", force=True)
    assert file.read_text().startswith("<?xml")
    with pytest.raises(InputError, match="There is a folder"):
        export(woven, tmp_path, "jsonld", force=True)


def test_a_file_that_fails_half_way_is_not_there(woven: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("leucippus.agents.export_streams._data", fail)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match="no space"):
        export(woven, tmp_path / "lcm.graphml", "graphml")
    assert sorted(tmp_path.iterdir()) == before


def test_many_pages_are_all_of_them(woven: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(woven, tmp_path / "whole", "jsonld")
    monkeypatch.setattr("leucippus.agents.export_streams._AT_ONCE", 2)
    export(woven, tmp_path / "pages", "jsonld")

    assert (tmp_path / "pages").read_bytes() == (tmp_path / "whole").read_bytes()


def test_what_is_not_woven_is_not_exported(store: Store, tmp_path: Path) -> None:
    fill(store, SAID[:1])
    with pytest.raises(StoreError, match="since .* was woven"):
        export(store, tmp_path / "lcm.graphml", "graphml")
    with pytest.raises(InputError, match="no format 'gexf'"):
        export(store, tmp_path / "lcm.graphml", "gexf")
