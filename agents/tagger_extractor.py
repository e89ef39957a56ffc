"""Passages to claims by the tagger, with a second reader for what it is in doubt about.

The tagger reads sentence by sentence: a passage with a claim in each sentence would otherwise yield one or two of
them. It then reads each passage of several sentences as a whole, for causes that stand in one sentence and effects that
stand in another; such a claim takes the place of lesser ones within its spans.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from leucippus._version import __version__
from leucippus.agents.confidence import Confidence, Second
from leucippus.agents.grounding import claim_of
from leucippus.agents.model_extractor import WORTH_A_RETRY, ModelExtractor, failure_of, may_be_read
from leucippus.agents.passages import Span, sentences
from leucippus.agents.phrases import core
from leucippus.agents.reading import PairReading, read_pair
from leucippus.agents.tagging import Tagged, claim_chance, decode
from leucippus.serving.calls import Answer, Failed, Usage
from leucippus.serving.client import folder_name
from leucippus.serving.tagger import Scores
from leucippus.store.triples import Claim, Failure, Passage, Reader, stable_id
from leucippus.store.write import PassageResult

DOUBTFUL = "Doubtful"
"""The failure of a candidate that a reader thinks more likely wrong than right."""
_LEADING = re.compile(r"(?:and|but|or|so|because|that|which)\s+(?=\w)", re.IGNORECASE)
_JOINS = 0.25
"""How likely a claim has to be that joins two sentences."""


class Taggers(Protocol):
    """What a `TaggerExtractor` needs of a pool."""

    batches_at_once: int

    async def start(self) -> object: ...

    async def score(self, texts: Sequence[str]) -> list[Scores]: ...

    async def close(self) -> None: ...


@dataclass
class _Part:
    """A piece of a passage as the tagger read it: `passage.text[start:start + len(text)]`."""

    passage: Passage
    start: int
    text: str
    scores: Scores
    found: list[Tagged]
    answers: Sequence[Answer[Any] | Failed] | None = None

    def span(self, words: tuple[int, int]) -> Span:
        start, end = characters(self.text, self.scores, words)
        return self.start + start, self.start + end


class TaggerExtractor:
    """Lets the tagger read everything and, if there is a second reader, that one what the tagger is in doubt about."""

    def __init__(
        self, taggers: Taggers, folder: Path, confidence: Confidence, second: ModelExtractor | None = None
    ) -> None:
        self._taggers, self._confidence, self._second = taggers, confidence, second
        rules = stable_id(confidence.model_dump_json(), second.reader.reader_id if second else "")[:8]
        self.reader = Reader(
            model=second.reader.model if second else "all-MiniLM-L6-v2",
            adapter=folder_name(folder),
            prompt_version=f"{'cascade' if second else 'tagger'}-{rules}+{__version__}",
        )

    @property
    def batches_at_once(self) -> int:
        return self._taggers.batches_at_once

    async def start(self) -> None:
        await self._taggers.start()
        if self._second:
            await self._second.start()

    async def close(self) -> None:
        await self._taggers.close()
        if self._second:
            await self._second.close()

    def worth(self, text: str) -> bool:
        return may_be_read(text)

    async def read(self, batch: Sequence[Passage]) -> list[PassageResult]:
        pieces = [[(passage, span) for span in _pieces(passage.text)] for passage in batch]
        parts = iter(await self._parts([piece for group in pieces for piece in group]))
        grouped = [_without_nested(list(islice(parts, len(group)))) for group in pieces]
        await self._ask([part for group in grouped for part in group])
        return [self._result(passage, group) for passage, group in zip(batch, grouped, strict=True)]

    async def _parts(self, pieces: Sequence[tuple[Passage, Span]]) -> list[_Part]:
        floor = self._confidence.threshold
        if self._second:
            floor = min(floor, self._confidence.doubtful[0])
        texts = [passage.text[slice(*span)] for passage, span in pieces]
        return [
            _Part(passage, start, text, s, decode(s.head, s.words, threshold=floor, another=self._confidence.another))
            for (passage, (start, _)), text, s in zip(pieces, texts, await self._taggers.score(texts), strict=True)
        ]

    async def _ask(self, parts: Sequence[_Part]) -> None:
        """Let the second reader read the parts that the first is in doubt about."""
        if self._second is None:
            return
        low, high = self._confidence.doubtful
        doubtful = [part for part in parts if part.found and low <= part.found[0].claim < high]
        if doubtful:
            for part, answers in zip(doubtful, await self._second.ask([p.text for p in doubtful]), strict=True):
                part.answers = answers

    def _result(self, passage: Passage, parts: Sequence[_Part]) -> PassageResult:
        claims: dict[str, Claim] = {}
        rejected: list[Failure] = []
        for part in parts:
            for found in self._claims(part):
                if isinstance(found, Failure):
                    rejected.append(found)
                else:
                    claims.setdefault(found.claim_id, found)
            if not part.found and claim_chance(part.scores.head) >= self._confidence.threshold:
                rejected.append(_rejected(passage, "a claim is likely, but no cause and effect stand apart"))
            if part.scores.cut:
                end = part.scores.offsets[-1][1] if part.scores.offsets else 0
                message = f"longer than the tagger's 256 tokens: only its first {end} characters were read"
                rejected.append(Failure(item=passage.passage_id, stage="generate", error="too_long", message=message))
        answers = [answer for part in parts for answer in part.answers or ()]
        lost = [failure_of(passage, answer) for answer in answers if isinstance(answer, Failed)]
        retry = any(isinstance(answer, Failed) and answer.kind in WORTH_A_RETRY for answer in answers)
        whole = lost.pop() if retry else None
        usage = sum((answer.usage for answer in answers), Usage())
        return PassageResult(
            passage.passage_id,
            tuple(claims.values()),
            (*rejected, *lost),
            whole,
            sum(len(part.scores.offsets) for part in parts) + usage.prompt_tokens,
            usage.output_tokens,
        )

    def _claims(self, part: _Part) -> list[Claim | Failure]:
        """What one part claims, and what of it does not hold."""
        said = self._second.pairs(part.text, part.answers) if self._second and part.answers is not None else None
        results: list[Claim | Failure] = []
        for tagged in part.found:
            local = [characters(part.text, part.scores, span) for span in (tagged.cause, tagged.effect)]
            cause, effect = (part.text[slice(*span)] for span in local)
            confidence = self._confidence.of(tagged, compare(said, *local))
            if said is None and tagged.claim < self._confidence.threshold:
                continue
            if confidence < self._confidence.keep:
                message = f"doubtful: right with probability {confidence:.2f}"
                results.append(_rejected(part.passage, message, cause, effect, DOUBTFUL))
            elif not core(cause) or not core(effect):
                message = f"{'cause' if not core(cause) else 'effect'} names nothing"
                results.append(_rejected(part.passage, message, cause, effect))
            else:
                results.append(self._claim(part, tagged, confidence))
        return results

    def _claim(self, part: _Part, tagged: Tagged, confidence: float) -> Claim:
        text, cause, effect = part.passage.text, part.span(tagged.cause), part.span(tagged.effect)
        ruled = read_pair(text, cause, effect)
        relation = text[slice(*part.span(tagged.link))] if tagged.link else ruled.relation
        reading = PairReading(
            relation=relation,
            direction_ok=True,
            sign=tagged.sign,
            negated=tagged.negated,
            hedged=tagged.hedged,
            conditions=ruled.conditions,
        )
        return claim_of(part.passage, cause, effect, relation or "", reading, confidence, self.reader.reader_id)


def _pieces(text: str) -> list[Span]:
    """The sentences, and if there are several, all of them together at the end."""
    spans = sentences(text)
    return spans if len(spans) == 1 else [*spans, (0, len(text))]


def _without_nested(parts: Sequence[_Part]) -> Sequence[_Part]:
    """Of the whole passage only what joins two sentences; of the sentences only what is not nested in that."""
    if len(parts) == 1:
        return parts
    *single, whole = parts

    def sentence(span: Span) -> int:
        return sum(part.start <= span[0] for part in single)

    whole.found = [
        claim
        for claim in whole.found
        if sentence(whole.span(claim.cause)) != sentence(whole.span(claim.effect))
        and claim.claim * claim.spans * claim.anchor >= _JOINS
    ]
    outer = [whole.span(span) for claim in whole.found for span in (claim.cause, claim.effect)]

    def nested(span: Span) -> bool:
        return any(start <= span[0] and span[1] <= end for start, end in outer)

    for part in single:
        part.found = [c for c in part.found if not (nested(part.span(c.cause)) and nested(part.span(c.effect)))]
    return parts if whole.found else single


def characters(text: str, scores: Scores, words: tuple[int, int]) -> Span:
    """The characters of a run of words, without punctuation at its edges or a conjunction before it."""
    start, end = scores.offsets[words[0]][0], scores.offsets[words[1] - 1][1]
    if leading := _LEADING.match(text, start, end):
        start = leading.end()
    while start < end and not (text[start].isalnum() or text[start] in "$€£¥<>+-#@"):
        start += 1
    while end > start and not (
        text[end - 1].isalnum()
        or text[end - 1] in "%°$€£¥+"
        or (text[end - 1] in ")]" and {")": "(", "]": "["}[text[end - 1]] in text[start : end - 1])
    ):
        end -= 1
    return start, end


def compare(said: Sequence[tuple[Span, Span]] | None, cause: Span, effect: Span) -> Second:
    if said is None:
        return "not asked"
    if any(_alike(cause, c) and _alike(effect, e) for c, e in said):
        return "same"
    return "other" if said else "none"


def _alike(one: Span, other: Span) -> bool:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return 2 * shared >= 0.5 * (one[1] - one[0] + other[1] - other[0])


def _rejected(passage: Passage, message: str, cause: str = "", effect: str = "", error: str = "Rejected") -> Failure:
    detail = json.dumps({"cause": cause, "effect": effect}, ensure_ascii=False)
    return Failure(item=passage.passage_id, stage="ground", error=error, message=message, detail=detail)
