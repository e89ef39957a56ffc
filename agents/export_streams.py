"""A model as GraphML or JSON-LD, written as it is read: millions of edges pass through, some thousands at a time."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO
from xml.sax.saxutils import escape

from leucippus.store.database import Store

_AT_ONCE = 50_000
"""Rows in memory."""
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""What XML 1.0 cannot hold, escaped or not."""
_GRAPHML_NODE = {"name": "string", "concept_id": "string", "phrases": "int"}
_GRAPHML_EDGE = {
    "credibility": "double", "sign": "string", "contested": "boolean", "sources": "int", "documents": "int",
    "claims": "int", "positive": "int", "negative": "int", "denied": "int", "hedged": "int", "claim_id": "string",
    "document_id": "string", "quote": "string",
}  # fmt: skip
SIGN = "CASE WHEN positive > negative THEN '+' WHEN negative > positive THEN '-' ELSE 'none' END AS sign"
CONTESTED = "(positive > 0 AND negative > 0 OR denied > 0 AND claims > denied) AS contested"
"""As in leucippus.store.links.Link."""
_CONTEXT = {
    "@vocab": "https://schema.org/",
    "lcm": "urn:leucippus:",
    "Concept": "DefinedTerm",
    "CausalEdge": "lcm:CausalEdge",
    "cause": {"@id": "lcm:cause", "@type": "@id"},
    "effect": {"@id": "lcm:effect", "@type": "@id"},
    "edge": {"@id": "lcm:edge", "@type": "@id"},
    "document": {"@id": "appearance", "@type": "@id"},
    "quote": "text",
} | {
    name: f"lcm:{name}"
    for name in (
        "sign", "negated", "hedged", "conditions", "evidence", "population", "place", "period", "confidence", "start",
        "end", "causeStart", "causeEnd", "effectStart", "effectEnd", "causeWords", "effectWords", "relation",
        "credibility", "sources", "documents", "claims", "positive", "negative", "denied", "contested", "reader",
    )
}  # fmt: skip


def write_graphml(store: Store, file: TextIO, least: float) -> tuple[int, int]:
    """Nodes, and the edges of at least this credibility with their counts and best quote; how many of either."""
    file.write('<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
    for side, attributes in (("node", _GRAPHML_NODE), ("edge", _GRAPHML_EDGE)):
        file.writelines(
            f'<key id="{side}_{name}" for="{side}" attr.name="{name}" attr.type="{kind}"/>\n'
            for name, kind in attributes.items()
        )
    file.write('<graph id="lcm" edgedefault="directed">\n')
    nodes = edges = 0
    for number, *values in _rows(store, "nodes", ("node", *_GRAPHML_NODE)):
        file.write(f'<node id="n{number}">{_data("node", _GRAPHML_NODE, values)}</node>\n')
        nodes += 1
    columns = ["cause", "effect", *({"sign": SIGN, "contested": CONTESTED}.get(name, name) for name in _GRAPHML_EDGE)]
    for cause, effect, *values in _rows(store, "edges", columns, "credibility >= ?", [least]):
        file.write(f'<edge source="n{cause}" target="n{effect}">{_data("edge", _GRAPHML_EDGE, values)}</edge>\n')
        edges += 1
    file.write("</graph>\n</graphml>\n")
    return nodes, edges


def _data(side: str, names: Iterable[str], values: Sequence[Any]) -> str:
    return "".join(
        f'<data key="{side}_{name}">{_xml(str(value).lower() if isinstance(value, bool) else str(value))}</data>'
        for name, value in zip(names, values, strict=True)
        if value is not None
    )


def _xml(text: str) -> str:
    # A reader would take a bare carriage return for a new line.
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text), {"\r": "&#13;"})


