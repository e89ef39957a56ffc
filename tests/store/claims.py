"""Claims as a reader would have found them."""

from typing import Any

from leucippus.store.triples import Claim, Passage, Reader, Sign


def claim_in(passage: Passage, reader: Reader, cause: str, effect: str, **rest: Any) -> Claim:
    """What a passage says in these words: its first place of the cause and its last of the effect."""
    one, other = passage.text.index(cause), passage.text.rindex(effect)
    ends = tuple((passage.start + at, passage.start + at + len(words)) for at, words in ((one, cause), (other, effect)))
    given: dict[str, Any] = {
        "claim_id": Claim.id_of(reader.reader_id, passage.document_id, *ends),
        "document_id": passage.document_id,
        "passage_id": passage.passage_id,
        "reader_id": reader.reader_id,
        "cause": cause,
        "cause_start": ends[0][0],
        "cause_end": ends[0][1],
        "relation": "changes",
        "effect": effect,
        "effect_start": ends[1][0],
        "effect_end": ends[1][1],
        "sign": Sign.POSITIVE,
        "negated": False,
        "hedged": False,
        "quote": passage.text,
        "start": passage.start,
        "end": passage.end,
    }
    return Claim(**given | rest)
