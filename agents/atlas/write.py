"""JOB lcm atlas: a woven store → one HTML page. Reads top to bottom.

What documents and models said is data on that page, never markup: it travels as compressed JSON, the page writes it as
text only, and its policy lets nothing run but the scripts whose hashes it names, and nothing reach the network.
"""

import base64
import gzip
import hashlib
import json
import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leucippus._version import __version__
from leucippus.agents.atlas.content import LONGEST_QUOTE, Quotes, Selection, quotes, select
from leucippus.agents.atlas.layout import communities, places
from leucippus.errors import InputError
from leucippus.graphs.credibility import explain
from leucippus.store.database import Store
from leucippus.store.links import Link, Node
from leucippus.store.weave import not_woven

_CHUNK = 1000
"""Links whose quotes are packed together: a page unpacks those it is asked for."""
_FEWEST = 3
"""Concepts a community found here needs to be called a domain."""
_LIBRARIES = ("vendor/graphology.umd.min.js", "vendor/sigma.min.js")
_SCRIPTS = (
    "page/unpack.js", "page/model.js", "page/palette.js", "page/link_program.js", "page/overlay.js", "page/picking.js",
    "page/motion.js", "page/map.js", "page/panels.js", "page/search.js", "page/controls.js", "page/start.js",
)  # fmt: skip


@dataclass(frozen=True)
class AtlasSummary:
    """What was written. `all_nodes` and `all_links` are how many the model has; `unwoven`: claims it lacks yet."""

    path: Path
    nodes: int
    links: int
    contested: int
    quotes: int
    documents: int
    all_nodes: int
    all_links: int
    unwoven: int
    bytes: int


def write_atlas(
    store: Store,
    path: str | os.PathLike[str],
    *,
    layout: Mapping[str, tuple[float, float]] | None = None,
    clusters: Mapping[str, str] | None = None,
    limit_nodes: int = 20_000,
    limit_links: int = 60_000,
    quotes_an_edge: int = 3,
) -> AtlasSummary:
    """Write the large causal model as one page that needs neither a server nor the network.

    Parameters
    ----------
    layout : concept id → its place; who has none, or one that is no number, is put beside its neighbours.
    clusters : concept id → the name of its domain.
    limit_nodes, limit_links : what is kept of a larger model: the concepts whose links are most credible in sum, and
        the most credible links between them. The page says what was left out.

    Raises
    ------
    InputError : nothing is woven yet; a limit below 1; the file cannot be written.
    StoreError : the store cannot be read.
    """
    for name, limit in (("limit_nodes", limit_nodes), ("limit_links", limit_links), ("quotes_an_edge", quotes_an_edge)):
        if limit < 1:
            raise InputError(f"{name} is {limit}.", expected="1 or more", next_step=f"Raise {name}.")
    selection = select(store, limit_nodes=limit_nodes, limit_links=limit_links)
    if not selection.nodes:
        raise InputError(
            f"The store {store.path} has no large causal model yet.",
            next_step="Extract or elicit claims into it, then weave them: `leucippus lcm weave`.",
        )
    said = quotes(store, selection.links, each=quotes_an_edge)
    unwoven = not_woven(store)
    groups, domains = _domains(selection, clusters)
    points = _points(selection, layout, groups)
    conflicts = _conflicts(selection.links)
    graph = _graph(selection, groups, domains, points, conflicts)
    graph["about"] = {
        "store": store.path.stem,
        "version": __version__,
        "allNodes": selection.all_nodes,
        "allLinks": selection.all_links,
        "unwoven": unwoven,
        "longestQuote": LONGEST_QUOTE,
        "chunk": _CHUNK,
        "domainsFound": clusters is None,
    }
    page = _page(graph, _quote_chunks(selection.links, said), _documents(said))
    written = _write(Path(path), page)
    return AtlasSummary(
        path=Path(path),
        nodes=len(selection.nodes),
        links=len(selection.links),
        contested=sum(1 for kinds in conflicts if kinds),
        quotes=sum(len(of_link) for of_link in said.of_links),
        documents=len(said.sources),
        all_nodes=selection.all_nodes,
        all_links=selection.all_links,
        unwoven=unwoven,
        bytes=written,
    )


