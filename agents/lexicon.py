"""The causal expressions of English, as data. How they are looked for is `leucippus.agents.cues`.

Three decisions run through the lexicon.

*Direction* is a fact about the words right after the cue: they name the effect ("X leads to Y"), the cause ("Y because
of X", and likewise "Because of X, Y"), or either ("is linked to").

*Sign* is `+` where the expression says that the effect is there, or grows, through the cause. That holds of "causes"
and equally of "because", "due to" and "result of": the same assertion must not change sign with its wording. It is `-`
where the effect is kept away or made less ("prevents", "reduces"), and `none` where the expression leaves it open
("affects", "effect of", "linked to", "worsens": worse symptoms are more, worse health is less).

*Strength* is STRONG where the expression is hardly ever used without causal sense, WEAK where it often is ("after",
"since", "if"), ASSOCIATION where it claims no more than going together.
"""

from dataclasses import dataclass
from enum import StrEnum

from leucippus.store.triples import Sign


class Direction(StrEnum):
    """What the words right after a cue name."""

    FORWARD = "effect follows"
    BACKWARD = "cause follows"
    EITHER = "not said"


class Strength(StrEnum):
    STRONG = "strong"
    WEAK = "weak"
    ASSOCIATION = "association"


class Kind(StrEnum):
    """What the cue joins: a subject to an object, one noun phrase to another, or two clauses."""

    VERB = "verb"
    NOUN = "noun"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Cue:
    """One expression. `pattern` is a regular expression in which a blank stands for any short run of white space."""

    name: str
    pattern: str
    direction: Direction
    sign: Sign
    strength: Strength
    kind: Kind
    after_be: bool = False
    """Whether a form of "be" just before belongs to it: "was partly caused by"."""


_F, _B, _E = Direction.FORWARD, Direction.BACKWARD, Direction.EITHER
_UP, _DOWN, _OPEN = Sign.POSITIVE, Sign.NEGATIVE, Sign.NONE
_STRONG, _WEAK, _ASSOC = Strength.STRONG, Strength.WEAK, Strength.ASSOCIATION

ADVERB = r"(?:(?:\w{1,20}ly|in (?:large )?part|at least in part|also|often|once|again|further|even|back) )?"
BE = r"(?:(?:is|are|was|were|be|been|being|get|gets|got|getting) )?"
# "was reduced by 5%" and "had increased by a third" tell how much, not by whom.
_MEASURE = (
    r"(?: (?:about|around|almost|nearly|up to|at least|more than|less than|over|under|roughly|approximately|some|only"
    r"|just|as much as|an average of|an estimated|a further|another)){0,2}"
    r" (?:[$€£]?\d|(?:one|a|half a|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty|several"
    r"|a few) ?-?(?:per ?cent|percent|percentage|points?|times|degrees?|thirds?|quarters?|fifths?|half|tenth|factor"
    r"|million|billion|basis)|half\b|the end\b|then\b|now\b|(?:tens|hundreds|thousands|millions|billions) of)"
)
# "prices increased in May" has no object: the verb tells of a change and joins nothing.
_NO_OBJECT = r"(?! (?:in|to|from|by|of|at|during|since|over|as|because|due|when|after|and|but|on)\b)(?=\s{1,8}\S)"


_TAKES_BE = (
    "(?:attributed", "rooted", "born", "blamed on", "due ", "because", "(?:associated", "(?:tied", "implicated"
)  # fmt: skip


def _parts(verb: str) -> tuple[str, str, str, str]:
    """Base, third person, past and participle joined by '|', and -ing form, of "base" or "base past participle -ing"."""
    words = verb.split()
    base = words[0]
    consonant_y = base.endswith("y") and base[-2] not in "aeiou"
    third = base[:-1] + "ies" if consonant_y else base + ("es" if base.endswith(("s", "x", "ch", "sh")) else "s")
    if len(words) == 4:
        return base, third, f"{words[1]}|{words[2]}", words[3]
    if consonant_y:
        return base, third, base[:-1] + "ied", base + "ing"
    if base.endswith("e"):
        return base, third, base + "d", base[:-1] + "ing"
    return base, third, base + "ed", base + "ing"


