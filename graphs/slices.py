"""Slices of a large causal model as values, and what several of them say together.

A slice is a set of claims under the name of the domain or the documents it was taken from. Gluing is the union of such
sets and a look at the whole: so it is associative, commutative and idempotent, and an empty slice changes nothing. What
agrees adds up, independent documents counted once; what disagrees is kept on both sides and said.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from leucippus.store.slices import Said
from leucippus.store.triples import Sign

DIMENSIONS = ("population", "place", "period")
"""What a claim may be limited to."""

Kind = Literal["sign", "denied", "direction"]
"""As in leucippus.store.links.Conflict: raises / lowers, asserted / denied, cause → effect / effect → cause."""
Part = tuple[str, Said]
"""A claim, and the name of a slice that holds it."""


@dataclass(frozen=True)
class Scope:
    """Of whom, where and when something is said, in lower case; None where the text does not say."""

    population: str | None = None
    place: str | None = None
    period: str | None = None

    @classmethod
    def of(cls, said: Said) -> "Scope":
        return cls(*(_plain(getattr(said, dimension)) for dimension in DIMENSIONS))

    def __str__(self) -> str:
        return ", ".join(value for value in (self.population, self.place, self.period) if value) or "no limits stated"


@dataclass(frozen=True)
class Slice:
    """Claims, each with the name of the slice it is of. One without claims is empty, whatever its name was."""

    parts: frozenset[Part] = frozenset()

    @classmethod
    def of(cls, name: str, said: Iterable[Said]) -> "Slice":
        return cls(frozenset((name, one) for one in said))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({name for name, _ in self.parts}))


@dataclass(frozen=True)
class Side:
    """Those who say one thing of two concepts: claims, documents, slices, in the order of their names or ids.

    `sources` counts independent ones: documents that repeat another one count once, and so do repeated quotes.
    """

    claims: tuple[str, ...]
    documents: tuple[str, ...]
    sources: int
    slices: tuple[str, ...]
    scopes: tuple[Scope, ...]
    quote: str

    def __bool__(self) -> bool:
        return bool(self.claims)


@dataclass(frozen=True)
class Seam:
    """All that the slices say of one cause and one effect."""

    cause: str
    effect: str
    raises: Side
    lowers: Side
    unsigned: Side
    denied: Side
    asserted: Side
    """The first three together."""
    slices: tuple[str, ...]
    reinforced: bool
    """Slices agree: on one side stand more independent sources than any one of them has."""


@dataclass(frozen=True)
class Disagreement:
    """Two readings of one pair of concepts, each with those who hold it. `cause` < `effect` for a direction."""

    kind: Kind
    cause: str
    effect: str
    one: Side
    other: Side
    differing: tuple[str, ...]
    """Dimensions in which the two sides state unlike things."""
    apart: bool
    """No claim of one side can be about the same as one of the other, by what they state: it may be no contradiction."""
    new: bool
    """No slice holds both sides: it came to light by gluing."""

    def in_words(self) -> str:
        said = {
            "sign": (f"{self.cause} raises {self.effect}", "lowers it"),
            "denied": (f"{self.cause} affects {self.effect}", "does not"),
            "direction": (f"{self.cause} → {self.effect}", f"{self.effect} → {self.cause}"),
        }[self.kind]
        told = "; ".join(
            f"{words}: {side.sources} independent source{'s' if side.sources != 1 else ''} ({', '.join(side.slices)})"
            for words, side in zip(said, (self.one, self.other), strict=True)
        )
        if not self.differing:
            return f"{told}."
        scopes = " against ".join("; ".join(map(str, side.scopes)) for side in (self.one, self.other))
        verdict = "it may be no contradiction" if self.apart else "that does not settle it"
        return f"{told}. Said of unlike {' and '.join(self.differing)} ({scopes}): {verdict}."


@dataclass(frozen=True)
class Glued:
    """What slices say together. Two are equal if they came from the same claims under the same names."""

    whole: Slice
    seams: tuple[Seam, ...] = field(repr=False)
    """In the order of cause and effect."""
    disagreements: tuple[Disagreement, ...]
    unsettled: tuple[str, ...]
    """Ids of claims that the slices do not read alike: another sign, or merged into another concept."""
    selfish: int
    """Claims of a concept about itself, which make no seam."""


def glue(*slices: Slice | Glued) -> Glued:
    """Slices, or what came of gluing some, → what they say together."""
    parts = frozenset[Part]().union(*(part.whole.parts if isinstance(part, Glued) else part.parts for part in slices))
    pairs = defaultdict[tuple[str, str], list[Part]](list)
    readings = defaultdict[str, set[Said]](set)
    selfish = set[str]()
    for name, said in parts:
        readings[said.claim_id].add(said)
        if said.cause == said.effect:
            selfish.add(said.claim_id)
        else:
            pairs[said.cause, said.effect].append((name, said))
    origins = _origins(said for _, said in parts)
    seams = {pair: _seam(*pair, pairs[pair], origins) for pair in sorted(pairs)}
    return Glued(
        whole=Slice(parts),
        seams=tuple(seams.values()),
        disagreements=tuple(_disagreements(seams)),
        unsettled=tuple(sorted(claim_id for claim_id, read in readings.items() if _unlike(read))),
        selfish=len(selfish),
    )


def _origins(said: Iterable[Said]) -> dict[str, str]:
    """Document → the first of all that repeat each other. What one slice knows of an echo holds for every slice."""
    above: dict[str, str] = {}

    def first(document: str) -> str:
        while (up := above.setdefault(document, document)) != document:
            above[document] = above[up]
            document = up
        return document

    for one in said:
        low, high = sorted((first(one.document_id), first(one.source)))
        above[high] = low
    return {document: first(document) for document in list(above)}


def _seam(cause: str, effect: str, parts: Sequence[Part], origins: dict[str, str]) -> Seam:
    asserted = [(name, said) for name, said in parts if not said.negated]
    denied = [(name, said) for name, said in parts if said.negated]
    signed = {sign: [(name, said) for name, said in asserted if said.sign is sign] for sign in Sign}
    return Seam(
        cause,
        effect,
        raises=_side(signed[Sign.POSITIVE], origins),
        lowers=_side(signed[Sign.NEGATIVE], origins),
        unsigned=_side(signed[Sign.NONE], origins),
        denied=_side(denied, origins),
        asserted=_side(asserted, origins),
        slices=tuple(sorted({name for name, _ in parts})),
        reinforced=any(_reinforced(side, origins) for side in (*signed.values(), denied)),
    )


def _side(parts: Sequence[Part], origins: dict[str, str]) -> Side:
    said = [one for _, one in parts]
    return Side(
        claims=tuple(sorted({one.claim_id for one in said})),
        documents=tuple(sorted({one.document_id for one in said})),
        sources=_independent(said, origins),
        slices=tuple(sorted({name for name, _ in parts})),
        scopes=tuple(sorted({Scope.of(one) for one in said}, key=_stated)),
        quote=min((one.claim_id, one.quote) for one in said)[1] if said else "",
    )


def _independent(said: Iterable[Said], origins: dict[str, str]) -> int:
    """As the weaving counts them (store/weave.py)."""
    found = [(origins[one.document_id], one.quote) for one in said]
    return min(len({origin for origin, _ in found}), len({quote or origin for origin, quote in found}))


def _reinforced(parts: Sequence[Part], origins: dict[str, str]) -> bool:
    by_slice = defaultdict[str, list[Said]](list)
    for name, said in parts:
        by_slice[name].append(said)
    if len(by_slice) < 2:
        return False
    alone = max(_independent(said, origins) for said in by_slice.values())
    return _independent((said for _, said in parts), origins) > alone


def _disagreements(seams: dict[tuple[str, str], Seam]) -> Iterable[Disagreement]:
    for (cause, effect), seam in seams.items():
        if seam.raises and seam.lowers:
            yield _disagreement("sign", seam, seam.raises, seam.lowers)
        if seam.asserted and seam.denied:
            yield _disagreement("denied", seam, seam.asserted, seam.denied)
        back = seams.get((effect, cause))
        if back is not None and cause < effect and seam.asserted and back.asserted:
            yield _disagreement("direction", seam, seam.asserted, back.asserted)


def _disagreement(kind: Kind, seam: Seam, one: Side, other: Side) -> Disagreement:
    differing = []
    for dimension in DIMENSIONS:
        here, there = ({getattr(scope, dimension) for scope in side.scopes} - {None} for side in (one, other))
        if here and there and len(here | there) > 1:
            differing.append(dimension)
    return Disagreement(
        kind,
        seam.cause,
        seam.effect,
        one,
        other,
        differing=tuple(differing),
        apart=not _meet(one.scopes, other.scopes),
        new=not set(one.slices) & set(other.slices),
    )


def _meet(one: Iterable[Scope], other: Iterable[Scope]) -> bool:
    """Whether a scope of the one and a scope of the other agree in all that both state.

    By what they state, so that thousands on either side need not be compared one by one.
    """

    def by_what_is_stated(scopes: Iterable[Scope]) -> dict[tuple[str, ...], list[Scope]]:
        groups = defaultdict[tuple[str, ...], list[Scope]](list)
        for scope in scopes:
            groups[tuple(dimension for dimension in DIMENSIONS if getattr(scope, dimension))].append(scope)
        return groups

    here, there = by_what_is_stated(one), by_what_is_stated(other)
    for stated, scopes in here.items():
        for stated_there, others in there.items():
            both = [dimension for dimension in stated if dimension in stated_there]

            def values(scope: Scope, both: Sequence[str] = both) -> Hashable:
                return tuple(getattr(scope, dimension) for dimension in both)

            if not set(map(values, scopes)).isdisjoint(map(values, others)):
                return True
    return False


def _unlike(read: set[Said]) -> bool:
    return len({(said.cause, said.effect, said.sign, said.negated) for said in read}) > 1


def _stated(scope: Scope) -> tuple[str, ...]:
    return tuple(getattr(scope, dimension) or "" for dimension in DIMENSIONS)


def _plain(text: str | None) -> str | None:
    return " ".join(text.casefold().split()) or None if text else None
