"""From two readers' numbers to one probability, and the file that holds how."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from leucippus.agents.confidence import FILE, Confidence, Line, Second, features, load_confidence
from leucippus.agents.tagging import Tagged
from leucippus.errors import ModelNotFound
from leucippus.store.triples import Sign

CONFIDENCE = Confidence(
    threshold=0.4,
    another=0.6,
    doubtful=(0.2, 0.8),
    keep=0.3,
    tagger=Line(weights=(1.0, 0.5, 0.25), bias=-1.0),
    both=Line(weights=(0.1, 0.2, 0.3, 2.0, -3.0), bias=0.5),
)
STORED: dict[str, Any] = CONFIDENCE.model_dump(mode="json")
SECONDS: list[Second] = ["same", "other", "none"]


def _claim(claim: float = 0.9, spans: float = 0.6, pair: float = 0.7) -> Tagged:
    return Tagged((0, 2), (3, 5), None, Sign.POSITIVE, False, False, claim, spans, pair)


def _odds(p: float) -> float:
    return math.log(p / (1 - p))


def _logistic(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def test_a_line_is_a_logistic_function_of_its_weighted_features() -> None:
    assert Line(weights=(2.0, -3.0), bias=0.5)((1.0, 0.4)) == pytest.approx(_logistic(0.5 + 2 - 1.2))
    assert Line(weights=(), bias=0.0)(()) == 0.5


@pytest.mark.parametrize("count", [2, 4])
def test_a_line_refuses_another_number_of_features_than_it_has_weights(count: int) -> None:
    with pytest.raises(ValueError):
        Line(weights=(1.0, 1.0, 1.0), bias=0.0)([0.5] * count)


@pytest.mark.parametrize("bias", [-1e6, 1e6])
def test_no_line_is_wholly_certain(bias: float) -> None:
    p = Line(weights=(), bias=bias)(())
    assert 0 < p < 1 and round(p) == (bias > 0)


def test_a_tagger_alone_is_weighed_by_its_own_line() -> None:
    expected = _logistic(-1 + _odds(0.9) + 0.5 * _odds(0.6) + 0.25 * _odds(0.7))
    assert CONFIDENCE.of(_claim()) == CONFIDENCE.of(_claim(), "not asked") == pytest.approx(expected)


@pytest.mark.parametrize("second, part", [("same", 2.0), ("other", 0.0), ("none", -3.0)])
def test_what_the_second_reader_says_is_weighed_too(second: Second, part: float) -> None:
    expected = _logistic(0.5 + 0.1 * _odds(0.9) + 0.2 * _odds(0.6) + 0.3 * _odds(0.7) + part)
    assert CONFIDENCE.of(_claim(), second) == pytest.approx(expected)


def test_there_is_a_weight_for_each_feature() -> None:
    assert len(features(_claim())) == len(CONFIDENCE.tagger.weights)
    for second in SECONDS:
        assert len(features(_claim(), second)) == len(CONFIDENCE.both.weights)


def test_features_are_log_odds_and_what_the_second_reader_says() -> None:
    own = [_odds(0.9), _odds(0.6), _odds(0.7)]
    assert features(_claim()) == pytest.approx(own)
    assert [features(_claim(), second)[:3] for second in SECONDS] == [features(_claim())] * 3
    assert [features(_claim(), second)[3:] for second in SECONDS] == [(1, 0), (0, 0), (0, 1)]


def test_certain_numbers_have_finite_features() -> None:
    low, high = features(_claim(0.0, 0.0, 0.0)), features(_claim(1.0, 1.0, 1.0))
    assert all(math.isfinite(x) for x in (*low, *high))
    assert all(x < -5 for x in low) and all(x > 5 for x in high)


def test_a_stored_calibration_is_read_back(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(CONFIDENCE.model_dump_json())
    assert load_confidence(tmp_path) == CONFIDENCE


def _refused(folder: Path) -> ModelNotFound:
    with pytest.raises(ModelNotFound) as caught:
        load_confidence(folder)
    assert str(folder) in caught.value.problem and FILE in caught.value.problem
    assert "Train the extractor again" in caught.value.next_step
    return caught.value


def test_a_folder_without_a_calibration_is_named_with_what_to_do(tmp_path: Path) -> None:
    _refused(tmp_path)
    _refused(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "stored", [b"", b"{", b"[]", b"\xff\xfe", b"{}"], ids=["empty", "cut", "list", "bytes", "bare"]
)
def test_a_damaged_calibration_is_named_with_what_to_do(tmp_path: Path, stored: bytes) -> None:
    (tmp_path / FILE).write_bytes(stored)
    _refused(tmp_path)


@pytest.mark.parametrize("key", list(STORED))
def test_a_calibration_that_lacks_a_key_is_refused_by_its_name(tmp_path: Path, key: str) -> None:
    (tmp_path / FILE).write_text(json.dumps({name: value for name, value in STORED.items() if name != key}))
    assert key in _refused(tmp_path).problem


@pytest.mark.parametrize("where", ["file", "line"])
def test_unknown_keys_are_refused(tmp_path: Path, where: str) -> None:
    line = STORED["tagger"] | {"temperature": 1.5}
    stored = STORED | ({"temperature": 1.5} if where == "file" else {"tagger": line})
    (tmp_path / FILE).write_text(json.dumps(stored))
    assert "temperature" in _refused(tmp_path).problem


@pytest.mark.parametrize("line, count", [("tagger", 2), ("tagger", 5), ("both", 3)])
def test_a_line_without_a_weight_for_each_feature_is_refused(tmp_path: Path, line: str, count: int) -> None:
    (tmp_path / FILE).write_text(json.dumps(STORED | {line: {"weights": [1.0] * count, "bias": 0.0}}))
    _refused(tmp_path)
