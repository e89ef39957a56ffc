"""Members of a zip file, in memory: nothing is written to disk, and what looks like an attack is refused."""

import stat
from collections.abc import Iterator
from io import BytesIO
from pathlib import PureWindowsPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from leucippus.agents.readers.files import BYTES_PER_MB, too_large
from leucippus.errors import DocumentError

_LARGEST_RATIO = 200  # text packs 3 to 20 times, zeros 1000 times
_SMALLEST_BOMB = 1_000_000  # bytes: below this a high ratio does no harm
_LARGEST_TOTAL = 16  # times the size of the largest document


def members(data: bytes, max_mb: float) -> Iterator[tuple[str, bytes | Exception]]:
    """The name of each member with its bytes, or with the reason it is refused.

    Raises
    ------
    zipfile.BadZipFile : it is no zip file.
    """
    left = int(_LARGEST_TOTAL * max_mb * BYTES_PER_MB)
    with ZipFile(BytesIO(data)) as archive:
        for member in archive.infolist():
            if member.is_dir() or _is_hidden(member.filename):
                continue
            try:
                _check(member, max_mb, left)
                # Not `archive.read`, which unpacks up to 2 GiB at a go before it looks at the declared size.
                with archive.open(member) as file:
                    content = file.read(member.file_size + 1)
            except Exception as error:  # noqa: BLE001  a damaged member may raise anything; the next one may be sound
                yield member.filename, error
            else:
                left -= len(content)
                yield member.filename, content


def _is_hidden(name: str) -> bool:
    """Finder litter and dot files, as in a folder; but not `..`, which is reported."""
    parts = PureWindowsPath(name).parts  # parts at both kinds of slash
    return "__MACOSX" in parts or any(part.startswith(".") and part != ".." for part in parts)


def _check(member: ZipInfo, max_mb: float, left: int) -> None:
    name = member.filename
    if name.startswith(("/", "\\")) or PureWindowsPath(name).drive or ".." in PureWindowsPath(name).parts:
        raise DocumentError("Its name leads out of the archive.", expected="a relative name without '..'")
    if member.flag_bits & 1:
        raise DocumentError("It is encrypted.", next_step="Unpack the archive and hand over the folder.")
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # the others unpack without a limit
        raise DocumentError("It is packed in an unusual way.", expected="deflate, the usual method of zip")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise DocumentError("It is a symbolic link.", next_step="Put the file itself into the archive.")
    if name.lower().endswith(".zip"):
        raise DocumentError("It is an archive in an archive.", next_step="Unpack the outer one.")
    if member.file_size > max_mb * BYTES_PER_MB:
        raise too_large(member.file_size, max_mb)
    if member.file_size > max(_LARGEST_RATIO * member.compress_size, _SMALLEST_BOMB):
        raise DocumentError(
            f"It unpacks from {member.compress_size:,} to {member.file_size:,} bytes, like a decompression bomb.",
            expected=f"at most {_LARGEST_RATIO} times",
        )
    if member.file_size > left:
        raise DocumentError(
            "The archive unpacks to too much.",
            expected=f"at most {_LARGEST_TOTAL * max_mb:g} MB in all",
            next_step="Unpack it and hand over the folder.",
        )
