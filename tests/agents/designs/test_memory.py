"""What does not fit into memory is refused before it is fetched, in one sentence; what only tests the design gives way."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from leucippus.agents.answer import answer
from leucippus.agents.dataset import Dataset, from_frame, over
from leucippus.agents.designs import memory
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.designs.study import Study, prepare
from leucippus.agents.vet import vet
from leucippus.errors import DataError

N = 20_000
RCT = {"strategy": "rct", "treatment": "treat", "outcome": "y"}


def data(**columns: Any) -> Dataset:
    rng = np.random.default_rng(0)
    known = {"row_id": np.arange(N), "treat": np.arange(N) % 2, "y": rng.normal(size=N)}
    return from_frame(pd.DataFrame({**known, **columns}))


def beside(count: int) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {f"v{i}": rng.normal(size=N) for i in range(count)}


@pytest.fixture
def _allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUCIPPUS_STUDY__MAX_MEMORY_MB", "8.5")


@pytest.mark.usefixtures("_allow")
def test_too_many_rows_are_refused_before_they_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 rows × 2 columns × 8 bytes × 23 is 7.4 MB, a third column makes it 11."""
    assert answer(data(), parse_design(RCT)).estimate is not None
    fetched: list[tuple[str, ...]] = []

    def fetch(_: object, columns: Iterable[str]) -> pd.DataFrame:
        fetched.append(tuple(columns))
        return pd.DataFrame([[N]])

    monkeypatch.setattr("leucippus.agents.designs.study._Rows.fetch", fetch)
    with pytest.raises(DataError, match=r"20,000 rows × 3 columns need some 11\.0 MB") as caught:
        answer(data(x=np.arange(N) % 7), parse_design({**RCT, "controls": ["x"]}))
    assert fetched == [("count(*)",)]
    assert caught.value.expected == "at most 8.5 MB, the setting study.max_memory_mb"
    assert "subset" in caught.value.next_step and "% 2 = 0" in caught.value.next_step


@pytest.mark.usefixtures("_allow")
def test_what_the_subset_keeps_is_counted() -> None:
    said = answer(data(x=np.arange(N) % 7), parse_design({**RCT, "controls": ["x"], "subset": "row_id < 15000"}))
    assert said.estimate is not None and said.estimate.n_used == 15_000


@pytest.mark.usefixtures("_allow")
@pytest.mark.parametrize(("levels", "fits"), [(3, True), (60, False)])
def test_levels_of_a_control_count_as_columns(levels: int, fits: bool) -> None:
    code = np.arange(N) % levels
    design = parse_design({**RCT, "controls": ["C(code)"], "subset": "row_id < 9000"})
    if fits:
        assert prepare(data(code=code), design).n == 9000
        return
    with pytest.raises(DataError, match="9,000 rows × 3 columns"):
        prepare(data(code=code), design)
    words = np.array([f"level {value}" for value in code])
    with pytest.raises(DataError, match="9,000 rows × 3 columns"):
        prepare(data(code=words), parse_design({**RCT, "controls": ["code"], "subset": "row_id < 9000"}))


def test_bystanders_give_way_first_and_those_before_the_treatment_last(monkeypatch: pytest.MonkeyPatch) -> None:
    table, design = data(**beside(4), baseline_y=np.arange(N) % 13), parse_design({**RCT, "before_treatment": ["v3"]})
    everything = vet(table, design)
    assert set(everything.study.bystanders) == {"v0", "v1", "v2", "v3", "baseline_y"} and not everything.study.unseen
    assert "further columns" not in {check.name for check in everything.checks}

    monkeypatch.setattr(memory, "budget", lambda: (16e6, "a trial"))  # two columns need 7.4 MB, each further one 3.7
    some = vet(table, design)
    assert some.study.bystanders == ("v3", "baseline_y") and some.study.unseen == ("v0", "v1", "v2")
    said = next(check for check in some.checks if check.name == "further columns")
    assert said.verdict == "not testable" and "3 of 5 columns" in said.sentence and "v0, v1, v2" in said.sentence


