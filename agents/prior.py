"""The columns of a data set → what the large causal model says of them: arrows between columns, each with its quotes.

What is recalled is what documents say, not what is so, and no store says everything: an arrow that is missing means
only that nobody was read to draw it. So a column is in the graph only if an arrow touches it, and a column whose
concept is in doubt is left out: a wrong link would put other people's claims into its mouth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leucippus.agents.columns import names_an_identifier
from leucippus.agents.inquiry.linking import Linked, concepts_of
from leucippus.errors import InputError, StoreError
from leucippus.graphs.dag import Graph
from leucippus.graphs.tokens import LONGEST_NAME
from leucippus.serving.encoder import Encode
from leucippus.store.database import Store
from leucippus.store.links import Conflict, Link, conflicts, links_between
from leucippus.store.query import ClaimRow, claims_by_id
from leucippus.store.routes import Behind, bridges, claims_behind
from leucippus.store.triples import Sign
from leucippus.store.weave import not_woven

_SAME = 1e-6
"""Credibilities this near are one: floats are summed in any order."""
_QUOTES = 3

Why = Literal["closes a circle", "said both ways alike", "denied more often than said"]
Meanings = Mapping[str, Mapping[str, int]]
"""Column → the roots it means → 1 where more of the column is more of the root, -1 where less, 0 where that is open."""


@dataclass(frozen=True)
class Arrow:
    """One column is said to cause another."""

    cause: str
    effect: str
    sign: Sign
    """None where claims bear none, or as many contradict it as bear it."""
    credibility: float
    """That of the most credible link; of a way over an unmeasured concept the product of both."""
    links: tuple[Link, ...]
    """The woven edges between the concepts of the two columns, or the two of the way."""
    evidence: tuple[ClaimRow, ...]
    """Claims behind the links, the surest first; denials are among them."""
    through: str | None = None
    """The concept that is no column, where nothing is said of the two columns directly."""

    @property
    def claims(self) -> int:
        return sum(link.asserted for link in self.links)

    @property
    def denied(self) -> int:
        return sum(link.denied for link in self.links)

    @property
    def outweighed(self) -> bool:
        """Whether more claims deny it than make it."""
        return self.through is None and self.denied > self.claims


@dataclass(frozen=True)
class Dropped:
    """An arrow that is not in the graph."""

    arrow: Arrow
    why: Why


@dataclass(frozen=True)
class Prior:
    """What a store says of the columns of a data set."""

    columns: tuple[str, ...]
    linked: Mapping[str, tuple[str, ...]]
    """Column → names of the concepts it means."""
    same: Mapping[str, str]
    """Column → the column that means the same and stands for both."""
    unlinked: tuple[str, ...]
    """Columns that nothing in the store is about, as far as words and vectors tell."""
    arrows: tuple[Arrow, ...]
    """Without a circle; the most credible first."""
    dropped: tuple[Dropped, ...]
    conflicts: tuple[Conflict, ...]
    """Where claims about two of the columns' concepts disagree."""

    def as_dag(self) -> Graph:
        """The arrows as a graph over the columns they touch.

        Raises
        ------
        GraphError : never by what a store holds; a circle was dropped.
        """
        touched = {name for arrow in self.arrows for name in (arrow.cause, arrow.effect)}
        nodes = tuple(name for name in self.columns if name in touched)
        return Graph(nodes, tuple((arrow.cause, arrow.effect) for arrow in self.arrows))

    def text(self, form: Literal["edges", "dot", "dagitty"] = "edges") -> str:
        """The graph as `leucippus analyze --graph` takes it: an edge list, DOT or dagitty; no edge makes no text."""
        lines = [f"{_quoted(cause)} -> {_quoted(effect)}" for cause, effect in self.as_dag().directed]
        if not lines:
            return ""
        if form == "edges":
            return "\n".join(lines) + "\n"
        opening = "digraph" if form == "dot" else "dag"
        return "\n".join([f"{opening} {{", *(f"  {line}" for line in lines), "}"]) + "\n"


