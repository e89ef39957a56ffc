"""The shipped extractor is what its card says: files, size, scores on the held-out sentences."""

import asyncio
import json

import pytest

from leucippus.serving.packaged import EXTRACTOR
from leucippus.training.examples import fingerprint, never_learned, written
from leucippus.training.extractor import SCORES, measure
from leucippus.training.grammar import generate


def test_the_shipped_files_score_what_they_are_said_to() -> None:
    stated = json.loads((EXTRACTOR / SCORES).read_text())
    measured = asyncio.run(measure(EXTRACTOR, written("heldout")))
    # Machines round bfloat16 differently: a sentence more or less.
    assert measured == pytest.approx(stated, abs=0.015)


def test_the_scores_stated_are_worth_stating() -> None:
    stated = json.loads((EXTRACTOR / SCORES).read_text())
    assert stated["texts"] == 300
    assert min(stated[name] for name in ("sign", "negated", "hedged")) >= 0.9


def test_the_files_are_few_small_and_safe() -> None:
    files = {path.name for path in EXTRACTOR.iterdir()}
    assert files == {
        "MODEL_CARD.md",
        "confidence.json",
        "recipe.json",
        "scores.json",
        "tagger.json",
        "tagger.safetensors",
    }
    assert sum(path.stat().st_size for path in EXTRACTOR.iterdir()) < 60e6


def test_no_path_of_the_machine_it_was_made_on_is_shipped() -> None:
    for path in EXTRACTOR.glob("*.json"):
        assert "/" not in path.read_text()


def test_nothing_we_measure_with_was_learned() -> None:
    never = never_learned()
    learned = {fingerprint(example.text) for example in [*written(), *generate(1000, 0)]}
    assert len(never) > 700 and not learned & never
    assert not {fingerprint(example.text) for example in written("heldout")} & learned
