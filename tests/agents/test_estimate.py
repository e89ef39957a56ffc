"""The dry run counts what a run would do, and does nothing."""

from pathlib import Path

import pytest

from leucippus.agents.estimate import estimate
from leucippus.config import Settings
from leucippus.errors import InputError

BY_MODEL = Settings(adapter=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "documents"
    made.mkdir()
    (made / "1.txt").write_text("The museum opens at nine.\n\nHeavy rain caused floods.")
    (made / "2.txt").write_text("Old wiring caused a fire. The fire caused panic.")
    (made / "3.txt").write_text("Nothing of note.")
    (made / "4.pdf").write_bytes(b"%PDF-1.4 and then nothing")
    return made


def test_counts(folder: Path) -> None:
    found = estimate([str(folder)], BY_MODEL, limit=None, text_column=None)
    assert (found.documents, found.unreadable, found.passages) == (3, 1, 4)
    assert (found.passages_to_read, found.calls) == (2, 3)


def test_the_limit_counts_documents(folder: Path) -> None:
    found = estimate([str(folder)], BY_MODEL, limit=1, text_column=None)
    assert (found.documents, found.passages, found.calls) == (1, 2, 1)


def test_more_calls_cost_more(folder: Path) -> None:
    one = estimate([str(folder / "1.txt")], BY_MODEL, limit=None, text_column=None)
    two = estimate([str(folder / "2.txt")], BY_MODEL, limit=None, text_column=None)
    assert 0 < one.prompt_tokens < two.prompt_tokens and 0 < one.minutes < two.minutes


def test_nothing_causal_costs_nothing(folder: Path) -> None:
    found = estimate([str(folder / "3.txt")], BY_MODEL, limit=None, text_column=None)
    assert (found.passages, found.calls, found.prompt_tokens, found.minutes) == (1, 0, 0, 0.0)


def test_writes_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    estimate([str(folder)], BY_MODEL, limit=None, text_column=None)
    assert sorted(tmp_path.rglob("*")) == before


def test_its_words_hold_its_numbers(folder: Path) -> None:
    found = estimate([str(folder)], BY_MODEL, limit=None, text_column=None)
    assert "3 documents (1 cannot be read), 4 passages" in found.in_words()
    assert found.as_dict()["calls"] == 3


def test_a_folder_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no documents"):
        estimate([str(tmp_path)], BY_MODEL, limit=None, text_column=None)


def test_the_tagger_reads_every_passage_and_makes_no_calls(folder: Path) -> None:
    found = estimate([str(folder)], Settings(), limit=None, text_column=None)
    assert (found.passages_to_read, found.calls) == (found.passages, 0)
    assert found.prompt_tokens > 0 and 0 < found.minutes < 1
