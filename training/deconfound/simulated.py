"""Logs whose truth is known: headlines with a feature that causes the outcome, one that does not, and a confounder.

    C → Y, C → a, C → b, a → f(text) → Y      b moves nothing

The text is four slots: an opener (b, how loud it is), a subject (the context), an offer (a, how concrete it is) and an
ending (q, what the reader gets). Popularity C moves all of a, b and Y: what is popular anyway gets vague and loud
headlines, and concrete ones are written for what is not, so that in the log they seem worth little and the loud ones much.
Weekends move b, q and Y. `truth` reads f off any text, those that a model wrote too. Nothing here is seen by an estimator
but the columns of a log.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.training.deconfound.logs import Floats, Ints, Logs, LogSpec

Flaw = Literal["unmeasured", "interaction", "curved", "weak instrument", "invalid instrument"]

OPENERS: tuple[tuple[str, ...], ...] = (
    ("For the record:", "A note:", "In brief:", "From our desk:"),
    ("New today:", "Just in:", "Fresh this week:", "Now out:"),
    ("Shocking news:", "You will not believe this:", "Everyone is talking:", "It broke the internet:"),
)
"""b: 0, 1, 2."""
OFFERS: tuple[tuple[str, ...], ...] = (
    ("some general thoughts", "a few loose remarks", "an open discussion", "various opinions"),
    ("a short overview", "an introduction", "the basics", "background reading"),
    ("helpful advice", "useful tips", "good habits", "things to try"),
    ("a checklist in five points", "three practical steps", "a simple weekly routine", "a guide with pictures"),
    (
        "a ten-minute plan with exact numbers",
        "a worked example you can copy",
        "a tested recipe with quantities",
        "a day-by-day schedule with targets",
    ),
)
"""a: 0 to 4."""
ENDINGS: tuple[tuple[str, ...], ...] = (
    ("for anyone", "as seen elsewhere", "in our archive"),
    ("that fits a busy day", "without special tools", "at no cost"),
    ("that saves an hour a week", "that readers rated best", "that pays off within days"),
)
"""q: 0, 1, 2."""
SUBJECTS = (
    "sleep", "home cooking", "running", "houseplants", "saving money", "bicycle repair", "learning Spanish",
    "travel by train", "job interviews", "drawing", "meditation", "baking bread", "chess openings", "bird watching",
    "public speaking", "knitting", "dog training", "hiking", "home insulation", "tax returns", "guitar practice",
    "email overload", "family photos", "swimming",
)  # fmt: skip
"""The contexts."""

GAMMA = (1.0, 0.5)
"""Effects of popularity, and of weekends."""
BETA_A, BETA_Q = 1 / sqrt(2), 0.35
NOISE = 1.0
U = 0.8
"""Effect on the outcome of what is not measured."""
INTERACTION = 0.5
"""Change of popularity's effect for one standard deviation of a."""
CURVE = 0.3
"""Effect of the square of popularity, less its mean."""
DIRECT = 0.6
"""Effect of an invalid instrument on the outcome."""
FIRST_STAGE, WEAK = 0.6, 0.01
"""Effect of the instrument on popularity, in standard deviations."""
_ENDOGENOUS = 0.5
"""Share of popularity's standard deviation that comes from what is not measured, where there is an instrument."""
_LEVELS = 5


@dataclass(frozen=True)
class Features:
    """Which phrase stands in each slot; levels follow."""

    b: int
    a: int
    q: int


_LEVEL_OF = {
    slot: {phrase: level for level, phrases in enumerate(levels) for phrase in phrases}
    for slot, levels in (("b", OPENERS), ("a", OFFERS), ("q", ENDINGS))
}


def context_of(subject: str) -> str:
    """What a headline about the subject answers to."""
    return f"Write a headline about {subject}."


def value(a: Any, q: Any) -> Any:
    """f of the levels: numbers, or arrays of one shape."""
    return BETA_A * (a - 2) + BETA_Q * (q - 1)


def features(text: str) -> Features | None:
    """Levels in a text, or None where it is not made of one opener, a subject, one offer and one ending."""
    for opener, b in _LEVEL_OF["b"].items():
        if text.startswith(opener):
            for ending, q in _LEVEL_OF["q"].items():
                if text.endswith(" " + ending):
                    middle = text[len(opener) : -len(ending)].strip()
                    subject, _, offer = middle.partition(", ")
                    if subject in SUBJECTS and offer in _LEVEL_OF["a"]:
                        return Features(b, _LEVEL_OF["a"][offer], q)
    return None


def truth(text: str) -> float:
    """f(text); a text that is no headline is worth as little as the least."""
    found = features(text)
    return float(value(0, 0)) if found is None else float(value(found.a, found.q))