def write_json_ld(store: Store, file: TextIO, least: float) -> tuple[int, int, int]:
    """Concepts, edges of at least this credibility, documents without their text, and every claim with its place and
    words; how many concepts, edges and claims."""
    file.write('{"@context": ' + json.dumps(_CONTEXT, ensure_ascii=False) + ',\n"@graph": [')
    counts = dict.fromkeys(("Concept", "CausalEdge", "CreativeWork", "Claim"), 0)
    for thing in _things(store, least):
        file.write(",\n" if any(counts.values()) else "\n")
        kept = {name: value for name, value in thing.items() if value is not None}
        file.write(json.dumps(kept, ensure_ascii=False, allow_nan=False))
        counts[thing["@type"]] += 1
    file.write("\n]}\n")
    return counts["Concept"], counts["CausalEdge"], counts["Claim"]


def _things(store: Store, least: float) -> Iterator[dict[str, Any]]:
    for concept, name in _rows(store, "nodes", ("concept_id", "name")):
        yield {"@type": "Concept", "@id": f"lcm:concept/{concept}", "name": name}
    counts = ("credibility", "sources", "documents", "claims", "positive", "negative", "denied")
    ends = "(SELECT concept_id FROM nodes WHERE node = {0}) AS {0}_id"
    columns = (ends.format("cause"), ends.format("effect"), SIGN, CONTESTED, *counts)
    for cause, effect, sign, contested, *values in _rows(store, "edges", columns, "credibility >= ?", [least]):
        yield {
            "@type": "CausalEdge",
            "@id": f"lcm:edge/{cause}/{effect}",
            "cause": f"lcm:concept/{cause}",
            "effect": f"lcm:concept/{effect}",
            "sign": sign,
            "contested": contested,
        } | dict(zip(counts, values, strict=True))
    place = "(SELECT min(uri) FROM sources WHERE sources.document_id = documents.document_id)"
    for document, title, published, media, uri in _rows(
        store, "documents", ("document_id", "title", "published", "media_type", place)
    ):
        yield {
            "@type": "CreativeWork",
            "@id": f"lcm:document/{document}",
            "name": title,
            "datePublished": published,
            "encodingFormat": media,
            "identifier": uri,
        }
    yield from _claims(store)


def _claims(store: Store) -> Iterator[dict[str, Any]]:
    root = "(SELECT root_id FROM meanings WHERE concept_id = {})"
    same = ("relation", "sign", "negated", "hedged", "conditions", "evidence", "population", "place", "period",
            "confidence", "quote", "start")  # fmt: skip
    renamed = {
        "causeWords": "cause", "causeStart": "cause_start", "causeEnd": "cause_end", "effectWords": "effect",
        "effectStart": "effect_start", "effectEnd": "effect_end", "end": '"end"', "reader": "reader_id",
    }  # fmt: skip
    columns = ("claim_id", "document_id", root.format("cause_concept"), root.format("effect_concept"), *same, *renamed.values())  # fmt: skip
    for claim, document, cause, effect, *values in _rows(store, "claims", columns):
        yield {
            "@type": "Claim",
            "@id": f"lcm:claim/{claim}",
            "document": f"lcm:document/{document}",
            "cause": f"lcm:concept/{cause}",
            "effect": f"lcm:concept/{effect}",
            # A claim of a concept about itself makes no edge.
            "edge": None if cause == effect else f"lcm:edge/{cause}/{effect}",
        } | dict(zip((*same, *renamed), values, strict=True))


def _rows(
    store: Store, table: str, columns: Iterable[str], condition: str = "TRUE", given: Sequence[Any] = ()
) -> Iterator[tuple[Any, ...]]:
    """Rows in the order they were written, some thousands at a time. All but `given` is SQL of this module."""
    ((first, last),) = store.rows(f"SELECT min(rowid), max(rowid) FROM {table}")
    if first is None:
        return
    for at in range(first, last + 1, _AT_ONCE):
        # As literals, so that DuckDB reads no other rows.
        yield from store.rows(
            f"SELECT {', '.join(columns)} FROM {table} WHERE rowid >= {at} AND rowid < {at + _AT_ONCE} AND {condition}"
            f" ORDER BY {table}.rowid",
            list(given),
        )
