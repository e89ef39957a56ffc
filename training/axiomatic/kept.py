"""Scores that are written down as they come: a measurement that was cut short goes on where it was.

One line of JSON a suite: the weights, the number of items and the seed that it holds for, and the score. What was
measured on other weights or items stands beside it and is not read.
"""

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path

from leucippus.training.axiomatic.evaluate import Score

FILE = "scores.jsonl"


class KeptScores:
    """Scores of one model, at so many items a suite and one seed, in a folder."""

    def __init__(self, folder: Path, model: Path, count: int, seed: int) -> None:
        self._file = folder / FILE
        weights = hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
        self._of = {"weights_sha256": weights, "count": count, "seed": seed}
        folder.mkdir(parents=True, exist_ok=True)

    def read(self) -> dict[str, Score]:
        """Suite → its score."""
        if not self._file.is_file():
            return {}
        found: dict[str, Score] = {}
        named = {field.name for field in fields(Score)}
        for line in self._file.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
                score = row.pop("score")
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # cut short while it was written
            if row == self._of and isinstance(score, dict) and set(score) == named:
                found[score["suite"]] = Score(**score)
        return found

    def add(self, score: Score) -> None:
        """Write one more."""
        with self._file.open("a", encoding="utf-8") as file:
            # The newline comes first: the line before may have been cut short.
            file.write("\n" + json.dumps(self._of | {"score": asdict(score)}))
