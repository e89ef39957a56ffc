"""A question in plain words → linked concepts → woven edges and routes → an answer made of rows.

No model is asked: every statement of an answer counts claims and carries their quotes. What the store does not
hold is said to be missing, never filled in. Where claims are not woven in yet, the claims themselves answer, phrase by
phrase, and the answer says so.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from leucippus.agents.cues import find_cues
from leucippus.agents.lexicon import Direction
from leucippus.errors import InputError
from leucippus.graphs.credibility import tier
from leucippus.serving.encoder import Encode
from leucippus.store.concepts import concept_words, singular
from leucippus.store.database import Store
from leucippus.store.links import Link, causes_of, effects_of, links_between, roots
from leucippus.store.paths import Step, paths
from leucippus.store.query import ClaimRow, Edge, causes, claims_by_id, effects
from leucippus.store.routes import Behind, Route, claims_behind, why
from leucippus.store.search import ConceptHit, PassageHit, find_concepts, nearest_concepts, search_passages
from leucippus.store.triples import Sign
from leucippus.store.weave import not_woven

_CONCEPTS_A_PHRASE = 1000
_EDGES = 12
_MENTIONS = 3
_QUOTES_AN_EDGE = 3
_NEAR_ENOUGH = 0.55  # cosine of MiniLM vectors; below it, phrases seldom name one thing
_ROUTES = 5


class Wanted(StrEnum):
    CAUSES = "causes"
    EFFECTS = "effects"
    LINK = "link"
    BOTH = "both"


@dataclass(frozen=True)
class Question:
    """What is asked, and of which phrases: the cause's, the effect's or both."""

    text: str
    wanted: Wanted
    cause: str | None
    effect: str | None


@dataclass(frozen=True)
class Statement:
    """One sentence of an answer with the claims it rests on, best first. `edge` counts them all, or a woven `link`
    does; a chain over woven edges is a `route`."""

    text: str
    edge: Edge | None
    evidence: tuple[ClaimRow, ...]
    link: Link | None = None
    route: Route | None = None


@dataclass(frozen=True)
class AskAnswer:
    """`concepts` are those the question was linked to; `statements` is empty when the store holds nothing.

    `mentions` are then passages with the words of the question: nothing is claimed in them, but a reader may look.
    """

    question: Question
    concepts: tuple[ConceptHit, ...]
    statements: tuple[Statement, ...]
    chains: tuple[Statement, ...]
    note: str
    mentions: tuple[PassageHit, ...] = ()


def ask(store: Store, text: str, encode: Encode | None = None) -> AskAnswer:
    """Answer `text` from the claims in `store`.

    Parameters
    ----------
    encode : sentences → vectors of shape (n, 384), asked only for a phrase that no concept's words match.

    Raises
    ------
    InputError : the question is empty.
    """
    return answer(store, understand(text), encode)


def answer(store: Store, question: Question, encode: Encode | None = None) -> AskAnswer:
    """As `ask`, for a question that is already understood."""
    linked = {phrase: link(store, phrase, encode) for phrase in (question.cause, question.effect) if phrase is not None}
    hits = tuple(dict.fromkeys(hit for found in linked.values() for hit in found))
    missing = [phrase for phrase, found in linked.items() if not found]
    if missing:
        named = " and ".join(repr(phrase) for phrase in missing)
        note = f"Nothing in this store is about {named}."
        return AskAnswer(question, hits, (), (), note, _mentions(store, linked))
    cause = [hit.concept_id for hit in linked[question.cause]] if question.cause else []
    effect = [hit.concept_id for hit in linked[question.effect]] if question.effect else []
    if question.wanted is Wanted.LINK and (both := set(cause) & set(effect)):
        # "Do floods cause flood damage?": the wider phrase gives way where it has a meaning of its own left.
        if set(cause) - both:
            cause = [concept for concept in cause if concept not in both]
        else:
            effect = [concept for concept in effect if concept not in both]
    left_out = not_woven(store)
    if left_out:
        edges, chains = _look_up(store, question, cause, effect)
        statements = tuple(_statement(store, *edge) for edge in edges)
        chain_statements = tuple(_chain(store, chain) for chain in chains)
    else:
        statements, chain_statements = _woven(store, question, roots(store, cause), roots(store, effect))
    if statements or chain_statements:
        notes = [f"Only the {_EDGES} best supported are shown."] if len(statements) == _EDGES else []
        if left_out:
            notes.append(
                f"{_many(left_out, 'claim')} {'is' if left_out == 1 else 'are'} not woven in, so phrases that mean the same are apart here: "
                "`leucippus lcm weave` brings them together."
            )
        return AskAnswer(question, hits, statements, chain_statements, " ".join(notes))
    return AskAnswer(question, hits, (), (), "Nothing in this store answers that.", _mentions(store, linked))


def _mentions(store: Store, phrases: Iterable[str]) -> tuple[PassageHit, ...]:
    return tuple(search_passages(store, " ".join(phrases), limit=_MENTIONS))


def understand(text: str) -> Question:
    """Which causes or effects are asked for. Words only: the first causal expression of the question parts it."""
    asked = " ".join(text.split()).rstrip("?!. ")
    if not asked:
        raise InputError("The question is empty.", expected="a question such as: What causes power outages?")
    for pattern in _LINKS:
        if found := pattern.search(asked):
            return Question(text, Wanted.LINK, _topic(found[1]) or found[1], _topic(found[2]) or found[2])
    why = re.match(r"why\b", asked, re.IGNORECASE) is not None
    # "What did the charge reduce" lacks the object by which the lexicon knows the verb.
    for cue in find_cues(f"{asked} it" if _ASKS_OBJECT.match(asked) else asked):
        before, after = _topic(asked[: cue.start]), _topic(asked[cue.end :])
        if _ASKS_SUBJECT.match(asked):
            before = ""  # "which policies", "the main cause": what is asked for, not what is known
        if cue.cue.direction is Direction.BACKWARD:
            before, after = after, before
        if before and after:
            return Question(text, Wanted.LINK, before, after)
        if why:
            break  # "Why are the drains blocked" asks for causes, whatever its verb joins
        if cue.cue.direction is Direction.EITHER and (before or after):
            return Question(text, Wanted.BOTH, before or after, before or after)
        if after:
            return Question(text, Wanted.CAUSES, None, after)
        if before:
            return Question(text, Wanted.EFFECTS, before, None)
    topic = _topic(asked) or asked
    return Question(text, Wanted.CAUSES, None, topic) if why else Question(text, Wanted.BOTH, topic, topic)


_LINKS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:effects?|impact|influence) of (.+?) on (.+)",
        r"\b(?:effects?|impact|influence|role) (?:do|does|did|will|would|can|could) (.+?) (?:have|play) (?:on|in) (.+)",
        r"\b(?:link|relationship|connection|association|correlation) between (.+?) and (.+)",
    )
]
_DO = r"(?:do|does|did|can|could|will|would|may|might|should)"
_ASKS_OBJECT = re.compile(rf"what {_DO}\b", re.IGNORECASE)
_ASKS_SUBJECT = re.compile(rf"(?:what|which|who)\b(?! {_DO}\b| happen)", re.IGNORECASE)
_QUESTION_WORDS = frozenset(
    "what which who why how when where does do did is are was were can could will would should has have had be been"
    " the a an of to in on for so such there it its this that these those any some things factors reasons happens"
    " happen most mainly really actually please tell me about and or not".split()
)


def _topic(words: str) -> str:
    """`words` without what only asks, at either end; empty if nothing else is there."""
    kept = words.strip(" ,;:'\"").split()
    while kept and kept[0].casefold().strip("',\"") in _QUESTION_WORDS:
        kept.pop(0)
    while kept and kept[-1].casefold().strip("',\"") in _QUESTION_WORDS:
        kept.pop()
    return " ".join(kept)


def link(store: Store, phrase: str, encode: Encode | None = None) -> list[ConceptHit]:
    """The concepts a phrase means: those that contain all its words, else the best by words, else the nearest.

    Raises
    ------
    InputError : the phrase is empty.
    """
    phrase = phrase.encode("utf-8", "replace").decode()  # an argument that is not UTF-8 reaches us in half surrogates
    if not phrase.strip():
        raise InputError("The phrase is empty.", expected="a cause or an effect, such as: power outages")
    hits = find_concepts(store, phrase, limit=_CONCEPTS_A_PHRASE)
    wanted = _words(phrase)
    whole = [hit for hit in hits if wanted <= _words(hit.name)]
    if whole:
        return whole
    if encode is not None:
        near = nearest_concepts(store, encode([phrase])[0].tolist(), limit=5)
        if found := [hit for hit in near if hit.score >= _NEAR_ENOUGH]:
            return found
    # Half of the words and more: "asthma hospital admissions" finds "asthma admissions", not "hospital".
    return [hit for hit in hits if 2 * len(wanted & _words(hit.name)) > len(wanted)]


def _words(phrase: str) -> frozenset[str]:
    words = frozenset(singular(word) for word in concept_words(phrase))
    return words - _QUESTION_WORDS or words


def _look_up(
    store: Store, question: Question, cause: Sequence[str], effect: Sequence[str]
) -> tuple[list[tuple[Wanted, Edge]], list[tuple[Step, ...]]]:
    if question.wanted is Wanted.LINK:
        direct = effects(store, cause, among=effect, limit=_EDGES, support=_QUOTES_AN_EDGE)
        chains = paths(store, cause, effect) if cause and effect else []
        return [(Wanted.EFFECTS, edge) for edge in direct], [chain for chain in chains if len(chain) > 1]
    edges = []
    if question.wanted in (Wanted.CAUSES, Wanted.BOTH):
        edges += [(Wanted.CAUSES, e) for e in causes(store, effect, limit=_EDGES, support=_QUOTES_AN_EDGE)]
    if question.wanted in (Wanted.EFFECTS, Wanted.BOTH):
        edges += [(Wanted.EFFECTS, e) for e in effects(store, cause, limit=_EDGES, support=_QUOTES_AN_EDGE)]
    return edges, []


def _woven(
    store: Store, question: Question, cause: Sequence[str], effect: Sequence[str]
) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """Statements and chains from the woven edges; `cause` and `effect` are roots."""
    links: list[Link] = []
    routes: list[Route] = []
    if question.wanted is Wanted.LINK:
        # Two phrases that mean one concept say nothing about each other.
        cause, effect = (
            [one for one in ours if one not in theirs] for ours, theirs in ((cause, effect), (effect, cause))
        )
        links = links_between(store, cause, effect)[:_EDGES]
        routes = [route for route in why(store, cause, effect, limit=_ROUTES) if len(route.links) > 1]
    if question.wanted in (Wanted.CAUSES, Wanted.BOTH):
        links += causes_of(store, effect, limit=_EDGES)
    if question.wanted in (Wanted.EFFECTS, Wanted.BOTH):
        links += effects_of(store, cause, limit=_EDGES)
    every = [*links, *(link for route in routes for link in route.links)]
    behind = claims_behind(store, every) if every else {}
    shown = {pair: _shown(found) for pair, found in behind.items()}
    wanted = list(dict.fromkeys(one.claim_id for found in shown.values() for one in found))
    rows = {row.claim.claim_id: row for row in claims_by_id(store, wanted)}
    quoted = {pair: tuple(rows[one.claim_id] for one in found) for pair, found in shown.items()}
    statements = tuple(_said_of(link, shown[_pair(link)], quoted[_pair(link)]) for link in links)
    return statements, tuple(_said_along(route, quoted) for route in routes)


def _pair(link: Link) -> tuple[str, str]:
    return link.cause_id, link.effect_id


def _shown(behind: Sequence[Behind]) -> list[Behind]:
    """The claims to quote: the surest of each side of a disagreement, then more, the side with most to say first."""
    sides: dict[tuple[int, bool], list[Behind]] = {}
    for one in behind:
        sides.setdefault((one.way, one.negated), []).append(one)
    first = [ours[0] for ours in sides.values()]
    rest = [one for ours in sides.values() for one in ours[1:]]
    return [*first, *rest][: max(_QUOTES_AN_EDGE, len(first))]


def _said_of(link: Link, shown: Sequence[Behind], evidence: tuple[ClaimRow, ...]) -> Statement:
    return Statement(f"{_in_words(link, shown)} ({tier(link)}; {_counted(link)})", None, evidence, link)


def _in_words(link: Link, shown: Sequence[Behind] = ()) -> str:
    if link.asserted:
        return f"{link.cause} {verb(link.sign, False)} {link.effect}"
    ways = {one.way for one in shown}
    way = ways.pop() if len(ways) == 1 else 0
    return f"{link.cause} {verb(_SIGNS[way], True)} {link.effect}"


def _counted(link: Link) -> str:
    said = f"{_many(link.claims, 'claim')} in {_many(link.documents, 'document')}"
    if link.sources < link.documents and not link.denied:
        said += f", {link.sources} of them independent"
    if link.hedged:
        said += f", {link.hedged} hedged"
    if not link.contested:
        return said
    sides = ((link.positive, "raises"), (link.negative, "lowers"), (link.unsigned, "affects"), (link.denied, "denied"))
    return f"{said}; contested: " + ", ".join(f"{count} {name}" for count, name in sides if count)


def _said_along(route: Route, quoted: Mapping[tuple[str, str], tuple[ClaimRow, ...]]) -> Statement:
    evidence = []
    for link in route.links:
        # The surest claim that asserts the link, of the sign the link is given.
        rows = [row for row in quoted[_pair(link)] if not row.claim.negated]
        agreeing = [row for row in rows if row.claim.claim_id == link.support.claim_id]
        evidence.append((agreeing or rows)[0])
    said = "; ".join(
        _in_words(link) + (" (hedged)" if row.claim.hedged else "") + (" (contested)" if link.contested else "")
        for link, row in zip(route.links, evidence, strict=True)
    )
    first, last, weakest = route.links[0].cause, route.links[-1].effect, route.weakest
    together = (
        f"{first} {verb(route.sign, False)} {last}"
        if route.sign is not Sign.NONE
        else f"{first} affects {last}, which way is open"
    )
    text = (
        f"{said}. Together: {together} (weakest link: {weakest.cause} → {weakest.effect}, {tier(weakest)}, "
        f"{_counted(weakest)})"
    )
    return Statement(text, None, tuple(evidence), route=route)


_SIGNS = {1: Sign.POSITIVE, -1: Sign.NEGATIVE, 0: Sign.NONE}
_VERBS = {
    (Sign.POSITIVE, False): "brings about or increases",
    (Sign.NEGATIVE, False): "prevents or reduces",
    (Sign.NONE, False): "affects",
    (Sign.POSITIVE, True): "does not bring about or increase",
    (Sign.NEGATIVE, True): "does not prevent or reduce",
    (Sign.NONE, True): "does not affect",
}


def verb(sign: Sign, negated: bool) -> str:
    return _VERBS[sign, negated]


def _statement(store: Store, wanted: Wanted, edge: Edge) -> Statement:
    evidence = tuple(claims_by_id(store, [support.claim_id for support in edge.support]))
    # The other side in the words of the best claim: the question's own words may be wider than what was said.
    best = evidence[0].claim
    topic = " ".join((best.effect if wanted is Wanted.CAUSES else best.cause).split())
    cause, effect = (edge.name, topic) if wanted is Wanted.CAUSES else (topic, edge.name)
    count = f"{_many(edge.claims, 'claim')} in {_many(edge.documents, 'document')}"
    hedged = f", {edge.hedged} hedged" if edge.hedged else ""
    return Statement(f"{cause} {verb(edge.sign, edge.negated)} {effect} ({count}{hedged})", edge, evidence)


def _chain(store: Store, steps: Sequence[Step]) -> Statement:
    evidence = claims_by_id(store, [step.support.claim_id for step in steps])
    hedged = {row.claim.claim_id for row in evidence if row.claim.hedged}
    said = [
        f"{s.cause} {verb(s.sign, False)} {s.effect}{' (hedged)' if s.support.claim_id in hedged else ''}"
        for s in steps
    ]
    return Statement("; ".join(said), None, tuple(evidence))


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
