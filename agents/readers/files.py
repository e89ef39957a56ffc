"""Which files there are to read. Looks at names, kinds and sizes; opens nothing."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from leucippus.errors import DocumentError, InputError
from leucippus.store.triples import Failure

BYTES_PER_MB = 1_000_000
_LONGEST_MESSAGE = 500


@dataclass(frozen=True)
class Found:
    """A file that may be read: it is regular and no larger than the limit."""

    path: Path
    uri: str


def find_documents(paths: Sequence[str | Path], *, max_mb: float) -> Iterator[Found | Failure]:
    """The files at and under `paths`, in sorted order, one at a time.

    Hidden files and folders are passed over, unless they are named in `paths`. A symbolic link met inside a folder is
    followed to a file in that folder, never out of it and never to a folder, so links cannot make a loop.

    Raises
    ------
    InputError : at the call, one of `paths` does not exist.
    """
    roots = [Path(path) for path in paths]
    for root in roots:
        if not os.path.lexists(root):
            raise InputError(
                f"{uri_of(root)} does not exist.",
                expected="files or folders with documents",
                next_step="Correct the path; relative paths start in the current folder.",
            )
    return (item for root in roots for item in (_walk(root, root, max_mb) if root.is_dir() else [_file(root, max_mb)]))


def failure(uri: str, error: Exception) -> Failure:
    """One document that could not be read, as data."""
    message = str(error) or "no message"
    return Failure(item=uri, stage="read", error=type(error).__name__, message=message[:_LONGEST_MESSAGE])


def too_large(size: int, max_mb: float) -> DocumentError:
    return DocumentError(
        f"It holds {size / BYTES_PER_MB:,.1f} MB.",
        expected=f"at most {max_mb:g} MB",
        next_step="Split it, or raise LEUCIPPUS_EXTRACT__MAX_DOCUMENT_MB.",
    )


def uri_of(path: Path) -> str:
    """The path as text that can be stored: a file name need not be valid Unicode."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _walk(folder: Path, root: Path, max_mb: float) -> Iterator[Found | Failure]:
    try:
        with os.scandir(folder) as scan:
            entries = sorted((entry for entry in scan if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        yield failure(uri_of(folder), error)
        return
    for entry in entries:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path, root, max_mb)
        elif not entry.is_symlink():
            yield _file(path, max_mb)
        elif not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):  # Path.resolve raises on loops
            refusal = DocumentError("It is a symbolic link out of the folder.", next_step="Name its target directly.")
            yield failure(uri_of(path), refusal)
        elif not path.is_dir():  # a folder inside the root is met on its own
            yield _file(path, max_mb)


def _file(path: Path, max_mb: float) -> Found | Failure:
    uri = uri_of(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DocumentError("It is a pipe, socket or device.", expected="a file")
        if status.st_size > max_mb * BYTES_PER_MB:
            raise too_large(status.st_size, max_mb)
    except (OSError, DocumentError) as error:
        return failure(uri, error)
    return Found(path, uri)