def prior(store: Store, columns: Sequence[str] | Mapping[str, str], encode: Encode | None = None) -> Prior:
    """What the woven model says of these columns.

    Parameters
    ----------
    columns : names, or name → what is said of the column.
    encode : sentences → vectors of shape (n, 384), asked only for columns that no concept's words match.

    Raises
    ------
    InputError : a column without a name, or one that no graph can hold; a name given twice.
    StoreError : claims are not woven in.
    """
    said = dict(columns) if isinstance(columns, Mapping) else dict.fromkeys(columns, "")
    _check(columns, said)
    if left_out := not_woven(store):
        raise StoreError(
            f"{left_out} claims of {store.path} are not woven in.", next_step="Run `leucippus lcm weave` first."
        )
    found = {
        name: () if names_an_identifier(name) else concepts_of(store, name, words, encode)
        for name, words in said.items()
    }
    linked, same = _apart(found)
    offered = arrows_between(store, meanings(linked))
    kept, dropped = acyclic(offered, tuple(said))
    roots = sorted({one.root_id for several in linked.values() for one in several})
    return Prior(
        tuple(said),
        {name: tuple(dict.fromkeys(one.name for one in several)) for name, several in linked.items()},
        same,
        tuple(name for name in said if name not in linked and name not in same),
        kept,
        dropped,
        tuple(one for one in conflicts(store, roots) if one.cause_id in roots and one.effect_id in roots),
    )


def meanings(linked: Mapping[str, Sequence[Linked]]) -> dict[str, dict[str, int]]:
    """The roots of linked columns; a root that two concepts of a column turn differently has the turn 0."""
    meant: dict[str, dict[str, int]] = {}
    for name, several in linked.items():
        turns = meant.setdefault(name, {})
        for one in several:
            turns[one.root_id] = one.turn if turns.get(one.root_id, one.turn) == one.turn else 0
    return meant


def arrows_between(store: Store, meant: Meanings) -> list[Arrow]:
    """What is said of each ordered pair of columns: directly or else over one concept that no column means.

    The most credible first. Arrows that are denied more often than said are among them, and circles.
    """
    roots = sorted({root for turns in meant.values() for root in turns})
    between: dict[tuple[str, str], list[Link]] = {}
    for link in links_between(store, roots, roots):
        between.setdefault((link.cause_id, link.effect_id), []).append(link)
    ways = {(route.links[0].cause_id, route.links[-1].effect_id): route for route in bridges(store, roots)}
    found: list[tuple[str, str, Sign, float, tuple[Link, ...], str | None]] = []
    for cause, causes in meant.items():
        for effect, effects in meant.items():
            if cause == effect:
                continue
            pairs = [(one, other) for one in causes for other in effects if one != other]
            direct = tuple(link for pair in pairs for link in between.get(pair, ()))
            if direct:
                sign = _sign([(link, causes[link.cause_id] * effects[link.effect_id]) for link in direct])
                found.append((cause, effect, sign, max(link.credibility for link in direct), direct, None))
            elif crossed := [ways[pair] for pair in pairs if pair in ways]:
                best = max(crossed, key=lambda route: route.score)
                first, last = best.links
                turn = causes[first.cause_id] * effects[last.effect_id]
                found.append((cause, effect, _turned(best.sign, turn), best.score, best.links, first.effect))
    quotes = _quotes(store, [link for *_, links, _ in found for link in links])
    made = [
        Arrow(cause, effect, sign, credibility, links, _evidence(links, quotes, through), through)
        for cause, effect, sign, credibility, links, through in found
    ]
    return sorted(made, key=lambda arrow: -arrow.credibility)


