"""The invented studies keep to their form; a reader learns from them, and its file says the same as it did."""

from pathlib import Path

import pytest

from leucippus.agents.inquiry.reader import ASSIGNMENTS, ROLES, STRATEGIES, load_reader
from leucippus.training.studies import read_studies
from leucippus.training.study_reader import learn, lessons, measure, save

STUDIES = read_studies()


def test_every_study_is_there_once() -> None:
    texts = {(study.question, study.description) for study in STUDIES}
    assert len({study.id for study in STUDIES}) == len(texts) == len(STUDIES) == 3634


@pytest.mark.parametrize("field", ["treatment_words", "outcome_words", "subset_words"])
def test_words_stand_in_the_question(field: str) -> None:
    assert [study.id for study in STUDIES if getattr(study, field) not in study.question] == []


def test_what_says_the_assignment_stands_in_the_description() -> None:
    assert [study.id for study in STUDIES if study.assignment_words not in study.description] == []


def test_labels_and_columns() -> None:
    assert {study.strategy for study in STUDIES} <= set(STRATEGIES)
    assert {study.assignment_kind for study in STUDIES} <= set(ASSIGNMENTS)
    assert {role for study in STUDIES for role in study.columns.values()} <= set(ROLES)
    assert [study.id for study in STUDIES if set(study.columns) != set(study.kinds)] == []
    named = [study for study in STUDIES if study.expected == "estimate"]
    assert [s.id for s in named if s.treatment not in s.columns or s.outcome not in s.columns] == []


def test_a_reader_learns_and_keeps(tmp_path: Path) -> None:
    taught = lessons(STUDIES[::20])
    reader = learn(taught[:140])
    seen, unseen = measure(reader, taught[:140]), measure(reader, taught[140:])
    assert seen["strategy"] > 0.9 and seen["roles"] > 0.8
    assert unseen["treatment"] > 0.4, "better than one column in twelve"
    save(reader, tmp_path / "reader.npz")
    again = measure(load_reader(tmp_path / "reader.npz"), taught[140:])
    assert again == pytest.approx(unseen, abs=0.06)  # half precision