def _ends(selection: Selection) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    number = {node.concept_id: at for at, node in enumerate(selection.nodes)}
    causes = np.array([number[link.cause_id] for link in selection.links], dtype=np.int64)
    effects = np.array([number[link.effect_id] for link in selection.links], dtype=np.int64)
    return causes, effects


def _domains(selection: Selection, clusters: Mapping[str, str] | None) -> tuple[list[int], list[str]]:
    """A domain for every node, -1 for none, and the names of the domains, the largest first."""
    nodes = selection.nodes
    if clusters is not None:
        named = [clusters.get(node.concept_id) for node in nodes]
        names = [name for name, _ in Counter(name for name in named if name is not None).most_common()]
        number = {name: at for at, name in enumerate(names)}
        return [-1 if name is None else number[name] for name in named], names
    causes, effects = _ends(selection)
    credibility = np.array([link.credibility for link in selection.links], dtype=np.float64)
    groups = communities(causes, effects, credibility + 0.01, len(nodes))
    sizes = np.bincount(groups)
    names = []
    kept = int((sizes >= _FEWEST).sum())
    for group in range(kept):
        # Nodes come the strongest first: the first of a community names it.
        names.append(f"around {nodes[int(np.argmax(groups == group))].name}")
    return [int(group) if group < kept else -1 for group in groups], names


def _points(
    selection: Selection, layout: Mapping[str, tuple[float, float]] | None, groups: Sequence[int]
) -> NDArray[np.float64]:
    """Places of the nodes, shape (nodes, 2)."""
    causes, effects = _ends(selection)
    loose = np.array(groups, dtype=np.int64)
    # Who has no domain is a group of their own each: they drift to their neighbours.
    alone = np.flatnonzero(loose < 0)
    loose[alone] = (loose.max(initial=-1) + 1) + np.arange(len(alone))
    if layout is None:
        return places(causes, effects, loose)
    given = np.array([_place(layout, node) for node in selection.nodes], dtype=np.float64)
    there = np.isfinite(given[:, 0]) & np.isfinite(given[:, 1])
    if not there.any():
        return places(causes, effects, loose)
    middle = given[there].mean(axis=0)
    beside: dict[int, list[int]] = {int(at): [] for at in np.flatnonzero(~there)}
    for cause, effect in zip(causes.tolist(), effects.tolist(), strict=True):
        for one, other in ((cause, effect), (effect, cause)):
            if one in beside and there[other]:
                beside[one].append(other)
    spread = given[there].std() / 50 + 1e-3
    for turn, (at, neighbours) in enumerate(beside.items()):
        centre = given[neighbours].mean(axis=0) if neighbours else middle
        given[at] = centre + spread * np.array([math.cos(turn), math.sin(turn)])
    return given


def _place(layout: Mapping[str, tuple[float, float]], node: Node) -> tuple[float, float]:
    x, y = layout.get(node.concept_id, (math.nan, math.nan))
    return float(x), float(y)


def _conflicts(links: Sequence[Link]) -> list[int]:
    """How the claims of each link disagree: 1 raises and lowers, 2 asserted and denied, 4 both ways; summed."""
    asserted = {(link.cause_id, link.effect_id) for link in links if link.asserted}
    found = []
    for link in links:
        both_ways = link.asserted and (link.effect_id, link.cause_id) in asserted
        found.append(
            (1 if link.positive and link.negative else 0)
            + (2 if link.denied and link.asserted else 0)
            + (4 if both_ways else 0)
        )
    return found


