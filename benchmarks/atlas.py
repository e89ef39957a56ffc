"""How large an atlas is, how long it takes to write, and how it feels in a browser: 20,000 concepts, 60,000 links.

    .venv/bin/python benchmarks/atlas.py --nodes 20000 --links 60000

Synthetic concepts in communities, their links with one to three claims each. The page is opened in headless Chromium with
WebGL drawn by the processor (SwiftShader): a graphics card is many times faster. In the same run and browser the same
points and lines are drawn as SVG and on a plain 2D canvas. Every drawing is zoomed in and out for some seconds, from a
twentieth of the map to all of it, while frames are counted; the atlas is also dragged and zoomed with events of a mouse.

Where drawing takes long the atlas moves the picture drawn last, stretched by up to a factor of four or so, and draws
anew when the movement rests or has led too far: its frames are not drawings, and "redraws" says how many drawings there
were. "atlas, drawn" draws everything at every frame, as SVG and canvas do: those three lines are like for like. "SVG
moved" is that SVG moved as a picture too, by a CSS transform. "redraw" is one drawing of everything, to its end; "at rest"
how long after the last movement the atlas has drawn anew. By mouse, frames count in which the mouse pauses.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.browser import Browser
from leucippus.agents.atlas.write import AtlasSummary, write_atlas
from leucippus.store.concepts import concept_id, concept_name
from leucippus.store.database import Store, open_store
from leucippus.store.triples import stable_id
from leucippus.store.weave import weave

WEIGHTS = {"one": -0.8, "sources": 1.2, "denied": -2.0, "contested": -0.7, "confidence": 1.0}
THEMES = (
    "health",
    "climate",
    "trade",
    "labour",
    "energy",
    "schools",
    "housing",
    "water",
    "crime",
    "roads",
    "food",
    "law",
)
WORDS = (
    "rate",
    "risk",
    "cost",
    "demand",
    "supply",
    "exposure",
    "level",
    "access",
    "quality",
    "loss",
    "growth",
    "stress",
)
FRAMES = """window.counting = new Promise((done) => {
  const start = performance.now(); let frames = 0, worst = 0, last = start;
  const step = (now) => {
    frames++; worst = Math.max(worst, now - last); last = now;
    if (now - start > %d * 1000) { done([frames / (now - start) * 1000, worst]); return; }
    %s;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
"""Frames a second and the longest in ms, over some seconds; what is done at every frame goes in."""
RATIO = "0.5 + 0.45 * Math.cos((now - start) / 700)"
REDRAW = """(() => { const times = []; for (let at = 0; at < 5; at++) { atlas.map.sigma.render(); times.push(atlas.map.motion.cost); }
  return times.sort((one, other) => one - other)[2]; })()"""
AT_REST = """new Promise((done) => {
  const { motion, sigma } = atlas.map, before = motion.redraws, start = performance.now();
  sigma.getCamera().setState({ x: 0.45, y: 0.55, ratio: 0.8 });
  const look = () => (motion.redraws > before ? done(performance.now() - start) : setTimeout(look, 5));
  look();
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=20_000)
    parser.add_argument("--links", type=int, default=60_000)
    parser.add_argument("--seconds", type=int, default=8, help="of zooming, each drawing")
    parser.add_argument("--folder", type=Path, default=None, help="where to keep the files; none = a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run(options.folder or Path(temporary), options.nodes, options.links, options.seconds)


def run(folder: Path, nodes: int, links: int, seconds: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "atlas.html"
    store_path = folder / "synthetic.duckdb"
    store_path.unlink(missing_ok=True)
    with open_store(store_path) as store:
        fill(store, nodes, links)
        weave(store, WEIGHTS)
        began = time.perf_counter()
        summary = write_atlas(store, page, limit_nodes=nodes, limit_links=links)
        took = time.perf_counter() - began
    report(summary, took)
    with Browser() as browser:
        began = time.perf_counter()
        browser.open(page)
        browser.wait_for("root.dataset.ready", 180)
        ready = time.perf_counter() - began
        renderer = browser.evaluate(
            "(() => { const gl = document.createElement('canvas').getContext('webgl');"
            " return gl.getParameter(gl.getExtension('WEBGL_debug_renderer_info').UNMASKED_RENDERER_WEBGL); })()"
        )
        print(f"drawn by    {renderer}")
        points = browser.evaluate("[atlas.model.nodes.x, atlas.model.nodes.y]")
        ends = browser.evaluate("[atlas.model.links.cause, atlas.model.links.effect]")
        print(
            f"redraw      {browser.evaluate(REDRAW):.0f} ms; at rest {browser.evaluate(AT_REST):.0f} ms after a movement"
        )
        print(f"{'':16s}{'ready':>8s} {'frames/s':>9s} {'worst frame':>12s} {'redraws':>12s}")
        zoom = f"atlas.map.sigma.getCamera().setState({{ x: 0.5, y: 0.5, angle: 0, ratio: {RATIO} }})"
        line("atlas, zoomed", ready, *counted(browser, FRAMES % (seconds, zoom)))
        line("atlas, by mouse", ready, *counted(browser, FRAMES % (seconds, ""), gestures=seconds))
        browser.evaluate("void (atlas.map.motion.quick = Infinity)")
        line("atlas, drawn", ready, *counted(browser, FRAMES % (seconds, zoom)))
    for name, drawn, zoom in (
        ("SVG", svg(points, ends), "zoomTo"),
        ("SVG moved", svg(points, ends), "moveTo"),
        ("2D canvas", canvas(points, ends), "zoomTo"),
    ):
        other = folder / f"{name.replace(' ', '-').lower()}.html"
        other.write_text(drawn, encoding="utf-8")
        with Browser() as browser:
            began = time.perf_counter()
            browser.open(other)
            browser.wait_for("window.ready", 180)
            ready = time.perf_counter() - began
            browser.evaluate(f"void ({FRAMES % (seconds, f'{zoom}({RATIO})')})")
            line(name, ready, browser.evaluate("window.counting"), "never" if zoom == "moveTo" else "every frame")


def counted(browser: Browser, frames: str, *, gestures: float = 0.0) -> tuple[tuple[float, float], int]:
    """Frames and redraws of the atlas while it is moved; by a mouse for so many seconds."""
    before = browser.evaluate("atlas.map.motion.redraws")
    browser.evaluate(f"void ({frames})")
    end, turn = time.monotonic() + gestures, 0
    while time.monotonic() < end:
        turn += 1
        middle = {"x": 590, "y": 400}
        if turn % 2:
            held = {"button": "left", "buttons": 1, "clickCount": 1}
            browser.ask("Input.dispatchMouseEvent", type="mousePressed", **middle, **held)
            for step in range(60):
                x, y = 590 + 150 * math.sin(step / 10), 400 + 60 * math.sin(step / 5)
                browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, **held)
                time.sleep(1 / 60)
            browser.ask("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, **held)
        else:
            for notch in (-1, -1, -1, 1, 1, 1):
                browser.ask("Input.dispatchMouseEvent", type="mouseWheel", **middle, deltaX=0, deltaY=120 * notch)
                time.sleep(0.2)
    per_second, worst = browser.evaluate("window.counting")
    return (per_second, worst), browser.evaluate("atlas.map.motion.redraws") - before


def report(summary: AtlasSummary, took: float) -> None:
    print(f"atlas       {summary.nodes:,} concepts, {summary.links:,} links ({summary.contested:,} contested), "
          f"{summary.quotes:,} quotes of {summary.documents:,} documents")  # fmt: skip
    print(f"written     {summary.bytes / 1e6:.1f} MB in {took:.1f} s, {summary.bytes / summary.links:.0f} bytes a link")


def line(name: str, ready: float, frames: tuple[float, float], redraws: object) -> None:
    print(f"{name:16s}{ready:6.1f} s {frames[0]:9.1f} {frames[1]:9.0f} ms {redraws!s:>12s}")


def fill(store: Store, nodes: int, links: int) -> None:
    """Claims about concepts in communities, written as columns: the store's own way in is measured elsewhere."""
    random = np.random.default_rng(7)
    names = [name_of(at, nodes) for at in range(nodes)]
    ids = [concept_id(concept_name(name)) for name in names]
    groups = (random.random(nodes) ** 1.5 * len(THEMES) * 3).astype(int)
    members = [np.flatnonzero(groups == group) for group in range(groups.max() + 1)]
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < links:
        group = members[int(groups[random.integers(nodes)])]
        cause = int(group[int(random.random() ** 2.2 * len(group))])
        far = random.random() < 0.06
        effect = int(random.integers(nodes)) if far else int(group[int(random.random() ** 1.4 * len(group))])
        if cause != effect:
            pairs.add((cause, effect))
    rows: list[tuple[object, ...]] = []
    documents: dict[int, tuple[str, str]] = {}
    for cause, effect in sorted(pairs):
        usual = "+" if random.random() < 0.65 else "-"
        for _ in range(1 + int(random.random() ** 2 * 3)):
            document = int(random.integers(max(links // 5, 1)))
            kind = "elicited" if document % 5 == 0 else "read"
            document_id = stable_id("document", document)
            documents[document] = (document_id, kind)
            odd = random.random() < 0.06
            sign = {"+": "-", "-": "+"}[usual] if odd else usual if random.random() < 0.85 else "none"
            verb = {"+": "raises", "-": "lowers", "none": "changes"}[sign]
            quote = f"In the years under study {names[cause]} {verb} {names[effect]} in most places, as the report {document} says."
            start = int(random.integers(5000))
            first, second = quote.index(names[cause]), quote.index(names[effect])
            rows.append((
                stable_id("claim", len(rows)), document_id, names[cause], start + first, ids[cause], names[effect],
                start + second, ids[effect], sign, bool(random.random() < 0.03), bool(random.random() < 0.2),
                "elicited" if kind == "elicited" else "observational" if random.random() < 0.3 else "unstated",
                quote, start, start + len(quote), float(random.random()),
            ))  # fmt: skip
    columns = [list(column) for column in zip(*rows, strict=True)]
    with store.transaction() as cursor:
        cursor.execute("INSERT INTO concepts SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[])", [ids, names])
        cursor.execute(
            "INSERT INTO documents (document_id, content_hash, media_type, title, chars, text, added_at, kind)"
            " SELECT unnest($1::VARCHAR[]), '', 'text/plain', unnest($2::VARCHAR[]), 0, '', now()::TIMESTAMP,"
            " unnest($3::VARCHAR[])",
            [
                [document_id for document_id, _ in documents.values()],
                [f"Report {document}" for document in documents],
                [kind for _, kind in documents.values()],
            ],
        )
        kinds = ("VARCHAR", "VARCHAR", "VARCHAR", "BIGINT", "VARCHAR", "VARCHAR", "BIGINT", "VARCHAR", "VARCHAR",
                 "BOOLEAN", "BOOLEAN", "VARCHAR", "VARCHAR", "BIGINT", "BIGINT", "DOUBLE")  # fmt: skip
        given = ", ".join(f"unnest(${at}::{kind}[])" for at, kind in enumerate(kinds, start=1))
        cursor.execute(
            f"""
            INSERT INTO claims (claim_id, document_id, passage_id, reader_id, run_id, cause, cause_start, cause_end,
                cause_concept, relation, effect, effect_start, effect_end, effect_concept, sign, negated, hedged,
                evidence, quote, start, "end", confidence)
            SELECT c1, c2, '', '', '', c3, c4, c4 + length(c3), c5, '', c6, c7, c7 + length(c6), c8, c9, c10, c11, c12,
                   c13, c14, c15, c16
            FROM (SELECT {given}) AS said({", ".join(f"c{at}" for at in range(1, len(kinds) + 1))})
            """,
            columns,
        )


def name_of(at: int, nodes: int) -> str:
    return f"{THEMES[at % len(THEMES)]} {WORDS[at // len(THEMES) % len(WORDS)]} {at:0{len(str(nodes))}d}"


def svg(points: list[list[float]], ends: list[list[int]]) -> str:
    """The same points and lines as elements of one SVG, zoomed by its view box."""
    (x, y), (causes, effects) = points, ends
    lines = "".join(
        f'<line x1="{x[one]}" y1="{y[one]}" x2="{x[other]}" y2="{y[other]}"/>'
        for one, other in zip(causes, effects, strict=True)
    )
    discs = "".join(f'<circle cx="{across}" cy="{down}" r="2"/>' for across, down in zip(x, y, strict=True))
    return f"""<!doctype html><meta charset="utf-8"><body style="margin:0">
<svg id="map" width="1000" height="800" viewBox="0 0 1000 1000"><g stroke="#888" stroke-width="0.5" stroke-opacity="0.3">
{lines}</g><g fill="#4878a8">{discs}</g></svg>
<script>const zoomTo = (ratio) => map.setAttribute("viewBox",
  `${{500 - 500 * ratio}} ${{500 - 500 * ratio}} ${{1000 * ratio}} ${{1000 * ratio}}`);
const moveTo = (ratio) => {{ map.style.willChange = "transform"; map.style.transform = `scale(${{1 / ratio}})`; }};
requestAnimationFrame(() => requestAnimationFrame(() => {{ window.ready = true; }}));</script>"""


def canvas(points: list[list[float]], ends: list[list[int]]) -> str:
    """The same points and lines drawn anew at every frame, straight onto a 2D canvas."""
    data = json.dumps([*points, *ends])
    return f"""<!doctype html><meta charset="utf-8"><body style="margin:0"><canvas id="map" width="1000" height="800"></canvas>
<script>const [x, y, causes, effects] = {data}, context = map.getContext("2d");
const zoomTo = (ratio) => {{
  const at = (value) => (value - 500) / ratio * 0.8 + 400;
  context.clearRect(0, 0, 1000, 800);
  context.strokeStyle = "rgba(136, 136, 136, 0.3)"; context.lineWidth = 0.5;
  context.beginPath();
  for (let link = 0; link < causes.length; link++) {{
    context.moveTo(at(x[causes[link]]), at(y[causes[link]])); context.lineTo(at(x[effects[link]]), at(y[effects[link]]));
  }}
  context.stroke();
  context.fillStyle = "#4878a8";
  for (let node = 0; node < x.length; node++) {{
    context.beginPath(); context.arc(at(x[node]), at(y[node]), 2, 0, 7); context.fill();
  }}
}};
zoomTo(1);
requestAnimationFrame(() => requestAnimationFrame(() => {{ window.ready = true; }}));</script>"""


if __name__ == "__main__":
    main()