def texts_of(subject: Sequence[int] | Ints, b: Ints, a: Ints, q: Ints, random: np.random.Generator) -> list[str]:
    """Headlines with these levels, their phrases drawn."""
    n = len(b)
    say_b, say_a, say_q = random.integers(4, size=n), random.integers(4, size=n), random.integers(3, size=n)
    return [
        f"{OPENERS[b[i]][say_b[i]]} {SUBJECTS[subject[i]]}, {OFFERS[a[i]][say_a[i]]} {ENDINGS[q[i]][say_q[i]]}"
        for i in range(n)
    ]


def every_text() -> list[str]:
    """All headlines there can be."""
    return [
        f"{opener} {subject}, {offer} {ending}"
        for subject in SUBJECTS
        for openers in OPENERS
        for opener in openers
        for offers in OFFERS
        for offer in offers
        for endings in ENDINGS
        for ending in endings
    ]


@dataclass(frozen=True, eq=False)
class SimulatedLog:
    """A log and what is true of it."""

    texts: list[str]
    """(n,) the text of each row."""
    contexts: list[str]
    columns: dict[str, NDArray[Any]]
    """The other columns of the log: outcome, popularity, weekend, user, randomised, and the instrument `lottery`."""
    f: Floats
    """(n,) what the text is worth."""
    a: Ints
    b: Ints
    q: Ints
    spec: LogSpec
    gamma: tuple[float, ...]
    """Effects of the confounders of `spec`."""

    @property
    def oracle(self) -> Floats:
        """(n,) the reward with the true effects: outcome less γᵀ(C − C̄) over observational rows."""
        shown = ~self.columns["randomised"]
        r = self.columns["outcome"].astype(np.float64)
        for name, effect in zip(self.spec.confounders, self.gamma, strict=True):
            c = self.columns[name]
            r = r - effect * (c - c[shown].mean())
        return np.asarray(r)

    def logs(self) -> Logs:
        """As they are read from a file, but without one."""
        unique: dict[str, int] = {}
        text_of = np.array([unique.setdefault(text, len(unique)) for text in self.texts], dtype=np.int64)
        answered: dict[str, int] = {}
        context_of_row = np.array([answered.setdefault(text, len(answered)) for text in self.contexts], dtype=np.int64)
        c = np.column_stack([self.columns[name] for name in self.spec.confounders]).astype(np.float64)
        return Logs(
            spec=self.spec,
            texts=list(unique),
            text_of=text_of,
            y=self.columns["outcome"],
            c=c,
            names=self.spec.confounders,
            contexts=list(answered),
            context_of=context_of_row,
            z=None if self.spec.instrument is None else self.columns[self.spec.instrument],
            group_of=None,
            user_of=None if self.spec.user is None else self.columns["user"],
            time=None,
            randomised=None if self.spec.experiment is None else self.columns["randomised"],
            sha256="",
            dropped={},
        )

    def write(self, path: Path) -> None:
        """As a CSV file."""
        names = list(self.columns)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["headline", "prompt", *names])
            cells = [self.columns[name].tolist() for name in names]
            writer.writerows(zip(self.texts, self.contexts, *cells, strict=True))