def _verb(
    verbs: str,
    direction: Direction,
    sign: Sign,
    *,
    after: str = "",
    strength: Strength = _STRONG,
    change: bool = False,
    passive: bool = True,
) -> tuple[Cue, ...]:
    """The active form of each verb ("lead led led leading"; commas between verbs) and the passive derived from it.

    `after` is the particle ("to"), `change` marks verbs that also stand without an object and then take a measure.
    """
    cues: list[Cue] = []
    for verb in verbs.split(","):
        base, third, past, ing = _parts(verb.strip())
        name = f"{base} {after}".strip()
        active = f"(?:{base}|{third}|{past}|{ing})"
        active += f" {ADVERB}{after}" if after else r"(?! by\b)" + (_NO_OBJECT if change else "")
        cues.append(Cue(name, active, direction, sign, strength, Kind.VERB))
        if passive:
            agent = f"(?:{past})" + (f" {after}" if after else "") + f" {ADVERB}by"
            agent += f"(?!{_MEASURE})" if change else ""
            other = Direction.BACKWARD if direction is Direction.FORWARD else Direction.FORWARD
            cues.append(Cue(f"{name} (passive)", agent, other, sign, strength, Kind.VERB, after_be=True))
    return tuple(cues)


def _words(
    kind: Kind, direction: Direction, sign: Sign, patterns: str, strength: Strength = _STRONG
) -> tuple[Cue, ...]:
    """One cue for each line of `patterns`."""
    lines = [line.strip() for line in patterns.strip().splitlines()]
    return tuple(
        Cue(line, line, direction, sign, strength, kind, after_be=line.startswith(_TAKES_BE)) for line in lines
    )


