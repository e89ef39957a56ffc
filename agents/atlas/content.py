"""What an atlas shows: the concepts and links that fit on it, and the words they rest on. Reads a store, draws nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from leucippus.store.database import Store
from leucippus.store.links import Link, Node, link_of

LONGEST_QUOTE = 600
"""Characters of a quote that are shown; the page says where one was cut, and how long it is."""
_LONGEST_NAME = 160
"""Characters of a name that are shown: what a document says may be a megabyte long."""
_PHRASES = 6
"""Other phrases of a concept that are shown and searched."""


@dataclass(frozen=True)
class Source:
    """A document, where it was first found, and how it came to be."""

    document_id: str
    title: str
    uri: str
    kind: str
    published: str


@dataclass(frozen=True)
class Quote:
    """The words of one claim. Offsets count characters of the document's text; `shown` is the beginning of the quote.

    `way` is the sign of the claim with turns of phrases taken in: 1, -1, or 0 where none is asserted.
    """

    document: int
    """Which of `Quotes.sources`."""
    start: int
    end: int
    shown: str
    cause: tuple[int, int]
    effect: tuple[int, int]
    way: int
    negated: bool
    hedged: bool
    evidence: str
    confidence: float | None


@dataclass(frozen=True)
class Quotes:
    sources: tuple[Source, ...]
    of_links: tuple[tuple[Quote, ...], ...]
    """In the order of the links asked about."""


@dataclass(frozen=True)
class Selection:
    """What fits on an atlas, the best first; and how much there is. `phrases`: other words for each node."""

    nodes: tuple[Node, ...]
    phrases: tuple[tuple[str, ...], ...]
    links: tuple[Link, ...]
    all_nodes: int
    all_links: int


def select(store: Store, *, limit_nodes: int, limit_links: int) -> Selection:
    """The concepts whose links are most credible in sum, and the most credible links between them.

    The work is done by DuckDB, so that a model of millions of links does not have to fit into memory.
    """
    rows = store.rows(
        """
        WITH strengths AS (
            SELECT node, sum(credibility) AS strength FROM (
                SELECT cause AS node, credibility FROM edges UNION ALL SELECT effect, credibility FROM edges
            ) GROUP BY node
        )
        SELECT node, concept_id, left(name, $name), phrases, outgoing, incoming
        FROM nodes LEFT JOIN strengths USING (node)
        ORDER BY coalesce(strength, 0) DESC, outgoing + incoming DESC, node LIMIT $limit
        """,
        {"limit": limit_nodes, "name": _LONGEST_NAME},
    )
    numbers = [number for number, *_ in rows]
    nodes = tuple(Node(*rest) for _, *rest in rows)
    links = store.rows(
        """
        WITH kept AS (SELECT unnest($numbers::UINTEGER[]) AS node),
        best AS (
            SELECT * FROM edges
            WHERE cause IN (SELECT node FROM kept) AND effect IN (SELECT node FROM kept)
            ORDER BY credibility DESC, sources DESC, claims DESC, cause, effect LIMIT $limit
        )
        SELECT cause.concept_id, left(cause.name, $name), effect.concept_id, left(effect.name, $name), claims,
               documents, sources, positive, negative, unsigned, denied, hedged, experimental, observational, opinion,
               elicited, measured, confidence, credibility, claim_id, document_id, ''
        FROM best JOIN nodes AS cause ON cause.node = best.cause JOIN nodes AS effect ON effect.node = best.effect
        ORDER BY credibility DESC, sources DESC, claims DESC, best.cause, best.effect
        """,
        {"numbers": numbers, "limit": limit_links, "name": _LONGEST_NAME},
    )
    counted = store.rows("SELECT (SELECT count(*) FROM nodes), (SELECT count(*) FROM edges)")[0]
    return Selection(
        nodes,
        _phrases(store, [node.concept_id for node in nodes]),
        tuple(link_of(row) for row in links),
        int(counted[0]),
        int(counted[1]),
    )


def _phrases(store: Store, concept_ids: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    rows = store.rows(
        """
        SELECT root_id, list(left(CASE WHEN turn < 0 THEN 'opposite: ' ELSE '' END || name, $name)
                             ORDER BY turn DESC, length(name), name)[1:$most]
        FROM meanings JOIN concepts USING (concept_id)
        WHERE meanings.concept_id <> root_id AND root_id IN (SELECT unnest($ids::VARCHAR[])) GROUP BY root_id
        """,
        {"ids": list(concept_ids), "name": _LONGEST_NAME, "most": _PHRASES},
    )
    found = {root: tuple(names) for root, names in rows}
    return tuple(found.get(concept_id, ()) for concept_id in concept_ids)


def quotes(store: Store, links: Sequence[Link], *, each: int) -> Quotes:
    """Up to `each` quotes a link, the same words once. Where claims disagree every side has its say, in turn."""
    rows = store.rows(
        """
        WITH wanted AS (
            SELECT unnest($causes::VARCHAR[]) AS cause_root, unnest($effects::VARCHAR[]) AS effect_root,
                   generate_subscripts($causes::VARCHAR[], 1) - 1 AS link
        ),
        said AS (
            SELECT link, claim_id, document_id, start, "end", left(quote, $longest) AS shown, hash(quote) AS words,
                   cause_start - start AS cause_from, cause_end - start AS cause_to,
                   effect_start - start AS effect_from, effect_end - start AS effect_to,
                   negated, hedged, evidence, confidence,
                   CASE sign WHEN '+' THEN 1 WHEN '-' THEN -1 ELSE 0 END * source.turn * target.turn AS way
            FROM claims
            JOIN meanings AS source ON source.concept_id = cause_concept
            JOIN meanings AS target ON target.concept_id = effect_concept
            JOIN wanted ON cause_root = source.root_id AND effect_root = target.root_id
        ),
        told AS (
            FROM said QUALIFY row_number() OVER (PARTITION BY link, words, negated, way ORDER BY claim_id) = 1
        ),
        sided AS (
            SELECT *, row_number() OVER (
                PARTITION BY link, negated, way ORDER BY hedged, confidence DESC NULLS LAST, claim_id
            ) AS place
            FROM told
        ),
        picked AS (
            SELECT *, row_number() OVER (PARTITION BY link ORDER BY place, negated, way DESC, claim_id) AS rank
            FROM sided QUALIFY rank <= $each
        )
        SELECT link, picked.document_id, coalesce(left(title, $name), ''), coalesce(left(uri, $longest), ''),
               coalesce(kind, 'read'), coalesce(left(published, 40), ''), picked.start, picked."end", shown,
               cause_from, cause_to, effect_from, effect_to, way, negated, hedged, evidence, confidence
        FROM picked LEFT JOIN documents USING (document_id)
        LEFT JOIN (
            SELECT document_id, arg_min(uri, (first_seen, uri)) AS uri FROM sources
            WHERE document_id IN (SELECT document_id FROM picked) GROUP BY document_id
        ) USING (document_id)
        ORDER BY link, rank
        """,
        {
            "causes": [link.cause_id for link in links],
            "effects": [link.effect_id for link in links],
            "longest": LONGEST_QUOTE,
            "name": _LONGEST_NAME,
            "each": each,
        },
    )
    sources: dict[str, tuple[int, Source]] = {}
    found: list[list[Quote]] = [[] for _ in links]
    for link, document_id, title, uri, kind, published, start, end, shown, *rest in rows:
        cause_from, cause_to, effect_from, effect_to, way, negated, hedged, evidence, confidence = rest
        known = sources.setdefault(document_id, (len(sources), Source(document_id, title, uri, kind, published)))
        found[link].append(
            Quote(
                known[0], start, end, shown, (cause_from, cause_to), (effect_from, effect_to),
                way, negated, hedged, evidence, confidence,
            )
        )  # fmt: skip
    return Quotes(tuple(source for _, source in sources.values()), tuple(tuple(one) for one in found))
