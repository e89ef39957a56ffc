"""Everything known about a question before any design is tried: the data, the words, and what reading them gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from leucippus.agents.columns import Column, Floats, sample
from leucippus.agents.dataset import Dataset
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.designs.study import Timing
from leucippus.agents.expressions import quote
from leucippus.agents.inquiry.description import Description, read_description
from leucippus.agents.inquiry.matching import Columns, spoken
from leucippus.agents.inquiry.question import Question, read_question
from leucippus.agents.inquiry.reader import Reader, Reading
from leucippus.agents.inquiry.sides import one_question
from leucippus.agents.profile import Profile, profile
from leucippus.agents.timing import timing

_MOST_VALUES = 60
_SAMPLED, _FEWEST, _SAME, _BANDS = 2_000, 10, 0.995, 10


@dataclass(frozen=True, eq=False)
class Case:
    """One question about one data set."""

    dataset: Dataset
    profile: Profile
    description: Description
    columns: Columns
    question: Question
    reading: Reading
    sides: tuple[str, str] | None = None
    """Treatment and outcome, where they are to be taken for granted."""

    def about(self, treatment: str, outcome: str) -> Case:
        """The same case with these for treatment and outcome."""
        other = replace(self, sides=(treatment, outcome))
        other.__dict__.update({name: self.__dict__[name] for name in ("by_name", "_ranks") if name in self.__dict__})
        return other

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.profile.columns}

    def role(self, name: str, *roles: str) -> float:
        """Probability that a column has one of these roles."""
        found = self.reading.roles.get(name, {})
        return sum(found.get(role, 0.0) for role in roles)

    def said(self, name: str) -> str:
        """A column's name as words, and what is said of it."""
        return f"{spoken(name)} {self.description.columns.get(name, '')}"

    @cached_property
    def decided(self) -> dict[str, str]:
        """Column → the column along which a sharp rule decides it."""
        return {one.treatment: one.running for one in self.profile.thresholds if one.sharp}

    def timing(self, treatment: str, outcome: str) -> Mapping[str, Timing]:
        """What is known of columns' place in time around a treatment and an outcome."""
        design: Design = parse_design({"strategy": "backdoor", "treatment": treatment, "outcome": outcome})
        return timing(self.dataset, design)

    @cached_property
    def _ranks(self) -> dict[str, Floats]:
        """Column → ranks of a sample of its values, missing ones as NaN; columns of words that are many left out."""
        names = [c.name for c in self.profile.columns if c.numeric and c.distinct > 1]
        frame = sample(self.dataset, tuple(names), _SAMPLED) if names else None
        return {} if frame is None else {name: np.asarray(frame[name].rank(), dtype=np.float64) for name in names}

    def forms(self, name: str) -> tuple[str, ...]:
        """Columns that are this one in another form: logarithms, other units, squares of what is not negative."""
        mine = self._ranks.get(name)
        if mine is None:
            return ()
        return tuple(other for other, theirs in self._ranks.items() if other != name and _same_order(mine, theirs))

    def steps(self, name: str) -> tuple[str, ...]:
        """Columns that rise or fall in steps with this one: bands of it, flags that it is above a line."""
        mine = self._ranks.get(name)
        if mine is None or self.by_name[name].distinct <= _BANDS:
            return ()
        return tuple(other for other, theirs in self._ranks.items() if other != name and _in_steps(mine, theirs))

    def bands(self, name: str) -> tuple[str, ...]:
        """Columns of a few values of which this one is a band: ratings from 1 to 5 next to "rated 1 or 2"."""
        mine = self._ranks.get(name)
        if mine is None or self.by_name[name].kind != "binary":
            return ()
        return tuple(
            other
            for other, theirs in self._ranks.items()
            if other != name and 2 < self.by_name[other].distinct <= _BANDS and _in_steps(theirs, mine)
        )

    def amounts(self, name: str) -> tuple[str, ...]:
        """Columns that say how much of a 0/1 treatment there was: 0 wherever there was none, of many values elsewhere."""
        if self.by_name[name].kind != "binary" or not self.by_name[name].numeric:
            return ()
        names = tuple(c.name for c in self.profile.columns if c.numeric and c.distinct > 2 and c.name != name)
        frame = sample(self.dataset, (name, *names), _SAMPLED)
        none = frame[frame[name] == self.by_name[name].minimum]
        return tuple(other for other in names if len(none) >= _FEWEST and bool((none[other] == 0).all()))

    def values(self, name: str) -> tuple[str, ...]:
        return self.columns.values.get(name, ())


def _same_order(one: Floats, other: Floats) -> bool:
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < _FEWEST:
        return False
    a, b = one[both], other[both]
    return bool(a.std() > 0 and b.std() > 0 and abs(np.corrcoef(a, b)[0, 1]) >= _SAME)


def _in_steps(fine: Floats, coarse: Floats) -> bool:
    both = np.isfinite(fine) & np.isfinite(coarse)
    if both.sum() < _FEWEST:
        return False
    fine, coarse = fine[both], coarse[both]
    # Of equal values those in the lower step come first: rounding may have put a value into two of them.
    up, down = (np.diff(coarse[np.lexsort((sign * coarse, fine))]) for sign in (1, -1))
    return bool(up.any() and ((up >= 0).all() or (down <= 0).all()))


def open_case(dataset: Dataset, question: str, description: str, reader: Reader) -> Case:
    """Read the description and the question against the data."""
    described = read_description(description, dataset.columns)
    told = {**dataset.descriptions, **described.columns}
    dataset = replace(dataset, descriptions=told)
    described = replace(described, columns=told)
    seen = profile(dataset)
    columns = Columns(dataset.columns, told, values_of(dataset, seen))
    kinds = {c.name: "count" if c.kind == "categorical" and c.numeric else c.kind for c in seen.columns}
    asked, others = one_question(question)
    reading = reader.read(asked, described, kinds, columns)
    read = read_question(asked, reading.cause, reading.effect, columns, others)
    return Case(dataset, seen, described, columns, read, reading)


def values_of(dataset: Dataset, seen: Profile) -> dict[str, tuple[str, ...]]:
    """Column of words → its values, where they are few."""
    found = {}
    for column in seen.columns:
        if (
            not column.numeric
            and column.kind in ("binary", "categorical", "constant")
            and column.distinct <= _MOST_VALUES
        ):
            name = quote(column.name)
            rows = dataset.connection.execute(
                f"SELECT CAST({name} AS VARCHAR) FROM data WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1"
            ).fetchall()
            found[column.name] = tuple(row[0] for row in rows)
    return found
