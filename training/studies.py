"""Invented studies as a user would describe them, annotated by hand: what the study reader learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from leucippus.agents.inquiry.reader import ASSIGNMENTS, ROLES, STRATEGIES

STUDIES = Path(__file__).parent / "data" / "studies"
"""One file an author; the name of each is the first letter of its ids."""


class Study(BaseModel):
    """A description, a question and the right reading of both."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    description: str
    question: str
    expected: Literal["estimate", "refuse", "caveat"] = "estimate"
    strategy: str
    assignment_kind: str
    assignment_words: str = ""
    """The piece of the description that says how the treatment came about; empty where none does."""
    treatment: str | None = None
    outcome: str | None = None
    treatment_words: str = ""
    outcome_words: str = ""
    subset_words: str = ""
    columns: Mapping[str, str]
    """Column → role."""
    kinds: Mapping[str, str]
    """Column → kind, as the profile calls it."""
    instrument: Sequence[str] = ()
    subset: str = ""

    @model_validator(mode="before")
    @classmethod
    def _part(cls, row: dict[str, Any]) -> dict[str, Any]:
        """The files hold role and kind of a column together: `"pay": "outcome continuous"`."""
        both = {name: said.split() for name, said in row["columns"].items()}
        roles, kinds = ({name: said[at] for name, said in both.items()} for at in (0, 1))
        return {**row, "columns": roles, "kinds": kinds}


def read_studies(folder: Path = STUDIES) -> list[Study]:
    """The studies of a folder, one JSON object a line."""
    studies = [
        Study.model_validate_json(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    for study in studies:
        assert study.strategy in STRATEGIES and study.assignment_kind in ASSIGNMENTS, study.id
        assert set(study.columns.values()) <= set(ROLES), study.id
    return studies
