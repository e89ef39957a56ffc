"""Words → values of columns: which rows a phrase means, and which arms of a treatment are compared."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leucippus.agents.expressions import quote
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.matching import abbreviates, stems

_AGAINST = re.compile(
    r"\b(?:rather than|instead of|in place of|as opposed to|(?:as )?compared (?:with|to)|in comparison (?:with|to)|relative to|"
    r"versus|vs\.?|against|as against|over and above)\b",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    r"(no|none|not|0|false|controls?|ctrl|placebo|standard|regular|usual|normal|status quo|untreated|nothing|baseline|"
    r"comparison|old|existing|current|default|business as usual|as before)\b",
    re.IGNORECASE,
)
_OPPOSITES = (
    ({"men", "man", "male", "boy", "boys", "males", "husbands", "fathers"},
     {"women", "woman", "female", "girl", "girls", "females", "wives", "mothers"}),
    ({"urban", "city", "cities", "town", "towns"}, {"rural", "village", "villages", "countryside"}),
    ({"married"}, {"unmarried", "single"}),
    ({"poor", "poorer"}, {"rich", "richer", "affluent", "wealthy"}),
    ({"young", "younger"}, {"old", "older", "elderly"}),
)  # fmt: skip
_NEGATION = re.compile(
    r"\b(not|no|non|without|never|neither|outside|un\w+|other than|excluding|except)\b", re.IGNORECASE
)
_SHARED = 0.6
"""Share of a phrase's rare words that a value or a 0/1 column has to have."""


@dataclass(frozen=True)
class Rows:
    """Rows a phrase means."""

    column: str
    expression: str
    words: str


def in_expression(name: str) -> str:
    """A column's name as the language of filters writes it."""
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"`{name}`"


def expression(case: Case, column: str, value: str) -> str:
    name = in_expression(column)
    if case.by_name[column].numeric:
        return f"{name} == {float(value):g}"
    return f"{name} == {value!r}"


def rows_meant(case: Case, phrases: Sequence[str], barred: Sequence[str]) -> Rows | None:
    """The rows that one of these phrases means best, where a column says which; never of the barred columns."""
    found = [one for words in phrases if (one := _rows(case, words, barred)) is not None]
    return max(found, key=lambda one: one[0])[1] if found else None


def _rows(case: Case, words: str, barred: Sequence[str]) -> tuple[float, Rows] | None:
    # A name with a backtick cannot be written in a filter.
    free = [name for name in case.columns.names if name not in barred and "`" not in name]
    for number in re.findall(r"(?<![\w.])\d{1,4}(?![\w.]\d)", words):
        for name in free:
            column = case.by_name[name]
            spoken_of = set(stems(words)) & {*stems(name), *stems(case.description.columns.get(name, ""))} - {number}
            year = len(number) == 4 and re.search(r"year|yr|date|wave|period|time|cohort", name, re.IGNORECASE)
            few = column.kind in ("binary", "categorical")
            if column.numeric and (year or (few and spoken_of)) and column.distinct > 1 and _has(case, name, number):
                return 1.0, Rows(name, expression(case, name, number), words)
    ranked = sorted(_candidates(case, words, free), key=lambda one: -one[0])
    return ranked[0] if ranked and ranked[0][0] >= _SHARED else None


