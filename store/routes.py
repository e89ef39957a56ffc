"""Routes from one concept to another over the woven edges, and the claims behind an edge.

A route is as credible as all of its links together: the product of their credibilities, the probability that every one
holds if they hold independently of each other. A product never grows with another link, so the search can go best
first from both ends and leave out what can no longer come near the routes already found. (The weakest link alone would
not tell four links of 0.9 from one.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Literal

from leucippus.store.database import Store
from leucippus.store.links import Link, link_of, names_of
from leucippus.store.triples import Sign

BEAM = 2000
"""Edges that are followed a hop and side, the most credible ways first, however many neighbours a concept has."""
MOST_HOPS = 4
_CHAINS_A_NODE = 2
"""Ways to a concept that are kept: the second best serves where the best one has met the other side before."""
_LITERALS = 500
"""Numbers in a condition from which DuckDB gains nothing by skipping what cannot hold them."""
_FEW = 60
"""Edges that are looked up one by one."""
_PER_WAY = 2
"""Claims of each way of an edge that are shown."""

_Side = Literal["cause", "effect"]
_Chain = tuple[float, tuple[int, ...]]
"""Product of credibilities; the nodes, from the end it began at outwards."""
_Layer = dict[int, list[_Chain]]


@dataclass(frozen=True)
class Route:
    """A chain of links, each of which begins where the one before ends; no concept is met twice."""

    links: tuple[Link, ...]

    @property
    def score(self) -> float:
        """The product of the links' credibilities."""
        return prod(link.credibility for link in self.links)

    @property
    def sign(self) -> Sign:
        """The signs multiplied: what reduces what reduces, increases. None as soon as one link has no clear sign."""
        signs = [clear_sign(link) for link in self.links]
        if Sign.NONE in signs:
            return Sign.NONE
        return Sign.NEGATIVE if signs.count(Sign.NEGATIVE) % 2 else Sign.POSITIVE

    @property
    def weakest(self) -> Link:
        """The link of the lowest credibility; of equals the first."""
        return min(self.links, key=lambda link: link.credibility)


def clear_sign(link: Link) -> Sign:
    """A link's sign; none where as many claims deny the link or bear the other sign as bear this one."""
    with_it, against = max(link.positive, link.negative), min(link.positive, link.negative) + link.denied
    return link.sign if with_it > against else Sign.NONE


def why(
    store: Store, cause_ids: Sequence[str], effect_ids: Sequence[str], *, max_hops: int = 4, limit: int = 5
) -> list[Route]:
    """Routes from any of the first roots to any of the second, the highest score first, of equals the shorter.

    Edges that are only denied are no way, and no route goes through another of the given concepts. Of the routes of one
    or two links the best are always among those found. The best of longer ones too, as long as at each step fewer than
    `BEAM` edges lead on from one of the two sides: the search goes on there, and a hub on the other side is only asked
    whether it is met. Where more lead on from both, the `BEAM` most credible ways are followed and a route may be
    missed. One of the shortest routes found is always given.

    Parameters
    ----------
    max_hops : links of a route, 1 to `MOST_HOPS`.

    Raises
    ------
    ValueError : `max_hops` is out of its range.
    """
    if not 1 <= max_hops <= MOST_HOPS:
        raise ValueError(f"max_hops is {max_hops}, expected 1 to {MOST_HOPS}")
    numbers = _numbers(store, [*cause_ids, *effect_ids])
    causes = sorted({numbers[one][0] for one in cause_ids if one in numbers})
    effects = sorted({numbers[one][0] for one in effect_ids if one in numbers}.difference(causes))
    if not causes or not effects or limit < 1:
        return []
    wide: dict[_Side, int] = {
        "cause": sum(outgoing for node, outgoing, _ in numbers.values() if node in causes),
        "effect": sum(incoming for node, _, incoming in numbers.values() if node in effects),
    }
    return _routes(store, (nodes for _, nodes in _search(store, causes, effects, wide, max_hops, limit)))


