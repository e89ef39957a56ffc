"""Versions of a tuned model in one folder, of which one is served.

    versions/0001/ …     each whole, and never changed once it is finished
    current              a link to the one that is served: what `--model OUT/current` follows
    lock                 held while a run works here

A version is finished when its report is there, which is written last. `current` is moved in one step, and only then.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from leucippus.errors import InputError
from leucippus.training.adapter import CONFIG
from leucippus.training.folders import RECIPE

VERSIONS, CURRENT, REPORT, LOCK = "versions", "current", "report.json", "lock"
PUBLISHED = "published"
"""In a version's folder: it has been served once. One that lacks it was cut short just before, or is nothing to serve."""


@dataclass(frozen=True)
class Version:
    """One of them."""

    name: str
    """Its number, in four digits or more."""
    folder: Path
    finished: bool
    servable: bool
    """Finished, and with a model: best-of-n leaves none."""
    published: bool
    """It has been served."""
    served: bool


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """While this is entered no other run works in `out`.

    Raises
    ------
    InputError : another one does, or the folder holds other things or cannot be written.
    """
    try:
        if out.is_dir() and any(out.iterdir()) and not (out / LOCK).is_file():
            raise InputError(
                f"{out} holds other files.", expected="an empty or new folder", next_step="Choose another --out."
            )
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / LOCK)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"Another run is tuning into {out}.", expected="one run at a time", next_step="Wait for it to end."
        ) from error
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error}", expected="a folder that can be written") from error
    try:
        yield
    finally:
        lock.release()


def versions(out: Path) -> tuple[Version, ...]:
    """All of them, oldest first."""
    served = current(out)
    folders = [path for path in (out / VERSIONS).glob("*") if path.is_dir() and path.name.isdigit()]
    return tuple(_version(folder, served) for folder in sorted(folders, key=lambda folder: int(folder.name)))


def _version(folder: Path, served: Path | None) -> Version:
    finished = (folder / REPORT).is_file()
    return Version(
        folder.name,
        folder,
        finished=finished,
        servable=finished and (folder / CONFIG).is_file(),
        published=(folder / PUBLISHED).is_file(),
        served=served is not None and folder.name == served.name,
    )


def current(out: Path) -> Path | None:
    """The folder of the version that is served; None if there is none yet."""
    link = out / CURRENT
    if not link.is_symlink():
        return None
    folder = out / VERSIONS / Path(os.readlink(link)).name
    return folder if (folder / REPORT).is_file() else None


def find(out: Path, request: Mapping[str, Any]) -> Path | None:
    """The version, finished or not, that was begun with this request, whatever it went on from."""
    wanted = _plain(request)
    for version in reversed(versions(out)):
        try:
            begun = json.loads((version.folder / RECIPE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(begun, dict) and _plain(begun) == wanted:
            return version.folder
    return None


def next_folder(out: Path) -> Path:
    """Of a version that is not there yet."""
    last = max((int(version.name) for version in versions(out)), default=0)
    return out / VERSIONS / f"{last + 1:04d}"


def publish(out: Path, version: str) -> None:
    """Serve a finished version from now on; whoever looks meanwhile finds the one before, or this one.

    Raises
    ------
    InputError : there is no such finished version with a model, or the link cannot be written.
    """
    known = [each.name for each in versions(out) if each.servable]
    if version not in known:
        raise InputError(
            f"There is no finished version {version!r} with a model in {out}.",
            expected=", ".join(known) or "a finished version",
        )
    scratch = out / f".{CURRENT}.{os.getpid()}"
    try:
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(Path(VERSIONS) / version, target_is_directory=True)
        os.replace(scratch, out / CURRENT)
        (out / VERSIONS / version / PUBLISHED).touch()
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise InputError(
            f"{out / CURRENT} cannot be written: {error}", expected="a folder that can be written"
        ) from error


def rollback(out: Path, to: str | None = None) -> str:
    """Serve another version: the one that was served before the present one, or `to`. Nothing is deleted; returns its
    name.

    Raises
    ------
    InputError : there is no such version.
    """
    found = versions(out)
    served = next((version for version in found if version.served), None)
    if to is None:
        earlier = [
            version.name
            for version in found
            if version.servable and version.published and (served is None or int(version.name) < int(served.name))
        ]
        if not earlier:
            raise InputError(
                f"There is no version before {served.name}." if served else f"{out} holds no version that was served.",
                expected="a version to go back to",
            )
        to = earlier[-1]
    to = to.zfill(4)
    publish(out, to)
    return to


def _plain(request: Mapping[str, Any]) -> Any:
    """As it reads from a file, without what it goes on from."""
    return json.loads(json.dumps({name: value for name, value in request.items() if name != "parent"}))
