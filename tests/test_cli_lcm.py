"""The commands about large causal models, over the example documents and the packaged tagger."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import leucippus
from leucippus.cli import main
from leucippus.graphs.reading import read_graph
from leucippus.store.database import open_store
from leucippus.store.triples import Sign

ROOT = Path(__file__).parents[1]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command in this process → exit code, standard output, standard error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["leucippus", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return (left.value.code if isinstance(left.value.code, int) else 0), out, err

    return run


def extracted(monkeypatch: pytest.MonkeyPatch, folder: Path, *paths: Path) -> Path:
    store = folder / "lcm.duckdb"
    monkeypatch.setattr(sys, "argv", ["leucippus", "extract", *map(str, paths), "--store", str(store)])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    return store


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        return extracted(patch, tmp_path_factory.mktemp("corpus"), ROOT / "examples" / "corpus")


@pytest.fixture
def store(corpus: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(corpus, tmp_path / "lcm.duckdb"))


def lines(out: str) -> list[Any]:
    return [json.loads(line) for line in out.splitlines()]


def test_extraction_ends_in_a_woven_model(run: Run, store: Path) -> None:
    code, out, _ = run("lcm", "stats", "--store", store, "--json")
    assert code == 0 and lines(out)[0]["not_woven"] == 0


def test_why_tells_the_way_its_sign_and_its_weakest_link(run: Run, store: Path) -> None:
    code, out, _ = run("lcm", "why", "heavy rain", "power outages", "--store", store)
    assert code == 0
    assert "Together: heavy rain brings about or increases power outage (weakest link:" in out
    assert "“Heavy rain caused flooding" in out


def test_conflicts_have_both_sides(run: Run, store: Path) -> None:
    _, out, _ = run("lcm", "conflicts", "road accidents", "--store", store, "--json")
    kinds = {one["kind"] for one in lines(out)}
    assert kinds == {"sign", "denied"} and all(one["one"] and one["other"] for one in lines(out))


def test_a_merge_is_listed_taken_back_and_stays_back(run: Run, store: Path) -> None:
    _, out, _ = run("lcm", "merges", "car traffic", "--store", store, "--json")
    (merge,) = [one for one in lines(out) if one["name"] == "reduction in car traffic"]
    assert merge["turn"] == -1
    code, _, _ = run("lcm", "merges", "--undo", merge["merge_id"], "--store", store)
    assert code == 0
    _, out, _ = run("lcm", "weave", "--store", store, "--json")
    assert lines(out)[0]["merges"] == 0
    code, _, err = run("lcm", "merges", "--undo", "nothing", "--store", store)
    assert code == 2 and "in force" in err


def test_forgetting_a_document_takes_its_claims_and_no_others(run: Run, store: Path) -> None:
    _, before, _ = run("lcm", "claims", "--store", store, "--json")
    gone = [one for one in lines(before) if one["document"].endswith("10-letter-ring-road.txt")]
    code, out, _ = run("lcm", "forget", "10-letter-ring-road.txt", "--store", store, "--json")
    assert code == 0 and lines(out)[0]["claims"] == len(gone) > 0
    _, after, _ = run("lcm", "claims", "--store", store, "--json")
    assert [one for one in lines(before) if one not in gone] == lines(after)


def test_a_slice_and_the_rest_glue_back_together(run: Run, store: Path, tmp_path: Path) -> None:
    part, whole = tmp_path / "part.duckdb", tmp_path / "whole.duckdb"
    assert run("lcm", "slice", part, "--about", "road accidents", "--store", store)[0] == 0
    assert run("lcm", "glue", whole, part, store, "--explain")[0] == 0
    counted = [lines(run("lcm", "stats", "--store", path, "--json")[1])[0]["claims"] for path in (part, store, whole)]
    assert 0 < counted[0] < counted[1] == counted[2]


def test_two_runs_are_compared(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("a", "Smoking causes cancer. Rain causes floods."), ("b", "Smoking prevents cancer.")):
        (tmp_path / f"{name}.txt").write_text(text)
    extracted(monkeypatch, tmp_path, tmp_path / "a.txt")
    store = extracted(monkeypatch, tmp_path, tmp_path / "b.txt")
    _, out, _ = run("lcm", "runs", "--store", store, "--json")
    first, second = (one["run_id"] for one in lines(out))
    _, out, _ = run("lcm", "diff", first[:6], second[:6], "--store", store, "--json")
    (found,) = lines(out)
    assert (found["edges_only_a"], found["edges_changed"], found["same"]) == (1, 1, 0)
    assert run("lcm", "diff", "zzz", second, "--store", store)[0] == 2


@pytest.mark.parametrize("form", ["graphml", "jsonld", "parquet", "dagitty"])
def test_the_model_is_written_for_other_tools(run: Run, store: Path, tmp_path: Path, form: str) -> None:
    code, out, _ = run("lcm", "export", tmp_path / f"model.{form}", "--format", form, "--store", store)
    assert code == 0 and "edges" in out


def test_dump_and_load_give_the_same_model(run: Run, store: Path, tmp_path: Path) -> None:
    assert run("lcm", "dump", tmp_path / "dump", "--store", store)[0] == 0
    code, out, _ = run("lcm", "load", tmp_path / "dump", "--store", tmp_path / "again.duckdb", "--json")
    assert code == 0
    again = run("lcm", "load", tmp_path / "dump", "--store", tmp_path / "again.duckdb", "--json")[1]
    assert lines(again)[0]["claims"] == lines(out)[0]["claims"]
    shown = [run("lcm", "causes", "flooding", "--store", path)[1] for path in (store, tmp_path / "again.duckdb")]
    assert shown[0] == shown[1] != ""
    code, _, err = run("lcm", "load", tmp_path, "--store", tmp_path / "no.duckdb")
    assert code == 2 and "claims.parquet" in err


def test_a_prior_is_a_graph_that_can_be_read(run: Run, store: Path) -> None:
    columns = "heavy rain,flooding,power outages,shoe size"
    code, out, err = run("lcm", "prior", "--columns", columns, "--store", store)
    graph = read_graph(out)
    assert (
        code == 0 and ("heavy rain", "flooding") in graph.directed and ("flooding", "power outages") in graph.directed
    )
    assert "nothing in the store is about: shoe size" in err and "“Heavy rain" in err
    assert run("lcm", "prior", "--store", store)[0] == 2


def test_a_map_gives_domains_and_the_atlas_shows_them(run: Run, store: Path, tmp_path: Path) -> None:
    code, out, _ = run("lcm", "map", "--method", "embeddings", "--store", store, "--json")
    domains = lines(out)[0]["domains"]
    assert code == 0 and len(domains) > 1
    part = tmp_path / "part.duckdb"
    code, out, _ = run("lcm", "slice", part, "--domain", min(domains), "--store", store, "--json")
    assert code == 0 and 0 < lines(out)[0]["claims"] < 122
    assert run("lcm", "slice", tmp_path / "no.duckdb", "--domain", "unicorns", "--store", store)[0] == 2
    code, _, _ = run("lcm", "atlas", tmp_path / "atlas.html", "--store", store)
    assert code == 0 and (tmp_path / "atlas.html").stat().st_size > 100_000
    assert run("lcm", "map", "--method", "luck", "--store", store)[0] == 2


def test_an_answer_that_is_remembered_becomes_a_claim(run: Run, store: Path) -> None:
    data = ROOT / "examples" / "scholarship" / "scholarship.csv"
    design = ROOT / "examples" / "scholarship" / "cutoff.yaml"
    asked = ("analyze", data, "-q", "Did the scholarship raise the grade after?", "--design", design, "--yes")
    assert run(*asked, "--remember")[0] == 2
    code, _, err = run(*asked, "--store", store, "--remember")
    assert code == 0 and "remembered in" in err
    _, out, _ = run("lcm", "effects", "scholarship", "--store", store, "--json")
    assert any(one["measured"] for one in lines(out))


def test_the_same_from_python(store: Path) -> None:
    with leucippus.open_lcm(store, "write") as model:
        (best, *_) = model.why("heavy rain", "power outages")
        assert best.sign is Sign.POSITIVE and len(best.links) == 2
        assert model.causes("flooding") and model.effects("flooding") and model.conflicts()
        assert model.prior(["heavy rain", "flooding"]).arrows
        with pytest.raises(leucippus.errors.InputError, match="unicorns"):
            model.causes("unicorns")


def test_what_is_not_there_is_said(run: Run, store: Path, tmp_path: Path) -> None:
    assert run("lcm", "conflicts", "unicorns", "--store", store)[0] == 2
    assert run("elicit", "--store", tmp_path / "new.duckdb")[0] == 2
    assert run("elicit", "--resume", "--store", tmp_path / "new.duckdb")[0] == 1
    assert run("elicit", "rain", "--budget", "much", "--store", tmp_path / "new.duckdb")[0] == 2
    assert not (tmp_path / "new.duckdb").exists()
    open_store(tmp_path / "empty.duckdb").close()
    assert run("lcm", "map", "--store", tmp_path / "empty.duckdb")[0] == 2
    assert run("lcm", "conflicts", "--store", tmp_path / "empty.duckdb")[0] == 0
