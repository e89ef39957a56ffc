"""The bench doors: the extraction pipeline over a file of sentences or a folder of documents, without a store.

Reads only ids and texts; gold answers in the same file are never looked at. Denied claims are left out of what is
written: "X did not cause Y" is not an instance of X causing Y.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leucippus.agents.extractors import Extractor
from leucippus.agents.passages import passages
from leucippus.agents.readers import read_documents
from leucippus.agents.tagger_extractor import DOUBTFUL
from leucippus.config import ExtractSettings
from leucippus.errors import InputError
from leucippus.store.triples import Claim, Document, Failure, Passage


@dataclass(frozen=True)
class Text:
    """One thing to read, under the id its prediction will bear."""

    id: str
    text: str


def read_sentences(path: Path) -> list[Text]:
    """The `id` and `text` of each line of a JSONL file.

    Raises
    ------
    InputError : the file is missing, or a line is not an object with both.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file.", expected="JSON lines with id and text")
    texts = []
    # Bytes, as str.splitlines would also part a line at U+2028 and its like, which JSON allows in a string.
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            texts.append(Text(str(row["id"]), str(row["text"])))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}, line {number}: {error!r}", expected='{"id": …, "text": …}') from error
    return texts


def read_folder(folder: Path, max_mb: float) -> Iterator[Text]:
    """The documents of a folder under their file stems; what cannot be read is left out, as it has no text."""
    for found in read_documents([folder], max_mb=max_mb):
        if not isinstance(found, Failure):
            document, uri = found
            yield Text(Path(uri).stem, document.text)


async def predict(extractor: Extractor, texts: Sequence[Text], options: ExtractSettings) -> list[dict[str, Any]]:
    """One prediction for each text: `{id, is_causal, triples: [{cause, effect, relation, …}]}`.

    A text that is likely to make a claim is causal, even if the reader doubts what exactly it says.
    """
    documents = [Document.of(text.text, media_type="text/plain", title=text.id) for text in texts]
    to_read: dict[str, Passage] = {
        passage.passage_id: passage
        for document in documents
        for passage in passages(document, max_chars=options.passage_chars)
        if extractor.worth(passage.text)
    }
    claims: dict[str, list[Claim]] = {}
    doubtful: set[str] = set()
    waiting = list(to_read.values())
    for start in range(0, len(waiting), options.batch_passages):
        for result in await extractor.read(waiting[start : start + options.batch_passages]):
            for claim in result.claims:
                claims.setdefault(claim.document_id, []).append(claim)
            if any(failure.error == DOUBTFUL for failure in result.rejected):
                doubtful.add(to_read[result.passage_id].document_id)
    return [
        _prediction(text.id, claims.get(document.document_id, ()), document.document_id in doubtful)
        for text, document in zip(texts, documents, strict=True)
    ]


def _prediction(identity: str, claims: Iterable[Claim], doubtful: bool) -> dict[str, Any]:
    triples = [
        {
            "cause": claim.cause,
            "relation": claim.relation,
            "effect": claim.effect,
            "sign": claim.sign.value,
            "hedged": claim.hedged,
            "confidence": claim.confidence,
        }
        for claim in claims
        if not claim.negated
    ]
    return {"id": identity, "is_causal": bool(triples) or doubtful, "triples": triples}
