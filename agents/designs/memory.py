"""Whether a study fits into memory, asked before its rows are fetched: a system short of memory ends a process, unheard.

What a study needs is reckoned from its rows and columns and from copies measured in a run of each design. What it may
take is the setting `study.max_memory_mb`, or else most of what the machine and the control group have left.
"""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from leucippus.agents.dataset import Dataset
from leucippus.agents.designs.base import MOST_LEVELS, Design, plain
from leucippus.config import load_settings
from leucippus.errors import DataError

MOST_BYSTANDER_VALUES = 10_000_000
"""They only test the design, and tests gain little from more: fifty columns of 200,000 rows, ten of a million."""
_FEWEST_BYSTANDERS = 3
_NUMBER = 8
_TEXT = 80
"""A Python string of a few letters, and the pointer to it."""
_SHARE = 0.8
"""Of what is free: others need some too, and DuckDB may take more while it hands out the rows."""
_UNLIMITED = 2**60


@dataclass(frozen=True)
class Width:
    """A column in memory."""

    held: int
    """Bytes a row, of the values themselves."""
    worked: int
    """Bytes a row, of what the estimators compute with and copy: of text, one indicator a level but the first."""


def room_for(
    dataset: Dataset,
    design: Design,
    named: Sequence[str],
    bystanders: Sequence[str],
    stated: int,
    count: Callable[[Sequence[str]], tuple[int, list[int]]],
) -> int:
    """How many of the bystanders, from the first on, can be brought along.

    Parameters
    ----------
    stated : so many of them the user asked for; only memory itself leaves those out.
    count : columns → rows that the subset keeps, and different values of each column among them; asked only where it
        matters, since it is a pass over the data.

    Raises
    ------
    DataError : there is no room for the columns that the design names.
    """
    room, of = budget()
    coded = sorted({plain(c) for c in design.controls if plain(c) != c or _is_text(dataset, plain(c))})
    levels = dict.fromkeys(coded, MOST_LEVELS)
    rows = dataset.rows

    def bytes_of(names: Sequence[str]) -> float:
        widths = [_width(dataset, name, levels.get(name)) for name in names]
        return rows * sum(width.held + design.working_copies * width.worked for width in widths)

    if rows * len(bystanders) > MOST_BYSTANDER_VALUES or bytes_of((*named, *bystanders)) > room:
        rows, distinct = count(coded)
        # More levels are an error that says so itself.
        levels = {name: found if found <= MOST_LEVELS else 1 for name, found in zip(coded, distinct, strict=True)}
    need = bytes_of(named)
    if need > room:
        raise _too_large(rows, len(named), need, room, of)
    most = max(stated, _FEWEST_BYSTANDERS, MOST_BYSTANDER_VALUES // max(rows, 1))
    taken = 0
    for name in bystanders[:most]:
        need += bytes_of([name])
        if need > room:
            break
        taken += 1
    return taken


def _is_text(dataset: Dataset, name: str) -> bool:
    return dataset.types.get(name, "DOUBLE").startswith(("VARCHAR", "ENUM"))


def _width(dataset: Dataset, name: str, levels: int | None) -> Width:
    held = _TEXT if _is_text(dataset, name) else _NUMBER
    return Width(held, _NUMBER * max(1, (levels or 1) - 1))


def _too_large(rows: int, columns: int, need: float, room: float, of: str) -> DataError:
    return DataError(
        f"{rows:,} rows × {columns} columns need some {_gb(need)} of memory to estimate with",
        expected=f"at most {_gb(room)}, {of}",
        next_step=f"{_next(int(need // max(room, 1)) + 1)} LEUCIPPUS_STUDY__MAX_MEMORY_MB allows more.",
    )


def _next(share: int) -> str:
    return (
        "Keep fewer rows with subset, name fewer controls, or take a sample of one row "
        f"in {share}: query SELECT * FROM data WHERE hash(rowid) % {share} = 0 (in a panel, the unit's column in place "
        "of rowid)."
    )


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


@contextmanager
def within_memory(dataset: Dataset) -> Iterator[None]:
    """What was reckoned to fit and does not, as the same error.

    Raises
    ------
    DataError : in place of what Python, NumPy and DuckDB raise when there is no memory left.
    """
    try:
        yield
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise DataError(
            f"memory ran out over the {dataset.rows:,} rows of {dataset.source}: {said}",
            expected=f"rows and columns that fit: {_gb(free_memory())} are free now",
            next_step=_next(10),
        ) from error


def budget() -> tuple[float, str]:
    """Bytes a study may take, and where that comes from."""
    most = load_settings().study.max_memory_mb
    if most:
        return most * 1e6, "the setting study.max_memory_mb"
    return _SHARE * free_memory(), f"{_SHARE:.0%} of the memory that is free"


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that this process can still take: of the machine, of its control groups, of its address space."""
    machine = re.search(r"^MemAvailable:\s+(\d+) kB", _read(root / "proc/meminfo"), re.MULTILINE)
    free = int(machine[1]) * 1024 if machine else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = min((free, *_free_in_groups(root)))
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most != resource.RLIM_INFINITY:
        pages = _read(root / "proc/self/statm").split()
        free = min(free, most - int(pages[0]) * os.sysconf("SC_PAGE_SIZE") if pages else most)
    return max(free, 0)


def _free_in_groups(root: Path) -> Iterator[int]:
    """What each control group around this process, in either version, has left; unlimited ones say nothing."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, controllers, inside = line.split(":", 2)
        if number == "0":
            top, limit, used, cache = root / "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            top, limit, used = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            cache = "total_inactive_file"
        else:
            continue
        group = top / inside.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(top):
                break
            most, taken = _read(folder / limit).strip(), _read(folder / used).strip()
            if most.isdigit() and taken.isdigit() and int(most) < _UNLIMITED:
                # Pages of files that were read are given up when memory is wanted.
                spare = re.search(rf"^{cache} (\d+)", _read(folder / "memory.stat"), re.MULTILINE)
                yield int(most) - int(taken) + (int(spare[1]) if spare else 0)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
