"""Cases for tests: small data, words, and a reader that finds every role equally likely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leucippus.agents.dataset import from_frame
from leucippus.agents.inquiry.case import Case, open_case
from leucippus.agents.inquiry.description import Description
from leucippus.agents.inquiry.matching import Columns
from leucippus.agents.inquiry.reader import ASSIGNMENTS, ROLES, STRATEGIES, Reading
from leucippus.agents.inquiry.sides import sides


class Undecided:
    """A study reader with no opinion."""

    def read(self, question: str, description: Description, kinds: Mapping[str, str], columns: Columns) -> Reading:
        roles = {name: dict.fromkeys(ROLES, 1 / len(ROLES)) for name in kinds}
        assignment = dict.fromkeys(ASSIGNMENTS, 1 / len(ASSIGNMENTS))
        return Reading(roles, assignment, "", dict.fromkeys(STRATEGIES, 1 / len(STRATEGIES)), *sides(question))


def case_of(columns: Sequence[str] | Mapping[str, Any], question: str, description: str = "", rows: int = 60) -> Case:
    """A case over these columns; of names alone, columns of 0 and 1 in turns of various length."""
    if isinstance(columns, Mapping):
        frame = pd.DataFrame({name: list(values) for name, values in columns.items()})
    else:
        draw = np.random.default_rng(1)
        frame = pd.DataFrame({name: draw.integers(0, 2, rows) for name in columns})
    return open_case(from_frame(frame), question, description, Undecided())
