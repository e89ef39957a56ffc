"""The two sides of a causal question: what is done, and what it is done to; one question at a time. Words only."""

from __future__ import annotations

import re

_VERBS = (
    r"(?:rais|increas|reduc|lower|chang|affect|alter|improv|help|hurt|harm|boost|cut|add|make|mak|lead|caus|shift|mov|"
    r"sav|prevent|bring|brought|keep|kept|push|driv|drove|drag|pull|lift|slow|speed|shorten|lengthen|deter|"
    r"encourag|discourag|influenc|shape|shap|get|got|let|cost|worsen|eas|curb|spur|hold|held|attract|produc|creat|"
    r"destroy|limit|stop|protect|spread|widen|narrow|erod|strengthen|weaken|expand|shrink|shrank|turn|result|pay|"
    r"contribut|translat|depress|squeez|buy|win|gain|lose|los|earn|give|gave|take|took|move|respond|matter|mean|meant|tilt|sway|swing|"
    r"bear|dampen|stimulat|crowd|displac|remov|trigger|induc|foster|hinder|accelerat|delay|double|halve)(?:e|es|ed|d|s|ing|t)?"
)
_DO = r"(?:do|does|did|has|have|had|can|could|will|would|may|might|is|was|were|are)"
_AS = re.IGNORECASE | re.DOTALL
_PATTERNS = tuple(
    re.compile(pattern, _AS)
    for pattern in (
        r"\b(?:effects?|impacts?|influence|consequences?) (?:of|from) (?P<c>.+?) (?:on|upon|for) (?P<e>.+)",
        r"\b(?:effects?|impacts?|influence) (?:do|does|did|has|had|will|would) (?P<c>.+?) (?:have|had) on (?P<e>.+)",
        r"\belasticit\w+ of (?P<e>.+?) (?:with respect to|to) (?P<c>.+)",
        r"\b(?P<c>price|cost|wage|income) elasticit\w+ of (?P<e>.+)",
        rf"\bif (?P<c>[^,]+?),? (?:by )?(?:how|what)\b.*?\b{_DO} (?P<e>.+?) (?:change|fall|rise|drop|go|increase|decrease|move|differ|respond)",
        r"\bwhen (?P<c>[^,]+), (?:how|what|by how) .*?\b(?:do|does|did|would) (?P<e>.+?) (?:respond|change|react|move|fall|rise)",
        r"\bwhat (?:is|was|are) the (?P<e>.+?) (?:penalt\w+|premium|gap|cost|price|reward) (?:for|of|from|to) (?P<c>.+)",
        r"\bwhat (?P<e>.+?) (?:is|are|was|were) paid for (?P<c>.+)",
        r"\bhow far (?P<e>.+?) (?:is|are|was|were) (?:those|people|pupils|the ones) who (?P<c>.+)",
        (r"\bhow much (?:lower|higher|more|less|worse|better|larger|smaller|longer|shorter) (?:is|are|was|were) (?P<e>.+?) "
        r"(?:of|for|among|when|if|where) (?P<c>.+)"),
        r"\bwhat(?: exactly)? (?:did|does|do|would|will|has|have) (?P<c>.+?) (?:do|done) (?:to|for|with) (?P<e>.+)",
        r"\bwhat happen(?:s|ed) to (?P<e>.+?) (?:when|where|after|once|if|because|as|in) (?P<c>.+)",
        r"\b(?P<e>[^?.]+?),? (?:because of|because|due to|thanks to|as a result of|attributable to) (?P<c>.+)",
        r"\bhow (?:much|many|far|strongly|long)?(?P<e>[^,?.]*?)\b(?:do|does|did|would|will) (?P<c>.+?) (?:cost|add|save|bring|buy|earn|gain|lose|give)\b(?P<e2>.*)",
        r"\bhow (?:do|does|did|would|will|has|have) (?P<e>.+?) (?:changed?|fall|rise|drop|respond|react|move|shift|differ|var(?:y|ies))\b.*?\b(?:when|if|as|after|once|with|to|where|since) (?P<c>.+)",
        r"\b(?:do|does|did|would|will) (?P<e>[^,?.]+?) (?:fall|rise|drop|go up|go down|increase|decrease|change|decline|grow|shrink|improve)\b.*?\b(?:when|if|as|after|once|because|for each|for every|where) (?P<c>.+)",
        rf"(?:\b(?:how (?:many|much)|by how (?:many|much)|what) (?P<e2>[^,?]*?) ?)?\b{_DO} (?P<e>[^,?]+?) {_VERBS}(?: up)? (?:for|per|with) (?:each|every|one|an|a|extra)\b(?P<c>.+)",
        rf"\b{_DO} (?P<c>[^,?]+?) (?:\w+ )?(?:more|less) likely to (?P<e>.+)",
        rf"\bhow much (?:more|less) (?:often )?{_DO} (?P<e>.+?) (?:when|if|where|after|once) (?P<c>.+)",
        rf"(?:\b(?:how (?:many|much|large|big|often)|what) (?P<e2>[^,?]*?) ?)?\b{_DO} (?P<c>.+?) (?:\w+ly )?{_VERBS}\b(?P<e>.*)",
        r"\b(?:returns?|payoff|premium|penalty|gain|benefit) (?:to|from|of|for) (?P<c>.+)",
        r"\b(?P<c>.+?) (?:worth it|work|pay off|successful|effective)",
        rf"(?P<c>.+?) {_VERBS}\b(?P<e>.+)",
    )
)  # fmt: skip
_ASIDE = re.compile(
    r"\b(?:control(?:l?ing)? for|adjust(?:ing|ed)? for|allow(?:ing)? for|net of|account(?:ing)? for|holding|keeping|taking (?:\w+ )?account of|"
    r"taking out|netting out|leaving (?:out|aside)|purged of|conditional on|using|given (?!the\b)|(?:for|among) (?:\w+ )?(?:people|pupils|students|families|households|firms|applicants|those|\w+s) "
    r"(?:alike|with the same|of like|who)|alike in|compared (?:with|to)|relative to|please|use only)\b.*",
    _AS,
)  # fmt: skip
_RATHER = re.compile(r"\b(?:rather than|instead of|as opposed to|versus|vs\.?|over and above)\b", re.IGNORECASE)


