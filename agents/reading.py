"""What the words of a passage say about a cause and an effect that someone found in it.

Given two spans, `read_pair` finds the causal expression that links them and decides from it, and from the words around
it, the direction, the sign, negation, hedging and conditions. It proposes no spans and knows no model; the expressions
themselves are data in `leucippus.agents.lexicon`.

What the answers mean:

*sign* relates the spans as written. "Lower wages" as a span makes "layoffs lead to lower wages" `+`; the span "wages"
makes it `-`, since the "lower" is then left to the link. Changes outside the spans multiply, so that "prevents a
reduction in" is `+`. An expression that leaves the sign open ("affects", "is associated with") takes one only from
such a change: "is associated with lower mortality".

*negated* is denial of the link, not a negative sign: "prevents" is `-`, "does not cause" is negated. "Not always",
"not necessarily" and "not the only cause" deny less than that: the first two hedge, the last does nothing.

*hedged* covers doubt (may, might, could, perhaps, likely, is believed to, suggests that, whether, a question) and mere
association. "Can" does not hedge: "smoking can cause cancer" asserts a capacity without doubt; nor does "would", whose
condition, where there is one, is reported.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from leucippus.agents.cues import Match, find_cues
from leucippus.agents.lexicon import Direction, Kind, Strength
from leucippus.store.triples import Sign

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PairReading:
    """What the text says of one pair of spans."""

    relation: str | None
    """The linking expression as written, `None` where none was found."""
    direction_ok: bool | None
    """Whether the cause given is the cause said; `None` where no expression decides."""
    sign: Sign
    negated: bool
    hedged: bool
    conditions: Span | None
    """Offsets in the text of the clause ("if …", "in patients with …") the claim is limited to."""


@dataclass(frozen=True, slots=True)
class _Link:
    """The cues that join two spans, outermost first, and whether the words after them name the earlier span."""

    cues: tuple[Match, ...]
    fronted: bool
    object_is_first: bool

    @property
    def start(self) -> int:
        return self.cues[0].start

    @property
    def end(self) -> int:
        return self.cues[-1].end


def _words(*words: str) -> frozenset[str]:
    return frozenset(" ".join(words).split())


_DOWN = _words(
    "lower fewer less smaller weaker slower poorer reduced decreased diminished impaired limited falling declining",
    "shrinking dwindling decline declines declined decrease decreases decreasing reduction reductions drop drops",
    "dropped dropping fall falls fell fallen cut cuts loss losses lost removal removed abolition abolished scrapped withdrawn withdrawal lack shortage shortages absence dearth scarcity",
    "shortfall collapse collapsed collapsing plunging slumping sinking vanishing collapses slump slumped plunge plunged slowdown weakening weakened reduce reduces",
    "reducing lowers lowered lowering cutting limiting curbing preventing avoiding shrink shrinks shrank slowing slowed",
    "slow suppression inhibition damage worsening erosion deterioration sank sink sinks dipped dip fading tumbled slid",
    "lose losing eliminating prevent deficit insufficient inadequate low plummeted dwindled prevention minimising",
)
_UP = _words(
    "higher more greater larger bigger stronger faster better increased increase increases increasing rising rise rises",
    "rose risen growth growing grow grows grew grown surge surges surged gain gains gained improvement improvements",
    "improved improving raised raising raise elevated enhanced heightened boost boosts boosting expansion expanding",
    "jump jumps jumped soaring soared soar climb climbs climbed climbing spike spikes excess excessive upsurge high",
    "accumulation acceleration strengthening extra additional worse longer improve improves spread",
)
# What may stand between a change word and its noun without being the thing that changes.
_SMALL = _words(
    "a an the of in to for on at by from its their his her our your this that these those such some any all both and",
    "have has had is are was were be been being do does did will would may might can could should must shall become",
    "becomes became get gets got further even much very so too quite rather slightly sharp sharply steep dramatic",
    "significant significantly marked substantial steady rapid sudden recent gradual severe also then still often",
    "start starts started begin begins began going keep keeps continue continued help helps helping total overall",
    "rate rates risk risks level levels chance chances likelihood probability number numbers amount amounts incidence",
    "odds quantity quantities degree frequency share costs cost price prices value demand supply use average as",
)
_NEUTRAL_AHEAD = _SMALL - _words("costs cost price prices value demand supply use and")
_NEGATORS = _words(
    "not never no neither nor without hardly barely scarcely cannot nothing none rarely seldom unable little"
)
_FAILING = _words("fail fails failed failing unable refused cease ceases ceased")
_AUXILIARY = _words(
    "do does did is are was were be been being have has had will would shall should can could may might must to a an",
    "the any it itself actually always ever yet also even either in by at all appear appears appeared seem seems seemed",
    "believed thought shown found known proven proved said considered expected likely unlikely possible as that there",
    "directly significantly necessarily really still so such much help helped helping there's of partly not",
)
_MODALS = _words(
    "may might could perhaps possibly probably likely unlikely appears appear appeared seems seem seemed believed",
    "thought suspected reportedly allegedly presumably apparently potentially maybe supposedly arguably expected",
    "suspect should assumed rumoured hypothesised hypothesized conceivably potential possible probable suggested",
    "plausibly tends tend tended alleged",
)
_FACTOR = {Sign.POSITIVE: 1, Sign.NEGATIVE: -1, Sign.NONE: 0}
_NO_OBJECT = _words(
    "in to from by at on over and or but because since during after before when while if as due until so than owing",
    "thanks again further among across for under that which more faster with without amid following once",
)
_AFTER = _words("have has had is are was were been being to from will would may might could can further also then")
_LIMITS = _words("only just merely simply solely always necessarily sole entirely exclusively")
_OPENERS = _words("if when whenever unless where among of that as assuming provided")
_WORD = re.compile(r"[\w$€£%'’-]+|[^\w\s]")
_SENTENCE_END = re.compile(
    r"(?<!\b[A-Z])(?<!\b(?:Dr|Mr|Ms|St|vs|No))(?<!\b(?:Mrs|e\.g|i\.e|cf\.))[.!?]+[\"'”’)\]]{0,3}\s|\n\s{0,8}\n"
)
_CLAUSE_END = re.compile(r"[;:]|,? \b(?:but|although|though|whereas|while|yet|however)\b", re.IGNORECASE)
_NEXT_CLAUSE = re.compile(r",\s(?:and|so)\b", re.IGNORECASE)
_CONDITION_END = re.compile(r"[,;:.?!)](?=\s|$)")
_LONGEST_CONDITION = 300  # characters
_PRONOUN = re.compile(r"\s{1,8}(?:it|they|this|that|these|which|he|she|we)\s", re.IGNORECASE)
_COPULA = re.compile(r"\b(?:is|are|was|were|be|been|include|includes|included|lies|lay)\b", re.IGNORECASE)
_CLEFT = re.compile(
    r"\b(?:what|which|that|factors?|things?|forces?|who)\s{1,8}(?:has |had |have |is |was )?\Z", re.IGNORECASE
)
_HEDGING_FRAME = re.compile(
    r"\b(?:(?:believ|think|thought|suspect|suggest|hypothesi|speculat|assum|propos|postulat|argu|guess|fear|expect"
    r"|conjectur|imagin|theori|warn|indicat|imply|implie|predict|allege|claim)\w{0,6} (?:\w{1,20} )?that"
    r"|(?:possible|probable|plausible|likely|conceivable|unclear|uncertain|unknown|doubtful|chance|possibility"
    r"|hypothesis|theory|suspicion|evidence suggests|idea|belief) (?:that|whether|if)|whether"
    r"|perhaps|maybe|possibly|probably|presumably|apparently|allegedly|reportedly|supposedly|arguably|it seems"
    r"|it appears|we hypothesi[sz]e|thought to|believed to|may|might|could)\b",
    re.IGNORECASE,
)
_DENYING_FRAME = re.compile(
    r"\b(?:no (?:\w{1,20} )?(?:evidence|proof|indication|sign|reason to (?:believe|think)|support for|basis for)"
    r"|den(?:y|ies|ied|ying)|ruled? out|rul(?:es|ing) out|disprove[sd]?|refute[sd]?|debunk(?:s|ed)?|dismiss(?:es|ed)?"
    r"|reject(?:s|ed)?|(?:myth|fallacy|misconception) (?:that|is)|false that|untrue that|contradict(?:s|ed)?"
    r"|(?:not|never|n't|n’t|cannot|failed to|fails to)(?: \w{1,20})? (?:true|the case|clear|find|found|show|shown|prove"
    r"|proven|mean|suggest|demonstrate|establish|believe|think|indicate|imply|detect|see|support|confirm)"
    r"|nothing (?:\w{1,20} ){0,4}(?:suggests?|shows?|indicates?))\b",
    re.IGNORECASE,
)
_DENYING_OBJECT = re.compile(
    r"\b(?:(?:had|has|have|having|with|shows?|showed|found|made|makes) (?:\w{1,20} ){0,2}no|no (?:\w{1,20} ){0,2}\Z"
    r"|nothing to do with|little to do with)",
    re.IGNORECASE,
)
_UNRELATED = re.compile(
    r"(?:(?:has|have|had) )?(?:nothing|little) to do with|(?:is|are|was|were) (?:un|not )related to"
    r"|(?:has|have|had) no bearing on|irrespective of|independent of",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:(?:only |even |but only )?(?:if|when|whenever|unless|provided(?: that)?|providing that|as long as|so long as"
    r"|assuming(?: that)?|in cases? (?:where|of)|where)\b"
    r"|(?:among|in|for|amongst)\s(?:(?!the\s)[\w-]{1,20}\s){0,2}(?:patients?|people|children|adults?|women|men|mice|rats"
    r"|individuals|subjects|infants|households|countries|regions|areas|cities|firms|students|workers|adolescents"
    r"|smokers|soils|animals|teenagers|species|economies|families|farms|populations|cells|plants|users)\b"
    r"|among(?! other)\b|under\s(?:[\w-]{1,20}\s){0,2}(?:conditions?|circumstances|stress|pressure|load)\b"
    r"|in the (?:absence|presence|event) of|at (?:high|low|higher|lower|elevated) (?:\w{1,20}s?)\b|above \d|below \d)",
    re.IGNORECASE,
)


def read_pair(text: str, cause_span: Span, effect_span: Span) -> PairReading:
    """Read the link that `text` makes between the two spans, given as (start, end) offsets with the supposed cause first.

    Spans may come in either order and may overlap; then only a cue outside both can decide.
    """
    first, second = sorted((cause_span, effect_span))
    left, right = _sentence(text, first, second)
    link = _link(text, first, second, left, right)
    conditions = _conditions(text, first, second, link, left, right)
    question = text[left:right].rstrip(" \t\r\n\"')”’").endswith("?")
    if link is None:
        unrelated = _UNRELATED.search(text, first[1], max(first[1], second[0]))
        relation = unrelated.group() if unrelated else None
        framed = _framed(text, _HEDGING_FRAME, left, first[0])
        return PairReading(relation, None, Sign.NONE, unrelated is not None, question or framed, conditions)
    direction = link.cues[0].cue.direction
    cause = None
    if direction is not Direction.EITHER:
        cause = first if (direction is Direction.BACKWARD) == link.object_is_first else second
    return PairReading(
        relation=text[link.start : link.end],
        direction_ok=None if cause is None else cause == cause_span,
        sign=_sign(text, first, second, link, left, right),
        negated=_negated(text, first, second, link, left),
        hedged=question or _hedged(text, first, second, link, left),
        conditions=conditions,
    )


def _sentence(text: str, first: Span, second: Span) -> Span:
    """The sentence, or run of sentences, that holds both spans."""
    left, right = 0, len(text)
    for end in _SENTENCE_END.finditer(text):
        if end.end() <= first[0]:
            left = end.end()
        elif end.start() >= max(first[1], second[1]):
            right = end.end()
            break
    return left, right


# --- the link ------------------------------------------------------------------------------------------------------


def _link(text: str, first: Span, second: Span, left: int, right: int) -> _Link | None:
    """The cue that joins the spans: between them, before both, at the edge of one, or after both; the surer first."""
    found = find_cues(text[left:right])
    cues = [Match(match.cue, match.start + left, match.end + left) for match in found]
    between = [m for m in cues if m.start >= first[1] and m.end <= second[0]]
    edges = [m for m in cues if m.cue.strength is not Strength.WEAK and _at_edge(text, m, first, second)]
    front = _fronting(text, cues, first, second)
    last_break = max((e.end() for e in _SENTENCE_END.finditer(text, first[1], max(first[1], second[0]))), default=-1)
    if last_break >= 0:  # across sentences only a cue that points back to the first can join
        between = [m for m in between if m.start >= last_break and _points_back(text, m, last_break)]
        front = None
    chosen = _between(text, between, first, second) if between else None
    if front is not None and _front_wins(text, front, chosen, first, second):
        return _Link(_chain(text, cues, front, first[0]), fronted=True, object_is_first=True)
    if chosen is not None and (chosen.cue.strength is not Strength.WEAK or not edges):
        return _Link(_chain(text, between, chosen, second[0]), fronted=False, object_is_first=False)
    if edges:
        return _Link((edges[0],), fronted=False, object_is_first=edges[0].start < first[1])
    trailing = [
        m for m in cues if m.start >= second[1] and not text[second[1] : m.start].strip() and _has_no_object(text, m)
    ]
    if trailing and trailing[0].cue.direction is Direction.FORWARD and trailing[0].cue.kind is Kind.VERB:
        return _Link((trailing[0],), fronted=False, object_is_first=True)
    return None


def _points_back(text: str, match: Match, sentence: int) -> bool:
    before = text[sentence : match.start].split()
    if match.cue.kind is Kind.LINK:
        return match.cue.direction is Direction.FORWARD
    return bool(before) and before[0].lower() in {"this", "that", "it", "these", "they", "which", "such"}


def _at_edge(text: str, match: Match, first: Span, second: Span) -> bool:
    """Whether a cue opens the later span, or closes the earlier, or opens the earlier as a conjunction would."""
    if second[0] <= match.start < match.end < second[1] or match.start < second[0] < match.end < second[1]:
        before = _tokens(text, max(first[1], second[0] - 12), match.start)
        if match.cue.kind is Kind.VERB and before[-1:] in (["to"], ["for"]):
            return False  # "acted [to prevent it]" and "held [for causing it]" are of one piece: a purpose, a charge
        return match.start <= second[0] or set(_tokens(text, second[0], match.start)) <= _SMALL
    if first[0] < match.start and match.end <= first[1]:
        return not text[match.end : first[1]].strip()
    opens = match.start == first[0] and match.end < first[1]
    return opens and match.cue.kind is Kind.LINK and match.cue.direction is Direction.BACKWARD


def _fronting(text: str, cues: list[Match], first: Span, second: Span) -> Match | None:
    """The last cue before both spans whose object the first span is."""
    for match in reversed(cues):
        if match.end > first[0]:
            continue
        gap = text[match.end : first[0]]
        if re.search(r"[,;:]", gap) or len(gap.split()) > 8:
            return None
        cue = match.cue
        weak_or_verb = cue.strength is Strength.WEAK or cue.kind is Kind.VERB
        if weak_or_verb and cue.direction is Direction.BACKWARD and "," not in text[first[1] : second[0]]:
            return None  # "when A did B": without a comma both spans are likely parts of its clause
        if cue.direction is Direction.FORWARD and cue.kind is Kind.VERB:
            cleft = _CLEFT.search(text, max(0, match.start - 30), match.start)
            return match if cleft and _COPULA.search(text, first[1], second[0]) else None
        if cue.direction is Direction.FORWARD and cue.kind is Kind.LINK:
            return None
        if cue.kind is Kind.NOUN and set(_tokens(text, match.end, first[0])) & _words("and or"):
            continue
        return match
    return None


def _front_wins(text: str, front: Match, between: Match | None, first: Span, second: Span) -> bool:
    if between is None:
        return True
    gap = text[first[1] : second[0]]
    if front.cue.kind is Kind.LINK and front.cue.direction is Direction.BACKWARD:
        comma = gap.rfind(",")
        if comma < 0:
            return False
        pronoun = _PRONOUN.match(text, first[1] + comma + 1)
        return between.start < first[1] + comma or not (pronoun and between.start > first[1] + comma)
    if front.cue.kind is Kind.NOUN:
        return bool(_COPULA.search(text, between.end, second[0])) or front.cue.strength is Strength.ASSOCIATION
    return front.cue.direction is Direction.FORWARD and front.cue.kind is Kind.VERB


def _between(text: str, between: list[Match], first: Span, second: Span) -> Match:
    """Of several cues between the spans: a conjunction before a verb of its own clause, else the nearest the second."""
    sure = [m for m in between if m.cue.strength is not Strength.WEAK] or between
    links = [m for m in sure if m.cue.kind is Kind.LINK and not _PRONOUN.match(text, m.end)]
    if links:
        return links[-1]
    head = sure[-1]
    index = between.index(head)
    while index and _adjacent(text, between[index - 1], between[index]):
        index -= 1
    return between[index]


def _adjacent(text: str, earlier: Match, later: Match) -> bool:
    """Whether only small words part two cues, so that they act as one: "can help to reduce", "due to increased"."""
    if _has_clause_mark(text, earlier.end, later.start):
        return False
    return set(_tokens(text, earlier.end, later.start)) <= _NEUTRAL_AHEAD - _words("that this these those")


def _chain(text: str, cues: list[Match], head: Match, limit: int) -> tuple[Match, ...]:
    chain = [head]
    for earlier, later in pairwise(cues[cues.index(head) :]):
        if later.end > limit or not _adjacent(text, earlier, later) or later.cue.kind is not Kind.VERB:
            break
        chain.append(later)
    return tuple(chain)


def _has_no_object(text: str, match: Match) -> bool:
    rest = text[match.end : match.end + 12].lstrip()
    return (
        not rest or not (rest[0].isalnum()) or rest.split()[0].lower() in _words("is are was were in on will has and")
    )


# --- the sign ------------------------------------------------------------------------------------------------------


def _sign(text: str, first: Span, second: Span, link: _Link, left: int, right: int) -> Sign:
    """The product of the signs of the cues and of the changes named beside the spans but outside them."""
    factors = [_FACTOR[match.cue.sign] for match in link.cues]
    if link.fronted:
        beside = [
            _change(text, link.end, first[0], whole=True),
            _change_after(text, first[1], second[0]),
            _change(text, first[1], second[0], whole=False),
        ]
    else:
        governed = link.start < second[0] and link.end <= second[0]
        beside = [
            _change(text, left, first[0], whole=False),
            _change_after(text, first[1], min(second[0], link.start)),
            _change(text, max(first[1], link.end), second[0], whole=True) if governed else 0,
        ]
    clausal = link.cues[0].cue.kind is not Kind.NOUN
    beside.append(_change_after(text, second[1], right) if clausal else 0)
    changes = [change for change in beside if change]
    if changes or any(factors):
        factors = [factor or 1 for factor in factors]
    product = 1
    for factor in factors + changes:
        product *= factor
    return {1: Sign.POSITIVE, -1: Sign.NEGATIVE}.get(product, Sign.NONE)


def _change(text: str, start: int, end: int, *, whole: bool) -> int:
    """The change named before a span: among all the words of the gap, or only in those that lead straight up to it."""
    change = 0
    for token in reversed(_tokens(text, max(start, end - 120), end)):
        if token in _DOWN or token in _UP:
            change = (change or 1) * (1 if token in _UP else -1)
        elif token in {",", ";", ":", "—", "."} or (not whole and token not in _NEUTRAL_AHEAD):
            break
    return change


def _change_after(text: str, start: int, end: int) -> int:
    """The change said of a span by the verb or noun right after it: "prices FELL because", "caused prices to FALL"."""
    tokens = _tokens(text, start, min(end, start + 60))
    for index, token in enumerate(tokens):
        if token in _DOWN or token in _UP:
            follower = tokens[index + 1] if index + 1 < len(tokens) else ","
            intransitive = not follower[0].isalnum() or follower in _NO_OBJECT or follower.endswith("ly")
            return (1 if token in _UP else -1) if intransitive else 0
        if token not in _AFTER and not token.endswith("ly"):
            break
    return 0


# --- negation and hedging ------------------------------------------------------------------------------------------


def _negated(text: str, first: Span, second: Span, link: _Link, left: int) -> bool:
    head = link.cues[0]
    if _framed(text, _DENYING_FRAME, left, first[0]):
        return True
    floor = left if link.start <= first[0] else first[1]
    if _governed(text, floor, head, _NEGATORS | _FAILING) and not _replaced(text, head.end, second[0]):
        return True
    if link.start > first[0]:
        before = _tokens(text, left, first[0])
        outright = [t for t in before[-3:] if t in {"no", "neither", "nor", "not"}]
        if outright and set(before[-3:][before[-3:].index(outright[-1]) + 1 :]) <= _words(
            "a an the of one single all by"
        ):
            return True
    before_object = link.end, (first if link.object_is_first else second)[0]
    tail = _tokens(text, *before_object)
    if set(tail) & {"no", "neither", "nothing"} and "doubt" not in tail:
        return True
    last = tail if link.object_is_first else _tokens(text, max(first[1], link.end), second[0])[-4:]
    if "not" in last and not {"only", "just", "but", "merely"} & set(last):
        return True
    return " ".join(last).endswith(("rather than", "instead of", "rather than by", "rather than to"))


def _replaced(text: str, start: int, end: int) -> bool:
    """Whether "not because of A but" hands the link over to what comes next."""
    return "but" in _tokens(text, start, end)


def _hedged(text: str, first: Span, second: Span, link: _Link, left: int) -> bool:
    head = link.cues[0]
    if head.cue.strength is Strength.ASSOCIATION:
        return True
    floor = left if link.start <= first[0] else first[1]
    within = _tokens(text, head.start, link.end)
    if set(within) & _MODALS or _governed(text, floor, head, _MODALS) or _weakly_denied(text, floor, head):
        return True
    if set(_tokens(text, link.end, (first if link.object_is_first else second)[0])) & _words(
        "perhaps possibly probably"
    ):
        return True
    end = min(first[0], head.start)
    return _framed(text, _HEDGING_FRAME, left, end) and not _framed(text, _DENYING_FRAME, left, end)


def _governed(text: str, floor: int, head: Match, wanted: frozenset[str]) -> bool:
    """Whether one of `wanted` stands before the cue with nothing but auxiliaries, adverbs and the like between."""
    spare = 3 if head.cue.kind is Kind.NOUN else 0  # "not a big cause of": a noun has adjectives
    for token in reversed(_tokens(text, max(floor, head.start - 120), head.start)):
        inside = token in _AUXILIARY or token.endswith("ly")
        if token in _LIMITS and wanted is not _MODALS:
            return False
        if token in wanted or (wanted is not _MODALS and token.endswith(("n't", "n’t"))):
            return True
        if not inside:
            if token in {",", ";", ":", "."} or token in _words("and but which who because if while") or not spare:
                return False
            spare -= 1
    return False


def _weakly_denied(text: str, floor: int, head: Match) -> bool:
    before = " ".join(_tokens(text, max(floor, head.start - 60), head.start))
    return re.search(r"(?:not|n't|n’t|cannot) (?:always|necessarily)", before) is not None


def _framed(text: str, frame: re.Pattern[str], left: int, end: int) -> bool:
    """Whether a frame such as "no evidence that" opens the clause that runs up to `end`."""
    start = left
    for mark in _CLAUSE_END.finditer(text, left, end):
        start = mark.end()
    for mark in _NEXT_CLAUSE.finditer(text, start, end):
        start = mark.end()
    return frame.search(text, start, end) is not None


# --- conditions ----------------------------------------------------------------------------------------------------


def _conditions(text: str, first: Span, second: Span, link: _Link | None, left: int, right: int) -> Span | None:
    """The first limiting clause of the sentence that lies outside both spans and is not the link itself."""
    for hit in _CONDITION.finditer(text, left, right):
        start = hit.start()
        if any(span[0] <= start < span[1] for span in (first, second)) or (link and link.start <= start < link.end):
            continue
        stops = [min(right, start + _LONGEST_CONDITION)]
        stops += [span[0] for span in (first, second) if span[0] > start]
        stops += [link.start] if link and link.start > start else []
        mark = _CONDITION_END.search(text, hit.end(), stops[0])
        stops += [mark.start()] if mark else []
        end = start + len(text[start : min(stops)].rstrip())
        if link and min(stops) == link.start and hit.group().lower() == "among":  # "among the causes of"
            continue
        if end >= hit.end() and (end > hit.end() or hit.group().split()[-1].lower() not in _OPENERS):
            return start, end
    return None


def _tokens(text: str, start: int, end: int) -> list[str]:
    return [hit.group().lower() for hit in _WORD.finditer(text, start, end)] if start < end else []


def _has_clause_mark(text: str, start: int, end: int) -> bool:
    return re.compile(r"[,;:.?!]").search(text, start, end) is not None
