"""What a store of causal claims says about the variables of a case: hints about roles, each with quotes, and a graph.

Claims are what documents say, not what is so, and no store says everything: a hint nudges, it decides nothing, and an
arrow that is missing from the recalled graph means only that nobody was read to draw it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from leucippus.agents.ask import verb
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.finding import Citation
from leucippus.agents.inquiry.linking import Linked, link_columns
from leucippus.agents.inquiry.reader import Reading
from leucippus.agents.prior import ancestors, arrows_between, meanings
from leucippus.graphs.credibility import tier
from leucippus.graphs.dag import Graph
from leucippus.serving.encoder import Encode
from leucippus.store.database import Store
from leucippus.store.links import Link
from leucippus.store.paths import Step, paths
from leucippus.store.query import Edge, claims_by_id, effects
from leucippus.store.weave import not_woven

Role = Literal["confounder", "mediator", "collider", "instrument", "direct cause"]

_Pair = tuple[str, str]
"""A column that causes and one that is caused."""
_Cited = tuple[str, str, str, Role]
"""Claim id, what it is about, what to add, role."""
_MOST_EDGES, _MOST_CHAINS = 2000, 2000
_SURE = 0.8
_NUDGE: Mapping[Role, tuple[str, float]] = {
    "confounder": ("confounder", 2.0),
    "mediator": ("mediator", 2.0),
    "collider": ("after", 2.0),
    "direct cause": ("covariate", 2.0),
    "instrument": ("instrument", 1.5),  # it rests on what no document says
}
"""Hint → the reader's word for it, and what its odds are multiplied by."""


@dataclass(frozen=True, eq=False)
class Recalled:
    """What the store says. Empty where it is about other things."""

    citations: tuple[Citation, ...] = ()
    hints: Mapping[str, Role] = field(default_factory=dict)
    graph: Graph | None = None
    """The recalled claims among columns, with treatment → outcome; None where they say nothing of a third column."""


@dataclass(frozen=True)
class _Arrow:
    """One column is said to bring about another."""

    cause: str
    effect: str
    direct: bool
    """Said of the two columns; else over something that is no column."""
    strength: tuple[float, ...]
    """The more, the better supported; compared number by number."""
    outweighed: bool
    """More denied than said."""
    cited: tuple[tuple[str, str, str], ...]
    """Claim id, what it is about, what to add."""


def recall(store: Store, case: Case, treatment: str, outcome: str, encode: Encode | None = None) -> Recalled:
    """What the store says about the columns of a case, as roles around one treatment and one outcome.

    Confounder: said to cause both, directly or over one more step. Mediator: caused by the treatment, a cause of the
    outcome. Collider: caused by both. Instrument: said to cause the treatment, and nothing said that leads to the outcome
    but through the treatment. Direct cause: said to cause the outcome alone. A denial counts as no cause; it is cited
    beside what it contradicts, and outweighs it where more deny than affirm.

    The woven model is asked, in which phrases that mean the same are one and arrows are ranked by their credibility;
    where claims are not woven in yet, the claims themselves are, and documents are counted.

    Parameters
    ----------
    encode : sentences → vectors of shape (n, 384), asked only for columns that no concept's words match.

    Raises
    ------
    StoreError : the store cannot be read.
    """
    linked = link_columns(store, case, treatment, outcome, encode)
    if outcome not in linked:
        return Recalled()  # every role is one towards the outcome
    said = _unwoven if not_woven(store) else _woven
    names = [*dict.fromkeys((*case.by_name, treatment, outcome))]  # the two may be derived, no columns of the data
    offered: dict[_Pair, _Arrow] = {}
    for arrow in said(store, linked, treatment, outcome):
        offered.setdefault((arrow.cause, arrow.effect), arrow)
    arrows = _acyclic(offered, treatment, outcome, names)
    hints: dict[str, Role] = {}
    citations = [*_cited(arrows, [(treatment, outcome)], "direct cause")]
    for name in names:
        found = _role(name, arrows, offered, treatment, outcome) if name not in (treatment, outcome) else None
        if found is not None:
            hints[name] = found[0]
            citations += _cited(arrows, found[1], found[0])
    pairs = [pair for pair in arrows if pair != (treatment, outcome)]
    graph = None
    if pairs:
        used = {treatment, outcome, *(name for pair in pairs for name in pair)}
        graph = Graph(tuple(name for name in names if name in used), ((treatment, outcome), *pairs))
    return Recalled(tuple(_quoted(store, citations)), hints, graph)


