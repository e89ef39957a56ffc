"""A candidate is what a model said; a claim is what the document says. This module lets nothing through in between.

The cause and the effect must stand verbatim in the passage (white space and case aside); where they stand, the
words around them decide direction, sign, negation and hedging. What fails is returned with its reason: it is
counted and kept as a failure, never stored as if it were true.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leucippus.agents.asking import Candidate
from leucippus.agents.passages import Span, sentences
from leucippus.agents.phrases import core
from leucippus.agents.reading import PairReading, read_pair
from leucippus.agents.strength import scope, strength
from leucippus.store.triples import Claim, Failure, Passage

_MAX_OCCURRENCES = 8
_EDGE = re.compile(r"^[\s\"'“”‘’(\[,;:.!?-]+|[\s\"'“”‘’)\],;:.!?-]+$")


@dataclass(frozen=True)
class _Pair:
    cause: Span
    effect: Span
    reading: PairReading


def ground(
    passage: Passage, candidates: Sequence[Candidate], *, reader_id: str, require_cue: bool
) -> tuple[list[Claim], list[Failure]]:
    """The claims of `passage` that its words bear out, and the candidates they do not.

    Parameters
    ----------
    require_cue : accept a pair only where a causal expression joins its two spans. Without it, text that merely
        mentions two things is enough for a model that sees causes everywhere.
    """
    claims: dict[str, Claim] = {}
    rejected: list[Failure] = []
    for candidate in candidates:
        found = _locate(passage.text, candidate, require_cue)
        if isinstance(found, str):
            detail = candidate.model_dump_json(exclude_none=True)
            rejected.append(
                Failure(item=passage.passage_id, stage="ground", error="Rejected", message=found, detail=detail)
            )
            continue
        claim = _claim(passage, candidate, found, reader_id)
        claims.setdefault(claim.claim_id, claim)
    return list(claims.values()), rejected


def _locate(text: str, candidate: Candidate, require_cue: bool) -> _Pair | str:
    spans = []
    for name, phrase, window in (
        ("cause", candidate.cause, candidate.cause_window),
        ("effect", candidate.effect, candidate.effect_window),
    ):
        if not (wanted := core(phrase)):
            return f"{name} names nothing"  # "this led to": the text names what did elsewhere, or not at all
        found = [span for span in find_verbatim(wanted, text) if window is None or _lies_in(span, window)]
        if not found:
            return f"{name} not in the passage"
        spans.append(found)
    causes, effects = spans
    pairs = [(c, e) for c in causes for e in effects if c[1] <= e[0] or e[1] <= c[0]]
    if not pairs:
        return "cause and effect overlap"
    readings = [_Pair(c, e, read_pair(text, c, e)) for c, e in sorted(pairs, key=_distance)]
    linked = next((pair for pair in readings if pair.reading.relation is not None), None)
    if linked is None and require_cue:
        return "no causal expression joins cause and effect"
    return linked or readings[0]


def _lies_in(span: Span, window: Span) -> bool:
    return window[0] <= span[0] and span[1] <= window[1]


def _distance(pair: tuple[Span, Span]) -> int:
    first, second = sorted(pair)
    return second[0] - first[1]


def _claim(passage: Passage, candidate: Candidate, pair: _Pair, reader_id: str) -> Claim:
    reading = pair.reading
    # A passive or a "result of" names the effect first; small models often copy that order.
    cause, effect = (pair.effect, pair.cause) if reading.direction_ok is False else (pair.cause, pair.effect)
    relation = reading.relation or candidate.relation
    return claim_of(passage, cause, effect, relation, reading, candidate.probability, reader_id)


def claim_of(
    passage: Passage,
    cause: Span,
    effect: Span,
    relation: str,
    reading: PairReading,
    confidence: float | None,
    reader_id: str,
) -> Claim:
    """A claim from spans of its passage, with offsets into its document and the sentences around it as quote."""
    text, base = passage.text, passage.start
    quote = _sentences_around(text, min(cause[0], effect[0]), max(cause[1], effect[1]))
    said, conditions = text[slice(*quote)], reading.conditions
    spoken_of = scope(said)

    def document_span(span: Span) -> Span:
        return base + span[0], base + span[1]

    (cause_start, cause_end), (effect_start, effect_end) = document_span(cause), document_span(effect)
    return Claim(
        claim_id=Claim.id_of(reader_id, passage.document_id, (cause_start, cause_end), (effect_start, effect_end)),
        document_id=passage.document_id,
        passage_id=passage.passage_id,
        reader_id=reader_id,
        cause=text[slice(*cause)],
        cause_start=cause_start,
        cause_end=cause_end,
        relation=relation,
        effect=text[slice(*effect)],
        effect_start=effect_start,
        effect_end=effect_end,
        sign=reading.sign,
        negated=reading.negated,
        hedged=reading.hedged,
        conditions=text[slice(*conditions)] if conditions else None,
        evidence=strength(said, text, ""),
        population=spoken_of.population,
        place=spoken_of.place,
        period=spoken_of.period,
        quote=said,
        start=base + quote[0],
        end=base + quote[1],
        confidence=confidence,
    )


def find_verbatim(phrase: str, text: str) -> Iterator[Span]:
    """Where `phrase` stands in `text` as whole words, white space and case aside; at most a few places."""
    words = _EDGE.sub("", phrase).split()
    if not words:
        return
    pattern = r"(?<!\w)" + r"\s+".join(map(re.escape, words)) + r"(?!\w)"
    for number, match in enumerate(re.finditer(pattern, text, re.IGNORECASE)):
        if number == _MAX_OCCURRENCES:
            return
        yield match.span()


def _sentences_around(text: str, start: int, end: int) -> Span:
    touched = [span for span in sentences(text) if span[0] < end and start < span[1]]
    return touched[0][0], touched[-1][1]
