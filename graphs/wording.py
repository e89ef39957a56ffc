"""Two names word by word: one spelling, forms of the same words, likely slips, and reasons why two cannot mean the same.

Vectors of hypotension and hypertension, of men and women, of type 1 and type 2 lie close together. So words decide
whether two names may mean one concept; vectors are asked afterwards.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from leucippus.store.concepts import singular

_NO_PLURAL = frozenset("arms customs goods means news physics savings sports".split())
_CONTAINERS = frozenset("bag boat bottle bowl box can cup glass house jar plate pot shop".split())
"""A glass of wine is no wine glass."""
_SMALL = frozenset(
    "a an the of in on at to for from with by into over under between among through during before after and or".split()
)
_EMPTY = frozenset("condition disease disorder illness phenomenon problem process syndrome".split())
"""What they add to another word is little: "Parkinson disease", "Parkinson syndrome"."""
_SAME = {
    other: group.split()[0]
    for group in (
        "kidney renal|liver hepatic|heart cardiac|lung pulmonary|stomach gastric|skin cutaneous|car automobile"
        "|doctor physician|film movie|adolescent teenager|newborn neonate neonatal|lawyer attorney|gasoline petrol"
        "|worldwide global|illness sickness"
    ).split("|")
    for other in group.split()[1:]
}
"""A word → another for the same thing, or the thing whose adjective it is."""
_OPPOSITES = frozenset(
    frozenset((one, other))
    for pair in (
        "high higher/low lower|more/less fewer|increase increased increasing rise rising growth/decrease decreased"
        " decreasing fall falling decline reduction|male man men boy/female woman women girl|acute/chronic"
        "|primary/secondary|left/right|upper/lower|positive/negative|presence/absence|gain/loss|early/late|short/long"
        "|maternal mother/paternal father|systolic/diastolic|internal/external|import/export|ischemic/hemorrhagic"
        "|benign/malignant|supply/demand|child adolescent infant/adult elderly|urban/rural|buyer/seller|employer/employee"
        "|arterial artery/venous vein|anterior/posterior|proximal/distal|agonist/antagonist|active/inactive passive"
        "|hot/cold|warm/cool|rich/poor|public/private|north northern/south southern|east eastern/west western|day/night"
        "|inhibition/activation stimulation|donor/recipient|before/after|with/without|cause/effect|parent/child|old/young"
        "|large/small|hard/soft|heavy/light|wet/dry|strong/weak|fast/slow|income/expenditure|atrial/ventricular"
        "|sensory/motor|viral/bacterial|employment/unemployment|equality/inequality|stability/instability"
    ).split("|")
    for one in pair.split("/")[0].split()
    for other in pair.split("/")[1].split()
)
_DENYING = frozenset("no not non never without lack absence anti free".split())
_TURNING = ("non", "un", "in", "im", "il", "ir", "dis", "mis", "de", "anti", "a", "counter", "hypo", "hyper", "pre", "post",
            "sub", "super", "inter", "intra", "macro", "micro", "over", "under", "ex", "em", "endo", "exo", "mono",
            "poly", "uni", "multi", "bi", "peri", "para", "ab", "ad", "pro", "per", "intro", "extro", "extra", "trans",
            "up", "down", "out", "af", "ef", "eu", "dys", "brady", "tachy", "homo", "hetero", "nor", "meth", "iso",
            "normo", "semi", "co", "re", "o", "e", "ob")  # fmt: skip
"""Beginnings that make another word of one, often its opposite."""
_ENDINGS = sorted(
    (
        "e y s es d ed ing ings ion ions ation ations al ial ally ly ment ments ity ities ness ate ated ating ates ize"
        " ized izing ization ies ied ive ic ical ically ics"
    ).split(),
    key=lambda ending: (-len(ending), ending),
)
"""Of forms of one word. Not of those who do it: smoking is no smoker, suppression no suppressant."""
_CHEMICAL = frozenset("ane ate ene ide ine ite one yne".split())
"""A letter decides between fluoride and fluorine."""
_SHORTEST_STEM = 5
_LEAST_STEM_SHARE = 0.5
_SHORTEST_SLIP, _LONGEST_WORD = 8, 40
"""Letters; in shorter words one letter more often makes another word (mission, fission), longer ones are no words."""


def plain_words(name: str) -> tuple[str, ...]:
    """The words of a name in the singular; "A of B" and "exposure to B" as "B A" and "B exposure"."""
    words = tuple(_singular(word) for word in name.split())
    if len(words) < 3 or (words[1] != "of" or words[0] in _CONTAINERS) and words[:2] != ("exposure", "to"):
        return words
    rest = words[3:] if words[2] in ("a", "an", "the") else words[2:]
    return words if not rest or _SMALL & set(rest) else (*rest, words[0])


def run_together(words: Sequence[str]) -> str:
    """Words without the spaces between them, but for those between digits: "health care" and "healthcare" are one."""
    parts = [word + (" " if word[-1].isdecimal() and after[0].isdecimal() else "") for word, after in pairwise(words)]
    return "".join((*parts, *words[-1:]))


@lru_cache(maxsize=262144)
def stem(word: str) -> str:
    """What forms of one English word share, and words for the same thing: renal is kidney."""
    left = same_thing(word)
    least = max(_SHORTEST_STEM, _LEAST_STEM_SHARE * len(left))
    while ending := next((one for one in _ENDINGS if left.endswith(one) and len(left) - len(one) >= least), ""):
        left = left[: -len(ending)]
    return left


def same_thing(word: str) -> str:
    """One word for all that name the same thing."""
    return _SAME.get(word, word)


def slips(counts: Mapping[str, float], *, times: float) -> dict[str, str]:
    """Words that are probably slips of the pen → the word that was meant.

    One letter too many, too few, wrong or in the wrong place, not the first and not in a short word; the right word is at
    least `times` as frequent and the only such word. Time grows with the number of words, not of pairs.
    """
    without: dict[str, list[str]] = defaultdict(list)
    for word in sorted(counts):
        if _SHORTEST_SLIP <= len(word) <= _LONGEST_WORD and word.isalpha():
            for less in _one_less(word):
                without[less].append(word)
    meant: dict[str, set[str]] = defaultdict(set)
    for near in without.values():
        for one in near:
            for other in near:
                if counts[other] >= times * counts[one] and _one_slip(one, other):
                    meant[one].add(other)
    return {word: others.pop() for word, others in sorted(meant.items()) if len(others) == 1}


def conflict(one: Sequence[str], other: Sequence[str]) -> str | None:
    """Why two names, as `plain_words` has them, cannot mean the same; None if words do not tell."""
    here, there = set(one) - set(other), set(other) - set(one)
    if _numbers(one) != _numbers(other):
        return "other numbers"
    if (_DENYING & here) != (_DENYING & there):
        return "one denies"
    for mine in sorted(here):
        for yours in sorted(there):
            if frozenset((mine, yours)) in _OPPOSITES or _turned(mine, yours):
                return f"{mine!r} is not {yours!r}"
    mine_only, yours_only = here - _SMALL - _EMPTY, there - _SMALL - _EMPTY
    if bool(mine_only) != bool(yours_only):
        return "one says more"
    return None


@lru_cache(maxsize=262144)
def _singular(word: str) -> str:
    return word if word in _NO_PLURAL else singular(word)


def _numbers(words: Sequence[str]) -> list[str]:
    return sorted(word for word in words if any(map(str.isdecimal, word)) or len(word) == 1 or word in ("ii", "iii"))


def _turned(one: str, other: str) -> bool:
    """Whether the two differ in how they begin, and one beginning at least makes another word."""
    if max(len(one), len(other)) > _LONGEST_WORD:
        return False
    shared = 0
    while shared < min(len(one), len(other)) and one[-1 - shared] == other[-1 - shared]:
        shared += 1
    if shared < 3:
        return False
    beginnings = [word[: len(word) - end] for end in range(3, shared + 1) for word in (one, other)]
    pairs = zip(beginnings[::2], beginnings[1::2], strict=True)
    return any(
        (a in _TURNING and b in _TURNING) or (not a and b in _TURNING) or (not b and a in _TURNING) for a, b in pairs
    )


def _one_less(word: str) -> Iterator[str]:
    yield word
    for at in range(1, len(word)):
        yield word[:at] + word[at + 1 :]


def _one_slip(one: str, other: str) -> bool:
    endings = {word[-3:] for word in (one, other)}
    if one == other or _turned(one, other) or stem(one) == stem(other) or len(endings & _CHEMICAL) == 2:
        return False
    if abs(len(one) - len(other)) == 1:
        longer, shorter = (one, other) if len(one) > len(other) else (other, one)
        return shorter in set(_one_less(longer))
    if len(one) != len(other):
        return False
    wrong = [at for at in range(len(one)) if one[at] != other[at]]
    if len(wrong) == 1:
        return True
    return (
        len(wrong) == 2
        and wrong[1] == wrong[0] + 1
        and one[wrong[0]] == other[wrong[1]]
        and (one[wrong[1]] == other[wrong[0]])
    )
