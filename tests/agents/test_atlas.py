"""The atlas: what is on the page, that nothing on it is markup, and how it behaves in a real browser."""

import base64
import gzip
import hashlib
import json
import re
import struct
import sys
import zlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.browser import NAMES, Browser, find_browser
from leucippus.agents.atlas.content import quotes, select
from leucippus.agents.atlas.layout import communities, places
from leucippus.agents.atlas.write import write_atlas
from leucippus.errors import InputError
from leucippus.store.concepts import concept_id, concept_name
from leucippus.store.database import Store, open_store
from leucippus.store.merges import Merge, record_merges
from leucippus.store.triples import Claim, Document, Evidence, Kind, Passage, Reader, Sign
from leucippus.store.weave import weave
from leucippus.store.write import PassageResult, Planned, add_documents, add_passages, plan, record_batch, start_run

WEIGHTS = {"one": -1.0, "sources": 2.0, "denied": -3.0}
HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)> \u202eterces &amp; ünïcødé 漢字"
# cause, effect, sign, negated, evidence, what follows in the document
SAID = [
    ("smoking", "lung cancer", Sign.POSITIVE, False, Evidence.OBSERVATIONAL, "in a cohort"),
    ("smoking", "lung cancer", Sign.POSITIVE, False, Evidence.UNSTATED, "again and again"),
    ("smoking", "lung cancer", Sign.NEGATIVE, False, Evidence.OPINION, "says one man"),
    ("smoking", "lung cancer", Sign.POSITIVE, True, Evidence.UNSTATED, "says another"),
    ("taxes", "smoking", Sign.NEGATIVE, False, Evidence.EXPERIMENTAL, "in a trial"),
    ("vitamin c", "lung cancer", Sign.NEGATIVE, True, Evidence.UNSTATED, "it turned out"),
    ("stress", "smoking", Sign.POSITIVE, False, Evidence.ELICITED, "as models have it"),
    ("smoking", "stress", Sign.POSITIVE, False, Evidence.UNSTATED, "the other way"),
    ("coffee", "stress", Sign.NONE, False, Evidence.UNSTATED, HOSTILE),
    (HOSTILE, "death", Sign.POSITIVE, False, Evidence.UNSTATED, "hostile"),
    ("long word " * 30_000, "death", Sign.POSITIVE, False, Evidence.UNSTATED, "long"),
]  # fmt: skip
SMOKING, CANCER, STRESS = concept_id("smoking"), concept_id("lung cancer"), concept_id("stress")

browser_there = pytest.mark.skipif(
    find_browser() is None, reason=f"no Chromium: none of {', '.join(NAMES)} is on the path (apt-get install chromium)"
)


def fill(store: Store) -> None:
    reader = Reader(model="test", prompt_version="1")
    documents, results = [], []
    for at, (cause, effect, sign, negated, evidence, rest) in enumerate(SAID):
        text = f"Report {at} 🙂. {cause} changes {effect}, {rest}."
        kind: Kind = "elicited" if evidence is Evidence.ELICITED else "read"
        title = HOSTILE if rest == HOSTILE else f"report {at}"
        document = Document.of(
            text, media_type="text/plain", title=title, kind=kind, published="2020-01-0" + str(at % 10)
        )
        documents.append(document)
        start = text.index(". ") + 2
        passage = Passage.of(document, start, len(text))
        second = text.index(f"changes {effect}") + len("changes ")
        claim = Claim(
            claim_id=Claim.id_of(reader.reader_id, document.document_id, (start, start + len(cause)), (second, at)),
            document_id=document.document_id, passage_id=passage.passage_id, reader_id=reader.reader_id,
            cause=cause, cause_start=start, cause_end=start + len(cause), relation="changes",
            effect=effect, effect_start=second, effect_end=second + len(effect),
            sign=sign, negated=negated, hedged=False, evidence=evidence, quote=passage.text, start=start, end=len(text),
            confidence=0.5,
        )  # fmt: skip
        results.append((passage, PassageResult(passage.passage_id, (claim,))))
    add_documents(store, [(document, f"file:///corpus/{document.document_id}") for document in documents])
    add_passages(store, [passage for passage, _ in results])
    run_id = start_run(store, command="extract", settings={}, reader=reader)
    plan(store, run_id, reader, [Planned(passage.passage_id, 0, at) for at, (passage, _) in enumerate(results)])
    record_batch(store, run_id, reader.reader_id, [result for _, result in results])
    record_merges(store, [Merge(concept_name("tobacco use"), "smoking", 1, "person", "for the test")])
    weave(store, WEIGHTS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("store") / "claims <b>.duckdb", threads=1) as opened:
        fill(opened)
        yield opened


