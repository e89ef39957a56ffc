"""`extract --dry-run`: what would be read, and about how long it would take. Writes nothing, starts nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from leucippus.agents.extract import first_documents
from leucippus.agents.extractors import reading_of
from leucippus.agents.model_extractor import may_be_read, way_of, worth_asking
from leucippus.agents.passages import passages
from leucippus.agents.readers import read_documents
from leucippus.config import Settings
from leucippus.store.triples import Failure

# Measured with the packaged model on two cores (benchmarks/throughput.py); other models and machines differ.
_CALLS_PER_SECOND = 12.0
_START_MINUTES = 0.6
_PASSAGES_PER_SECOND = 124.0  # of the tagger
_TAGGER_START_MINUTES = 0.1
_CHARS_PER_TOKEN = 4.0


@dataclass(frozen=True)
class Estimate:
    """Tokens count the prompts, at four characters each; minutes are those of the packaged model on two cores."""

    reading: str
    documents: int
    unreadable: int
    passages: int
    passages_to_read: int
    calls: int
    prompt_tokens: int
    minutes: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def in_words(self) -> str:
        return (
            f"{self.documents} documents ({self.unreadable} cannot be read), {self.passages} passages, of which "
            f"{self.passages_to_read} would be read by {self._reader()}: about {self.prompt_tokens:,} prompt tokens, "
            f"{self.minutes:.1f} minutes with the packaged models on two cores."
        )

    def _reader(self) -> str:
        return f"the language model in {self.calls} calls" if self.reading == "model" else f"the {self.reading}"


def estimate(paths: Sequence[str], settings: Settings, *, limit: int | None, text_column: str | None) -> Estimate:
    """Count what `extract` would do.

    Raises
    ------
    InputError : there is nothing to read at `paths`.
    """
    options, way = settings.extract, way_of(settings)
    reading = reading_of(settings)
    by_tagger = reading != "model"
    documents = unreadable = cut = to_read = calls = characters = 0
    found = read_documents(paths, max_mb=options.max_document_mb, text_column=text_column)
    for item in first_documents(found, limit):
        if isinstance(item, Failure):
            unreadable += 1
            continue
        documents += 1
        for passage in passages(item[0], max_chars=options.passage_chars):
            cut += 1
            if by_tagger:
                to_read += may_be_read(passage.text)
                characters += len(passage.text)
                continue
            asked = way.calls(passage.text, adapter=None, max_tokens=1) if worth_asking(passage.text, way) else []
            to_read += bool(asked)
            calls += len(asked)
            characters += sum(len(message["content"]) for call in asked for message in call.messages)
    tokens = round(characters / _CHARS_PER_TOKEN)
    if by_tagger:
        minutes = _TAGGER_START_MINUTES + to_read / _PASSAGES_PER_SECOND / 60
    else:
        minutes = _START_MINUTES + calls / _CALLS_PER_SECOND / 60 if calls else 0.0
    return Estimate(reading, documents, unreadable, cut, to_read, calls, tokens, minutes)
