"""Opening the DuckDB file and telling the user plainly why it cannot be opened. Knows no tables.

One process writes, and while it does no other may read: DuckDB locks the file. Any number may read together.
"""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import duckdb
from numpy.typing import NDArray

from leucippus.errors import LeucippusError, StoreError, StoreLocked, StoreMissing, StoreReadOnly
from leucippus.store.migrations import NEWEST, migrate, schema_number

Mode = Literal["write", "read"]


class Store:
    """An open store. Use it as a context manager; it may be shared between threads.

    `write` and `query` hold what can be done with it; this class only hands out cursors and transactions.
    """

    def __init__(self, path: Path, mode: Mode, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self.mode = mode
        self._connection = connection
        self._one_writer = threading.Lock()

    def rows(self, sql: str, parameters: list[Any] | dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of one statement, on a cursor of its own so that threads do not share a result.

        Raises
        ------
        StoreError : DuckDB could not answer: a damaged file, too little memory, a closed store.
        """
        try:
            with self._connection.cursor() as cursor:
                return cursor.execute(sql, parameters).fetchall()
        except duckdb.Error as error:
            raise _failed(self.path, "read", error) from error

    def columns(self, sql: str, parameters: list[Any] | dict[str, Any] | None = None) -> dict[str, NDArray[Any]]:
        """The same as arrays, one a column: for numbers by the million. Raises as `rows`."""
        try:
            with self._connection.cursor() as cursor:
                found: dict[str, NDArray[Any]] = cursor.execute(sql, parameters).fetchnumpy()
                return found
        except duckdb.Error as error:
            raise _failed(self.path, "read", error) from error

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor whose changes are all kept or, if anything is raised, all dropped.

        Raises
        ------
        StoreReadOnly : the store was opened for reading.
        StoreError : DuckDB could not write: a full disk, too little memory.
        """
        if self.mode == "read":
            raise StoreReadOnly(
                f"The store {self.path} is open for reading.", next_step="Open it with mode='write' to change it."
            )
        with self._one_writer:
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute("BEGIN")
                    try:
                        yield cursor
                        cursor.execute("COMMIT")
                    except BaseException:
                        _roll_back(cursor)
                        raise
            except duckdb.Error as error:
                raise _failed(self.path, "written", error) from error

    def close(self) -> None:
        """Write the log back into the file and release the lock. Closing twice is closing once."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_store(
    path: str | os.PathLike[str],
    mode: Mode = "write",
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> Store:
    """Open the store at `path`, making it (and its folder) if it is to be written and is not there yet.

    Parameters
    ----------
    memory_limit : what DuckDB may hold in memory, e.g. "2GB"; none = 80 % of RAM.
    threads : what DuckDB may use; none = every core.

    Raises
    ------
    StoreMissing : opened for reading, and there is nothing at `path`.
    StoreLocked : another process, or this one in the other mode, holds it.
    StoreReadOnly : opened for writing, and the file or its folder cannot be written.
    StoreTooNew : a later version of Leucippus wrote it.
    StoreError : what is at `path` is a folder, another kind of file, damaged, or an older schema opened for reading.
    """
    path = Path(path)
    _check_file(path, mode)
    # Nothing may be fetched: the extensions we use come with the packages.
    config: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": False}
    if memory_limit is not None:
        config["memory_limit"] = memory_limit
    if threads is not None:
        config["threads"] = threads
    try:
        connection = duckdb.connect(str(path), read_only=mode == "read", config=config)
    except duckdb.Error as error:
        raise _cannot_open(path, error) from error
    try:
        _load_extension(connection, "fts")
        if mode == "write":
            migrate(connection)
        elif schema_number(connection) < NEWEST:
            raise StoreError(
                "Its schema is older than this version of Leucippus.",
                next_step="Open it once with mode='write': that brings it up to date.",
            )
    except duckdb.Error as error:
        connection.close()
        raise _cannot_open(path, error) from error
    except LeucippusError as error:
        connection.close()
        # The migrations do not know which file they are in; the user has to.
        raise type(error)(
            f"Cannot use the store {path}. {error.problem}", expected=error.expected, next_step=error.next_step
        ) from error
    return Store(path, mode, connection)


def _check_file(path: Path, mode: Mode) -> None:
    """Find, before DuckDB does, what it words badly."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder.", expected="a file", next_step=f"Name a file, e.g. {path}/store.duckdb.")
    if not path.exists():
        if mode == "read":
            raise StoreMissing(
                f"There is no store at {path}.", next_step="Check the path, or extract a corpus into it first."
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreReadOnly(
                f"Cannot make the folder {path.parent}: {error.strerror}.", next_step="Name a file in another folder."
            ) from error
    if mode == "write":
        # DuckDB also writes a log beside the file, so the folder has to be writable too.
        for needed in (path, path.parent):
            if needed.exists() and not os.access(needed, os.W_OK):
                raise StoreReadOnly(
                    f"{needed} cannot be written.", next_step="Open it with mode='read', or change its permissions."
                )
    if path.exists() and not _is_duckdb(path):
        raise StoreError(
            f"{path} is not a DuckDB file.", expected="a store made by Leucippus", next_step="Name another file."
        )


def _is_duckdb(path: Path) -> bool:
    # Asked before DuckDB opens it: DuckDB would try to fetch an extension for a file of SQLite's.
    try:
        with path.open("rb") as file:
            return file.read(12)[8:] == b"DUCK"
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}.", next_step="Change its permissions.") from error


def _load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension from its Python package.

    By its path, not with `duckdb_extensions.import_extension`: that one first copies it into the home directory.
    """
    row = connection.execute("SELECT version()").fetchone()
    assert row is not None
    if find_spec(f"duckdb_extension_{name}") is None:
        raise StoreError(f"DuckDB's extension {name!r} is not installed.", next_step="Run `make install`.")
    file = files(f"duckdb_extension_{name}").joinpath("extensions", row[0], f"{name}.duckdb_extension")
    connection.load_extension(str(file))


def _roll_back(cursor: duckdb.DuckDBPyConnection) -> None:
    # A failed COMMIT has already rolled back; the first error is the one to raise.
    with suppress(duckdb.Error):
        cursor.execute("ROLLBACK")


def _cannot_open(path: Path, error: duckdb.Error) -> StoreError:
    message = str(error)
    if "Could not set lock" in message:
        pid = re.search(r"\(PID (\d+)\)", message)
        holder = f"process {pid[1]}{_command_line(pid[1])}" if pid else "another process"
        stop = f"or stop it: kill {pid[1]}" if pid else "or find it: fuser " + str(path)
        return StoreLocked(
            f"The store {path} is held by {holder}.", next_step=f"Wait until that process is done, {stop}."
        )
    if isinstance(error, duckdb.ConnectionException) and "different configuration" in message:
        return StoreLocked(
            f"This process already has the store {path} open in another mode or with other limits.",
            next_step="Close it there first, or open it the same way.",
        )
    if "Cannot open file" in message:
        return StoreReadOnly(
            f"Cannot make or open {path}: {message.rsplit(': ', 1)[-1]}.", next_step="Name a file in another folder."
        )
    return StoreError(
        f"Cannot open the store {path}: {message.splitlines()[0]}",
        next_step="If the file is damaged, restore it from a copy, or extract into a new store.",
    )


def _command_line(pid: str) -> str:
    try:
        words = Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""  # another user's process, or not Linux
    line = b" ".join(words).decode("utf-8", "replace").strip()
    return f" ({line[:120]})" if line else ""


def _failed(path: Path, what: str, error: duckdb.Error) -> StoreError:
    return StoreError(
        f"The store {path} could not be {what}: {str(error).splitlines()[0]}",
        next_step="Check the space left on its disk and the memory left on the machine.",
    )
