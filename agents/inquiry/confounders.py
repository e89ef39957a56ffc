"""Columns of which the description says that the treatment depended on them."""

from __future__ import annotations

import re

from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.question import named_in

_DEPENDED = re.compile(
    r"\b(?:(?:depend(?:s|ed|ing)?|judg(?:ed|ing)|decided|differ(?:s|ed)?|based|chosen|picked|selected|hing(?:es|ed|ing)|"
    r"accord(?:ing)?)\b(?: (?:mostly|mainly|largely|partly|only|above all))? (?:on|upon|by|in|to|from)|(?:going|went) by)\b"
    r"([^.;]{3,200})",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r",? (?:which|all (?:of them )?(?:recorded|measured|known)|and (?:nothing|not)|but)\b.*", re.IGNORECASE
)


def said_to_decide(case: Case) -> tuple[str, ...]:
    """Columns named where a sentence of the description says what decided who was treated."""
    found: dict[str, None] = {}
    for sentence in dict.fromkeys((case.reading.told, *case.description.sentences)):
        for match in _DEPENDED.finditer(sentence):
            listed = _ENDS.sub("", match[1])
            found |= dict.fromkeys([*named_in(listed, case.columns), *case.columns.quoted(listed)])
    return tuple(found)
