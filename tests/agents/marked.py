"""Sentences with the cause in braces and the effect in brackets, written into a store as claims."""

from collections.abc import Sequence

from leucippus.agents.asking import Candidate
from leucippus.agents.grounding import ground
from leucippus.store.database import Store
from leucippus.store.triples import Document, Passage, Reader
from leucippus.store.write import (
    PassageResult,
    Planned,
    add_documents,
    add_passages,
    plan,
    record_batch,
    start_run,
)


def write_marked(store: Store, marked: Sequence[str]) -> None:
    """Such as `{Smoking} causes [lung cancer].`, each in a document of its own."""
    reader = Reader(model="hand", prompt_version="1")
    results, passages = [], []
    for number, sentence in enumerate(marked):
        cause, effect = sentence[1 : sentence.index("}")], sentence[sentence.index("[") + 1 : sentence.index("]")]
        text = sentence.translate(dict.fromkeys(map(ord, "{}[]")))
        document = Document.of(text, media_type="text/plain", title=f"note {number}")
        passage = Passage.of(document, 0, len(text))
        add_documents(store, [(document, f"notes/{number}.txt")])
        candidate = Candidate(cause=cause, relation="-", effect=effect)
        claims, rejected = ground(passage, [candidate], reader_id=reader.reader_id, require_cue=True)
        assert not rejected, rejected
        passages.append(passage)
        results.append(PassageResult(passage.passage_id, tuple(claims)))
    add_passages(store, passages)
    run_id = start_run(store, command="extract", settings={}, reader=reader)
    plan(store, run_id, reader, [Planned(p.passage_id, 0, at) for at, p in enumerate(passages)])
    record_batch(store, run_id, reader.reader_id, results)
