"""The bench doors: predictions from ids and texts alone. The model is scripted."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from leucippus.agents.asking import Pair
from leucippus.agents.bench import Text, predict, read_folder, read_sentences
from leucippus.agents.model_extractor import ModelExtractor
from leucippus.agents.tagger_extractor import DOUBTFUL
from leucippus.config import ExtractSettings, Settings
from leucippus.errors import InputError
from leucippus.serving.calls import Answer, Call, Copied, Failed, FailureKind, Usage
from leucippus.store.triples import Failure, Passage, Reader
from leucippus.store.write import PassageResult

SETTINGS = Settings(model="scripted", extract=ExtractSettings(batch_passages=2))
ROWS = [
    {"id": "a", "text": "Heavy rain caused floods."},
    {"id": "b", "text": "The museum opens at nine."},
    {"id": "c", "text": "The ring road did not cause floods."},
    {"id": "d", "text": "Smoking may cause cancer."},
    {"id": "e", "text": "Heavy rain caused floods."},
]
GOLD = {"is_causal": False, "triples": [{"cause": "x", "effect": "y"}], "label": 1, "gold": {"cause": "Heavy"}}


class Scripted:
    """A client that copies both sides of the expression, and fails where the text holds a certain word."""

    batches_at_once = 1

    def __init__(self, fails_on: str | None = None) -> None:
        self._fails_on = fails_on
        self.asked: list[str] = []

    @property
    def usage(self) -> Usage:
        return Usage()

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def generate(self, call: Call) -> Answer[Any] | Failed:
        (answer,) = await self.generate_batch([call])
        return answer

    async def generate_batch(self, calls: Sequence[Call]) -> list[Answer[Any] | Failed]:
        self.asked += [call.messages[-1]["content"] for call in calls]
        return [self._answer(call) for call in calls]

    def _answer(self, call: Call) -> Answer[Any] | Failed:
        if self._fails_on and self._fails_on in call.messages[-1]["content"]:
            return Failed(FailureKind.TIMED_OUT, "late")
        assert isinstance(call.shape, Copied)
        sides = {name: source.text.strip(" .") for name, source in call.shape.sources.items()}
        return Answer(Pair(**sides), "", Usage(), None)


def _file(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _predict(texts: Sequence[Text], client: Scripted | None = None) -> list[dict[str, Any]]:
    return asyncio.run(predict(ModelExtractor(client or Scripted(), SETTINGS), texts, SETTINGS.extract))


@pytest.fixture
def texts(tmp_path: Path) -> list[Text]:
    return read_sentences(_file(tmp_path / "in.jsonl", ROWS))


def test_every_text_has_one_prediction_in_its_order(texts: list[Text]) -> None:
    assert [prediction["id"] for prediction in _predict(texts)] == ["a", "b", "c", "d", "e"]


def test_a_causal_sentence_is_predicted_with_its_pair(texts: list[Text]) -> None:
    assert _predict(texts)[0] == {
        "id": "a",
        "is_causal": True,
        "triples": [
            {
                "cause": "Heavy rain",
                "relation": "caused",
                "effect": "floods",
                "sign": "+",
                "hedged": False,
                "confidence": None,
            }
        ],
    }


def test_a_sentence_without_a_cause_is_predicted_so_unseen(texts: list[Text]) -> None:
    client = Scripted()
    assert _predict(texts, client)[1] == {"id": "b", "is_causal": False, "triples": []}
    assert not any("museum" in content for content in client.asked)


def test_what_is_denied_is_left_out(texts: list[Text]) -> None:
    assert _predict(texts)[2] == {"id": "c", "is_causal": False, "triples": []}


def test_what_is_doubted_is_kept_and_marked(texts: list[Text]) -> None:
    assert [triple["hedged"] for triple in _predict(texts)[3]["triples"]] == [True]


def test_equal_texts_are_predicted_alike_and_asked_once(texts: list[Text]) -> None:
    client = Scripted()
    predictions = _predict(texts, client)
    assert predictions[0]["triples"] == predictions[4]["triples"] != []
    assert sum("Heavy rain" in content for content in client.asked) == 1


def test_gold_in_the_file_changes_neither_calls_nor_predictions(tmp_path: Path, texts: list[Text]) -> None:
    with_gold = read_sentences(_file(tmp_path / "gold.jsonl", [row | GOLD for row in ROWS]))
    plain, other = Scripted(), Scripted()
    assert with_gold == texts
    assert _predict(with_gold, other) == _predict(texts, plain)
    assert other.asked == plain.asked


def test_a_failed_call_is_no_prediction_and_no_end(texts: list[Text]) -> None:
    predictions = _predict(texts, Scripted(fails_on="Smoking"))
    assert predictions[3]["triples"] == [] and predictions[0]["triples"] != []


def test_nothing_to_read_is_nothing_predicted() -> None:
    assert _predict([]) == []


@pytest.mark.parametrize(
    "line", ['{"id": 1, "text": "cut', '{"id": 1}', '{"text": "x"}', "[1, 2]", "3", '"text"', '{"id":"\udcff"}']
)
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "in.jsonl"
    good = '{"id": 1, "text": "x"}\n\n'
    path.write_bytes((good + line + "\n").encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match="line 3") as caught:
        read_sentences(path)
    assert str(path) in caught.value.problem and "text" in caught.value.expected


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing-here"):
        read_sentences(tmp_path / "nothing-here.jsonl")


def test_line_separators_inside_a_text_do_not_end_its_line(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": 1, "text": "one\u2028two\u0085three"}\r\n{"id": 2, "text": "x"}', encoding="utf-8")
    assert read_sentences(path) == [Text("1", "one\u2028two\u0085three"), Text("2", "x")]


def test_a_folder_gives_its_documents_under_their_stems(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("Heavy rain caused floods.")
    (tmp_path / "two.md").write_text("# Two\n\nNothing here.")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4")
    found = list(read_folder(tmp_path, max_mb=1))
    assert [text.id for text in found] == ["one", "two"]
    assert [prediction["is_causal"] for prediction in _predict(found)] == [True, False]


class Doubting:
    """A reader that finds a claim in every text about rain, and cannot say which."""

    batches_at_once = 1
    reader = Reader(model="scripted", adapter=None, prompt_version="1")

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def worth(self, text: str) -> bool:
        return True

    async def read(self, batch: Sequence[Passage]) -> list[PassageResult]:
        def failures(passage: Passage) -> tuple[Failure, ...]:
            error = DOUBTFUL if "rain" in passage.text else "Rejected"
            return (Failure(item=passage.passage_id, stage="ground", error=error, message="m"),)

        return [PassageResult(passage.passage_id, (), failures(passage), None, 0, 0) for passage in batch]


def test_a_text_whose_claim_is_in_doubt_is_causal_without_triples() -> None:
    texts = [Text(row["id"], row["text"]) for row in ROWS]
    made = asyncio.run(predict(Doubting(), texts, SETTINGS.extract))
    assert [prediction["is_causal"] for prediction in made] == [True, False, False, False, True]
    assert all(prediction["triples"] == [] for prediction in made)