_LEADING = re.compile(
    r"^(?:and )?(?:among|for|within|comparing|holding|allowing|keeping|using|treating|taking|in|of|across|net of|on average)\b[^,:]*[,:]\s*",
    re.IGNORECASE,
)


_NEXT = re.compile(
    r",? and (?=(?:also )?(?:what|how|by how|do|does|did|is|was|were|are|would|will|has|have)\b[^?]*\?)", re.IGNORECASE
)


def one_question(text: str) -> tuple[str, int]:
    """(the text with nothing but the first of its questions, how many were left out).

    A question is one that has two sides: "By how much?" belongs to the one before it. What is said in between stays.
    """
    pieces = [piece for sentence in _sentences(text) for piece in _parted(sentence)]
    whole = [piece for piece in pieces if piece.endswith("?") and all(sides(piece))]
    if len(whole) < 2:
        return text, 0
    return " ".join(piece for piece in pieces if piece not in whole[1:]), len(whole) - 1


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.?!])\s+", " ".join(text.split()))


def _parted(sentence: str) -> list[str]:
    """A sentence that asks twice, as two."""
    for match in _NEXT.finditer(sentence):
        first, second = sentence[: match.start()] + "?", sentence[match.end() :]
        if all(sides(first)) and all(sides(second)):
            return [first, *_parted(second)]
    return [sentence]


def sides(question: str) -> tuple[str, str]:
    """(what is done, what it is done to); empty where the words do not part them."""
    sentences = _sentences(question)
    asked = next((one for one in sentences if one.endswith("?")), " ".join(sentences))
    text = _LEADING.sub("", re.sub(r"\s*\([^()]*\)", "", asked))
    text = text[:1] + _ASIDE.sub("", text[1:])
    for pattern in _PATTERNS:
        found = pattern.search(text)
        if found is not None:
            parts = found.groupdict()
            effect = f"{parts.get('e') or ''} {parts.get('e2') or ''}"
            return parts["c"].strip(" ?.,"), effect.strip(" ?.,")
    return "", ""
