"""Opening a store, and every way it can fail to open."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from leucippus.errors import StoreError, StoreLocked, StoreMissing, StoreReadOnly, StoreTooNew
from leucippus.store import migrations
from leucippus.store.database import Store, open_store


def test_migrations_are_applied_once_and_recorded(path: Path) -> None:
    for _ in range(2):
        with open_store(path) as store:
            assert store.rows("SELECT number, name FROM migrations") == [
                (1, "first schema"),
                (2, "large causal model"),
                (3, "tuning"),
            ]


def test_a_later_migration_is_applied_to_an_older_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(path).close()

    def add_column(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("ALTER TABLE concepts ADD COLUMN note VARCHAR")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, (4, "note", add_column)))
    monkeypatch.setattr(migrations, "NEWEST", 4)
    monkeypatch.setattr("leucippus.store.database.NEWEST", 4)
    with pytest.raises(StoreError, match="schema is older") as caught:
        open_store(path, "read")
    assert "mode='write'" in caught.value.next_step
    with open_store(path) as store:
        assert store.rows("SELECT number FROM migrations ORDER BY number") == [(1,), (2,), (3,), (4,)]
        assert store.rows("SELECT note FROM concepts") == []


def test_a_migration_that_fails_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("CREATE TABLE half (x INTEGER)")
        connection.execute("CREATE TABLE half (x INTEGER)")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, (4, "fails", fail)))
    with pytest.raises(StoreError, match="half"):
        monkeypatch.setattr(migrations, "NEWEST", 4)
        open_store(path)
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == []


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_store_of_a_later_version_is_refused(path: Path, mode: str) -> None:
    with open_store(path) as store, store.transaction() as cursor:
        cursor.execute("INSERT INTO migrations VALUES (99, 'from the future', now() AT TIME ZONE 'UTC')")
    with pytest.raises(StoreTooNew, match="migration 99") as caught:
        open_store(path, "read" if mode == "read" else "write")
    assert str(path) in caught.value.problem and "Upgrade" in caught.value.next_step


def test_reading_what_is_not_there(path: Path) -> None:
    with pytest.raises(StoreMissing, match="no store at"):
        open_store(path, "read")
    assert not path.exists()


def test_the_folder_of_a_new_store_is_made(tmp_path: Path) -> None:
    open_store(tmp_path / "a" / "b" / "store.duckdb").close()
    assert (tmp_path / "a" / "b" / "store.duckdb").is_file()


def test_a_folder_is_not_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        open_store(tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"not a database " * 1000])
def test_another_kind_of_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not a DuckDB file"):
        open_store(path)
    assert path.read_bytes() == content


def test_a_file_of_sqlite_is_refused_without_the_network(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE a (x)")
    with pytest.raises(StoreError, match="not a DuckDB file"):
        open_store(path)


def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE sales (x INTEGER)")
    with pytest.raises(StoreError, match="other tables: sales"):
        open_store(path)
    with duckdb.connect(str(path)) as other:
        assert other.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("sales",)]


def test_a_damaged_file(path: Path) -> None:
    open_store(path).close()
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StoreError, match="Cannot open the store"):
        open_store(path)


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_store_held_by_another_process(path: Path, mode: str) -> None:
    holding = "import sys; from leucippus.store.database import open_store; s = open_store(sys.argv[1]); "
    holding += "print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(StoreLocked) as caught:
            open_store(path, "read" if mode == "read" else "write")
        holder.kill()
    assert f"process {holder.pid}" in caught.value.problem
    assert f"kill {holder.pid}" in caught.value.next_step
    assert caught.value.retryable
    if Path("/proc").is_dir():
        assert "open_store" in caught.value.problem
    open_store(path).close()


def test_both_modes_in_one_process(store: Store) -> None:
    with pytest.raises(StoreLocked, match="This process already"):
        open_store(store.path, "read")


def test_a_file_that_may_not_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(path).close()
    # Tests may run as root, whom permissions do not bind.
    monkeypatch.setattr(os, "access", lambda which, _: Path(which) != path)
    with pytest.raises(StoreReadOnly, match="cannot be written"):
        open_store(path)
    open_store(path, "read").close()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no folder that root cannot write")
def test_a_folder_that_may_not_be_written() -> None:
    for place in ("/proc/store.duckdb", "/proc/new/store.duckdb"):
        with pytest.raises(StoreReadOnly, match="/proc"):
            open_store(place)


def test_a_store_open_for_reading_refuses_to_write(path: Path) -> None:
    open_store(path).close()
    with open_store(path, "read") as store, pytest.raises(StoreReadOnly), store.transaction():
        pass


def test_what_is_raised_in_a_transaction_drops_it(store: Store) -> None:
    with pytest.raises(KeyError), store.transaction() as cursor:
        cursor.execute("INSERT INTO concepts VALUES ('1', 'one')")
        raise KeyError
    assert store.rows("SELECT * FROM concepts") == []


def test_a_failed_statement_is_a_store_error_and_drops_the_transaction(store: Store) -> None:
    with pytest.raises(StoreError, match="could not be written"), store.transaction() as cursor:
        cursor.execute("INSERT INTO concepts VALUES ('1', 'one')")
        cursor.execute("INSERT INTO concepts VALUES ('1', 'again')")
    assert store.rows("SELECT * FROM concepts") == []


def test_the_extension_needs_no_home_directory(tmp_path: Path) -> None:
    code = "import sys; from leucippus.store.database import open_store; open_store(sys.argv[1]).close()"
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s.duckdb")], env={**os.environ, "HOME": str(home)}, check=False
    )
    assert done.returncode == 0
    assert list(home.iterdir()) == []
    shutil.rmtree(home)
