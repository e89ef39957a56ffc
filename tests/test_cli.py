"""The command line: every path ends in a result or in an error with its next step, never in a traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leucippus import __version__
from leucippus.agents.asking import Candidate, Pair
from leucippus.agents.grounding import ground
from leucippus.cli import main
from leucippus.errors import EngineDied
from leucippus.serving.calls import Answer, Call, Copied, Failed, Usage
from leucippus.store.database import open_store
from leucippus.store.triples import Document, Passage, Reader
from leucippus.store.write import PassageResult, Planned, add_documents, add_passages, plan, record_batch, start_run

SAID = [
    ("Heavy rain causes floods.", "Heavy rain", "floods"),
    ("The ring road did not cause floods.", "The ring road", "floods"),
    ("Floods may cause\n “outages” \x1b[31m in cafés.", "Floods", "“outages” \x1b[31m in cafés"),
]
CLAIM_FIELDS = {"document", "quote", "start", "end", "cause", "relation", "effect", "sign", "negated", "hedged"}


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        """What is on standard output: one JSON object a line and nothing else."""
        found = [json.loads(line) for line in self.out.splitlines()]
        assert all(isinstance(item, dict) for item in found)
        return found


class Cli:
    """Runs the entry point in this process; `shell` runs the installed command, where the process itself matters."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str | Path) -> Done:
        self._monkeypatch.setattr(sys, "argv", ["leucippus", *map(str, arguments)])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = self._capsys.readouterr()
        assert "Traceback" not in out + err
        code = left.value.code
        return Done(code if isinstance(code, int) else 0, out, err)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(capsys, monkeypatch)


