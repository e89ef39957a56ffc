"""Chains of claims from one concept to another. Knows what is claimed, not whether it adds up to a cause."""

from collections.abc import Sequence
from dataclasses import dataclass

from leucippus.store.database import Store
from leucippus.store.query import Support
from leucippus.store.triples import Sign

# Work is bounded by what is kept a hop, however many neighbours a concept has: the best supported are followed.
_EDGES_A_HOP = 5000
_CHAINS_A_HOP = 1000


@dataclass(frozen=True)
class Step:
    """One edge of a chain and the claim that supports it best, whose sign it bears."""

    cause_id: str
    cause: str
    effect_id: str
    effect: str
    sign: Sign
    claims: int
    documents: int
    support: Support


def paths(
    store: Store, from_ids: Sequence[str], to_ids: Sequence[str], *, max_hops: int = 3, limit: int = 5
) -> list[tuple[Step, ...]]:
    """Directed chains without a repeated concept over claims that are not negated.

    Shortest first; among equals the chain whose weakest step has most documents. A shortest chain is found if there is
    one of at most `max_hops` steps.
    """
    sources, targets = list(dict.fromkeys(from_ids)), list(dict.fromkeys(to_ids))
    hops_left = _hops_to(store, sources, targets, max_hops)
    chains: list[tuple[Step, ...]] = []
    open_chains: list[tuple[Step, ...]] = [()]
    for hop in range(1, max_hops + 1):
        ends = sorted({chain[-1].effect_id for chain in open_chains if chain}) if hop > 1 else sources
        useful = [concept for concept, left in hops_left.items() if left <= max_hops - hop]
        if not ends or not useful:
            break
        by_cause: dict[str, list[Step]] = {}
        for step in _steps(store, ends, useful):
            by_cause.setdefault(step.cause_id, []).append(step)
        longer = []
        for chain in open_chains:
            seen = {concept for step in chain for concept in (step.cause_id, step.effect_id)}
            for end in [chain[-1].effect_id] if chain else sources:
                longer += [
                    (*chain, step)
                    for step in by_cause.get(end, ())
                    if step.effect_id not in seen and step.effect_id not in sources
                ]
        longer.sort(key=_strength)
        chains += [chain for chain in longer if chain[-1].effect_id in targets]
        if len(chains) >= limit:
            break
        open_chains = [chain for chain in longer if chain[-1].effect_id not in targets][:_CHAINS_A_HOP]
    return chains[:limit]


def _strength(chain: tuple[Step, ...]) -> tuple[object, ...]:
    return (
        -min(step.documents for step in chain),
        -min(step.claims for step in chain),
        [step.effect_id for step in chain],
    )


def _hops_to(store: Store, sources: Sequence[str], targets: Sequence[str], max_hops: int) -> dict[str, int]:
    """How many hops each concept is from a target, up to max_hops - 1: every chain kept can still arrive."""
    hops_left = dict.fromkeys(targets, 0)
    frontier = list(targets)
    for hops in range(1, max_hops):
        rows = store.rows(
            """
            SELECT DISTINCT cause_concept FROM claims
            WHERE NOT negated AND effect_concept IN (SELECT unnest($1::VARCHAR[]))
            """,
            [frontier],
        )
        frontier = [concept for (concept,) in rows if concept not in hops_left and concept not in sources]
        if not frontier:
            break
        hops_left |= dict.fromkeys(frontier, hops)
    return hops_left


def _steps(store: Store, causes: Sequence[str], effects: Sequence[str]) -> list[Step]:
    rows = store.rows(
        """
        WITH edges AS (
            SELECT cause_concept, effect_concept, count(*) AS claims, count(DISTINCT document_id) AS documents,
                   arg_min((sign, (claim_id, document_id, quote)), (hedged, -coalesce(confidence, 0), claim_id)) AS best
            FROM claims
            WHERE NOT negated AND cause_concept <> effect_concept
              AND cause_concept IN (SELECT unnest($1::VARCHAR[]))
              AND effect_concept IN (SELECT unnest($2::VARCHAR[]))
            GROUP BY ALL ORDER BY documents DESC, claims DESC, cause_concept, effect_concept LIMIT $3
        )
        SELECT cause_concept, cause.name, effect_concept, effect.name, best, claims, documents
        FROM edges
        JOIN concepts AS cause ON cause.concept_id = cause_concept
        JOIN concepts AS effect ON effect.concept_id = effect_concept
        ORDER BY documents DESC, claims DESC, cause_concept, effect_concept
        """,
        [list(causes), list(effects), _EDGES_A_HOP],
    )
    return [
        Step(cause_id, cause, effect_id, effect, Sign(sign), claims, documents, Support(*quoted))
        for cause_id, cause, effect_id, effect, (sign, quoted), claims, documents in rows
    ]