def acyclic(offered: Sequence[Arrow], columns: Sequence[str]) -> tuple[tuple[Arrow, ...], tuple[Dropped, ...]]:
    """Those arrows, the most credible first, that close no circle with those before them, and the others.

    An arrow left out is the least credible of the circle it would close. Where both directions of a pair are as
    credible, neither is taken. The order of the columns decides between other equals.
    """
    at = {name: place for place, name in enumerate(columns)}
    by_pair = {(arrow.cause, arrow.effect): arrow for arrow in offered}
    above: dict[str, set[str]] = {}
    kept: list[Arrow] = []
    dropped: list[Dropped] = []
    for arrow in sorted(offered, key=lambda one: (-one.credibility, one.through or "", at[one.cause], at[one.effect])):
        back = by_pair.get((arrow.effect, arrow.cause))
        if arrow.outweighed:
            dropped.append(Dropped(arrow, "denied more often than said"))
        elif back and not back.outweighed and abs(back.credibility - arrow.credibility) <= _SAME:
            dropped.append(Dropped(arrow, "said both ways alike"))
        elif arrow.effect in ancestors(above, arrow.cause):
            dropped.append(Dropped(arrow, "closes a circle"))
        else:
            kept.append(arrow)
            above.setdefault(arrow.effect, set()).add(arrow.cause)
    return tuple(kept), tuple(dropped)


def _check(columns: Sequence[str] | Mapping[str, str], said: Mapping[str, str]) -> None:
    if len(said) < len(columns):
        raise InputError("A column is named twice.", expected="every column once")
    for name in said:
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise InputError(
                f"{name[:40]!r} is no name of a column that a graph can hold.",
                expected=f"1 to {LONGEST_NAME} printable characters",
            )


def _apart(found: Mapping[str, Sequence[Linked]]) -> tuple[dict[str, tuple[Linked, ...]], dict[str, str]]:
    """Each root to one column: the first whose own words it is, else the first; what is left with none is the same."""
    owners: dict[str, str] = {}
    for exact in (True, False):
        for name, several in found.items():
            for one in several:
                if one.exact or not exact:
                    owners.setdefault(one.root_id, name)
    linked, same = {}, {}
    for name, several in found.items():
        if own := tuple(one for one in several if owners[one.root_id] == name):
            linked[name] = own
        elif several:
            same[name] = owners[several[0].root_id]
    return linked, same


def _sign(links: Sequence[tuple[Link, int]]) -> Sign:
    """What most of all claims bear, as the columns turn them; as `routes.clear_sign`."""
    up = sum(link.positive if turn > 0 else link.negative for link, turn in links if turn)
    down = sum(link.negative if turn > 0 else link.positive for link, turn in links if turn)
    denied = sum(link.denied for link, _ in links)
    if max(up, down) <= min(up, down) + denied:
        return Sign.NONE
    return Sign.POSITIVE if up > down else Sign.NEGATIVE


def _turned(sign: Sign, turn: int) -> Sign:
    if turn == 0 or sign is Sign.NONE:
        return Sign.NONE
    return Sign.POSITIVE if (sign is Sign.POSITIVE) == (turn > 0) else Sign.NEGATIVE


_Quotes = Mapping[tuple[str, str], Sequence[tuple[Behind, ClaimRow]]]


def _quotes(store: Store, links: Sequence[Link]) -> _Quotes:
    """(cause id, effect id) of each link → its claims, the surest first."""
    if not links:
        return {}
    behind = claims_behind(store, list({(link.cause_id, link.effect_id): link for link in links}.values()))
    rows = {row.claim.claim_id: row for row in claims_by_id(store, [o.claim_id for b in behind.values() for o in b])}
    return {pair: [(one, rows[one.claim_id]) for one in several] for pair, several in behind.items()}


def _evidence(links: Sequence[Link], quotes: _Quotes, through: str | None) -> tuple[ClaimRow, ...]:
    """Of a way the surest claim of each link; else the surest claims, and a denial if there is one."""
    each = [quotes[link.cause_id, link.effect_id] for link in links]
    said = [[row for one, row in several if not one.negated] for several in each]
    if through is not None:
        return tuple(rows[0] for rows in said)
    denials = [row for several in each for one, row in several if one.negated]
    return (*[row for rows in said for row in rows][:_QUOTES], *denials[:1])


def ancestors(above: Mapping[str, set[str]], name: str) -> set[str]:
    """A node and all that is above it; `above`: node → those with an arrow to it."""
    found, ahead = {name}, [name]
    while ahead:
        fresh = above.get(ahead.pop(), set()) - found
        found |= fresh
        ahead.extend(fresh)
    return found


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