def with_hints(reading: Reading, recalled: Recalled) -> Reading:
    """A reading in which the odds of each hinted role are multiplied by two (an instrument's by one and a half).

    A column whose role the words make clear, with a probability above 0.8, stays as it is.
    """
    roles = dict(reading.roles)
    for name, hint in recalled.hints.items():
        own = roles.get(name, {})
        role, factor = _NUDGE[hint]
        if role in own and max(own.values()) <= _SURE:
            total = 1 + (factor - 1) * own[role]
            roles[name] = {one: p * (factor if one == role else 1.0) / total for one, p in own.items()}
    return replace(reading, roles=roles)


def _woven(store: Store, linked: Mapping[str, tuple[Linked, ...]], treatment: str, outcome: str) -> Iterator[_Arrow]:
    """What the woven model says; ways over an unmeasured concept only to the treatment or the outcome."""
    for arrow in arrows_between(store, meanings(linked)):
        pair = f"{arrow.cause} → {arrow.effect}"
        said = [link for link in arrow.links if link.asserted]
        if arrow.through is not None:
            if arrow.effect in (treatment, outcome) and arrow.cause not in (treatment, outcome):
                cited = tuple(
                    (link.support.claim_id, pair, _supported(link, link.claims, link.documents)) for link in said
                )
                yield _Arrow(arrow.cause, arrow.effect, False, (0, arrow.credibility), False, cited)
        elif said:
            best = max(said, key=lambda link: link.credibility)
            documents = max(one.documents for one in arrow.links)
            against = f", contradicted by {arrow.denied} claim{'s'[: arrow.denied != 1]}" if arrow.denied else ""
            cited = ((best.support.claim_id, pair, _supported(best, arrow.claims, documents) + against),)
            denial = next((row.claim.claim_id for row in arrow.evidence if row.claim.negated), None)
            if denial is not None:
                cited += ((denial, f"against {pair}", "a denial"),)
            yield _Arrow(arrow.cause, arrow.effect, True, (1, arrow.credibility), arrow.outweighed, cited)


def _supported(link: Link, claims: int, documents: int) -> str:
    return f"{_many(claims, documents)}, {tier(link)}"


def _unwoven(store: Store, linked: Mapping[str, tuple[Linked, ...]], treatment: str, outcome: str) -> Iterator[_Arrow]:
    """What the claims say, phrase by phrase."""
    ids = {name: tuple(one.concept_id for one in several) for name, several in linked.items()}
    yield from _direct(store, ids)
    yield from _chains(store, ids, treatment, outcome)


def _direct(store: Store, linked: Mapping[str, tuple[str, ...]]) -> Iterator[_Arrow]:
    every = sorted({one for ids in linked.values() for one in ids})
    for cause, ids in linked.items():
        edges = effects(store, ids, among=every, limit=_MOST_EDGES, support=1)
        for effect, others in linked.items():
            about = [edge for edge in edges if edge.concept_id in others and effect != cause]
            said, denied = (tuple(edge for edge in about if edge.negated is negated) for negated in (False, True))
            if said:
                yield _counted(f"{cause} → {effect}", cause, effect, said, denied)


def _counted(pair: str, cause: str, effect: str, said: Sequence[Edge], denied: Sequence[Edge]) -> _Arrow:
    claims, documents = sum(edge.claims for edge in said), sum(edge.documents for edge in said)
    no, deniers = sum(edge.claims for edge in denied), sum(edge.documents for edge in denied)
    against = f", contradicted by {_many(no, deniers)}" if no else ""
    cited = [(said[0].support[0].claim_id, pair, f"{_many(claims, documents)}{against}")]
    if denied:
        cited.append((denied[0].support[0].claim_id, f"against {pair}", "a denial"))
    return _Arrow(cause, effect, True, (1, documents, claims), documents < deniers, tuple(cited))


def _chains(store: Store, linked: Mapping[str, tuple[str, ...]], treatment: str, outcome: str) -> Iterator[_Arrow]:
    """Two claims in a row that lead to the treatment or the outcome over something that is no column."""
    for target in (treatment, outcome):
        if target not in linked:
            continue
        # `paths` goes through none of its starts: giving it all columns keeps the treatment out of the way.
        sources = sorted({one for name, ids in linked.items() if name != target for one in ids})
        seen: set[str] = set()
        for chain in paths(store, sources, linked[target], max_hops=2, limit=_MOST_CHAINS):
            for name in linked:
                starts_here = chain[0].cause_id in linked[name]
                if len(chain) == 2 and starts_here and name not in (treatment, outcome, *seen):
                    seen.add(name)
                    yield _stepped(name, target, chain)