@pytest.fixture(scope="module")
def page(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "new folder" / "atlas.html"
    write_atlas(store, path)
    return path


def carried(html: str, name: str) -> Any:
    (packed,) = re.findall(rf'<script type="text/plain" id="{name}">([A-Za-z0-9+/=]*)</script>', html)
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def test_the_page_carries_the_model_and_its_quotes(store: Store, page: Path) -> None:
    html = page.read_text()
    graph, said, documents = carried(html, "graph"), carried(html, "quotes-0"), carried(html, "documents")
    ids = graph["nodes"]["id"]
    pairs = list(zip(graph["links"]["cause"], graph["links"]["effect"], strict=True))
    link = pairs.index((ids.index(SMOKING), ids.index(CANCER)))
    assert graph["links"]["claims"][link] == 4
    assert graph["links"]["conflict"][link] == 1 + 2  # raises and lowers, asserted and denied
    assert graph["links"]["conflict"][pairs.index((ids.index(SMOKING), ids.index(STRESS)))] == 4  # both ways
    of_link, in_words = said[link]
    assert "4 claims" in in_words
    # every side is heard before any is heard twice
    assert sorted((quote[8], quote[9]) for quote in of_link) == [(-1, 0), (1, 0), (1, 1)]
    for document, start, end, shown, *_ in of_link:
        (text,) = store.rows("SELECT text FROM documents WHERE document_id = ?", [documents[document][0]])[0]
        assert text[start:end] == shown
        assert documents[document][2].startswith("file:///corpus/")


def test_names_and_quotes_of_any_length_are_cut_and_say_so(page: Path) -> None:
    html = page.read_text()
    assert len(html) < 800_000
    assert max(len(name) for name in carried(html, "graph")["nodes"]["name"]) <= 160
    long = [quote for of_link, _ in carried(html, "quotes-0") for quote in of_link if quote[2] - quote[1] > 1000]
    assert [len(quote[3]) for quote in long] == [600]


def test_nothing_that_was_said_is_markup_and_nothing_else_may_run(page: Path) -> None:
    html = page.read_text()
    bare = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    assert "taken" not in bare
    assert "onerror" not in bare
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy.startswith("default-src 'none'")
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert len(scripts) == 2
    assert re.findall(r"script-src ([^;]*)", policy) == [" ".join(f"'sha256-{one}'" for one in hashes)]
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", html.split("<script>")[0])


def test_vendored_files_are_those_the_readme_names() -> None:
    vendor = files("leucippus.agents.atlas") / "vendor"
    readme = (vendor / "README.md").read_text()
    for name in ("sigma.min.js", "graphology.umd.min.js"):
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() in readme
        assert (vendor / f"{name.split('.')[0]}.LICENSE.txt").read_text().strip()


def test_what_does_not_fit_is_left_out_the_least_credible_first(store: Store, tmp_path: Path) -> None:
    summary = write_atlas(store, tmp_path / "a.html", limit_nodes=4, limit_links=3, quotes_an_edge=1)
    assert (summary.nodes, summary.links) == (4, 3)
    assert (summary.all_nodes, summary.all_links) == (9, 8)
    graph = carried((tmp_path / "a.html").read_text(), "graph")
    assert SMOKING in graph["nodes"]["id"]
    assert graph["about"]["allNodes"] == 9
    assert graph["links"]["credibility"] == sorted(graph["links"]["credibility"], reverse=True)
    assert all(len(of_link) == 1 for of_link, _ in carried((tmp_path / "a.html").read_text(), "quotes-0"))


def test_the_same_store_gives_the_same_page(store: Store, page: Path, tmp_path: Path) -> None:
    write_atlas(store, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_a_layout_and_clusters_are_used_and_may_have_gaps(store: Store, tmp_path: Path) -> None:
    layout = {SMOKING: (0.0, 0.0), CANCER: (10.0, 5.0), STRESS: (float("nan"), 1.0)}
    write_atlas(store, tmp_path / "a.html", layout=layout, clusters={SMOKING: "<i>habits</i>", CANCER: "illness"})
    graph = carried((tmp_path / "a.html").read_text(), "graph")
    at = {concept: place for place, concept in enumerate(graph["nodes"]["id"])}
    assert sorted(graph["domains"]) == ["<i>habits</i>", "illness"]
    assert graph["nodes"]["domain"][at[STRESS]] == -1
    across = graph["nodes"]["x"][at[CANCER]] - graph["nodes"]["x"][at[SMOKING]]
    down = graph["nodes"]["y"][at[CANCER]] - graph["nodes"]["y"][at[SMOKING]]
    assert across == pytest.approx(2 * down, rel=0.01)
    assert np.isfinite(graph["nodes"]["x"]).all()


def test_refusals_say_what_to_do(store: Store, tmp_path: Path) -> None:
    with open_store(tmp_path / "empty.duckdb") as empty, pytest.raises(InputError, match="weave"):
        write_atlas(empty, tmp_path / "a.html")
    with pytest.raises(InputError, match="limit_nodes"):
        write_atlas(store, tmp_path / "a.html", limit_nodes=0)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="Cannot write"):
        write_atlas(store, tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_quotes_follow_merges_and_turns(store: Store, tmp_path: Path) -> None:
    with open_store(tmp_path / "turned.duckdb", threads=1) as turned:
        fill(turned)
        record_merges(turned, [Merge("tax", "free market", -1, "person", "for the test")])
        weave(turned, WEIGHTS)
        selection = select(turned, limit_nodes=100, limit_links=100)
        (at,) = [at for at, link in enumerate(selection.links) if link.cause == "free market"]
        (quote,) = quotes(turned, selection.links, each=3).of_links[at]
        assert (quote.way, quote.negated) == (1, False)
        node = [node.name for node in selection.nodes].index("free market")
        assert selection.phrases[node] == ("opposite: tax",)


def test_communities_find_two_groups_with_one_bridge_and_are_repeatable() -> None:
    one = [(a, b) for a in range(6) for b in range(a)]
    ends = np.array([*one, *[(a + 6, b + 6) for a, b in one], (0, 6)])
    found = communities(ends[:, 0], ends[:, 1], np.ones(len(ends)), 12)
    assert len(set(found[:6])) == len(set(found[6:])) == 1
    assert found[0] != found[6]
    points = places(ends[:, 0], ends[:, 1], found)
    assert np.array_equal(points, places(ends[:, 0], ends[:, 1], found))
    within = np.linalg.norm(points[:6] - points[:6].mean(0), axis=1).mean()
    assert within < np.linalg.norm(points[:6].mean(0) - points[6:].mean(0))


@pytest.mark.parametrize("nodes", [1, 2, 3, 900])
def test_places_are_numbers_for_any_number_of_nodes(nodes: int) -> None:
    none = np.array([], dtype=np.int64)
    assert np.isfinite(places(none, none, np.arange(nodes))).all()
    assert len(communities(none, none, np.array([]), nodes)) == nodes


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


def opened(browser: Browser, page: Path, fragment: str = "") -> None:
    browser.open(page, fragment)
    browser.wait_for("root.dataset.ready || root.dataset.error")
    assert browser.errors == []
    assert browser.evaluate("document.documentElement.dataset.error") is None


def text(browser: Browser, selector: str) -> str:
    return str(browser.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))


def colours(png: bytes, box: tuple[int, int, int, int]) -> int:
    """How many different colours a picture shows between (left, top) and (right, bottom)."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert (depth, kind) in ((8, 2), (8, 6))
    each = 3 if kind == 2 else 4
    packed, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += length + 12
    rows = np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(height, 1 + width * each)
    picture = np.zeros((height, width * each), dtype=np.uint8)
    above = np.zeros(width * each, dtype=np.uint8)
    for row in range(height):
        way, line = rows[row, 0], rows[row, 1:].copy()
        if way == 2:
            line += above
        elif way != 0:
            for place in range(width * each):
                left = int(line[place - each]) if place >= each else 0
                up, corner = int(above[place]), int(above[place - each]) if place >= each else 0
                nearest = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
                line[place] = (int(line[place]) + (left, (left + up) // 2, nearest)[(1, 3, 4).index(way)]) % 256
        picture[row] = above = line
    left, top, right, bottom = box
    return len(np.unique(picture.reshape(height, width, each)[top:bottom, left:right].reshape(-1, each), axis=0))


@browser_there
def test_the_map_is_drawn_without_an_error_and_without_the_network(browser: Browser, page: Path) -> None:
    browser.resize(1280, 800)
    opened(browser, page)
    browser.wait_for("atlas.map.sigma.getCamera().isAnimated() === false")
    assert browser.evaluate("document.documentElement.dataset.ready") == "map"
    assert colours(browser.screenshot(), (280, 20, 850, 600)) > 60
    assert [request for request in browser.requests if not request.startswith("file:")] == []
    assert browser.evaluate("document.title") == "Causal atlas · claims <b>"
    assert "8 of 8 links shown" in text(browser, "#shown")


@browser_there
def test_a_link_shows_its_sign_counts_conflict_and_quotes_with_offsets(browser: Browser, page: Path) -> None:
    opened(browser, page, f"edge={SMOKING}:{CANCER}")
    browser.wait_for("root.dataset.quotes")
    shown = text(browser, "#panel")
    assert "smoking" in shown
    assert "Contested" in shown
    assert "2 claims say it raises, 1 claim says it lowers." in shown
    assert re.search(r"characters \d+–\d+", shown)
    assert re.search(r"report [0-3]", shown)
    assert "file:///corpus/" in shown
    assert browser.evaluate("document.querySelector('#panel mark.cause').textContent") == "smoking"
    assert browser.evaluate("document.querySelector('#panel mark.effect').textContent") == "lung cancer"


@browser_there
def test_hostile_words_are_shown_as_words(browser: Browser, page: Path) -> None:
    opened(browser, page, f"edge={concept_id('coffee')}:{STRESS}")
    browser.wait_for("root.dataset.quotes")
    assert "onerror=alert(1)" in text(browser, "#panel")
    assert browser.evaluate("document.querySelectorAll('img, #panel script').length") == 0
    assert "taken" not in browser.evaluate("document.title")
    assert browser.errors == []


@browser_there
def test_search_works_with_the_keyboard_and_finds_other_phrases(browser: Browser, page: Path) -> None:
    opened(browser, page)
    browser.press("/")
    browser.enter("LUNG")
    assert text(browser, "#suggestions [aria-selected=true]").startswith("lung cancer")
    browser.press("Enter")
    browser.wait_for("location.hash.startsWith('#node=')")
    panel = text(browser, "#panel")
    assert panel.startswith(("lung cancer", "×"))
    assert "Causes (2)" in panel
    # the most credible first
    assert panel.index("smoking") < panel.index("vitamin c")
    browser.press("Escape")
    assert "Where to begin" in text(browser, "#panel")


@browser_there
def test_filters_hide_links_from_the_eye_and_from_the_mouse(browser: Browser, page: Path) -> None:
    opened(browser, page, "contested=1")
    assert text(browser, "#shown").startswith("3 of 8")
    opened(browser, page)
    browser.evaluate("document.querySelector('input[name=kind][value=read]').click()")
    assert text(browser, "#shown").startswith("1 of 8")
    opened(browser, page, "least=1")
    assert text(browser, "#shown").startswith("0 of 8")
    browser.wait_for("atlas.map.sigma.getCamera().isAnimated() === false")
    middle = """(() => { const { map } = atlas; const ends = ['cause', 'effect'].map((side) =>
      map.sigma.framedGraphToViewport(map.sigma.getNodeDisplayData(String(map.model.links[side][LINK]))));
      const box = map.element.getBoundingClientRect();
      return [box.x + (ends[0].x + ends[1].x) / 2, box.y + (ends[0].y + ends[1].y) / 2]; })()"""
    link = browser.evaluate(
        "atlas.model.between.get(['tax','smoking'].map((n)=>atlas.model.nodes.name.indexOf(n)).join(' '))"
    )
    x, y = browser.evaluate(middle.replace("LINK", str(link)))
    browser.click(x, y)
    browser.evaluate("new Promise((done) => setTimeout(done, 400))")
    assert "Where to begin" in text(browser, "#panel")
    opened(browser, page)
    browser.evaluate("new Promise((done) => setTimeout(done, 400))")
    x, y = browser.evaluate(middle.replace("LINK", str(link)))
    browser.click(x, y)
    browser.wait_for("location.hash.startsWith('#edge=')")
    assert "tax" in text(browser, "#panel h2")


PLACE = """(() => { const { sigma, element } = atlas.map; const box = element.getBoundingClientRect();
  const { x, y } = sigma.framedGraphToViewport(sigma.getNodeDisplayData(String(NODE)), { cameraState: sigma.getCamera().getState() });
  return [box.x + x, box.y + y]; })()"""
"""Where a node is on the screen, by the camera of this moment."""
STILL = """atlas.map.sigma.getCamera().isAnimated() === false && atlas.map.motion.picture.style.transform === ''
  && !atlas.map.sigma.renderFrame"""
"""The map has come to rest, and nothing waits to be drawn."""


@browser_there
def test_where_drawing_is_slow_the_picture_is_moved_and_drawn_anew_at_rest(browser: Browser, page: Path) -> None:
    opened(browser, page)
    browser.wait_for(STILL)
    browser.evaluate("atlas.map.motion.quick = 0")
    drawn, after, moved = browser.evaluate(
        """new Promise((done) => { const { motion, sigma } = atlas.map, drawn = motion.redraws; let frame = 0;
        const corner = sigma.viewportToFramedGraph({ x: 100, y: 50 });
        const step = () => {
          sigma.getCamera().setState({ x: 0.5 + 0.01 * frame, y: 0.5 - 0.005 * frame, ratio: 1 - 0.02 * frame, angle: 0.01 * frame });
          if (++frame < 20) { requestAnimationFrame(step); return; }
          clearTimeout(motion.rest);
          const at = new DOMPoint(100, 50).matrixTransform(new DOMMatrix(getComputedStyle(motion.picture).transform));
          const due = sigma.framedGraphToViewport(corner, { cameraState: sigma.getCamera().getState() });
          done([drawn, motion.redraws, Math.hypot(at.x - due.x, at.y - due.y)]); motion.drawAtRest();
        }; step(); })"""
    )
    assert after == drawn
    assert moved < 0.05  # pixels
    browser.wait_for(STILL)
    assert browser.evaluate("atlas.map.motion.redraws") == drawn + 1
    at_rest, camera = browser.screenshot(), browser.evaluate("atlas.map.sigma.getCamera().getState()")
    assert camera == pytest.approx({"x": 0.69, "y": 0.405, "ratio": 0.62, "angle": 0.19})

    opened(browser, page)
    browser.wait_for(STILL)
    browser.evaluate("atlas.map.motion.quick = Infinity")
    drawn = browser.evaluate("atlas.map.motion.redraws")
    browser.evaluate(f"void atlas.map.sigma.getCamera().setState({json.dumps(camera)})")
    browser.wait_for(f"atlas.map.motion.redraws > {drawn}")
    assert browser.screenshot() == at_rest


@browser_there
def test_what_is_clicked_while_the_map_moves_is_what_is_seen_there(browser: Browser, page: Path) -> None:
    opened(browser, page)
    browser.wait_for(STILL)
    node = browser.evaluate("atlas.model.nodes.name.indexOf('lung cancer')")
    drawn = browser.evaluate(
        """(() => { const { motion, sigma } = atlas.map; motion.quick = 0; const middle = sigma.getNodeDisplayData('NODE');
        sigma.getCamera().setState({ x: middle.x + 0.1, y: middle.y, ratio: 0.5 }); clearTimeout(motion.rest);
        return motion.redraws; })()""".replace("NODE", str(node))
    )
    assert browser.evaluate("atlas.map.motion.picture.style.transform").startswith("matrix(2, 0, 0, 2,")
    browser.click(*browser.evaluate(PLACE.replace("NODE", str(node))))
    browser.wait_for(f"location.hash === '#node={CANCER}'")
    assert browser.evaluate("atlas.map.motion.redraws") == drawn


@browser_there
def test_a_drag_and_the_wheel_end_in_one_drawing_of_where_they_led(browser: Browser, page: Path) -> None:
    opened(browser, page)
    browser.wait_for(STILL)
    browser.evaluate("atlas.map.motion.quick = 0")
    place = PLACE.replace("NODE", str(browser.evaluate("atlas.model.nodes.name.indexOf('smoking')")))
    before = browser.evaluate(place)
    drag = {"button": "left", "buttons": 1, "clickCount": 1}
    browser.ask("Input.dispatchMouseEvent", type="mousePressed", x=400, y=650, **drag)
    for x in (420, 440, 460):
        browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=640, **drag)
    browser.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert browser.evaluate(place) == pytest.approx([before[0] + 60, before[1] - 10], abs=0.1)
    browser.ask("Input.dispatchMouseEvent", type="mouseReleased", x=460, y=640, **drag)
    browser.wait_for(STILL)
    browser.ask("Input.dispatchMouseEvent", type="mouseWheel", x=500, y=300, deltaX=0, deltaY=-120)
    browser.wait_for("atlas.map.sigma.getCamera().ratio < 0.6")
    browser.wait_for(STILL)
    at_rest = browser.screenshot()
    browser.evaluate("void atlas.map.sigma.render()")
    assert browser.screenshot() == at_rest


@browser_there
def test_the_mouse_finds_every_link_where_it_is_drawn(browser: Browser, page: Path) -> None:
    opened(browser, page)
    browser.wait_for(STILL)
    found = browser.evaluate(
        """(() => { const { map, model } = atlas; map.sigma.getCamera().setState({ ratio: 0.7, angle: 0.4 });
        const cameraState = map.sigma.getCamera().getState();
        const at = (node) => map.sigma.framedGraphToViewport(map.sigma.getNodeDisplayData(String(node)), { cameraState });
        return model.links.cause.map((cause, link) => { const from = at(cause), to = at(model.links.effect[link]);
          const length = Math.hypot(to.x - from.x, to.y - from.y);
          // Of two links between the same nodes each lies to the left of its own direction.
          const aside = model.reverse(link) === undefined ? 0 : 3;
          const x = from.x + 0.45 * (to.x - from.x) + aside * (to.y - from.y) / length;
          const y = from.y + 0.45 * (to.y - from.y) - aside * (to.x - from.x) / length;
          return Number(map.sigma.getEdgeAtPoint(x, y)); }); })()"""
    )
    assert found == list(range(len(found)))


@browser_there
def test_colours_themes_and_a_narrow_window(browser: Browser, page: Path) -> None:
    opened(browser, page, "theme=dark&colour=credibility")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"
    assert "Credibility" in text(browser, "#legend")
    browser.resize(400, 800)
    opened(browser, page, f"node={SMOKING}")
    assert browser.evaluate("document.documentElement.scrollWidth") <= 400
    assert browser.evaluate("document.getElementById('map').offsetHeight") > 150
    assert browser.evaluate("document.getElementById('panel').offsetHeight") > 250
    browser.resize(1280, 800)


@browser_there
def test_without_webgl_the_page_says_so_and_the_rest_works(page: Path) -> None:
    with Browser(webgl=False) as blind:
        opened(blind, page, f"edge={SMOKING}:{CANCER}")
        blind.wait_for("root.dataset.quotes")
        assert blind.evaluate("document.documentElement.dataset.ready") == "words"
        assert "no WebGL" in text(blind, "#notice")
        assert "Contested" in text(blind, "#panel")


@browser_there
def test_the_browser_tests_would_see_a_broken_page(browser: Browser, page: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text().replace('id="graph">', 'id="graph">AAAA'))
    browser.open(broken)
    assert browser.wait_for("root.dataset.error")
    changed = tmp_path / "changed.html"
    changed.write_text(
        page.read_text().replace("(() => {\n// What the page carries", "(() => {\n\n// What the page carries")
    )
    browser.open(changed)
    browser.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert any("Content Security Policy" in error for error in browser.errors)
