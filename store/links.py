"""Reading the large causal model: nodes, edges, conflicts. Only rows and their order; nothing is decided here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from leucippus.store.database import Store
from leucippus.store.query import Support
from leucippus.store.triples import Sign

_COLUMNS = (
    "cause.concept_id, cause.name, effect.concept_id, effect.name, claims, documents, sources, positive, negative,"
    " unsigned, denied, hedged, experimental, observational, opinion, elicited, measured, confidence, credibility,"
    " claim_id, document_id, quote"
)

_BEST = "ORDER BY credibility DESC, sources DESC, claims DESC, cause, effect LIMIT $limit"
_FEW = 50
"""Edges of which the names are looked up one by one, instead of by a join with all nodes."""


@dataclass(frozen=True)
class Node:
    """A concept of the model: the root of the phrases that mean it."""

    concept_id: str
    name: str
    phrases: int
    outgoing: int
    incoming: int


@dataclass(frozen=True)
class Link:
    """What all claims about one cause and one effect come to. Counts are of claims, but for documents and sources.

    Sources, hedged, evidence and confidence are of the claims that assert it: a denial is no support.
    """

    cause_id: str
    cause: str
    effect_id: str
    effect: str
    claims: int
    documents: int
    sources: int
    positive: int
    negative: int
    unsigned: int
    denied: int
    hedged: int
    experimental: int
    observational: int
    opinion: int
    elicited: int
    measured: int
    confidence: float | None
    credibility: float
    support: Support

    @property
    def sign(self) -> Sign:
        """The sign that more claims bear; none where as many bear the other, or none does."""
        return prevailing(self.positive, self.negative)

    @property
    def asserted(self) -> int:
        return self.claims - self.denied

    @property
    def contested(self) -> bool:
        """Whether claims disagree: raises and lowers, or asserted and denied."""
        return bool(self.positive and self.negative) or bool(self.denied and self.asserted)


@dataclass(frozen=True)
class Conflict:
    """Two readings of one pair. sign: `cause` raises / lowers `effect`; denied: asserted / denied; direction: cause →
    effect / effect → cause."""

    kind: Literal["sign", "denied", "direction"]
    cause_id: str
    cause: str
    effect_id: str
    effect: str
    one: int
    other: int


def prevailing(positive: int, negative: int) -> Sign:
    """The sign that more claims bear."""
    if positive == negative:
        return Sign.NONE
    return Sign.POSITIVE if positive > negative else Sign.NEGATIVE


def roots(store: Store, concept_ids: Sequence[str]) -> list[str]:
    """The concepts these mean, all merges followed; what is not woven yet means itself."""
    rows = store.rows(
        """
        SELECT DISTINCT coalesce(root_id, concept_id) FROM (SELECT unnest($1::VARCHAR[]) AS concept_id)
        LEFT JOIN meanings USING (concept_id) ORDER BY 1
        """,
        [list(concept_ids)],
    )
    return [root for (root,) in rows]


def phrases_of(store: Store, concept_id: str) -> list[tuple[str, int]]:
    """The phrases that mean this root, and how each turns it."""
    return [
        (name, turn)
        for name, turn in store.rows(
            "SELECT name, turn FROM meanings JOIN concepts USING (concept_id) WHERE root_id = ? ORDER BY turn DESC, name",
            [concept_id],
        )
    ]


def causes_of(store: Store, concept_ids: Sequence[str], *, limit: int = 50, least: float = 0.0) -> list[Link]:
    """Edges into these roots, the most credible first; `least`: credibility at least."""
    return _links(store, "edges_by_effect", "effect", concept_ids, limit, least)


def effects_of(store: Store, concept_ids: Sequence[str], *, limit: int = 50, least: float = 0.0) -> list[Link]:
    """Edges out of these roots, the most credible first."""
    return _links(store, "edges", "cause", concept_ids, limit, least)


def links_between(store: Store, cause_ids: Sequence[str], effect_ids: Sequence[str]) -> list[Link]:
    """Edges from any of the first roots to any of the second."""
    return _rows(
        store,
        "edges",
        "cause IN (SELECT node FROM nodes WHERE concept_id IN (SELECT unnest($causes::VARCHAR[])))"
        " AND effect IN (SELECT node FROM nodes WHERE concept_id IN (SELECT unnest($effects::VARCHAR[])))",
        {"causes": list(cause_ids), "effects": list(effect_ids), "limit": 1_000_000},
    )


def all_links(store: Store, *, least: float = 0.0, limit: int = 1_000_000_000) -> list[Link]:
    """Every edge, the most credible first."""
    return _rows(store, "edges", "credibility >= $least", {"least": least, "limit": limit})


def all_nodes(store: Store) -> list[Node]:
    rows = store.rows("SELECT concept_id, name, phrases, outgoing, incoming FROM nodes ORDER BY node")
    return [Node(*row) for row in rows]


def conflicts(store: Store, concept_ids: Sequence[str] | None = None, *, limit: int = 1_000_000) -> list[Conflict]:
    """Where claims disagree, those with most claims on the weaker side first; of these roots on either side."""
    wanted = "TRUE"
    given: dict[str, object] = {"limit": limit}
    if concept_ids is not None:
        wanted = "(list_contains($ids, cause.concept_id) OR list_contains($ids, effect.concept_id))"
        given["ids"] = list(concept_ids)
    rows = store.rows(
        f"""
        SELECT kind, cause.concept_id, cause.name, effect.concept_id, effect.name, one, other
        FROM conflicts JOIN nodes AS cause ON cause.node = conflicts.cause
        JOIN nodes AS effect ON effect.node = conflicts.effect
        WHERE {wanted} ORDER BY least(one, other) DESC, one + other DESC, kind, cause.name, effect.name LIMIT $limit
        """,
        given,
    )
    return [Conflict(*row) for row in rows]


def _links(
    store: Store,
    table: Literal["edges", "edges_by_effect"],
    side: Literal["cause", "effect"],
    concept_ids: Sequence[str],
    limit: int,
    least: float,
) -> list[Link]:
    # Values that stand in the statement let DuckDB skip what cannot hold them; those of a subquery would not.
    places = ", ".join(f"${at + 1}" for at in range(len(concept_ids)))
    found = store.rows(f"SELECT node FROM nodes WHERE concept_id IN ({places})", list(concept_ids)) if places else []
    if not found:
        return []
    numbers = ", ".join(str(int(node)) for (node,) in found)
    other = "cause" if side == "effect" else "effect"
    condition = f"{side} IN ({numbers}) AND {other} NOT IN ({numbers}) AND credibility >= $least"
    if limit > _FEW:
        return _rows(store, table, condition, {"least": least, "limit": limit})
    rows = store.rows(f"SELECT * FROM {table} WHERE {condition} {_BEST}", {"least": least, "limit": limit})
    names = names_of(store, {node for row in rows for node in row[:2]})
    return [link_of([*names[row[0]], *names[row[1]], *row[2:]]) for row in rows]


def names_of(store: Store, nodes: Iterable[int]) -> dict[int, list[Any]]:
    """Node → concept id and name, of a few."""
    # One equality a node: each skips all but one corner of the table. Of a list DuckDB 1.5 unpacks every name.
    lookups = [f"SELECT node, concept_id, name FROM nodes WHERE node = {int(node)}" for node in sorted(nodes)]
    return {node: named for node, *named in store.rows(" UNION ALL ".join(lookups))} if lookups else {}


def _rows(store: Store, table: str, condition: str, given: dict[str, object]) -> list[Link]:
    rows = store.rows(
        f"""
        WITH best AS (SELECT * FROM {table} WHERE {condition} {_BEST})
        SELECT {_COLUMNS} FROM best JOIN nodes AS cause ON cause.node = best.cause
        JOIN nodes AS effect ON effect.node = best.effect
        ORDER BY credibility DESC, sources DESC, claims DESC, best.cause, best.effect
        """,
        given,
    )
    return [link_of(row) for row in rows]


def link_of(row: Sequence[Any]) -> Link:
    """A link from its fields in their order, the three of its support at the end."""
    fields: list[Any] = [*row[:-3], Support(*row[-3:])]
    return Link(*fields)
