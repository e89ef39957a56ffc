"""Which columns were measured before the treatment and which after, where names or descriptions say so explicitly.

Silence is the usual answer: a false "after" on an ordinary covariate is a false alarm. Looks at no data.

    descriptions   "measured at baseline", "before the programme", "at follow-up", "after the <treatment>"
    words in names baseline_bmi, pre_score beside post_score, score_t0 beside score_t1, endline_weight
    years in names re74, re75, re78: earlier than the outcome's year, or than the year of the treatment
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leucippus.agents.dataset import Dataset
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.study import Timing, named_columns

_EARLY_WORDS = {"baseline", "pretreatment", "pretest", "preintervention", "preprogram", "preprogramme"}
_LATE_WORDS = {"endline", "followup", "posttreatment", "posttest", "postintervention", "postprogram", "postprogramme"}
_EARLY_BESIDE = {"pre", "before", "bl", "base"}
_LATE_BESIDE = {"post", "after", "el", "end", "fu"}
"""Words that say it only where the same name with the opposite word is there too (`post_office` is no follow-up)."""

_EVENT = (
    r"(the |their |its |his |her |any )?(treatment|intervention|program(me)?|experiment|training|policy|reform|law|"
    r"workshop|lottery|randomi[sz]ation|assignment|trial|campaign|surgery|therapy|exposure|start of|enrol+ment|study)\b"
)
_EARLY_TEXT = (
    r"\b(measured|taken|recorded|asked|observed|reported|collected) (just |shortly )?before\b",
    r"\b(at|from|in the) (the )?baseline\b|^baseline\b",
    r"\bpre-?(treatment|program(me)?|intervention|test|policy|reform|period)\b",
    rf"\b(before|prior to|preceding) {_EVENT}",
    r"\bbefore\W*$",
    r"\b(state|condition|status) at (study )?entry\b",
)
_LATE_TEXT = (
    r"\b(measured|taken|recorded|asked|observed|reported|collected) (just |shortly )?after\b",
    r"\b(at|in the|during) (the )?([\w-]+ )?(follow-?up|endline)\b|^(follow-?up|endline)\b",
    r"\bpost-?(treatment|program(me)?|intervention|test)\b",
    rf"\bafter {_EVENT}",
    r"\bfollowing (the )?(treatment|intervention|program(me)?|training|workshop|reform)\b",
    r"\bafter\W*$",
)
_BETWEEN = (1850, 2100)
_LONGEST_FAMILY = 60
_WITH_YEAR = re.compile(r"(?P<stem>.*?[A-Za-z])[_.]?(?P<year>(?:1[89]|20)\d{2}|\d{2})")
_CHANGE = re.compile(r"(?P<stem>.*?[A-Za-z])[_.]?(?P<late>(?:1[89]|20)?\d{2})[_.](?P<early>(?:1[89]|20)?\d{2})")
_NUMBERED = re.compile(r"(?P<stem>.*?[A-Za-z])[_.](?P<word>t|w|wave|time|visit|month|m|week|day)_?(?P<number>\d{1,2})")


def timing(dataset: Dataset, design: Design) -> dict[str, Timing]:
    """What is known about the columns other than the treatment and what marks units, times and groups.

    A column about which descriptions, words and years disagree is left out.
    """
    roles = {design.treatment, getattr(design, "unit", None), getattr(design, "time", None)}
    roles |= {getattr(design, "treated_group", None), getattr(design, "first_treated", None), design.cluster}
    names = [name for name in dataset.columns if name not in roles]
    sources = (
        by_description(dataset.descriptions, design.treatment),
        by_words(dataset.columns),
        by_years(dataset.columns, design.outcome, design.treatment, _first_year(dataset, design)),
    )
    found = {}
    for name in names:
        said = [source[name] for source in sources if name in source]
        if said and len({one.when for one in said}) == 1:
            found[name] = said[0]
    return found


def by_description(descriptions: Mapping[str, str], treatment: str = "") -> dict[str, Timing]:
    """From what the source says the columns are."""
    own = rf"(the )?{re.escape(treatment)}\b" if treatment else r"(?!)"
    early = (*_EARLY_TEXT, rf"\b(before|prior to) {own}")
    late = (*_LATE_TEXT, rf"\bafter {own}")
    found = {}
    for name, text in descriptions.items():
        if re.search(r"\bbefore (and|or|to|vs\.?|versus) after\b", text, re.IGNORECASE):
            continue
        before, after = _first_match(early, text), _first_match(late, text)
        if before and not after:
            found[name] = Timing("before", f"its description says {before!r}")
        elif after and not before:
            found[name] = Timing("after", f"its description says {after!r}")
    return found


def _first_match(patterns: Iterable[str], text: str) -> str:
    matches = (re.search(pattern, text, re.IGNORECASE) for pattern in patterns)
    return next((match[0].strip() for match in matches if match), "")


def by_words(names: Iterable[str]) -> dict[str, Timing]:
    """From words in the names."""
    split = {name: tuple(_words(name)) for name in names}
    every = set(split.values())
    found = {}
    for name, words in split.items():
        if len(words) < 2:
            continue
        for when, sure, perhaps, opposite in (
            ("before", _EARLY_WORDS, _EARLY_BESIDE, _LATE_BESIDE | _LATE_WORDS),
            ("after", _LATE_WORDS, _LATE_BESIDE, _EARLY_BESIDE | _EARLY_WORDS),
        ):
            word = next((word for word in words if word in sure), None)
            if word is None:
                word = next((w for w in words if w in perhaps and _has_opposite(words, w, opposite, every)), None)
            if word is not None:
                found[name] = Timing("before" if when == "before" else "after", f"its name says {word!r}")
    return found | _by_number(split)


def _has_opposite(words: tuple[str, ...], word: str, opposite: set[str], every: set[tuple[str, ...]]) -> bool:
    place = words.index(word)
    return any((*words[:place], other, *words[place + 1 :]) in every for other in opposite)


def _words(name: str) -> list[str]:
    apart = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().replace("follow-up", "followup")
    words = [word for word in re.split(r"[^a-z0-9]+", apart) if word]
    for first, second in (
        ("follow", "up"),
        ("pre", "treatment"),
        ("post", "treatment"),
        ("pre", "test"),
        ("post", "test"),
    ):
        for place in range(len(words) - 1):
            if words[place : place + 2] == [first, second]:
                words[place : place + 2] = [first + second]
                break
    return words


def _by_number(split: Mapping[str, tuple[str, ...]]) -> dict[str, Timing]:
    """`score_t0` beside `score_t1`: the measurement numbered nought is the baseline of the others."""
    families: dict[tuple[str, str], dict[int, str]] = {}
    for name in split:
        match = _NUMBERED.fullmatch(name.lower())
        if match:
            families.setdefault((match["stem"], match["word"]), {})[int(match["number"])] = name
    found = {}
    for members in families.values():
        if 0 in members and len(members) > 1:
            for number, name in members.items():
                why = f"it is number {number} of {_list(members[key] for key in sorted(members))}"
                found[name] = Timing("after" if number else "before", why)
    return found


@dataclass(frozen=True)
class _Family:
    """Columns of one name but for the year."""

    members: Mapping[int, str]
    """Year → column."""

    def __str__(self) -> str:
        return _list(self.members[year] for year in sorted(self.members))


def by_years(
    names: Iterable[str], outcome: str, treatment: str = "", first_treated: int | None = None
) -> dict[str, Timing]:
    """From years at the end of names, such as re74, re75, re78."""
    names = list(names)
    families = _families(names)
    found: dict[str, Timing] = {}
    treated = first_treated if first_treated is not None else _year_of(treatment, families)
    if treated is not None:
        for family in families:
            for year, name in family.members.items():
                seen = _same_century(year, treated)
                if name != treatment and seen != treated:
                    when = "before" if seen < treated else "after"
                    why = f"its name says {year}, and the treatment came in {treated}"
                    found[name] = Timing("before" if when == "before" else "after", why)
        return found
    own = next((family for family in families if outcome in family.members.values()), None)
    if own is not None:
        found |= _around(own, outcome, names)
    change = _CHANGE.fullmatch(outcome)
    if change is not None:
        found |= _in_change(change["early"], change["late"], outcome, treatment, names)
    early = {year for family in [own] if family for year, name in family.members.items() if _is_before(found, name)}
    for name in names:
        match = _WITH_YEAR.fullmatch(name)
        if match and int(match["year"]) in early and name not in found and name not in (outcome, treatment):
            found[name] = Timing("before", f"its name has the year {match['year']}, as a baseline of {outcome} has")
    return found


def _is_before(found: Mapping[str, Timing], name: str) -> bool:
    return name in found and found[name].when == "before"


def _around(family: _Family, outcome: str, names: list[str]) -> dict[str, Timing]:
    """The family of the outcome: what is earlier is a baseline, what is later comes after it."""
    own = next(year for year, name in family.members.items() if name == outcome)
    found = {}
    for year, name in family.members.items():
        if year < own:
            found[name] = Timing("before", f"it is {outcome} of an earlier year")
        elif year > own:
            found[name] = Timing("after", f"it is later than the outcome {outcome}")
    changes = [match for name in names if (match := _CHANGE.fullmatch(name))]
    starts_a_change = any(int(match["early"]) == own and int(match["late"]) in family.members for match in changes)
    # Two measurements may both follow the treatment; a third, or a column of the change, says what the first is for.
    if own == min(family.members) and (len(family.members) > 2 or starts_a_change):
        why = f"{outcome} is the earliest of {family}, so it looks like a baseline measured before the treatment"
        found = {outcome: Timing("before", why)}
    return found


def _in_change(early: str, late: str, outcome: str, treatment: str, names: list[str]) -> dict[str, Timing]:
    """An outcome such as wt82_71 is a change from one year to another: what else changed then changed alongside."""
    found = {}
    for name in names:
        change, level = _CHANGE.fullmatch(name), _WITH_YEAR.fullmatch(name)
        if name in (outcome, treatment):
            continue
        if change and (change["early"], change["late"]) == (early, late):
            found[name] = Timing("after", f"it is a change over the same years as {outcome}, {early} to {late}")
        elif level and not change and level["year"] == early:
            found[name] = Timing("before", f"its year {early} is where the change {outcome} starts")
        elif level and not change and level["year"] == late:
            found[name] = Timing("after", f"its year {late} is where the change {outcome} ends")
    return found


def _families(names: list[str]) -> list[_Family]:
    """Names that differ only in a year at their end.

    Numbers are no years where the same stem has other numbers too (x9, x10, x11), where they run through small numbers
    (item10, item11), or where they are too far apart (age1819 and age2021 are bands).
    """
    stems: dict[str, dict[int, str]] = {}
    counted: set[str] = set()
    for name in names:
        match = _WITH_YEAR.fullmatch(name)
        if match and not _CHANGE.fullmatch(name):
            stems.setdefault(match["stem"].lower(), {})[int(match["year"])] = name
        elif number := re.fullmatch(r"(.*?[A-Za-z])[_.]?(\d+)", name):
            counted.add(number[1].lower())
    families = []
    for stem, members in stems.items():
        years = sorted(members)
        four = all(_BETWEEN[0] <= year <= _BETWEEN[1] for year in years)
        two = all(45 <= year <= 99 for year in years)
        if len(years) > 1 and (four or two) and years[-1] - years[0] <= _LONGEST_FAMILY and stem not in counted:
            families.append(_Family(members))
    return families


def _year_of(treatment: str, families: list[_Family]) -> int | None:
    """The year in the treatment's name, where other columns show that such endings are years."""
    match = _WITH_YEAR.fullmatch(treatment)
    if match is None or not families:
        return None
    year = int(match["year"])
    return year if any((year > 99) == (min(family.members) > 99) for family in families) and year > 44 else None


def _first_year(dataset: Dataset, design: Design) -> int | None:
    """The first treated year, where the design states one and not a column of them."""
    stated = getattr(design, "first_treated", None)
    if stated is None or stated in named_columns(dataset, design):
        return None
    text = str(stated).removesuffix(".0")
    return int(text) if text.isdigit() and _BETWEEN[0] <= int(text) <= _BETWEEN[1] else None


def _same_century(year: int, treated: int) -> int:
    if year < 100 <= treated:
        return min(
            (treated // 100 * 100 + year + shift for shift in (-100, 0, 100)), key=lambda one: abs(one - treated)
        )
    return year


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
