"""analyze and its benches as a user meets them: real processes, the shipped reader, the data of the README's example."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "incentives"
QUESTION = "Does drawing any money make people more likely to come and learn their result?"


def leucippus(*arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "leucippus", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("incentives") / "incentives.csv"
    subprocess.run([sys.executable, str(EXAMPLE / "make.py"), str(path)], check=True)
    return str(path)


def test_the_example_of_the_readme(data: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    description = str(EXAMPLE / "description.txt")
    done = leucippus("analyze", data, "-q", QUESTION, "-d", description, "--yes", "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["design"]["strategy"] == "rct" and found["design"]["treatment"] == "any"
    # Difference of means of the published data; Thornton (2008) has 0.431 (0.023) with controls.
    assert found["estimate"] == pytest.approx(0.45, abs=0.03)
    # The script yields the same number from the user's file, on public libraries alone.
    script = subprocess.run([sys.executable, str(out / "reproduce.py")], capture_output=True, text=True, check=True)
    assert f"{found['estimate']:.6f}"[:7] in script.stdout


def test_a_person_is_asked_and_nobody_is_not(data: str) -> None:
    done = leucippus("analyze", data, "-q", QUESTION, typed="")
    assert done.returncode == 2 and "--yes" in done.stderr


def test_bench_resumes_and_records_what_fails(tmp_path: Path) -> None:
    pd.DataFrame({"offer": [0, 1] * 100, "score": range(200)}).to_csv(tmp_path / "a.csv", index=False)
    tasks = [
        {"id": "one", "data_file": "a.csv", "data_description": "", "question": "Did the offer raise the score?"},
        {"id": "two", "data_file": "none.csv", "data_description": "", "question": "Did the offer raise the score?"},
    ]
    (tmp_path / "tasks.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))
    out = tmp_path / "p.jsonl"
    out.write_text('{"id": "one", "strategy": "kept"}\n{"id": "tw')
    done = leucippus("bench", "identification", "--tasks", str(tmp_path / "tasks.jsonl"), "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["one", "two"]
    assert rows[0]["strategy"] == "kept"
    assert rows[1]["refused"] and "none.csv" in rows[1]["reason"]


def test_bench_strategy(tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"id": "q", "question": "How much does barely passing the exam raise pay?"}) + "\n")
    done = leucippus("bench", "strategy", "--questions", str(questions), "--out", str(tmp_path / "s.jsonl"), "--json")
    assert done.returncode == 0, done.stderr
    row = json.loads((tmp_path / "s.jsonl").read_text())
    assert row["id"] == "q" and row["strategy"] in ("rd", "rct", "backdoor", "iv", "did")
