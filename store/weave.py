"""Claims and merges → the large causal model: meanings, nodes, edges and conflicts, made anew in one transaction.

Set operations of DuckDB alone, so that ten million claims need not fit into memory. What makes an edge credible is not
known here: weights of the features below are handed in.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from leucippus.errors import StoreError
from leucippus.store.database import Store

FEATURES: Mapping[str, str] = {
    "one": "1.0",
    "sources": "ln(1 + sources)",
    "repeats": "ln(1 + claims - denied - least(claims - denied, sources))",
    "hedged": "hedged / greatest(claims - denied, 1)",
    "denied": "denied / claims",
    "contested": "2.0 * least(positive, negative) / greatest(claims - denied, 1)",
    "confidence": "coalesce(confidence, 0.5)",
    "experimental": "experimental / greatest(claims - denied, 1)",
    "observational": "observational / greatest(claims - denied, 1)",
    "opinion": "opinion / greatest(claims - denied, 1)",
    "elicited": "elicited / greatest(claims - denied, 1)",
    "measured": "measured / greatest(claims - denied, 1)",
}
"""What the credibility of an edge is made of: name → SQL over the columns of `edges`. A denial adds to `denied` alone."""
_CLAIMS_AT_ONCE = 2_000_000
"""Claims that are counted together."""
_DEEPEST = 64
"""Steps from a phrase to its root that are followed; a tree of decisions is seldom three deep."""


@dataclass(frozen=True)
class Woven:
    """What came of a weaving. `selfish`: claims of a concept about itself, which make no edge."""

    claims: int
    concepts: int
    nodes: int
    edges: int
    conflicts: int
    selfish: int
    seconds: float


def weave(store: Store, weights: Mapping[str, float]) -> Woven:
    """Make the large causal model anew.

    Parameters
    ----------
    weights : feature of `FEATURES` → its weight; an edge's credibility is the logistic function of their sum.

    Raises
    ------
    ValueError : a weight for something that is no feature.
    StoreError : merges go round in a circle, which `record_merges` does not write.
    """
    if unknown := weights.keys() - FEATURES.keys():
        raise ValueError(f"no such features: {', '.join(sorted(unknown))}")
    began = time.monotonic()
    with store.transaction() as cursor:
        for table in ("meanings", "nodes", "edges", "edges_by_effect", "conflicts"):
            cursor.execute(f"DELETE FROM {table}")
        _meanings(cursor)
        _edges(cursor, weights)
        _conflicts(cursor)
        counted = cursor.execute(
            """
            SELECT (SELECT count(*) FROM claims), (SELECT count(*) FROM concepts), (SELECT count(*) FROM nodes),
                   (SELECT count(*) FROM edges), (SELECT count(*) FROM conflicts),
                   (SELECT count(*) FROM claims) - (SELECT coalesce(sum(claims), 0)::BIGINT FROM edges)
            """
        ).fetchone()
        assert counted is not None
        fields: list[Any] = [*counted, time.monotonic() - began]
        woven = Woven(*fields)
        cursor.execute("DELETE FROM weavings")
        cursor.execute(
            "INSERT INTO weavings VALUES (?, ?, ?, ?, ?, ?)",
            [
                datetime.now(UTC).replace(tzinfo=None),
                woven.claims,
                woven.concepts,
                woven.nodes,
                woven.edges,
                woven.seconds,
            ],
        )
    return woven


def not_woven(store: Store) -> int:
    """How many claims were written or deleted since the last weaving."""
    rows = store.rows(
        "SELECT (SELECT count(*) FROM claims) - coalesce((SELECT claims FROM weavings ORDER BY woven_at DESC LIMIT 1), 0)"
    )
    return abs(int(rows[0][0]))


def _meanings(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(
        """
        INSERT INTO meanings
        SELECT concept_id, coalesce(into_id, concept_id), coalesce(turn, 1)
        FROM concepts LEFT JOIN (SELECT * FROM merges WHERE undone_at IS NULL) USING (concept_id)
        """
    )
    for _ in range(_DEEPEST):
        changed = cursor.execute(
            """
            UPDATE meanings SET root_id = up.into_id, turn = meanings.turn * up.turn
            FROM merges AS up WHERE up.undone_at IS NULL AND up.concept_id = meanings.root_id
            """
        ).fetchone()
        if changed is None or changed[0] == 0:
            return
    raise StoreError("The merges of this store go round in a circle.", next_step="Undo one: `leucippus lcm merges`.")


def _edges(cursor: duckdb.DuckDBPyConnection, weights: Mapping[str, float]) -> None:
    cursor.execute(
        """
        CREATE OR REPLACE TEMP TABLE linked AS
        SELECT roots.concept_id, (row_number() OVER (ORDER BY roots.concept_id) - 1)::UINTEGER AS node, name, phrases
        FROM (
            SELECT root_id AS concept_id, count(*) AS phrases FROM meanings
            WHERE concept_id IN (SELECT cause_concept FROM claims UNION SELECT effect_concept FROM claims)
            GROUP BY root_id
        ) AS roots JOIN concepts USING (concept_id)
        """
    )
    cursor.execute(
        """
        CREATE OR REPLACE TEMP TABLE numbered AS
        SELECT meanings.concept_id, node, turn FROM meanings JOIN linked ON linked.concept_id = root_id
        """
    )
    # Numbers alone until the edges are counted, and a range of causes at a time: strings and distinct counts of ten
    # million claims do not fit into memory. The best claim is the one that asserts, unhedged, with most confidence.
    cursor.execute(
        """
        CREATE OR REPLACE TEMP TABLE said AS
        SELECT claims.rowid AS best_row, source.node AS cause, target.node AS effect,
               CASE sign WHEN '+' THEN 1 WHEN '-' THEN -1 ELSE 0 END * source.turn * target.turn AS way,
               negated, hedged, evidence, confidence::FLOAT AS confidence,
               hash(document_id) AS document, hash(coalesce(origin_id, document_id)) AS origin, hash(quote) AS quote,
               (negated::UBIGINT << 62) + (hedged::UBIGINT << 61)
                   + (((1 - coalesce(confidence, 0)) * 1000000)::UBIGINT << 40) + (hash(claim_id) >> 24) AS worth
        FROM claims
        JOIN numbered AS source ON source.concept_id = cause_concept
        JOIN numbered AS target ON target.concept_id = effect_concept
        LEFT JOIN echoes USING (document_id)
        """
    )
    cursor.execute("CREATE OR REPLACE TEMP TABLE counted AS FROM edges LIMIT 0")
    cursor.execute("ALTER TABLE temp.counted ADD COLUMN best_row BIGINT")
    size = cursor.execute("SELECT count(*), coalesce(max(cause), 0)::BIGINT + 1 FROM said").fetchone()
    assert size is not None
    parts = 1 + size[0] // _CLAIMS_AT_ONCE
    terms = " + ".join(f"{float(weight)!r} * ({FEATURES[name]})" for name, weight in weights.items()) or "0.0"
    for part in range(parts):
        cursor.execute(
            f"""
            INSERT INTO temp.counted
            SELECT cause, effect, claims, documents, sources, positive, negative, unsigned, denied, hedged, experimental,
                   observational, opinion, elicited, measured, confidence, 1 / (1 + exp(-({terms}))), '', '', '', best_row
            FROM (
                SELECT cause, effect, count(*) AS claims, count(DISTINCT document) AS documents,
                       least(count(DISTINCT origin) FILTER (NOT negated),
                             count(DISTINCT quote) FILTER (NOT negated)) AS sources,
                       count(*) FILTER (NOT negated AND way > 0) AS positive,
                       count(*) FILTER (NOT negated AND way < 0) AS negative,
                       count(*) FILTER (NOT negated AND way = 0) AS unsigned,
                       count(*) FILTER (negated) AS denied, count(*) FILTER (NOT negated AND hedged) AS hedged,
                       count(*) FILTER (NOT negated AND evidence = 'experimental') AS experimental,
                       count(*) FILTER (NOT negated AND evidence = 'observational') AS observational,
                       count(*) FILTER (NOT negated AND evidence = 'opinion') AS opinion,
                       count(*) FILTER (NOT negated AND evidence = 'elicited') AS elicited,
                       count(*) FILTER (NOT negated AND evidence = 'measured') AS measured,
                       avg(confidence) FILTER (NOT negated) AS confidence, arg_min(best_row, worth) AS best_row
                FROM said WHERE cause <> effect AND cause >= ? AND cause < ? GROUP BY cause, effect
            )
            """,
            [size[1] * part // parts, size[1] * (part + 1) // parts],
        )
    cursor.execute(
        """
        INSERT INTO edges
        SELECT counted.* EXCLUDE (claim_id, document_id, quote, best_row), claims.claim_id, claims.document_id, claims.quote
        FROM temp.counted JOIN claims ON claims.rowid = best_row
        ORDER BY cause, credibility DESC, effect
        """
    )
    cursor.execute("INSERT INTO edges_by_effect FROM edges ORDER BY effect, credibility DESC, cause")
    cursor.execute(
        """
        INSERT INTO nodes
        SELECT node, concept_id, name, phrases, coalesce(outgoing, 0), coalesce(incoming, 0) FROM linked
        LEFT JOIN (SELECT cause AS node, count(*) AS outgoing FROM edges GROUP BY cause) USING (node)
        LEFT JOIN (SELECT effect AS node, count(*) AS incoming FROM edges GROUP BY effect) USING (node)
        ORDER BY node
        """
    )
    for table in ("linked", "numbered", "said", "counted"):
        cursor.execute(f"DROP TABLE temp.{table}")


def _conflicts(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(
        """
        INSERT INTO conflicts
        SELECT 'sign', cause, effect, positive, negative FROM edges WHERE positive > 0 AND negative > 0
        UNION ALL
        SELECT 'denied', cause, effect, claims - denied, denied FROM edges WHERE denied > 0 AND claims > denied
        UNION ALL
        SELECT 'direction', there.cause, there.effect, there.claims - there.denied, back.claims - back.denied
        FROM edges AS there JOIN edges AS back ON back.cause = there.effect AND back.effect = there.cause
        WHERE there.cause < there.effect AND there.claims > there.denied AND back.claims > back.denied
        ORDER BY ALL
        """
    )