LEXICON: tuple[Cue, ...] = (
    *_verb("cause, trigger, spark, provoke, prompt, induce, generate, spur spurred spurred spurring", _F, _UP),
    *_verb("fuel, drive drove driven driving, elicit, precipitate, engender, ignite, unleash, necessitate", _F, _UP),
    *_verb("fuel fuelled fuelled fuelling", _F, _UP),
    *_verb("exacerbate, aggravate, stimulate, accelerate, promote, encourage, foster, facilitate", _F, _UP),
    *_verb("breed bred bred breeding, stoke, inflame, arouse, evoke, stir stirred stirred stirring, instil", _F, _UP),
    *_verb("yield, attract, hasten, quicken, reinforce, augment, nurture, magnify, swell, entail", _F, _UP),
    *_verb("double, triple, treble, deepen, widen, lengthen, multiply, escalate, prolong", _F, _UP, change=True),
    *_verb(
        "drive drove driven driving, push, force, bid, send sent sent sending, pull", _F, _UP, after="(?:up|higher)"
    ),
    *_verb(
        "drive drove driven driving, push, force, bring brought brought bringing, drag dragged dragged dragging, hold"
        " held held holding, keep kept kept keeping, pull, knock",
        _F,
        _DOWN,
        after="(?:down|lower|back)",
    ),
    *_verb("ward, stave, fend, head", _F, _DOWN, after="off"),
    *_verb("wipe", _F, _DOWN, after="out"),
    *_verb("force, enable, motivate, intensify, amplify, compel compelled compelled compelling", _F, _UP),
    *_verb("explain, produce, create, inspire, allow, help, support, ensure, require", _F, _UP, strength=_WEAK),
    *_verb("send sent sent sending, save, transform, change, hit hit hit hitting, kill", _F, _OPEN, strength=_WEAK),
    *_verb("leave left left leaving", _F, _UP, strength=_WEAK, change=True),
    *_verb("follow", _B, _UP, strength=_WEAK),
    *_verb(
        "make made made making, let let let letting, mean meant meant meaning",
        _F,
        _UP,
        strength=_WEAK,
    ),
    *_verb("lead led led leading, contribute, amount", _F, _UP, after="to", passive=False),
    *_verb("result, culminate, end", _F, _UP, after="in", passive=False),
    *_verb("bring brought brought bringing, set set set setting", _F, _UP, after="(?:about|off)"),
    *_words(
        Kind.VERB,
        _F,
        _UP,
        r"""
        (?:give|gives|gave|given|giving) (?:rise|birth) to
        pav(?:e|es|ed|ing) the way (?:for|to)
        open(?:s|ed|ing)? the door to
        """,
    ),
    *_verb(
        "increase, raise, boost, lift, improve, enhance, strengthen, elevate, expand, heighten, bolster, extend",
        _F,
        _UP,
        change=True,
    ),
    *_verb(
        "reduce, lower, cut cut cut cutting, decrease, curb, limit, slow, weaken, diminish, shrink shrank shrunk"
        " shrinking, dampen, depress, shorten, restrict, ease, lessen, curtail, erode",
        _F,
        _DOWN,
        change=True,
    ),
    *_verb("hurt hurt hurt hurting, harm, damage, impair, destroy, disrupt, undermine, hamper, hinder", _F, _DOWN),
    *_verb("prevent, avert, block, inhibit, suppress, avoid, stop stopped stopped stopping, halt, delay", _F, _DOWN),
    *_verb("alleviate, mitigate, relieve, eliminate, eradicate, deter deterred deterred deterring", _F, _DOWN),
    *_verb("stifle, smother, quell, cripple, ruin, jeopardise, jeopardize, endanger, compromise, preclude", _F, _DOWN),
    *_verb("dent, forestall, quash, constrain, deplete, threaten, degrade, destabilise, destabilize", _F, _DOWN),
    *_verb("halve, narrow", _F, _DOWN, change=True),
    *_verb("discourage, thwart, impede, counteract, offset offset offset offsetting, attenuate", _F, _DOWN),
    *_verb("protect, guard", _F, _DOWN, after="(?:against|from)", passive=False),
    *_verb("affect, influence, shape, impact, determine, alter, worsen, modify, modulate", _F, _OPEN),
    *_verb(
        "result, stem stemmed stemmed stemming, arise arose arisen arising, derive",
        _B,
        _UP,
        after="from",
        passive=False,
    ),
    *_verb("follow, originate, emanate, come came come coming", _B, _UP, after="from", strength=_WEAK, passive=False),
    *_words(
        Kind.VERB,
        _B,
        _UP,
        rf"""
        (?:attributed|attributable|ascribed|traced|put down|chalked up|down) {ADVERB}to
        (?:owes?|owed|owing) (?:(?:its|their|his|her|much|this|that) ){{1,2}}to
        rooted in
        born (?:out )?of
        (?:arise|arises|arose|arisen|arising|grew|grow|grows|growing) out of
        (?:die|dies|died|dying) {ADVERB}(?:of|from)
        blamed on
        """,
    ),
    *_words(Kind.VERB, _B, _OPEN, r"depend(?:s|ed|ing)? {ADVERB}(?:up)?on".replace("{ADVERB}", ADVERB)),
    *_words(
        Kind.NOUN,
        _F,
        _UP,
        r"""
        causes? (?:of|for|behind)
        reasons? (?:for|behind|why|that)
        (?:risk )?factors? (?:for|behind)
        factors? in
        contributors? to
        drivers? (?:of|behind)
        triggers? (?:of|for)
        catalysts? (?:of|for)
        responsible for
        (?:to blame|blamed|culprits?|at fault) (?:for|in|behind)
        credited (?:with|for)
        """,
    ),
    *_words(Kind.NOUN, _F, _UP, r"(?:sources?|origins?|roots?) of|key to|recipe for|threat to|risk to", _WEAK),
    *_words(
        Kind.NOUN,
        _F,
        _OPEN,
        r"""
        (?:effects?|impacts?|influences?|bearing|repercussions?|consequences?) (?:up)?on
        (?:consequences|implications|repercussions) for
        roles? in
        """,
    ),
    *_words(
        Kind.NOUN,
        _B,
        _UP,
        r"""
        (?:results?|consequences?|outcomes?|by-?products?|aftermath|repercussions?) of
        (?:in )?(?:response|reaction|retaliation) (?:to|for)
        """,
    ),
    *_words(Kind.NOUN, _B, _OPEN, r"(?:side )?(?:effects?|impacts?|influences?|roles?) of"),
    *_words(Kind.NOUN, _B, _UP, r"(?:symptom|sign|product|function)s? of", _WEAK),
    *_words(
        Kind.LINK,
        _B,
        _UP,
        rf"""
        due {ADVERB}to
        because(?: of)?
        owing {ADVERB}to
        thanks {ADVERB}to
        (?:as|in) (?:(?:an?|the) )?(?:(?:direct|indirect|natural|immediate) )?(?:result|consequence) of
        on (?:account|grounds) of
        on the (?:grounds|back|strength|heels) (?:of|that)
        by (?:virtue|reason|dint) of
        for fear of
        for the reason that
        by way of retaliation for
        in light of
        in view of
        inasmuch as
        now that
        in the wake of
        """,
    ),
    *_words(Kind.LINK, _B, _UP, r"blam(?:e|es|ed|ing)(?! for| on)"),
    *_words(Kind.LINK, _B, _DOWN, r"for (?:lack|want) of"),
    *_words(Kind.VERB, _F, _OPEN, r"(?:has|had|have|having) the effect of"),
    *_words(Kind.NOUN, _F, _UP, r"(?:needed|required|necessary|essential|crucial|vital) for", _WEAK),
    *_words(
        Kind.LINK,
        _F,
        _UP,
        r"""
        therefore
        thus
        hence
        thereby
        consequently
        as (?:a|an) (?:(?:direct|indirect|natural) )?(?:result|consequence)
        in consequence
        (?:which|that|this|and that) (?:is|was)(?: the reason| precisely)? why
        for (?:this|that|these|those|which) (?:very )?reasons?
        (?:which|this|that) (?:means?|meant)
        meaning(?: that)?
        with the (?:result|consequence|effect) (?:that|of)
        so(?: \w{1,20}){1,2} that
        such that
        (?<=,\s)so that
        so much so
        because of (?:this|that|which)
        due to (?:this|that|which)
        """,
    ),
    *_words(
        Kind.LINK,
        _B,
        _UP,
        r"""
        since
        after
        following
        (?:as )?if
        when
        once
        whenever
        given(?: that)?
        amid
        by(?= (?:\w{1,20}ly )?\w{2,20}ing\b)
        as(?= (?:the|a|an|he|she|it|they|we|this|these|those|more|many)\b)
        """,
        _WEAK,
    ),
    *_words(
        Kind.LINK,
        _F,
        _UP,
        r"""
        (?<=,\s)(?:and )?so
        (?<=[.;]\s)so
        accordingly
        """,
        _WEAK,
    ),
    *_words(
        Kind.LINK,
        _E,
        _OPEN,
        r"""
        in (?:order|a bid|an attempt|an effort|a move) (?:to|that|for)
        so as (?:not )?to
        so that
        lest
        """,
        _WEAK,
    ),
    *_words(
        Kind.VERB,
        _E,
        _OPEN,
        rf"""
        (?:associated|correlated|connected|linked) {ADVERB}(?:with|to)
        correlat(?:e|es|ing) {ADVERB}with
        (?:tied|related) {ADVERB}to
        (?:is|are|was|were) a function of
        """,
        _ASSOC,
    ),
    *_words(
        Kind.NOUN,
        _E,
        _OPEN,
        r"(?:links?|associations?|correlations?|relationships?|connections?) (?:between|with|to)",
        _ASSOC,
    ),
    *_words(Kind.VERB, _F, _OPEN, r"implicated in", _ASSOC),
    *_words(
        Kind.VERB, _F, _UP, r"(?:predict|predicts|predicted|(?:is|are|was|were) (?:a |an |the )?predictors? of)", _ASSOC
    ),
)