def test_the_more_rows_the_fewer_bystanders(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked_at() -> Study:
        return prepare(data(**beside(8)), parse_design(RCT), bystanders=[f"v{i}" for i in range(8)])

    assert len(looked_at().bystanders) == 8
    monkeypatch.setattr(memory, "MOST_BYSTANDER_VALUES", 5 * N)
    assert looked_at().bystanders == ("v0", "v1", "v2", "v3", "v4") and looked_at().unseen == ("v5", "v6", "v7")
    monkeypatch.setattr(memory, "MOST_BYSTANDER_VALUES", N)
    assert len(looked_at().bystanders) == 3


@pytest.mark.parametrize("error", [MemoryError("Unable to allocate 9 GiB"), duckdb.OutOfMemoryException("full")])
@pytest.mark.parametrize("place", ["Rct.checks", "Rct.estimate"])
def test_memory_that_runs_out_is_the_same_error(error: Exception, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(f"leucippus.agents.designs.rct.{place}", fail)
    with pytest.raises(DataError, match=f"memory ran out over the 20,000 rows .*{error}") as caught:
        answer(data(), parse_design(RCT))
    assert "subset" in caught.value.next_step


@pytest.mark.parametrize("ordered", [False, True])
def test_a_query_for_which_duckdb_lacks_memory_is_the_same_error(
    ordered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the order of the rows is looked at, and where the rows are fetched."""
    if ordered:
        monkeypatch.setattr("leucippus.agents.designs.study._refuse_doubtful_order", lambda *_: None)
    connection = duckdb.connect(config={"temp_directory": ""})
    connection.execute(
        "CREATE TABLE data AS SELECT range AS row, range % 2 AS treat, hash(range)::DOUBLE AS y FROM range(500_000)"
    )
    connection.execute("SET memory_limit = '20MB'")
    panel = {"strategy": "did", "treatment": "late", "outcome": "y", "time": "row"}
    with pytest.raises(DataError, match="memory ran out over the 500,000 rows"):
        vet(over(connection, "a table"), parse_design({**panel, "derived": {"late": "lag(treat) + lag(y) > 0"}}))


def test_challenges_that_lack_memory_cost_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("leucippus.agents.designs.rct.permutation", fail)
    said = answer(data(), parse_design(RCT))
    assert said.estimate is not None and "not enough memory" in said.challenges[-1].sentence


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, 8_000_000 * 1024),
        (
            {
                "proc/self/cgroup": "0::/jobs/one\n",
                "sys/fs/cgroup/jobs/one/memory.max": "max\n",
                "sys/fs/cgroup/jobs/one/memory.current": "100\n",
                "sys/fs/cgroup/jobs/memory.max": "2000\n",
                "sys/fs/cgroup/jobs/memory.current": "900\n",
                "sys/fs/cgroup/jobs/memory.stat": "anon 1\ninactive_file 300\n",
            },
            1400,
        ),
        (
            {  # in a container: the path is the host's, the limit stands at the top
                "proc/self/cgroup": "5:cpu:/\n4:memory:/docker/abc\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "5000\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000\n",
            },
            4000,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000\n",
            },
            8_000_000 * 1024,
        ),
    ],
    ids=["machine", "version 2, of a parent", "version 1, in a container", "version 1, none"],
)
def test_what_is_free_is_the_least_of_machine_and_groups(files: dict[str, str], free: int, tmp_path: Path) -> None:
    write(tmp_path, {"proc/meminfo": "MemTotal: 9000000 kB\nMemAvailable:    8000000 kB\n", **files})
    assert memory.free_memory(tmp_path) == free


def test_an_address_space_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (1000, 1000))
    assert memory.free_memory() == 0
    assert memory.budget() == (0, "80% of the memory that is free")
