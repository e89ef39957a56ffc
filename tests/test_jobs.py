"""The whole corpus job from the command line on real parts: example documents, packaged model, DuckDB, a SIGKILL."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from leucippus.store.database import open_store

EXAMPLES = Path(__file__).parent.parent / "examples"
CORPUS = str(EXAMPLES / "corpus")
pytestmark = pytest.mark.engine


def leucippus(*arguments: str, batch: int = 4) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "leucippus", *arguments],
        env=os.environ | {"LEUCIPPUS_EXTRACT__BATCH_PASSAGES": str(batch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*arguments: str) -> list[dict[str, Any]]:
    process = leucippus(*arguments, "--json")
    out, err = process.communicate(timeout=900)
    assert process.returncode == 0, err
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store written by a run that nothing disturbed."""
    store = str(tmp_path_factory.mktemp("alone") / "lcm.duckdb")
    (summary,) = finish("extract", CORPUS, "--store", store)
    assert summary["status"] == "finished" and summary["claims"] == len(finish("lcm", "claims", "--store", store))
    return store


@pytest.mark.parametrize("options", [[], ["--adapter", "none"]], ids=["tagger", "language model"])
def test_a_job_killed_and_resumed_writes_what_it_would_have_written(options: list[str], tmp_path: Path) -> None:
    alone, killed = str(tmp_path / "alone.duckdb"), str(tmp_path / "killed.duckdb")
    finish("extract", CORPUS, "--limit", "8", "--store", alone, *options)
    process = leucippus("extract", CORPUS, "--limit", "8", "--store", killed, *options)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("8/"):  # two batches are in the store, the third is being read
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (rest,) = finish("extract", "--resume", "--store", killed, *options)

    assert rest["status"] == "finished"
    expected = finish("lcm", "claims", "--store", alone)
    assert finish("lcm", "claims", "--store", killed) == expected
    assert len(expected) > 15


def test_an_extractor_is_trained_taken_up_again_and_used(tmp_path: Path) -> None:
    """Too little to be good: what counts is that the folder is whole, recorded and read with."""
    out, store = str(tmp_path / "mine"), str(tmp_path / "lcm.duckdb")
    train = ["train", "extractor", "--out", out, "--store", store, "--limit", "80", "--runs", "2", "--epochs", "2"]
    (trained,) = finish(*train)
    assert {"detection", "overlap50", "sign", "negated", "hedged"} <= trained.keys()
    (again,) = finish(*train)  # every step finds its files
    assert {key: again[key] for key in again if key != "run_id"} == {
        key: trained[key] for key in trained if key != "run_id"
    }
    with open_store(Path(store), "read") as opened:
        runs = opened.rows("SELECT status, settings->>'$.limit' FROM runs WHERE command = 'train extractor'")
    assert runs == [("finished", "80")] * 2
    (summary,) = finish("extract", CORPUS, "--limit", "2", "--store", store, "--adapter", out)
    assert summary["status"] == "finished"
    process = leucippus(*train[:-1], "3")
    assert "another recipe" in process.communicate(timeout=300)[1] and process.returncode == 2


def test_every_quote_stands_in_its_document(alone: str) -> None:
    for claim in finish("lcm", "claims", "--store", alone):
        document = Path(claim["document"].split("#")[0])
        if document.suffix in (".txt", ".md"):  # the others are read into a text of their own
            text = document.read_text(encoding="utf-8")
            assert text[claim["start"] : claim["end"]] == claim["quote"]


def test_questions_are_answered_from_the_store(alone: str) -> None:
    (answer,) = finish("ask", "What causes power outages?", "--store", alone)
    assert any(statement["text"].startswith("flooding ") for statement in answer["statements"])
    assert all(statement["evidence"] for statement in answer["statements"])
    (nothing,) = finish("ask", "Does coffee cause cancer?", "--store", alone)
    assert not nothing["statements"] and "Nothing in this store" in nothing["note"]


def test_most_claims_of_the_examples_are_found_and_read_right(alone: str) -> None:
    """The committed gold claims of the example corpus: not a benchmark, a floor below which the demo misleads."""
    found = finish("lcm", "claims", "--store", alone)
    gold = [json.loads(line) for line in (EXAMPLES / "claims.jsonl").read_text(encoding="utf-8").splitlines()]

    def same(claim: dict[str, Any], wanted: dict[str, Any]) -> bool:
        in_file = claim["document"].split("#")[0].endswith(wanted["file"])
        return in_file and all(_overlap(claim[side], wanted[side]) >= 0.5 for side in ("cause", "effect"))

    pairs = [(claim, wanted) for wanted in gold for claim in found if same(claim, wanted)]
    recalled = {id(wanted) for _, wanted in pairs}
    correct = {id(claim) for claim, _ in pairs}
    assert len(recalled) >= 0.75 * len(gold)
    assert len(correct) >= 0.75 * len(found)
    for field in ("negated", "hedged", "sign"):
        assert sum(claim[field] == wanted[field] for claim, wanted in pairs) >= 0.85 * len(pairs)


def _overlap(a: str, b: str) -> float:
    first, second = set(a.casefold().split()), set(b.casefold().split())
    return 2 * len(first & second) / (len(first) + len(second))
