"""A seeded grammar of annotated sentences, for volume and for forms that are rare in real text.

It teaches constructions, not the world: things and events of different fields are mixed on purpose, so that nothing
but the construction says which is the cause. Every causal form comes affirmed, denied and doubted, and has a
look-alike without a claim.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from leucippus.store.triples import Sign
from leucippus.training.examples import Example, Mark

SOURCE = "generated"
_CLAIM_SHARE = 0.6


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


_MODIFIERS = _list("sudden|new|prolonged|repeated|unusual|heavy|poor|early|rising|widespread|severe|local|minor|cheap")
_THINGS = _list(
    "frost|the drought|a software update|the merger|night shifts|the strike|salt water|the vaccine|overtime|the tariff"
    "|lower interest rates|noise|the embargo|a faulty valve|overgrazing|the scandal|smoke from the refinery|staff cuts"
    "|the injury to their captain|a misread label|free school meals|the landslide|the switch to diesel|advertising"
    "|ibuprofen|the power cut|a cold spring|loose bolts|rumours of a takeover|the new timetable|lead in the pipes"
    "|the ban on nets|higher rents|the flood of 1911|a typing error|deforestation|the coup|late payments|stress"
)
_RESULTS = _list(
    "crop losses|longer queues|a stomach ulcer|unemployment|the collapse of the bridge|resentment among the players"
    "|a fall in sales|the outage|asthma attacks|delays at the port|inflation|the retreat|headaches|data loss|riots"
    "|the closure of the mine|better grades|turnover of staff|soil erosion|the resignation of two ministers|corrosion"
    "|road deaths|the spread of the disease|higher yields|a run on the bank|complaints|the fire in the warehouse"
    "|a shortage of nurses|fatigue|the decline of the herring|wage growth|the delay of the premiere|poor sleep|demand"
)
_SUBJECTS = _list(
    "the pump|our supplier|the committee|a tanker|the youngest patient|the index|two of the villages|the company"
    "|the river|the night train|the goalkeeper|the cluster|the harvest|the orchestra|several tenants|the governor"
    "|the second reactor|the school|most of the bees|the translator|the ferry|the court|the tomato plants|the currency"
)
_EVENTS = _list(
    "failed within an hour|had run out of fuel|lost a third of its value|refused to sign|was closed for the winter"
    "|arrived two days late|stopped responding|doubled in size|was moved to another ward|burst its banks"
    "|withdrew from the contract|could not be reached|grew faster than expected|broke down near the border"
    "|sold its last shop|was left without heating|turned yellow|missed the final|began to leak|cancelled the tour"
    "|went to arbitration|had been built on clay|paid no dividend|changed its mind|fell ill in March|dropped by 4 %"
)
_CAUSING = _list(
    "caused|led to|triggered|brought about|resulted in|gave rise to|provoked|set off|produced|sparked|increased|fuelled"
    "|raised|contributed to|ended in|encouraged"
)
_LOWERING = _list("reduced|prevented|curbed|lowered|limited|averted|delayed|eased|put an end to|protected against")
_TOUCHING = _list("affected|influenced|shaped|changed|played a role in")
_PLAIN = {  # past → (infinitive, participle) where they differ from "past minus d"
    "led to": ("lead to", "led to"),
    "brought about": ("bring about", "brought about"),
    "resulted in": ("result in", "resulted in"),
    "gave rise to": ("give rise to", "given rise to"),
    "set off": ("set off", "set off"),
    "triggered": ("trigger", "triggered"),
    "sparked": ("spark", "sparked"),
    "fuelled": ("fuel", "fuelled"),
    "contributed to": ("contribute to", "contributed to"),
    "ended in": ("end in", "ended in"),
    "prevented": ("prevent", "prevented"),
    "curbed": ("curb", "curbed"),
    "lowered": ("lower", "lowered"),
    "limited": ("limit", "limited"),
    "averted": ("avert", "averted"),
    "delayed": ("delay", "delayed"),
    "put an end to": ("put an end to", "put an end to"),
    "protected against": ("protect against", "protected against"),
    "affected": ("affect", "affected"),
    "played a role in": ("play a role in", "played a role in"),
}
_PLURAL = {"was": "were", "is": "are", "has": "have", "does": "do"}
_OPENINGS = _list(
    "According to the report, |In 1987, |On Tuesday, |The inspectors found that |As the minutes show, |Locals say |"
    "At the annual meeting the chair said that |Meanwhile, |In the northern districts, |For the second year running, "
)
_CLOSINGS = _list(
    ", a spokesman said|, according to the ministry|, the survey of 214 households shows|, and talks continue"
    "| in the second half of the year|, which nobody had on the agenda|, she told the paper| (see the appendix)"
)


@dataclass
class _Sentence:
    """Text put together piece by piece; the pieces that matter leave their place."""

    rng: random.Random
    text: str = ""

    def add(self, piece: str) -> tuple[int, int]:
        start = len(self.text)
        self.text += piece
        return start, len(self.text)

    def pick(self, options: tuple[str, ...]) -> str:
        return self.rng.choice(options)

    def thing(self) -> str:
        thing = self.pick(_THINGS)
        if self.rng.random() < 0.3 and not thing.startswith(("the ", "a ", "lower", "higher", "free", "late", "loose")):
            return f"{self.pick(_MODIFIERS)} {thing}"
        return thing

    def result(self) -> str:
        return self.pick(_RESULTS)

    def event(self) -> str:
        return f"{self.pick(_SUBJECTS)} {self.pick(_EVENTS)}"


def generate(count: int, seed: int) -> list[Example]:
    """`count` annotated sentences; the same seed makes the same ones."""
    rng = random.Random(seed)
    return [_one(rng) for _ in range(count)]


def _one(rng: random.Random) -> Example:
    sentence = _Sentence(rng)
    sentence.add(sentence.pick(_OPENINGS) if rng.random() < 0.3 else "")
    form = rng.choices([f for f, _ in _CAUSAL], [w for _, w in _CAUSAL])[0]
    marks = form(sentence) if rng.random() < _CLAIM_SHARE else _look_alike(sentence)
    if not sentence.text.endswith("?"):
        sentence.add(sentence.pick(_CLOSINGS) if rng.random() < 0.25 else "")
        sentence.add("" if rng.random() < 0.1 else ".")
    text = sentence.text
    return Example(text[0].upper() + text[1:], tuple(marks), SOURCE)


def _agree(noun: str, words: str) -> str:
    """`words` with its auxiliary in the number of `noun`, and one space on both sides."""
    head = noun.split(" of ")[0].split(" in ")[0].split(" among ")[0]
    if head.endswith("s") and not head.endswith("ss"):
        words = re.sub(r"\b(was|is|has|does)\b", lambda hit: _PLURAL[hit.group()], words, count=1)
    return f" {words.strip()} " if words.strip() else " "


def _verb(s: _Sentence) -> tuple[str, Sign]:
    kind = s.rng.random()
    if kind < 0.55:
        return s.pick(_CAUSING), Sign.POSITIVE
    if kind < 0.88:
        return s.pick(_LOWERING), Sign.NEGATIVE
    return s.pick(_TOUCHING), Sign.NONE


def _attitude(s: _Sentence) -> str:
    return s.rng.choices(["said", "denied", "doubted"], [0.56, 0.2, 0.24])[0]


def _mark(
    cause: tuple[int, int], effect: tuple[int, int], link: tuple[int, int], attitude: str, sign: Sign = Sign.POSITIVE
) -> Mark:
    return Mark(cause, effect, link, sign, negated=attitude == "denied", hedged=attitude == "doubted")


def _active(s: _Sentence) -> list[Mark]:
    past, sign = _verb(s)
    plain, participle = _PLAIN.get(past, (past[:-1], past))
    attitude = _attitude(s)
    if attitude == "doubted" and s.rng.random() < 0.3:
        s.add(s.pick(_list("it is possible that |perhaps |some suspect that |it is not clear whether ")))
        before, verb = "", past
    else:
        before, verb = s.rng.choice(
            {
                "said": [("", past), ("", past), ("", past), ("also", past), ("directly", past), ("has", participle)],
                "denied": [("did not", plain), ("never", past), ("has not", participle), ("in no way", past)],
                "doubted": [("may", plain), ("might", plain), ("could", plain), ("probably", past),
                            ("is thought to have", participle), ("seems to have", participle)],
            }[attitude]
        )  # fmt: skip
    thing = s.thing()
    cause = s.add(thing)
    s.add(_agree(thing, before.replace("seems", "seem") if _agree(thing, "is") == " are " else before))
    link = s.add(verb)
    s.add(" ")
    return [_mark(cause, s.add(s.result()), link, attitude, sign)]


def _passive(s: _Sentence) -> list[Mark]:
    attitude = _attitude(s)
    result = s.result()
    effect = s.add(result)
    auxiliaries = {
        "said": _list("was|is often|had been|is mostly"),
        "denied": _list("was not|is never|had not been"),
        "doubted": _list("may have been|was probably|is believed to have been|could be"),
    }[attitude]
    s.add(_agree(result, s.pick(auxiliaries)))
    word, sign = s.rng.choice(
        [
            *[(w, Sign.POSITIVE) for w in _list("caused by|brought on by|triggered by|driven by|due to|produced by")],
            *[(w, Sign.NEGATIVE) for w in _list("prevented by|reduced by|held back by|averted by")],
            *[(w, Sign.NONE) for w in _list("affected by|influenced by")],
        ]
    )
    link = s.add(word)
    s.add(" ")
    return [_mark(s.add(s.thing()), effect, link, attitude, sign)]


def _nominal(s: _Sentence) -> list[Mark]:
    attitude = _attitude(s)
    copula = {
        "said": _list("was|is"),
        "denied": _list("was not|is not|was never"),
        "doubted": _list("may be|was probably|is possibly|is suspected to be"),
    }[attitude]
    noun = _list("the main cause of|one reason for|the source of|a driver of|behind|to blame for|the trigger of")
    if s.rng.random() < 0.5:
        thing = s.thing()
        cause = s.add(thing)
        s.add(_agree(thing, s.pick(copula)))
        link = s.add(s.pick(noun))
        s.add(" ")
        return [_mark(cause, s.add(s.result()), link, attitude)]
    link = s.add(s.pick(_list("the cause of|the main reason for|the root of")))
    s.add(" ")
    effect = s.add(s.result())
    s.add(f" {s.pick(copula)} ")
    return [_mark(s.add(s.thing()), effect, link, attitude)]


def _outcome(s: _Sentence) -> list[Mark]:
    attitude = _attitude(s)
    result = s.result()
    effect = s.add(result)
    verb = {
        "said": _list("was the result of|stemmed from|came from|followed from|arose from|was a consequence of"),
        "denied": _list("was not the result of|did not stem from|had nothing to do with|was no consequence of"),
        "doubted": _list("may stem from|was probably the result of|appears to come from|might be a consequence of"),
    }[attitude]
    s.add(" ")
    link = s.add(_agree(result, s.pick(verb)).strip())
    s.add(" ")
    return [_mark(s.add(s.thing()), effect, link, attitude)]


def _conjunction(s: _Sentence) -> list[Mark]:
    attitude = _attitude(s)
    if s.rng.random() < 0.35 and attitude == "said":
        link = s.add(s.pick(_list("because|since|as|now that")))
        s.add(" ")
        cause = s.add(s.event())
        s.add(", ")
        return [_mark(cause, s.add(s.event()), link, attitude)]
    effect = s.add(s.event())
    s.add(
        {"said": " ", "denied": ", but not ", "doubted": s.pick(_list(", perhaps | probably |, possibly "))}[attitude]
    )
    link = s.add("because" if attitude != "said" else s.pick(_list("because|as|for the simple reason that")))
    s.add(" ")
    return [_mark(s.add(s.event()), effect, link, attitude)]


def _therefore(s: _Sentence) -> list[Mark]:
    cause = s.add(s.event())
    gap, word = s.rng.choice(
        [(", ", "so"), (". ", "As a result,"), ("; ", "therefore"), (", ", "which is why"), (". ", "Consequently,"),
         (", ", "and as a consequence"), (" and ", "hence"), (". ", "For this reason"), (", ", "which meant that")]
    )  # fmt: skip
    s.add(gap)
    link = s.add(word)
    s.add(" ")
    return [_mark(cause, s.add(s.event()), link, "said")]


def _preposition(s: _Sentence) -> list[Mark]:
    attitude = _attitude(s)
    words = _list("because of|due to|owing to|thanks to|as a result of|on account of|in response to|in protest against")
    if s.rng.random() < 0.4 and attitude == "said":
        link = s.add(s.pick(words))
        s.add(" ")
        cause = s.add(s.thing())
        s.add(", ")
        return [_mark(cause, s.add(s.event()), link, attitude)]
    effect = s.add(s.event())
    s.add(
        {"said": " ", "denied": ", though not ", "doubted": s.pick(_list(", probably |, possibly | perhaps "))}[
            attitude
        ]
    )
    link = s.add(s.pick(words))
    s.add(" ")
    return [_mark(s.add(s.thing()), effect, link, attitude)]


def _chain(s: _Sentence) -> list[Mark]:
    cause = s.add(s.thing())
    s.add(" ")
    first = s.add(s.pick(_CAUSING))
    s.add(" ")
    middle = s.add(s.result())
    s.add(s.pick(_list(", which in turn |, and that |, which later ")))
    second, sign = _verb(s)
    link = s.add(second)
    s.add(" ")
    end = s.add(s.result())
    return [_mark(cause, middle, first, "said"), _mark(middle, end, link, "said", sign)]


def _two(s: _Sentence) -> list[Mark]:
    first = _active(s)
    s.add(s.pick(_list(", while |; |, and |. In contrast, ")))
    return [*first, *_active(s)]


def _rather(s: _Sentence) -> list[Mark]:
    effect = s.add(s.event())
    s.add(" not ")
    wrong_link = s.add("because of")
    s.add(" ")
    wrong = s.add(s.thing())
    s.add(" but ")
    link = s.add("because of")
    s.add(" ")
    return [_mark(wrong, effect, wrong_link, "denied"), _mark(s.add(s.thing()), effect, link, "said")]


def _look_alike(s: _Sentence) -> list[Mark]:
    """A sentence of the same things and events that claims nothing."""
    a, b, c, d = s.thing(), s.result(), s.event(), s.event()
    s.add(
        s.pick(
            (
                f"{c} after {d}", f"{c} before {d}", f"{c} while {d}", f"{c}, although {d}", f"{c}, but {d}",
                f"{c} and {d}", f"{c}. {d[0].upper()}{d[1:]}", f"{c} since 2014", f"since Monday {c}",
                f"{a} was followed by {b}", f"{a} came before {b}", f"{a} and {b} were on the agenda",
                f"{a} was correlated with {b}", f"{b} rose in step with {a}", f"the report covers {a} and {b}",
                f"did {a} lead to {b}?", f"what caused {b}?", f"is {b} due to {a}?", f"why was there {b}?",
                f"{c}, not far from where {d}", f"{c} as soon as {d}", f"they compared {a} with {b}",
                f"the cause of {b} is still unknown", f"nobody knows the reason for {b}", f"{c} despite {a}",
                f"the file on {b} was kept with the one on {a}", f"{c} when {d}", f"{c} until {d}",
                f"the talk on {a} was due on Friday", f"a road led to the village where {c}",
                f"the results of the survey of {b} are due in May", f"{c} in spite of {b}", f"unlike {a}, {b} was rare",
            )
        )
    )  # fmt: skip
    return []


_CAUSAL: tuple[tuple[Callable[[_Sentence], list[Mark]], int], ...] = (
    (_active, 6),
    (_passive, 3),
    (_nominal, 2),
    (_outcome, 2),
    (_conjunction, 4),
    (_therefore, 3),
    (_preposition, 4),
    (_chain, 1),
    (_two, 2),
    (_rather, 1),
)