def _shell(command: str, **environment: str) -> Done:
    """A shell line in which `leucippus` is the command of this installation."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], env=os.environ | {"PATH": path} | environment, capture_output=True, check=False
    )
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    assert "Traceback" not in out + err
    return Done(done.returncode, out, err)


def _write(path: Path, said: Sequence[tuple[str, str, str]]) -> Path:
    reader = Reader(model="hand", prompt_version="1")
    documents = [Document.of(text, media_type="text/plain", title=f"note {at}") for at, (text, *_) in enumerate(said)]
    passages = [Passage.of(document, 0, len(document.text)) for document in documents]
    results = []
    for passage, (_, cause, effect) in zip(passages, said, strict=True):
        candidate = Candidate(cause=cause, relation="-", effect=effect, probability=0.5)
        claims, rejected = ground(passage, [candidate], reader_id=reader.reader_id, require_cue=True)
        assert not rejected, rejected
        results.append(PassageResult(passage.passage_id, tuple(claims)))
    with open_store(path, threads=1) as store:
        add_documents(store, [(document, f"notes/{at}.txt") for at, document in enumerate(documents)])
        add_passages(store, passages)
        run_id = start_run(store, command="extract", settings={}, reader=reader)
        plan(store, run_id, reader, [Planned(p.passage_id, 0, at) for at, p in enumerate(passages)])
        record_batch(store, run_id, reader.reader_id, results)
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("cli") / "store.duckdb", SAID)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "documents"
    made.mkdir()
    (made / "1.txt").write_text("Heavy rain caused floods.")
    (made / "2.txt").write_text("The museum opens at nine.")
    return made


# --- what is here ----------------------------------------------------------------------------------------------------


def test_version(cli: Cli) -> None:
    assert cli("--version") == Done(0, f"{__version__}\n", "")


def test_the_module_is_the_command() -> None:
    assert _shell(f"{sys.executable} -m leucippus --version").out.strip() == __version__


def test_doctor_gives_every_check_a_status(cli: Cli) -> None:
    done = cli("doctor")
    assert done.code == 0 and done.err == ""
    statuses = [line.split()[0] for line in done.out.splitlines()]
    assert len(statuses) > 8 and set(statuses) <= {"ok", "warn"}


def test_doctor_as_json(cli: Cli) -> None:
    checks = cli("doctor", "--json").json
    assert all(set(check) == {"name", "status", "found", "next_step"} for check in checks)
    assert {"python", "duckdb", "vllm", "model"} <= {check["name"] for check in checks}


def test_doctor_reports_settings_that_cannot_be_used(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUCIPPUS_LOG_LEVEL", "loud")
    done = cli("doctor", "--json")
    (settings,) = [check for check in done.json if check["name"] == "settings"]
    assert done.code == 1 and settings["status"] == "fail" and "loud" in settings["found"] and settings["next_step"]


def test_models_as_json(cli: Cli) -> None:
    models = cli("models", "--json").json
    assert models and all({"name", "licence", "origin", "place"} <= set(model) for model in models)


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEUCIPPUS_LOG_LEVEL", "loud"),
        ("LEUCIPPUS_ENGINE", "not json"),
        ("LEUCIPPUS_ENGINE__MAX_NUM_SEQS", "many"),
        ("LEUCIPPUS_CONFIG", "nothing.toml"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    done = cli("models")
    assert done.code == 1 and done.out == ""
    assert done.err.startswith("error: ") and "Next: " in done.err


@pytest.mark.parametrize("text", ["model =", "nothing = 1", "[engine]\nnothing = 1", "\udcff"])
def test_a_settings_file_that_cannot_be_used_is_named(cli: Cli, tmp_path: Path, text: str) -> None:
    (tmp_path / "leucippus.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    done = cli("models")
    assert done.code == 1 and done.err.startswith("error: ")


# --- extract ---------------------------------------------------------------------------------------------------------


def test_extract_without_anything_to_read_says_how(cli: Cli) -> None:
    done = cli("extract")
    assert (done.code, done.out) == (2, "") and "Next: leucippus extract PATH" in done.err


def test_a_path_that_is_not_there_is_named(cli: Cli, tmp_path: Path) -> None:
    done = cli("extract", tmp_path / "nothing", "--dry-run")
    assert done.code == 2 and "nothing does not exist" in done.err


def test_a_dry_run_writes_no_store(cli: Cli, folder: Path, tmp_path: Path) -> None:
    done = cli("extract", folder, "--dry-run", "--adapter", "none", "--json", "--store", tmp_path / "s.duckdb")
    (plan,) = done.json
    assert (done.code, plan["documents"], plan["calls"]) == (0, 2, 1)
    assert list(tmp_path.iterdir()) == [folder]


class Scripted:
    """A client that copies both sides of an expression, or raises."""

    batches_at_once = 1

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error
        self.closed = False

    @property
    def usage(self) -> Usage:
        return Usage()

    async def start(self) -> None: ...

    async def close(self) -> None:
        self.closed = True

    async def generate(self, call: Call) -> Answer[Any] | Failed:
        assert isinstance(call.shape, Copied)
        sides = {name: source.text.strip(" .") for name, source in call.shape.sources.items()}
        return Answer(Pair(**sides), "", Usage(), None)

    async def generate_batch(self, calls: Sequence[Call]) -> list[Answer[Any] | Failed]:
        if self._error is not None:
            raise self._error
        return [await self.generate(call) for call in calls]


def _connect_to(client: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUCIPPUS_ADAPTER", "none")
    monkeypatch.setattr("leucippus.agents.extractors.connect", lambda *_: client)
    monkeypatch.setattr("leucippus.serving.encoder.encode", lambda texts: np.zeros((len(texts), 384), dtype=np.float32))


def test_extract_prints_its_summary_and_nothing_else(
    cli: Cli, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Scripted()
    _connect_to(client, monkeypatch)
    done = cli("extract", folder, "--json", "--store", tmp_path / "s.duckdb")
    (summary,) = done.json
    assert (done.code, summary["claims"], summary["status"]) == (0, 1, "finished")
    assert "passages" in done.err and client.closed


def test_an_interrupted_extraction_says_how_to_go_on(
    cli: Cli, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _connect_to(Scripted(KeyboardInterrupt()), monkeypatch)
    store = tmp_path / "s.duckdb"
    done = cli("extract", folder, "--store", store)
    assert done.code == 130 and f"leucippus extract --resume --store {store}" in done.err
    _connect_to(Scripted(), monkeypatch)
    (summary,) = cli("extract", "--resume", "--json", "--store", store).json
    assert summary["claims"] == 1


def test_an_engine_that_dies_ends_in_a_message(
    cli: Cli, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Scripted(EngineDied("It died.", next_step="Start again."))
    _connect_to(client, monkeypatch)
    done = cli("extract", folder, "--json", "--store", tmp_path / "s.duckdb")
    assert done.code == 1 and client.closed
    assert done.json == [{"error": "EngineDied", "problem": "It died.", "expected": "", "next_step": "Start again."}]


def test_a_fault_of_ours_ends_in_a_message_too(
    cli: Cli, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _connect_to(Scripted(ZeroDivisionError("oh")), monkeypatch)
    done = cli("extract", folder, "--json", "--store", tmp_path / "s.duckdb")
    (error,) = done.json
    assert done.code == 1 and "ZeroDivisionError: oh" in error["problem"] and "report" in error["next_step"]


def test_an_adapter_that_is_none_is_refused(cli: Cli, folder: Path, tmp_path: Path) -> None:
    done = cli("extract", folder, "--adapter", folder, "--model", tmp_path, "--store", tmp_path / "s.duckdb")
    assert done.code == 1 and "adapter" in done.err.lower()


# --- reading a store -------------------------------------------------------------------------------------------------


def test_claims_as_json_have_what_a_claim_needs(cli: Cli, store: Path) -> None:
    done = cli("lcm", "claims", "--json", "--store", store)
    assert done.code == 0 and done.err == "" and len(done.json) == len(SAID)
    texts = {f"notes/{at}.txt": text for at, (text, *_) in enumerate(SAID)}
    for claim in done.json:
        assert set(claim) >= CLAIM_FIELDS | {"confidence"}
        text = texts[claim["document"]]
        assert text[claim["start"] : claim["end"]] == claim["quote"]
        assert text[claim["cause_start"] : claim["cause_end"]] == claim["cause"]
        assert text[claim["effect_start"] : claim["effect_end"]] == claim["effect"]


def test_claims_for_a_person_show_the_quote_on_one_line(cli: Cli, store: Path) -> None:
    done = cli("lcm", "claims", "heavy rain", "--store", store)
    assert done.out.splitlines() == [
        "Heavy rain —causes (+)→ floods 50%",
        "    “Heavy rain causes floods.” — note 0 (notes/0.txt, 0–25)",
    ]


def test_a_document_cannot_steer_the_terminal(cli: Cli, store: Path) -> None:
    done = cli("lcm", "claims", "--store", store)
    assert "\x1b" not in done.out and "cafés" in done.out


def test_the_limit_counts_claims(cli: Cli, store: Path) -> None:
    assert len(cli("lcm", "claims", "--json", "--limit", "2", "--store", store).json) == 2


def test_stats_as_json(cli: Cli, store: Path) -> None:
    (counted,) = cli("lcm", "stats", "--json", "--store", store).json
    assert (counted["documents"], counted["claims"], counted["negated"], counted["hedged"]) == (3, 3, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", "What causes floods?"], "heavy rain brings about or increases floods (1 claim in 1 document)"),
        (["lcm", "causes", "floods"], "ring road does not bring about or increase floods (1 claim in 1 document)"),
        (["lcm", "effects", "heavy rain"], "Heavy rain brings about or increases flood (1 claim in 1 document)"),
        (["lcm", "why", "heavy rain", "floods"], "Heavy rain brings about or increases flood (1 claim in 1 document)"),
    ],
)
def test_answers_have_statements_with_quotes(cli: Cli, store: Path, arguments: list[str], said: str) -> None:
    done = cli(*arguments, "--store", store)
    assert done.code == 0 and f"• {said}" in done.out and "(notes/" in done.out


def test_an_answer_as_json_is_one_object(cli: Cli, store: Path) -> None:
    (answer,) = cli("ask", "What causes floods?", "--json", "--store", store).json
    assert len(answer["statements"]) == 2
    assert all(row["quote"] and row["document"] for said in answer["statements"] for row in said["evidence"])


@pytest.mark.parametrize("command", [["ask", "why?"], ["lcm", "stats"], ["lcm", "claims"], ["lcm", "causes", "floods"]])
def test_a_missing_store_is_named_and_not_made(cli: Cli, tmp_path: Path, command: list[str]) -> None:
    done = cli(*command, "--store", tmp_path / "none.duckdb")
    assert (done.code, done.out) == (1, "")
    assert "There is no store at" in done.err and "Next: " in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_error_as_json_is_one_object(cli: Cli, tmp_path: Path) -> None:
    done = cli("lcm", "stats", "--json", "--store", tmp_path / "none.duckdb")
    (error,) = done.json
    assert (done.code, error["error"]) == (1, "StoreMissing")
    assert "none.duckdb" in error["problem"] and error["next_step"]


@pytest.mark.parametrize("kind", ["folder", "text", "empty"])
def test_what_is_no_store_is_refused(cli: Cli, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "store.duckdb"
    path.mkdir() if kind == "folder" else path.write_text("hello" if kind == "text" else "")
    done = cli("lcm", "stats", "--store", path)
    assert (done.code, done.out) == (1, "") and "Next: " in done.err


def test_a_locked_store_says_who_holds_it(cli: Cli, tmp_path: Path) -> None:
    path = _write(tmp_path / "s.duckdb", SAID[:1])
    code = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout and holder.stdout.readline()
        done = cli("lcm", "stats", "--json", "--store", path)
        holder.communicate()
    (error,) = done.json
    assert (done.code, error["error"]) == (1, "StoreLocked")
    assert f"process {holder.pid}" in error["problem"] and str(holder.pid) in error["next_step"]


# --- odd uses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["lcm", "claims", "--limit", "0"],
        ["lcm", "claims", "--limit", "-3"],
        ["lcm", "claims", "--limit", "99999999999999999999"],
        ["lcm", "claims", "--limit", "many"],
        ["extract", ".", "--limit", "0"],
        ["nothing"],
        ["lcm", "nothing"],
        ["lcm", "stats", "--nothing"],
        ["ask"],
        ["lcm", "why", "rain"],
        ["serve", "--port", "0"],
        ["serve"],
        ["bench", "triples"],
    ],
    ids=" ".join,
)
def test_a_wrong_use_leaves_with_2_and_says_why(cli: Cli, arguments: list[str]) -> None:
    done = cli(*arguments)
    assert (done.code, done.out) == (2, "") and done.err


@pytest.mark.parametrize(
    "arguments", [["ask", ""], ["ask", "?!"], ["lcm", "claims", ""], ["lcm", "causes", " "], ["lcm", "why", "", "x"]]
)
def test_an_empty_question_is_refused(cli: Cli, store: Path, arguments: list[str]) -> None:
    done = cli(*arguments, "--store", store)
    assert done.code == 2 and "is empty" in done.err and "Expected: " in done.err


@pytest.mark.parametrize(
    "question", ["'; DROP TABLE claims; --", "🌧️ causes floods 🌊", "floods " * 2000, "\udcff causes floods"]
)
def test_strange_questions_are_answered(cli: Cli, store: Path, question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _connect_to(Scripted(), monkeypatch)
    done = cli("ask", question, "--json", "--store", store)
    assert done.code == 0 and len(done.json) == 1


def test_a_reader_that_goes_away_ends_the_command_quietly(store: Path) -> None:
    done = _shell(f"leucippus lcm claims --store {store} | true; exit ${{PIPESTATUS[0]}}")
    assert done == Done(1, "", "")


def test_a_full_disk_is_a_message(store: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    done = _shell(f"leucippus lcm stats --store {store} > /dev/full")
    assert done.code == 1 and "No space left" in done.err


def test_a_terminal_without_unicode_gets_escapes(store: Path) -> None:
    done = _shell(f"leucippus lcm claims --store {store}", PYTHONIOENCODING="ascii")
    assert done.code == 0 and r"Heavy rain \u2014causes (+)\u2192 floods" in done.out


def test_json_is_json_in_any_locale(store: Path) -> None:
    done = _shell(f"leucippus lcm claims --json --store {store}", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.code == 0 and any("cafés" in claim["quote"] for claim in done.json)


def test_arguments_that_are_not_utf_8_are_taken(store: Path) -> None:
    done = _shell(
        f"leucippus lcm claims --store $'/nothing/\\xff.duckdb'; leucippus ask $'\\xff floods' --store {store}"
    )
    assert done.code == 0 and "There is no store" in done.err


# --- bench -----------------------------------------------------------------------------------------------------------


def test_bench_writes_one_prediction_a_line(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _connect_to(Scripted(), monkeypatch)
    (tmp_path / "in.jsonl").write_text('{"id": 1, "text": "Heavy rain caused floods."}\n{"id": 2, "text": "Ça va."}\n')
    done = cli("bench", "triples", "--sentences", "in.jsonl", "--out", "out.jsonl", "--json")
    (counted,) = done.json
    predictions = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (done.code, counted["texts"], counted["causal"]) == (0, 2, 1)
    assert [(prediction["id"], prediction["is_causal"]) for prediction in predictions] == [("1", True), ("2", False)]


def test_bench_over_a_folder(cli: Cli, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _connect_to(Scripted(), monkeypatch)
    cli("bench", "documents", "--folder", folder, "--out", "out.jsonl")
    predictions = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(prediction["id"], prediction["is_causal"]) for prediction in predictions] == [("1", True), ("2", False)]


def test_a_bad_line_is_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": 1, "text": "x"}\n{"id": 2}\n')
    done = cli("bench", "triples", "--sentences", "in.jsonl", "--out", "out.jsonl")
    assert done.code == 2 and "line 2" in done.err and not (tmp_path / "out.jsonl").exists()


def test_a_place_that_cannot_be_written_is_found_before_the_work(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _connect_to(Scripted(AssertionError("asked")), monkeypatch)
    done = cli("bench", "documents", "--folder", folder, "--out", "nothing/out.jsonl")
    assert done.code == 1 and "nothing/out.jsonl" in done.err and "asked" not in done.err
