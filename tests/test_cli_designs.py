"""profile, designs, vet, estimate and identify as a user meets them: real processes over the example of the README."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

EXAMPLE = Path(__file__).parent.parent / "examples" / "scholarship"
DATA = str(EXAMPLE / "scholarship.csv")


def leucippus(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "leucippus", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def said(*arguments: str) -> dict[str, object]:
    done = leucippus(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_profile_finds_the_rule() -> None:
    words = leucippus("profile", DATA).stdout
    assert "scholarship" in words and "score" in words and "60" in words
    assert json.dumps(said("profile", DATA))


def test_estimate_at_the_cutoff(tmp_path: Path) -> None:
    found = said("estimate", DATA, "--design", str(EXAMPLE / "cutoff.yaml"), "--out", str(tmp_path / "out"))
    assert found["refused"] is False and found["estimand"] == "effect at the cutoff"
    assert found["ci_low"] < 0.30 < found["ci_high"]  # type: ignore[operator]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"answer.json", "design.yaml", "figure.png"}
    assert (tmp_path / "out" / "figure.png").read_bytes().startswith(b"\x89PNG")
    # The design that was written gives the same answer again.
    again = said("estimate", DATA, "--design", str(tmp_path / "out" / "design.yaml"))
    assert again["estimate"] == found["estimate"]


def test_adjusting_for_the_rule_is_refused() -> None:
    design = ("--design", str(EXAMPLE / "adjusted.yaml"))
    assert said("vet", DATA, *design)["refused"] is True
    found = said("estimate", DATA, *design, "--graph", str(EXAMPLE / "graph.txt"))
    assert found["refused"] is True and "estimate" not in found and found["reason"] and found["remedy"]
    words = leucippus("estimate", DATA, *design)
    assert words.returncode == 0 and words.stdout.startswith("No number:")


def test_identify_lists_the_adjustment_set() -> None:
    found = said("identify", str(EXAMPLE / "graph.txt"), "--treatment", "scholarship", "--outcome", "grade_after")
    assert found["identified"] and found["adjustment_sets"] == [["score"]]


def test_designs_names_every_field_with_what_it_means() -> None:
    words = leucippus("designs").stdout
    assert "rct:" in words and "rd:" in words
    assert "cutoff" in leucippus("designs", "rd").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("estimate", "nowhere.csv", "--design", "x.yaml"), "nowhere.csv"),
        (("vet", DATA, "--design", "nowhere.yaml"), "nowhere.yaml"),
        (("identify", "nowhere.txt", "--treatment", "X", "--outcome", "Y"), "nowhere.txt"),
        (
            ("identify", str(EXAMPLE / "graph.txt"), "--treatment", "scholarshp", "--outcome", "grade_after"),
            "scholarshp",
        ),
        (("designs", "magic"), "magic"),
    ],
)
def test_what_cannot_be_used_is_named(arguments: tuple[str, ...], words: str) -> None:
    done = leucippus(*arguments)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


def test_a_misspelt_column_and_a_cyclic_graph(tmp_path: Path) -> None:
    design = tmp_path / "design.yaml"
    design.write_text(yaml.safe_dump({"strategy": "rct", "treatment": "scolarship", "outcome": "grade_after"}))
    assert "Did you mean 'scholarship'?" in leucippus("vet", DATA, "--design", str(design)).stderr
    graph = tmp_path / "graph.txt"
    graph.write_text("A -> B -> A")
    done = leucippus("identify", str(graph), "--treatment", "A", "--outcome", "B")
    assert done.returncode == 2 and "cycle" in done.stderr


def test_what_does_not_fit_into_memory_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUCIPPUS_STUDY__MAX_MEMORY_MB", "0.001")
    done = leucippus("estimate", DATA, "--design", str(EXAMPLE / "cutoff.yaml"), "--json")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    said = json.loads(done.stdout)
    assert said["error"] == "DataError" and "of memory to estimate with" in said["problem"]
    assert "study.max_memory_mb" in said["expected"] and "subset" in said["next_step"]
