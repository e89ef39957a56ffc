"""The study reader: a question and a description → how the treatment came about, the strategy, the role of each column.

Five logistic regressions over named features (`features`, `question_words`, `column_marks`), learned from invented studies. It proposes: whatever it says is
checked against the data by the designs. A tuned encoder in its place read less well (ARCHITECTURE.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from leucippus.agents.inquiry import features
from leucippus.agents.inquiry.column_marks import of_columns
from leucippus.agents.inquiry.description import Description
from leucippus.agents.inquiry.linear import Linear, load
from leucippus.agents.inquiry.matching import Columns
from leucippus.agents.inquiry.question_words import phrases

ROLES: tuple[str, ...] = tuple(
    "treatment outcome instrument running mediator confounder covariate after same unit time cluster group date other "
    "subset".split()
)
"""What a column is in a study. `after`: moved by the treatment, or part of the outcome; `same`: the treatment in another
form; `group`: flags the units that are treated at some time; `date`: holds when; `subset`: says which rows are meant."""
ASSIGNMENTS: tuple[str, ...] = tuple(
    "lottery lottery_noncompliance rule_cutoff date_some date_all own_choice market natural not_said".split()
)
"""How a treatment came about. `date_some`: it reached some units at some date; `date_all`: everybody at once."""
STRATEGIES: tuple[str, ...] = tuple("rct backdoor iv rd did synthetic_control its mediation none".split())
MODELS = ("strategy", "assignment", "told", "word", "role")
WEIGHTS = Path(__file__).parent / "shipped" / "study_reader.npz"
_CLEAR = 0.5


@dataclass(frozen=True)
class Reading:
    """What the reader makes of a question and a description."""

    roles: Mapping[str, Mapping[str, float]]
    """Column → role → probability."""
    assignment: Mapping[str, float]
    """How the treatment came about → probability."""
    told: str
    """The sentence that says so most clearly; empty where none does."""
    strategies: Mapping[str, float]
    cause: str
    """The words of the question that name what is done; empty where its words do not part."""
    effect: str
    """The words that name what it is done to."""


class Reader(Protocol):
    """Something that reads studies."""

    def read(self, question: str, description: Description, kinds: Mapping[str, str], columns: Columns) -> Reading:
        """Read a study.

        Parameters
        ----------
        kinds : column → its kind as the profile calls it, for every column, in their order.
        columns : the same columns, ready to be compared with phrases.
        """
        ...


@dataclass(frozen=True, eq=False)
class StudyReader:
    """The models: of a study's strategy and assignment, of a sentence, of a question's words, of a column."""

    strategy: Linear
    assignment: Linear
    told: Linear
    word: Linear
    role: Linear

    def read(self, question: str, description: Description, kinds: Mapping[str, str], columns: Columns) -> Reading:
        whole = features.of_study(question, description, kinds)
        strategies = self.strategy.probabilities(whole)
        sides = phrases(question, self.word.probabilities)
        marked = of_columns(question, sides, strategies, description, kinds, columns)
        return Reading(
            {name: self.role.probabilities(marks) for name, marks in marked.items()},
            self.assignment.probabilities(whole),
            self._told(description),
            strategies,
            *sides,
        )

    def _told(self, description: Description) -> str:
        sentences = description.sentences
        clear = [
            self.told.probabilities(features.of_sentence(one, at, len(sentences)))["told"]
            for at, one in enumerate(sentences)
        ]
        best = max(range(len(clear)), key=lambda at: clear[at], default=-1)
        return sentences[best] if best >= 0 and clear[best] >= _CLEAR else ""


def load_reader(path: Path = WEIGHTS) -> StudyReader:
    """The reader of a file.

    Raises
    ------
    ModelNotFound : there is none.
    """
    models = load(path, MODELS)
    return StudyReader(*(models[name] for name in MODELS))


@cache
def shipped_reader() -> StudyReader:
    """The one that comes with Leucippus."""
    return load_reader()