def _stepped(cause: str, effect: str, chain: Sequence[Step]) -> _Arrow:
    weakest = (0, min(step.documents for step in chain), min(step.claims for step in chain))
    pair = f"{cause} → {effect}"
    cited = tuple((step.support.claim_id, pair, _many(step.claims, step.documents)) for step in chain)
    return _Arrow(cause, effect, False, weakest, False, cited)


def _acyclic(
    offered: Mapping[_Pair, _Arrow], treatment: str, outcome: str, names: Sequence[str]
) -> dict[_Pair, _Arrow]:
    """The arrows, best supported first, that close no circle with treatment → outcome and those before them.

    Where as much is said for one direction as for the other, neither is taken.
    """
    at = {name: place for place, name in enumerate(names)}
    kept: dict[_Pair, _Arrow] = {}
    above: dict[str, set[str]] = {outcome: {treatment}}
    for (cause, effect), arrow in sorted(
        offered.items(), key=lambda one: ([-part for part in one[1].strength], at[one[0][0]], at[one[0][1]])
    ):
        back = offered.get((effect, cause))
        undecided = back is not None and back.strength == arrow.strength and {cause, effect} != {treatment, outcome}
        if not arrow.outweighed and not undecided and effect not in ancestors(above, cause):
            kept[cause, effect] = arrow
            above.setdefault(effect, set()).add(cause)
    return kept


def _role(
    name: str, arrows: Mapping[_Pair, _Arrow], offered: Mapping[_Pair, _Arrow], treatment: str, outcome: str
) -> tuple[Role, list[_Pair]] | None:
    """A column's role, and the arrows that make it."""
    to_treatment, to_outcome = _ways(name, treatment, arrows, outcome), _ways(name, outcome, arrows, treatment)
    caused = (treatment, name) in arrows
    if caused and (outcome, name) in arrows:
        return "collider", [(treatment, name), (outcome, name)]
    if caused and (name, outcome) in arrows:
        return "mediator", [(treatment, name), (name, outcome)]
    if caused or (outcome, name) in arrows:
        return None
    if to_treatment and to_outcome:
        return "confounder", [*to_treatment, *to_outcome]
    if to_outcome == [(name, outcome)] and arrows[name, outcome].direct:
        return "direct cause", to_outcome
    # Anything ever said of another way counts against an instrument, and silence only where the outcome's causes are told.
    above: dict[str, set[str]] = {}
    for cause, effect in offered:
        if treatment not in (cause, effect):
            above.setdefault(effect, set()).add(cause)
    spoken_of = any(effect == outcome for _, effect in arrows)
    if (name, treatment) in arrows and spoken_of and name not in ancestors(above, outcome):
        return "instrument", [(name, treatment)]
    return None


def _ways(name: str, target: str, arrows: Mapping[_Pair, _Arrow], barred: str) -> list[_Pair]:
    """The shortest way from a column to another in at most two claims, not through `barred`."""
    if (name, target) in arrows:
        return [(name, target)]
    direct = [pair for pair, arrow in arrows.items() if arrow.direct]
    through = (effect for cause, effect in direct if cause == name and effect != barred and (effect, target) in direct)
    return next(([(name, one), (one, target)] for one in through), [])


def _cited(arrows: Mapping[_Pair, _Arrow], pairs: Iterable[_Pair], role: Role) -> Iterator[_Cited]:
    for pair in pairs:
        if pair in arrows:
            for claim_id, about, added in arrows[pair].cited:
                yield claim_id, about, added, role


def _quoted(store: Store, cited: Sequence[_Cited]) -> Iterator[Citation]:
    rows = {row.claim.claim_id: row for row in claims_by_id(store, sorted({claim_id for claim_id, *_ in cited}))}
    for claim_id, about, added, role in dict.fromkeys(cited):
        row = rows[claim_id]
        said = f"{row.claim.cause} {verb(row.claim.sign, row.claim.negated)} {row.claim.effect}"
        hedged = ", hedged" if row.claim.hedged else ""
        yield Citation(f"{about}: {said} ({added}{hedged})", row.claim.quote, row.title or row.uri, role)


def _many(claims: int, documents: int) -> str:
    return f"{claims} claim{'s'[: claims != 1]} in {documents} document{'s'[: documents != 1]}"