def bridges(store: Store, concept_ids: Sequence[str]) -> list[Route]:
    """For each ordered pair of these roots the best route of two links over a concept that is none of them.

    The highest score first. What is denied more often than it is said is no way here.
    """
    numbers = sorted(number for number, *_ in _numbers(store, concept_ids).values())
    if len(numbers) < 2:
        return []
    listed = _listed(numbers)
    found = store.rows(
        f"""
        SELECT arg_max([there.cause, there.effect, onward.effect]::BIGINT[], there.credibility * onward.credibility)
        FROM edges AS there JOIN edges_by_effect AS onward ON onward.cause = there.effect
        WHERE there.cause IN ({listed}) AND onward.effect IN ({listed}) AND there.effect NOT IN ({listed})
          AND onward.cause NOT IN ({listed}) AND there.cause <> onward.effect
          AND there.claims >= 2 * there.denied AND onward.claims >= 2 * onward.denied
        GROUP BY there.cause, onward.effect
        """
    )
    return sorted(_routes(store, [tuple(nodes) for (nodes,) in found]), key=lambda route: -route.score)


@dataclass(frozen=True)
class Behind:
    """One claim behind an edge. `way`: +1, −1 or 0 as the roots have it, turns of phrases taken in."""

    claim_id: str
    way: int
    negated: bool


def claims_behind(store: Store, links: Sequence[Link]) -> dict[tuple[str, str], list[Behind]]:
    """(cause id, effect id) of each link → its claims, denials last, the surest first; at most two of each way."""
    rows = store.rows(
        """
        WITH asked AS (SELECT unnest($causes::VARCHAR[]) AS cause_id, unnest($effects::VARCHAR[]) AS effect_id)
        SELECT cause_id, effect_id, claim_id, way, negated FROM (
            SELECT cause_id, effect_id, claim_id, negated, hedged, confidence,
                   CASE sign WHEN '+' THEN 1 WHEN '-' THEN -1 ELSE 0 END * source.turn * target.turn AS way
            FROM claims JOIN meanings AS source ON source.concept_id = cause_concept
            JOIN meanings AS target ON target.concept_id = effect_concept
            JOIN asked ON cause_id = source.root_id AND effect_id = target.root_id
        )
        QUALIFY row_number() OVER (
            PARTITION BY cause_id, effect_id, way, negated ORDER BY hedged, coalesce(confidence, 0) DESC, claim_id
        ) <= $most
        ORDER BY negated, hedged, coalesce(confidence, 0) DESC, claim_id
        """,
        {
            "causes": [link.cause_id for link in links],
            "effects": [link.effect_id for link in links],
            "most": _PER_WAY,
        },
    )
    found: dict[tuple[str, str], list[Behind]] = {}
    for cause_id, effect_id, claim_id, way, negated in rows:
        found.setdefault((cause_id, effect_id), []).append(Behind(claim_id, int(way), negated))
    return found


