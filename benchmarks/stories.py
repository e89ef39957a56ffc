"""Invented studies with a known truth: a description, a question and a data frame each, composed from pieces by a seed.

Eleven kinds of design. An effect is the same for everybody, so every estimand of a kind has the same value; a noise
story has none. A broken story has none either, but in it the design that the words suggest would find one: nobody
measured what the treatment went by, the lot was no lot, people moved across the line, the trends parted before …
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.story_pieces import ASKED, DEMANDED, MARKETS, NAMES, OPENED, PEOPLE, PLACES, SPARE, TAKEN, TOLD

Rng = np.random.Generator
Values = Any


@dataclass(frozen=True, eq=False)
class Story:
    """One study."""

    seed: int
    kind: str
    broken: bool
    frame: pd.DataFrame
    description: str
    question: str
    truth: float
    """The effect, in units of the outcome: 0 for noise and for a broken story."""
    gold: Mapping[str, Any]
    """The right design; of a broken story, the one that its words suggest."""


@dataclass
class Draft:
    """A study under way: columns by plain names, and the words."""

    where: str
    rows: str
    columns: dict[str, Values] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)
    gold: dict[str, Any] = field(default_factory=dict)
    told: str = ""
    question: str = ""
    truth: float = 0.0

    def add(self, name: str, meaning: str, values: Values) -> None:
        self.columns[name], self.meanings[name] = values, meaning


def first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def pick(rng: Rng, among: Sequence[Any]) -> Any:
    return among[int(rng.integers(len(among)))]


def tell(rng: Rng, kind: str, words: Mapping[str, Any]) -> str:
    """A sentence on how the treatment came about; a field in capitals begins a sentence."""
    capitals = {key.capitalize(): first_up(value) for key, value in words.items() if isinstance(value, str)}
    return str(pick(rng, TOLD[kind]).format(**words, **capitals))


def bare(y: str) -> str:
    """An outcome without its unit."""
    return re.split(r",| per ", y)[0]


def two(text: str) -> tuple[float, float]:
    one, other = text.split(",")
    return float(one), float(other)


def lasting(rng: Rng, n: int, rho: float, units: int = 1) -> Values:
    """Errors with variance one and autocorrelation rho, (n, units)."""
    errors = rng.normal(0, 1, (n, units))
    for i in range(1, n):
        errors[i] = rho * errors[i - 1] + (1 - rho**2) ** 0.5 * errors[i]
    return errors


def persons(kind: str) -> Callable[[Rng, float, bool], Draft]:
    """Designs about persons, homes or firms, one row each."""

    def build(rng: Rng, effect: float, broken: bool) -> Draft:
        block = [line.split("|") for line in pick(rng, PEOPLE)]
        (who, where, t, took, t_name, arms), (y, y_name, scale, before, b_name) = block[0], block[1]
        number, flag, category = (part.split("=") for part in block[2][0].split(";"))
        (after, dose), (groups, score, s_name, line) = (part.split("=") for part in block[3]), block[4]
        many, group, g_name = groups.split(",")
        (mean, sd), (line_at, line_sd), (location, width) = two(scale), two(line), two(number[2])
        n, m = int(rng.integers(800 if kind == "cutoff" else 400, 3000)), int(rng.integers(30, 60))
        b, z, run, hidden = rng.normal(0, 1, (4, n))
        yes, levels, at = (rng.random(n) < float(flag[2])).astype(int), category[2].split("/"), rng.integers(0, m, n)
        level = rng.integers(0, len(levels), n)
        cause = 0.5 * b + 0.3 * z + 0.5 * yes + 0.2 * level
        cause -= cause.mean()
        y0 = cause + 0.8 * rng.normal(0, 1, n)
        treat = rng.permutation(np.arange(n) % 2)
        d = Draft(where, who, gold={"strategy": "rct", "treatment": t_name, "outcome": y_name})
        if kind == "clusters":
            y0 += 0.35 * rng.normal(0, 1, m)[at]
            treat = rng.permutation(np.arange(m) < m // 2).astype(int)[at]
            d.gold["cluster"] = g_name
        elif kind == "choice":
            y0 += 0.9 * hidden * broken
            treat = (rng.random(n) < logistic(-0.4 + (1.2 * hidden if broken else 0.7 * cause))).astype(int)
            d.gold |= {"strategy": "backdoor", "controls": (b_name, number[0], flag[0], category[0])}
        elif kind == "cutoff":
            y0 += 0.4 * run + 0.1 * run**2
            if broken:  # those just below who are well off see to it that they get over the line
                run = np.where((run < 0) & (run > -0.5) & (y0 > 0), rng.uniform(0, 0.25, n), run)
            d.add(s_name, score, np.round(line_at + line_sd * run, 3))
            treat = (d.columns[s_name] >= line_at).astype(int)
            d.gold |= {"strategy": "rd", "running_variable": s_name, "cutoff": line_at}
        elif broken:  # the clerk gave it to those who were better off
            treat = (rng.random(n) < logistic(1.2 * cause)).astype(int)
        taken = treat
        if kind == "offer":
            taken = treat * (rng.random(n) < logistic(0.6 + 0.8 * cause))
            d.add("offered", pick(rng, (f"1 = drawn and offered {t}", f"was offered {t} (1/0)")), treat)
            d.gold |= {"strategy": "iv", "instrument": "offered"}
        if kind == "trial" and rng.random() < 0.4:
            new, usual = arms.split("/")
            d.add(t_name, f"'{new}' for those with {t}, '{usual}' otherwise", np.where(treat == 1, new, usual))
            d.gold |= {"treated_value": new, "control_value": usual}
        else:
            d.add(
                t_name,
                pick(rng, (f"1 = {took}, 0 = did not", f"whether they {took} (1/0)", f"1 if they {took}")),
                taken,
            )
        outcome, d.truth = y0 + effect * y0.std() * taken, sd * effect * y0.std()
        d.add(y_name, y, np.round(mean + sd * outcome, 2))
        d.add(b_name, before, np.round(mean + sd * b, 2))
        d.add(number[0], number[1], np.round(location + width * z, 1))
        d.add(flag[0], flag[1], yes)
        d.add(category[0], category[1], np.array(levels)[level])
        if kind == "clusters" or rng.random() < 0.3:
            d.add(g_name, f"number of the {group}", at + 100)
        # What the treatment may move, and the outcome and the treatment in other forms: none of it may be adjusted for.
        moved = 6 + outcome + 2 * rng.normal(0, 1, n)
        d.add(after[0], after[1], np.round(np.clip(moved, 0, None)).astype(int))
        d.gold["after_treatment"] = (after[0],)
        if rng.random() < 0.6:
            d.add(dose[0], f"{dose[1]} (0 for the others)", taken * rng.poisson(8, n))
            d.gold["after_treatment"] += (dose[0],)
        if rng.random() < 0.4:
            quarters = np.quantile(outcome, [0.25, 0.5, 0.75])
            d.add(f"{y_name}_band", f"{bare(y)}, in four bands", np.digitize(outcome, quarters))
            d.gold["after_treatment"] += (f"{y_name}_band",)
        d.add("id", "number of the record", np.arange(n) + 1001)
        words = {"who": who, "t": t, "took": took, "groups": many, "group": group, "k": m // 2, "m": m, "score": score}
        words |= {"line": f"{line_at:g}", "c": f"{before}, {number[1]} and {flag[1].split(',')[0]}"}
        d.told = tell(rng, "hidden" if broken and kind == "choice" else kind, words)
        d.question = pick(rng, TAKEN if kind == "offer" else ASKED).format(t=t, y=bare(y))
        return d

    return build


def logistic(x: Values) -> Values:
    return 1 / (1 + np.exp(-x))


Place = namedtuple("Place", "units unit u_name where p p_name y y_name scale other")
"""The words of a study of places; all are texts."""


def some_place(rng: Rng) -> Place:
    return Place(*"|".join(pick(rng, PLACES)).split("|"))


def of_places(rng: Rng, d: Draft, place: Place, kind: str, size: float, y0: Values, on: Values, words: Any) -> Draft:
    """The outcome, in two forms, a column that has nothing to do with it, and the words; `on`: where the effect is."""
    mean, sd = two(place.scale)
    d.truth = sd * size * y0.std()
    d.add(place.y_name, place.y, np.round(mean + sd * y0 + d.truth * on, 3))
    name, said = place.other.split("=")
    d.add(name, said, np.round(50 + 8 * rng.normal(0, 1, len(y0)), 1))
    if rng.random() < 0.4:
        logs = np.log(np.clip(d.columns[place.y_name], 0.1, None))
        d.add(f"{place.y_name}_log", f"logarithm of {bare(place.y)}", np.round(logs, 4))
        d.gold["after_treatment"] = (f"{place.y_name}_log",)
    d.told = tell(rng, kind, {**place._asdict(), **words})
    d.question = pick(rng, ASKED).format(t=place.p, y=bare(place.y))
    return d


def series(rng: Rng, effect: float, broken: bool) -> Draft:
    """One series of months and a date; broken: those who count have more staff from that date on."""
    place = some_place(rng)
    n, cut = int(rng.integers(200, 300)), int(rng.integers(110, 140))
    months = pd.period_range(f"{rng.integers(1985, 2000)}-01", periods=n, freq="M").astype(str).to_numpy()
    on = (np.arange(n) >= cut).astype(int)
    y0 = 0.002 * np.arange(n) + lasting(rng, n, 0.3)[:, 0] + 0.9 * on * broken
    d = Draft(place.where, "months", gold={"strategy": "its", "outcome": place.y_name, "time": "month"})
    d.add("month", "month", months)
    if broken:
        d.add("staff", "people at work in the office that counts", np.round(40 + 8 * on + rng.normal(0, 1, n), 1))
    if broken or rng.random() < 0.6:
        d.add(place.p_name, f"1 from {months[cut]} on, when {place.p} began", on)
        d.gold["treatment"] = place.p_name
    else:
        d.gold |= {"treatment": "month", "first_treated": str(months[cut])}
    return of_places(rng, d, place, "series", effect, y0, on, {"date": months[cut]})


def two_groups(rng: Rng, effect: float, broken: bool) -> Draft:
    """Two places before and after, other people each time."""
    place, (one, other) = some_place(rng), rng.permutation(NAMES)[:2]
    n, year = int(rng.integers(400, 2500)), int(rng.integers(1990, 2015))
    side, late = rng.integers(0, 2, (2, n))
    y0 = 0.4 * side + 0.3 * late + rng.normal(0, 1, n)
    d = Draft(place.where, "rows", gold={"strategy": "did", "outcome": place.y_name, "time": "year"})
    d.add("area", f"where: {one} or {other}", np.where(side == 1, one, other))
    d.add("year", f"year of the survey ({year - 1} or {year})", year - 1 + late)
    d.gold |= {"treatment": "area", "treated_group": str(one), "first_treated": year}
    return of_places(rng, d, place, "two groups", effect, y0, side * late, {"one": one, "other": other, "year": year})


def panel(kind: str) -> Callable[[Rng, float, bool], Draft]:
    """Places over years: some adopt, at one date or in waves, or one alone; broken: they had been drifting away."""

    def build(rng: Rng, effect: float, broken: bool) -> Draft:
        place, names, start = some_place(rng), rng.permutation(NAMES), int(rng.integers(1975, 2000))
        alone = kind == "one unit"
        m, span = (int(rng.integers(*ends)) for ends in (((20, 27), (30, 37)) if alone else ((24, 36), (9, 14))))
        unit, at = np.repeat(np.arange(m), span), np.tile(np.arange(span), m)
        begin = np.full(m, span + 99)
        if alone:
            begin[0] = span - 8
            walks, loads = np.cumsum(rng.normal(0, 0.4, (span, 2)), axis=0), rng.uniform(-1, 1, (2, m))
            loads[:, 0] = loads[:, 1:5].mean(axis=1)  # the one that adopts is like a mix of others
            y0 = (walks @ loads + loads[0] + rng.normal(0, 0.3, (span, m))).T.ravel()
        else:
            middle = span // 2
            waves = np.array([middle] if kind == "panel" else [middle - 2, middle, middle + 2])
            begin[: m // 2] = waves[np.arange(m // 2) % len(waves)]
            years = np.cumsum(rng.normal(0, 0.2, span))[at]
            y0 = rng.normal(0, 0.8, m)[unit] + years + 0.6 * lasting(rng, span, 0.4, m).T.ravel()
        y0 = y0 + 0.12 * at * (begin < span)[unit] * broken
        on = (at >= begin[unit]).astype(int)
        d = Draft(place.where, f"{place.units} and years")
        d.gold = {"strategy": "did", "outcome": place.y_name, "time": "year", "unit": place.u_name}
        d.add(place.u_name, f"name of the {place.unit}", names[unit])
        d.add("year", "year", start + at)
        if kind == "staggered" and rng.random() < 0.4:
            begun = np.where(begin < span, start + begin, 0)[unit]
            d.add("start_year", f"year in which the {place.unit} began with {place.p}, 0 if never", begun)
            d.gold |= {"treatment": "start_year", "first_treated": "start_year"}
        else:
            d.add(place.p_name, f"1 in the years in which the {place.unit} had {place.p}", on)
            d.gold |= {"treatment": place.p_name} | ({"strategy": "synthetic_control"} if alone else {})
        words = {"one": names[0], "year": start + begin.min(), "k": (begin < span).sum(), "m": m}
        return of_places(rng, d, place, kind, effect, y0, on, words)

    return build


def market(rng: Rng, effect: float, broken: bool) -> Draft:
    """Price and quantity, moved by demand, which nobody sees, and by a cost that buyers do not care about."""
    where, rows, good, p_name, q, q_name, cost, c_name, other, o_name = "|".join(pick(rng, MARKETS)).split("|")
    n = int(rng.integers(300, 1500))
    shift, demand, else_, own = rng.normal(0, 1, (4, n))
    flag = (else_ > 0.8).astype(int)
    price = 10 + 1.2 * shift + 0.9 * demand + 0.3 * flag + 0.5 * own
    q0 = 100 + 14 * demand + 5 * flag + 6 * rng.normal(0, 1, n)
    d = Draft(where, rows, truth=-effect * float(q0.std() / price.std()))
    d.add(p_name, f"price of {good}, crowns", np.round(price, 3))
    d.add(q_name, q, np.round(q0 + d.truth * (price - 10), 2))
    d.add(o_name, other, flag if "1 or 0" in other else np.round(12 + 4 * else_, 1))
    d.add("no", "running number", np.arange(n) + 1)
    d.gold = {"strategy": "backdoor", "treatment": p_name, "outcome": q_name, "controls": (o_name,)}
    d.told = tell(rng, "market", {})
    if not broken:
        said = first_up(cost.split(":")[0].split(",")[0])
        d.add(c_name, cost, np.round(5 + 1.5 * shift, 2))
        d.told += f" {said} moves what sellers ask, and buyers neither see it nor care."
        d.gold |= {"strategy": "iv", "instrument": c_name}
    d.question = pick(rng, DEMANDED).format(t=good, y=bare(q))
    return d


KINDS: Mapping[str, Callable[[Rng, float, bool], Draft]] = {
    **{kind: persons(kind) for kind in ("trial", "clusters", "offer", "choice", "cutoff")},
    "two groups": two_groups,
    **{kind: panel(kind) for kind in ("panel", "staggered", "one unit")},
    "series": series,
    "market": market,
}
BREAKABLE = ("trial", "choice", "cutoff", "panel", "one unit", "series", "market")
_STYLES: tuple[Callable[[str], str], ...] = (str, str, str.upper, lambda name: name.title().replace("_", ""))
_LISTS = (
    ("", "- {}: {}", "\n", ""),
    ("Columns: ", "{} = {}", "; ", "."),
    ("| column | meaning |\n|---|---|\n", "| {} | {} |", "\n", ""),
    ("Variables: ", "{} ({})", ", ", "."),
    ("Codebook\n", "{}\t{}", "\n", ""),
    ("", "`{}` - {}", "\n", ""),
)
"""Head, item, what stands between items, end: the forms in which people list columns."""


def story(seed: int, kind: str, effect: float, broken: bool = False) -> Story:
    """The study of a seed.

    Parameters
    ----------
    effect : in standard deviations of the outcome. broken : for a kind of `BREAKABLE`; its effect has to be 0.
    """
    rng = np.random.default_rng([seed, list(KINDS).index(kind), broken, effect != 0])
    draft = KINDS[kind](rng, effect, broken)
    n = len(draft.columns[draft.gold["outcome"]])
    for spare in rng.permutation(SPARE)[: rng.integers(0, 3)]:
        name, meaning = spare.split("=")
        draft.add(name, meaning, rng.integers(1, 6, n))
    style = pick(rng, _STYLES)
    named = {name: style(name) for name in rng.permutation(list(draft.columns)).tolist()}
    frame = pd.DataFrame({new: draft.columns[old] for old, new in named.items()})
    listed = in_words(rng, {named[name]: draft.meanings[name] for name in rng.permutation(list(named)).tolist()})
    words = {"n": n, "rows": draft.rows, "where": draft.where, "Where": first_up(draft.where)}
    opened = first_up(pick(rng, OPENED).format(**words, year=rng.integers(2015, 2023)))
    parts = [f"{opened} {draft.told}", listed] if rng.random() < 0.75 else [opened, listed, draft.told]
    gold = {key: renamed(key, value, named) for key, value in draft.gold.items()}
    return Story(seed, kind, broken, frame, "\n".join(parts), draft.question, draft.truth, gold)


def renamed(key: str, value: Any, named: Mapping[str, str]) -> Any:
    """What a field of a design holds, where that is a column; a value may be spelt like one."""
    if isinstance(value, tuple):
        return tuple(named[one] for one in value)
    return value if key.endswith(("_value", "_group")) else named.get(value, value)


def in_words(rng: Rng, meanings: Mapping[str, str]) -> str:
    """A list of columns."""
    head, item, join, end = pick(rng, _LISTS)
    # Brackets within brackets are hard to read for anybody.
    flat = {name: said.replace("(", "- ").replace(")", "") if "(" in item else said for name, said in meanings.items()}
    return str(head + join.join(item.format(name, said) for name, said in flat.items()) + end)
