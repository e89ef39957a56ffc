"""`extract --dry-run`: what would be read, and about how long it would take. Writes nothing, starts nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from leucippus.agents.asking import asking
from leucippus.agents.cues import may_be_causal
from leucippus.agents.extract import first_documents
from leucippus.agents.passages import passages
from leucippus.agents.readers import read_documents
from leucippus.config import Settings
from leucippus.store.triples import Failure

# Measured with the packaged model on two cores (benchmarks/throughput.py); other models and machines differ.
_CALLS_PER_SECOND = 12.0
_START_MINUTES = 0.6
_CHARS_PER_TOKEN = 4.0


@dataclass(frozen=True)
class Estimate:
    """Tokens count the prompts, at four characters each; minutes are those of the packaged model on two cores."""

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
            f"{self.passages_to_read} would be read in {self.calls} calls: about {self.prompt_tokens:,} prompt tokens, "
            f"{self.minutes:.1f} minutes with the packaged model on two cores."
        )


def estimate(paths: Sequence[str], settings: Settings, *, limit: int | None, text_column: str | None) -> Estimate:
    """Count what `extract` would do.

    Raises
    ------
    InputError : there is nothing to read at `paths`.
    """
    options = settings.extract
    way = asking(options.asking)
    documents = unreadable = cut = to_read = calls = characters = 0
    found = read_documents(paths, max_mb=options.max_document_mb, text_column=text_column)
    for item in first_documents(found, limit):
        if isinstance(item, Failure):
            unreadable += 1
            continue
        documents += 1
        for passage in passages(item[0], max_chars=options.passage_chars):
            cut += 1
            asked = way.calls(passage.text, adapter=None, max_tokens=1) if may_be_causal(passage.text) else []
            to_read += bool(asked)
            calls += len(asked)
            characters += sum(len(message["content"]) for call in asked for message in call.messages)
    tokens = round(characters / _CHARS_PER_TOKEN)
    minutes = _START_MINUTES + calls / _CALLS_PER_SECOND / 60 if calls else 0.0
    return Estimate(documents, unreadable, cut, to_read, calls, tokens, minutes)