def meanings_of(store: Store, concept_ids: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Concept id → its root, and how it turns it; what is not woven yet means itself."""
    rows = store.rows(
        """
        SELECT concept_id, root_id, turn FROM (SELECT DISTINCT unnest($1::VARCHAR[]) AS concept_id)
        JOIN meanings USING (concept_id)
        """,
        [list(concept_ids)],
    )
    found = {concept_id: (root_id, int(turn)) for concept_id, root_id, turn in rows}
    return {concept: found.get(concept, (concept, 1)) for concept in concept_ids}


def _numbers(store: Store, concept_ids: Iterable[str]) -> dict[str, tuple[int, int, int]]:
    """Root → its number, and how many edges lead out of it and into it."""
    wanted = sorted(set(concept_ids))
    places = ", ".join(f"${at + 1}" for at in range(len(wanted))) or "NULL"
    rows = store.rows(
        f"SELECT concept_id, node, outgoing, incoming FROM nodes WHERE concept_id IN ({places})", list(wanted)
    )
    return {concept_id: (node, outgoing, incoming) for concept_id, node, outgoing, incoming in rows}


def _search(
    store: Store, causes: Sequence[int], effects: Sequence[int], wide: dict[_Side, int], max_hops: int, limit: int
) -> list[_Chain]:
    """The best chains. Beyond two links, each step is taken from the narrower side, and then both sides are joined."""
    ends = {*causes, *effects}
    layers: dict[_Side, _Layer] = {
        "cause": {node: [(1.0, (node,))] for node in causes},
        "effect": {node: [(1.0, (node,))] for node in effects},
    }
    found = _joined(store, layers, 0.0)
    if max_hops > 1:
        found += _over_one(store, causes, effects, limit)
    for hops in range(3, max_hops + 1):
        for _ in range(2 if hops == 3 else 1):
            side: _Side = "cause" if wide["cause"] <= wide["effect"] else "effect"
            layer, whole = _further(store, side, layers[side], ends, _floor(found, limit))
            if not whole:  # a hub in between: from the other side it may be one concept among few
                other: _Side = "effect" if side == "cause" else "cause"
                beyond, other_whole = _further(store, other, layers[other], ends, _floor(found, limit))
                side, layer = (other, beyond) if other_whole else (side, layer)
            layers[side], wide[side] = layer, len(layer)
        found += _joined(store, layers, _floor(found, limit))
    return _best(found, limit)


def _further(store: Store, side: _Side, layer: _Layer, ends: set[int], floor: float) -> tuple[_Layer, bool]:
    """The layer one edge further away from its end, and whether all of it is there."""
    table, far = ("edges", "effect") if side == "cause" else ("edges_by_effect", "cause")
    if not layer:
        return {}, True
    rows = store.rows(
        f"""
        SELECT {side}, {far}, credibility
        FROM {table} JOIN (SELECT unnest($nodes::UINTEGER[]) AS node, unnest($scores::DOUBLE[]) AS score) ON node = {side}
        WHERE {_among(side, layer)} AND {far} NOT IN ({_listed(ends)}) AND claims > denied
          AND credibility * score >= $floor
        ORDER BY credibility * score DESC, {far}, {side} LIMIT $most
        """,
        {**_scored(layer, "nodes", "scores"), "floor": floor, "most": BEAM},
    )
    beyond: _Layer = {}
    for near, node, credibility in rows:
        ways = [(score * credibility, (*nodes, node)) for score, nodes in layer[near] if node not in nodes]
        if ways:  # the best one over this neighbour; another neighbour gives the second
            beyond.setdefault(node, []).append(ways[0])
    kept = {node: sorted(ways, reverse=True)[:_CHAINS_A_NODE] for node, ways in beyond.items()}
    return kept, len(rows) < BEAM


def _joined(store: Store, layers: dict[_Side, _Layer], floor: float) -> list[_Chain]:
    """Chains over one edge from the one layer to the other."""
    there, back = layers["cause"], layers["effect"]
    if not there or not back:
        return []
    table = "edges" if len(there) <= len(back) else "edges_by_effect"
    rows = store.rows(
        f"""
        SELECT cause, effect, credibility
        FROM {table} JOIN (SELECT unnest($causes::UINTEGER[]) AS node, unnest($before::DOUBLE[]) AS before)
            AS there ON there.node = cause
        JOIN (SELECT unnest($effects::UINTEGER[]) AS node, unnest($after::DOUBLE[]) AS after) AS back ON back.node = effect
        WHERE {_among("cause", there)} AND {_among("effect", back)} AND claims > denied
          AND credibility * before * after >= $floor
        ORDER BY credibility * before * after DESC, cause, effect LIMIT $most
        """,
        {
            **_scored(there, "causes", "before"),
            **_scored(back, "effects", "after"),
            "floor": floor,
            "most": BEAM,
        },
    )
    return [
        (score * credibility * rest, (*nodes, *reversed(onward)))
        for cause, effect, credibility in rows
        for score, nodes in there[cause]
        for rest, onward in back[effect]
        if not {*nodes} & {*onward}
    ]


def _over_one(store: Store, causes: Sequence[int], effects: Sequence[int], limit: int) -> list[_Chain]:
    """The best chains of two links: all of them are looked at, however many neighbours both ends have."""
    one, other = _listed(causes), _listed(effects)
    rows = store.rows(
        f"""
        SELECT there.credibility::DOUBLE * onward.credibility AS score, there.cause, there.effect, onward.effect
        FROM edges AS there JOIN edges_by_effect AS onward ON onward.cause = there.effect
        WHERE there.cause IN ({one}) AND onward.effect IN ({other}) AND there.effect NOT IN ({one}, {other})
          AND onward.cause NOT IN ({one}, {other}) AND there.claims > there.denied AND onward.claims > onward.denied
        ORDER BY score DESC, there.effect, there.cause, onward.effect LIMIT $limit
        """,
        {"limit": limit},
    )
    return [(score, (cause, between, effect)) for score, cause, between, effect in rows]


def _best(found: list[_Chain], limit: int) -> list[_Chain]:
    ranked = sorted(set(found), key=lambda chain: (-chain[0], len(chain[1]), chain[1]))
    kept = ranked[:limit]
    if kept:
        shortest = min(ranked, key=lambda chain: len(chain[1]))
        if all(len(nodes) > len(shortest[1]) for _, nodes in kept):
            kept[-1] = shortest
    return kept


def _floor(found: list[_Chain], limit: int) -> float:
    """What a further route has to reach. A little less than the worst of those kept: sums of rounding go both ways."""
    scores = sorted({nodes: score for score, nodes in found}.values(), reverse=True)
    return scores[limit - 1] * (1 - 1e-6) if len(scores) >= limit else 0.0


def _routes(store: Store, chains: Iterable[tuple[int, ...]]) -> list[Route]:
    chains = list(chains)
    pairs = {pair for nodes in chains for pair in pairwise(nodes)}
    if not pairs:
        return []
    if len(pairs) <= _FEW:  # each look-up skips all but one corner of its table (store/links.py says more)
        edges = [f"cause = {int(cause)} AND effect = {int(effect)}" for cause, effect in sorted(pairs)]
        names = names_of(store, {node for pair in pairs for node in pair})
    else:
        causes, effects = ({pair[at] for pair in pairs} for at in (0, 1))
        edges = [f"{_among('cause', causes)} AND {_among('effect', effects)}"]
        named = store.rows(f"SELECT node, concept_id, name FROM nodes WHERE {_among('node', causes | effects)}")
        names = {node: words for node, *words in named}
    links = {
        (row[0], row[1]): link_of([*names[row[0]], *names[row[1]], *row[2:]])
        for row in store.rows(" UNION ALL ".join(f"SELECT * FROM edges WHERE {condition}" for condition in edges))
        if row[:2] in pairs
    }
    return [Route(tuple(links[pair] for pair in pairwise(nodes))) for nodes in chains]


def _scored(layer: _Layer, nodes: str, scores: str) -> dict[str, list[int] | list[float]]:
    return {nodes: list(layer), scores: [ways[0][0] for ways in layer.values()]}


def _among(column: Literal["cause", "effect", "node"], numbers: Iterable[int]) -> str:
    """A condition by which DuckDB skips what cannot hold these; of very many, their range."""
    listed = sorted(numbers)
    if len(listed) > _LITERALS:
        return f"{column} BETWEEN {listed[0]} AND {listed[-1]}"
    return f"{column} IN ({_listed(listed)})"


def _listed(numbers: Iterable[int]) -> str:
    """Numbers of nodes as SQL: ours, never data."""
    return ", ".join(str(int(number)) for number in numbers)