# Signs of a cause that are too vague to read a direction from, yet worth a reader's time. First pass only.
HINTS = r"""
(?:in|to|as a|as) (?:protest|revenge|retaliation|punishment|celebration)(?:s|ed|ing)?
(?:protest|rall(?:y|ied)|demonstrat|strike|clash|agitat)\w{0,8} (?:against|over|for|after|demanding|at|to)
demand(?:s|ed|ing)? (?:that|the|for|an?)
against
(?:kill|injur|wound|arrest|burn|wreck|ruin|rescu)(?:s|ed|ing)
(?:to|will|would|could|can|may|might|must) (?:cause|lead|result|reduce|increase|raise|lower|ensure|avoid|keep|save)
(?:come|comes|came|coming|emerg(?:e|es|ed|ing)|suffer(?:s|ed|ing)?|damage|pain|stress|injur(?:y|ies)) from
(?:effect|impact|consequence|result|reason|cause|outcome|aftermath|factor|driver|trigger)s?
\w{2,20}-(?:induced|driven|related|borne|causing|fuelled|fueled|triggered)
(?:made|released|emitted|given off|radiated|shaken|hit|killed|affected|injured|destroyed|sparked|felt) by
without
unless
as (?:soon|long) as
for (?:allegedly|failing|refusing|not|having|being|their|his|her|its) \w{2,20}
fail(?:s|ed|ing|ure)? to
(?:resulting|ensuing|consequent|subsequent)
(?:so|such|too|enough) \w{2,20} (?:that|to)
(?<=,\s)\w{2,20}ing
(?:up|down|rose|fell|gain|los|drop|jump|climb|declin|surg|plung|slid)\w{0,4} \w{0,10} ?[$€£]?\d
"""
DEFAULT_HINTS = r"""
to (?!(?:the|an?|this|that|his|her|its|their|our|them|it|be|him|me|us)\b)[a-z]{2,20}
"""
WIDE_HINTS = r"""
from
for
as
by
which
during
until
despite
through
"""
