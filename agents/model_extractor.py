"""Passages to claims by asking a language model, as a scripted question a passage and grounded answers."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from leucippus._version import __version__
from leucippus.agents.asking import Asking, Brief, asking
from leucippus.agents.cues import may_be_causal
from leucippus.agents.grounding import find_verbatim, ground
from leucippus.agents.passages import Span
from leucippus.config import Settings
from leucippus.serving.calls import Answer, Failed, FailureKind, Usage
from leucippus.serving.client import Client, adapter_folder, folder_name, lora_folder, model_name
from leucippus.serving.tagger import DESCRIPTION
from leucippus.store.triples import Failure, Passage, Reader
from leucippus.store.write import PassageResult

WORTH_A_RETRY = (FailureKind.TIMED_OUT, FailureKind.REJECTED)


class ModelExtractor:
    """Asks a language model about every passage that may be causal."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        folder = lora_folder(settings)
        self._adapter = settings.adapter if folder else None
        self._options = settings.extract
        self._way = way_of(settings)
        cues = "cues" if self._options.require_cue else "free"
        self.reader = Reader(
            model=model_name(settings.model),
            adapter=folder_name(folder) if folder else None,
            prompt_version=f"{self._way.prompt.version}+{cues}+{self._options.max_tokens}+{__version__}",
        )

    @property
    def batches_at_once(self) -> int:
        return self._client.batches_at_once

    async def start(self) -> None:
        await self._client.start()

    async def close(self) -> None:
        await self._client.close()

    def worth(self, text: str) -> bool:
        return worth_asking(text, self._way)

    async def read(self, batch: Sequence[Passage]) -> list[PassageResult]:
        """What the model says of each passage, grounded. One batch of calls."""
        answers = await self.ask([passage.text for passage in batch])
        return [self._result(passage, group) for passage, group in zip(batch, answers, strict=True)]

    async def ask(self, texts: Sequence[str]) -> list[list[Answer[Any] | Failed]]:
        """The answers about each text, as they came."""
        options = self._options
        calls = [self._way.calls(text, adapter=self._adapter, max_tokens=options.max_tokens) for text in texts]
        answers = iter(await self._client.generate_batch([call for group in calls for call in group]))
        return [list(islice(answers, len(group))) for group in calls]

    def pairs(self, text: str, answers: Sequence[Answer[Any] | Failed]) -> list[tuple[Span, Span]] | None:
        """Where the pairs stand that the model found; None if it gave no answer."""
        if any(isinstance(answer, Failed) for answer in answers):
            return None
        return [
            (cause, effect)
            for candidate in self._way.candidates(text, answers)
            for cause in islice(find_verbatim(candidate.cause, text), 1)
            for effect in islice(find_verbatim(candidate.effect, text), 1)
        ]

    def _result(self, passage: Passage, answers: Sequence[Answer[Any] | Failed]) -> PassageResult:
        usage = sum((answer.usage for answer in answers), Usage())
        failures = [answer for answer in answers if isinstance(answer, Failed)]
        claims, rejected = ground(
            passage,
            self._way.candidates(passage.text, answers),
            reader_id=self.reader.reader_id,
            require_cue=self._options.require_cue and not isinstance(self._way, Brief),
        )
        lost = [failure_of(passage, answer) for answer in failures]
        # What might come back another time makes the passage failed, so that the next run reads it again; its claims
        # stay.
        retry = any(answer.kind in WORTH_A_RETRY for answer in failures) or (answers and len(failures) == len(answers))
        whole = lost.pop() if retry else None
        return PassageResult(
            passage.passage_id, tuple(claims), (*rejected, *lost), whole, usage.prompt_tokens, usage.output_tokens
        )


def worth_asking(text: str, way: Asking) -> bool:
    """The cheap first pass: no causal wording, or nothing to ask, and no model sees the passage.

    A tuned model is asked about everything: it knows more causal wording than our lexicon does.
    """
    if isinstance(way, Brief):
        return may_be_read(text)
    return may_be_causal(text) and bool(way.calls(text, adapter=None, max_tokens=1))


def may_be_read(text: str) -> bool:
    return any(character.isalpha() for character in text)


def way_of(settings: Settings) -> Asking:
    """How the language model is asked under these settings: an extractor's adapter was tuned on the brief question."""
    if settings.extract.asking == "auto":
        return asking("brief" if has_tagger(settings) and lora_folder(settings) else "anchored")
    return asking(settings.extract.asking)


def has_tagger(settings: Settings) -> bool:
    folder = adapter_folder(settings)
    return folder is not None and (folder / DESCRIPTION).is_file()


def failure_of(passage: Passage, answer: Failed) -> Failure:
    detail = json.dumps(asdict(answer), default=str)
    return Failure(
        item=passage.passage_id, stage="generate", error=answer.kind.value, message=answer.message, detail=detail
    )
