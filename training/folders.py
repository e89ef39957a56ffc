"""The folder of a training run: it belongs to one recipe, and at a time to one process."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from leucippus.errors import InputError

RECIPE = "recipe.json"
_LEAST_ROOM = 2**26
"""Bytes; with less left on a disk, a failure to write is put down to that."""


def claim_folder(out: Path, recipe: Any) -> None:
    """Make `out` the folder of this recipe, a dataclass.

    Raises
    ------
    InputError : it is that of another one, holds other things, or cannot be made.
    """
    wanted = json.dumps(asdict(recipe), indent=1, sort_keys=True) + "\n"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if (out / RECIPE).is_file():
            if (out / RECIPE).read_text() != wanted:
                raise InputError(
                    f"{out} holds a model by another recipe.",
                    expected="an empty folder, or one begun with the same options",
                    next_step=f"Choose another --out, or compare with {out / RECIPE}.",
                )
        elif any(out.iterdir()):
            raise InputError(
                f"{out} holds other files.", expected="an empty or new folder", next_step="Choose another --out."
            )
        else:
            try:
                (out / RECIPE).write_text(wanted)
            except OSError:
                (out / RECIPE).unlink(missing_ok=True)  # half of it would be another recipe's
                raise
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error}", expected="a folder that can be written") from error


@contextmanager
def alone_in(out: Path) -> Iterator[None]:
    """While no other process trains in `out`, which is claimed; should this one be killed, it is free again.

    Raises
    ------
    InputError : another process does.
    """
    with (out / RECIPE).open() as recipe:
        try:
            fcntl.flock(recipe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"Another process is training in {out}.",
                expected="one at a time",
                next_step="Wait for it, or choose another --out.",
            ) from error
        yield


def explained(error: Exception, out: Path, last: Path | None) -> Exception:
    """What a user can act on, where it is that: no room in `out`, or a last checkpoint that cannot be read."""
    if isinstance(error, InputError):
        return error
    if isinstance(error, OSError) or shutil.disk_usage(out).free < _LEAST_ROOM:
        return InputError(f"{out} cannot be written: {error}", expected="a folder with room for the model")
    if last is not None:
        return InputError(
            f"Training cannot go on from {last}: {error}",
            expected="the checkpoint that an interrupted run left",
            next_step="Remove that checkpoint; training begins anew.",
        )
    return error