def _candidates(case: Case, words: str, free: Sequence[str]) -> Iterator[tuple[float, Rows]]:
    wanted = set(stems(words))
    plain = {word.lower() for word in re.findall(r"[A-Za-z]+", words)}
    for name in free:
        column = case.by_name[name]
        likely = 0.3 * case.role(name, "subset")
        for value in case.values(name):
            own = set(stems(value))
            if own and column.distinct > 1:
                share = len(own & wanted) / len(own) * (0.6 + 0.4 * len(own & wanted) / max(len(wanted), 1))
                yield share + likely, Rows(name, expression(case, name, value), words)
        if column.kind == "binary" and column.numeric and {column.minimum, column.maximum} == {0, 1}:
            said = {
                word.lower() for word in re.findall(r"[A-Za-z]+", f"{name} {case.description.columns.get(name, '')}")
            }
            meaning = case.description.columns.get(name, "").lower()
            for one, other in _OPPOSITES:
                for mine, theirs in ((one, other), (other, one)):
                    if plain & mine and said & mine | said & theirs:
                        # "1 = woman, 0 = man" names both: what stands behind the one is meant.
                        first = re.search(r"1\s*(?:=|:|if|for|is)?\s*(?:an? )?(\w+)", meaning)
                        high = (
                            first[1] in mine
                            if first and first[1] in mine | theirs
                            else bool(name_words(name) & mine or (said & mine and not said & theirs))
                        )
                        # A column of something else may mention them: "welfare receipt (women)".
                        about = len(said & (mine | theirs)) / max(len(set(stems(" ".join(said)))), 1)
                        yield (
                            0.7 + 0.2 * min(about, 1.0) + likely,
                            Rows(name, expression(case, name, "1" if high else "0"), words),
                        )
            own = {*stems(name), *stems(case.description.columns.get(name, ""))}
            if wanted and own:
                share = len(own & wanted) / len(wanted)
                value = "0" if _NEGATION.search(words) else "1"
                yield (
                    0.8 * share * (0.5 + 0.5 * len(own & wanted) / len(own)) + likely,
                    Rows(name, expression(case, name, value), words),
                )


def name_words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Za-z]+", name.replace("_", " "))}


def _has(case: Case, name: str, number: str) -> bool:
    found = case.dataset.connection.execute(
        f"SELECT count(*) FROM data WHERE {quote(name)} = ?", [float(number)]
    ).fetchone()
    return bool(found and found[0])


@dataclass(frozen=True)
class Arms:
    """Which values of a treatment of words are compared."""

    treated: str | None
    control: str | None


def arms(case: Case, treatment: str) -> Arms:
    """The two values the question compares; None where the design can tell itself, or nothing says."""
    values = case.values(treatment)
    if len(values) < 2:
        return Arms(None, None)
    text = case.question.text
    parts = _AGAINST.split(text, maxsplit=1)
    gloss = glosses(case.description.columns.get(treatment, ""), values)
    ahead = {value: alike(gloss[value], parts[0]) for value in values}
    behind = {value: alike(gloss[value], parts[1]) if len(parts) == 2 else 0.0 for value in values}
    plain = [value for value in values if _PLAIN.match(value.strip()) or _PLAIN.match(gloss[value].strip())]
    control = max(behind, key=lambda v: (behind[v], v in plain)) if max(behind.values()) > 0 else None
    if len(parts) == 2 and control is None and plain:
        control = plain[0]
    rest = [value for value in values if value != control]
    treated = max(rest, key=lambda v: (ahead[v], v not in plain)) if max(ahead[v] for v in rest) > 0 else None
    if treated is None and len(values) == 2:
        if control is None and len(plain) == 1:
            control = plain[0]
        treated = next((value for value in values if value != control), None) if control is not None else None
    if treated is not None and control is None:
        others = [value for value in values if value != treated]
        # Of several, the arm that looks like the usual one; where none does, all of them.
        plainest = next((value for value in plain if value != treated), None)
        control = others[0] if len(others) == 1 else plainest
    return Arms(treated, control)


def glosses(said: str, values: Sequence[str]) -> dict[str, str]:
    """Value → the value and what the description says of it: "'regular' (22-25 pupils), 'small' (13-17 pupils)"."""
    found = {}
    for value in values:
        match = re.search(
            rf"(?<!\w)['\"“]?{re.escape(value)}['\"”]?\s*(?:\(([^()]*)\)|[=:]\s*([^,;()]+))", said, re.IGNORECASE
        )
        found[value] = f"{value} {match[1] or match[2]}" if match else value
    return found


def alike(gloss: str, text: str) -> float:
    """How far a text names a value: words shared, or an abbreviation of words in a row."""
    own, there = stems(gloss), set(stems(text))
    shared = sum(word in there for word in own) / len(own) if own else 0.0
    value = re.sub(r"[^a-z]", "", gloss.split(" ")[0].lower())
    return max(shared, 0.6 if len(value) >= 3 and abbreviates(value, re.findall(r"[a-z]+", text.lower())) else 0.0)