def draw(
    entanglement: float,
    n: int,
    seed: int,
    flaw: Flaw | None = None,
    *,
    instrument: bool = False,
    experiment: float = 0.2,
    users: int = 0,
    pool: int | None = None,
) -> SimulatedLog:
    """A log of n rows.

    Parameters
    ----------
    entanglement : how much popularity and a go together: minus their correlation, from 0 to 0.9. Of loudness and
        popularity it is about half of that.
    flaw : how the log breaks an assumption; `None` is a clean one.
    instrument : whether popularity is partly moved by what is not measured, with an instrument for it.
    experiment : share of rows in which the text was drawn at random.
    users : how many answer, each with an effect of their own; 0 for a new one in every row.
    pool : how many different texts there are at most, so that they repeat; None for as many as come.

    Raises
    ------
    InputError : an entanglement or a flaw there is not.
    """
    if not 0 <= entanglement <= 0.9:
        raise InputError(f"entanglement {entanglement}", expected="0 to 0.9")
    if flaw is not None and flaw not in get_args(Flaw):
        raise InputError(f"no flaw {flaw!r}", expected=f"one of {', '.join(get_args(Flaw))}")
    instrument = instrument or flaw in ("weak instrument", "invalid instrument")
    random = np.random.default_rng([seed, n, round(1000 * entanglement)])
    randomised = random.random(n) < experiment
    known = random.standard_normal(n)  # the part of popularity that those who chose the text knew
    weekend = (random.random(n) < 2 / 7).astype(np.float64)
    hidden, z = random.standard_normal(n), random.standard_normal(n)
    popularity = known.copy()
    if instrument:
        first = WEAK if flaw == "weak instrument" else FIRST_STAGE
        popularity = known * sqrt(1 - _ENDOGENOUS**2 - FIRST_STAGE**2) + _ENDOGENOUS * hidden + first * z
    a, b, q = _levels(entanglement, known, weekend, hidden if flaw == "unmeasured" else None, randomised, random)
    subject = random.integers(len(SUBJECTS), size=n)
    texts = texts_of(subject, b, a, q, random)
    if pool is not None:
        texts, a, b, q, subject = _from_pool(pool, texts, a, b, q, subject, random)
    f = np.asarray(value(a, q), dtype=np.float64)
    outcome = f + GAMMA[0] * popularity + GAMMA[1] * weekend + NOISE * random.standard_normal(n)
    if flaw == "unmeasured" or instrument:
        outcome += U * hidden
    if flaw == "interaction":
        outcome += INTERACTION * (a - 2) / sqrt(2) * popularity
    if flaw == "curved":
        outcome += CURVE * (popularity**2 - 1)
    if flaw == "invalid instrument":
        outcome += DIRECT * z
    user = np.arange(n)
    if users:
        user = random.integers(users, size=n)
        outcome += 0.5 * random.standard_normal(users)[user]
    columns: dict[str, NDArray[Any]] = {
        "outcome": outcome, "popularity": popularity, "weekend": weekend, "user": user, "randomised": randomised,
    }  # fmt: skip
    if instrument:
        columns["lottery"] = z
    spec = LogSpec(
        text="headline",
        outcome="outcome",
        confounders=("popularity", "weekend"),
        context="prompt",
        instrument="lottery" if instrument else None,
        user="user" if users else None,
        experiment="randomised" if experiment else None,
    )
    contexts = [context_of(SUBJECTS[i]) for i in subject]
    return SimulatedLog(texts, contexts, columns, f, a, b, q, spec, GAMMA)


def _levels(
    entanglement: float,
    known: Floats,
    weekend: Floats,
    hidden: Floats | None,
    randomised: NDArray[np.bool_],
    random: np.random.Generator,
) -> tuple[Ints, Ints, Ints]:
    """Levels of a, b and q: even, and in observational rows moved by the confounders."""
    n = len(known)
    rho = _latent(entanglement)
    cause = known
    if hidden is not None:  # what is not measured moves the text as much as what is
        cause = (known + hidden) / sqrt(2)
    noise = random.standard_normal((3, n))
    for_a = sqrt(1 - rho**2) * noise[0] - rho * cause
    day = (weekend - 2 / 7) / sqrt(2 / 7 * 5 / 7)
    for_b = rho / 2 * cause + 0.3 * entanglement * day + noise[1] * sqrt(1 - rho**2 / 4 - 0.09 * entanglement**2)
    for_q = 0.3 * entanglement * day + noise[2]
    for_a, for_b, for_q = (np.where(randomised, random.standard_normal(n), latent) for latent in (for_a, for_b, for_q))
    return _cut(for_a, 5), _cut(for_b, 3), _cut(for_q, 3)


def _cut(latent: Floats, levels: int) -> Ints:
    """Levels from 0, about equally many of each."""
    from scipy.stats import norm

    return np.searchsorted(norm.ppf(np.arange(1, levels) / levels), latent).astype(np.int64)


@cache
def _latent(entanglement: float) -> float:
    """Size of the correlation of popularity with what is cut into a, such that with a it is `entanglement`."""
    from scipy.stats import norm

    # For a cut at c, E[C 1(latent > c)] is ρ φ(c); a is the sum of its cuts.
    cuts = norm.ppf(np.arange(1, _LEVELS) / _LEVELS)
    return entanglement / float(norm.pdf(cuts).sum() / sqrt(2))


def _from_pool(
    pool: int, texts: list[str], a: Ints, b: Ints, q: Ints, subject: Ints, random: np.random.Generator
) -> tuple[list[str], Ints, Ints, Ints, Ints]:
    """Each row's text is one of the pool with the same levels of a and b."""
    n = len(texts)
    kept = random.permutation(n)[:pool]
    of: dict[tuple[int, int], list[int]] = {}
    for i in kept:
        of.setdefault((int(a[i]), int(b[i])), []).append(int(i))
    at = np.array([_any(of.get((int(a[i]), int(b[i])), [i]), random) for i in range(n)])
    return [texts[i] for i in at], a[at], b[at], q[at], subject[at]


def _any(members: list[int], random: np.random.Generator) -> int:
    return members[int(random.integers(len(members)))]