def _graph(
    selection: Selection,
    groups: Sequence[int],
    domains: Sequence[str],
    points: NDArray[np.float64],
    conflicts: Sequence[int],
) -> dict[str, Any]:
    """Columns, not rows: they pack to a third of the size."""
    causes, effects = _ends(selection)
    nodes, links = selection.nodes, selection.links
    # The page wants numbers around one, whatever those of the layout are.
    span = float(np.ptp(points, axis=0).max()) or 1.0
    scaled = np.round((points - points.min(axis=0)) / span * 1000, 2)
    return {
        "nodes": {
            "id": [node.concept_id for node in nodes],
            "name": [node.name for node in nodes],
            "phrases": [list(phrases) for phrases in selection.phrases],
            "outgoing": [node.outgoing for node in nodes],
            "incoming": [node.incoming for node in nodes],
            "domain": list(groups),
            "x": scaled[:, 0].tolist(),
            "y": scaled[:, 1].tolist(),
        },
        "domains": list(domains),
        "links": {
            "cause": causes.tolist(),
            "effect": effects.tolist(),
            "conflict": list(conflicts),
            "credibility": [round(link.credibility, 4) for link in links],
            **{
                name: [getattr(link, name) for link in links]
                for name in (
                    "claims", "documents", "sources", "positive", "negative", "unsigned", "denied", "hedged",
                    "experimental", "observational", "opinion", "elicited", "measured",
                )
            },
        },
    }  # fmt: skip


def _quote_chunks(links: Sequence[Link], said: Quotes) -> list[Any]:
    """A list for every link: its quotes, as lists, and its credibility in words."""
    packed = []
    for link, of_link in zip(links, said.of_links, strict=True):
        shown = [
            [
                quote.document, quote.start, quote.end, quote.shown, *quote.cause, *quote.effect, quote.way,
                int(quote.negated), int(quote.hedged), quote.evidence,
                None if quote.confidence is None else round(quote.confidence, 3),
            ]
            for quote in of_link
        ]  # fmt: skip
        packed.append([shown, explain(link)])
    return [packed[first : first + _CHUNK] for first in range(0, len(packed), _CHUNK)]


def _documents(said: Quotes) -> list[list[str]]:
    return [[one.document_id, one.title, one.uri, one.kind, one.published] for one in said.sources]


def _page(graph: Mapping[str, Any], quote_chunks: Sequence[Any], documents: Sequence[Any]) -> str:
    style = _asset("page/atlas.css")
    # Without WebGL sigma cannot even be loaded; the page finds that out and says so.
    libraries = "try {\n" + "\n".join(_asset(name) for name in _LIBRARIES) + "\n} catch (problem) { void problem; }"
    script = '"use strict";\n(() => {\n' + "\n".join(_asset(name) for name in _SCRIPTS) + "\n})();"
    policy = "; ".join((
        "default-src 'none'",
        f"script-src {_hash(libraries)} {_hash(script)}",
        f"style-src {_hash(style)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ))  # fmt: skip
    blobs = [_blob("graph", graph), _blob("documents", documents)]
    blobs += [_blob(f"quotes-{at}", chunk) for at, chunk in enumerate(quote_chunks)]
    parts = {
        "policy": policy,
        "style": style,
        "blobs": "\n".join(blobs),
        "libraries": libraries,
        "script": script,
    }
    # In one pass: nothing that was put in is looked at again.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _asset("page/page.html"))


def _asset(name: str) -> str:
    return (files("leucippus.agents.atlas") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _blob(name: str, value: Any) -> str:
    """JSON, gzipped, in base 64: no character of it means anything to HTML."""
    packed = gzip.compress(json.dumps(value, separators=(",", ":")).encode(), compresslevel=6, mtime=0)
    return f'<script type="text/plain" id="{name}">{base64.b64encode(packed).decode()}</script>'


def _write(path: Path, page: str) -> int:
    """Put the page in place whole or not at all; how many bytes it has."""
    data = page.encode()
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise InputError(
            f"Cannot write {path}: {error.strerror or error}.", next_step="Name a file in a folder you may write to."
        ) from error
    return len(data)
