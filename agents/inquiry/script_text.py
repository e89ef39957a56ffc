"""Templates of scripts, and values put into them so that no column name and no value can become code.

A line of a template that ends in `#? flag !other` stands only where `flag` is set and `other` is not. What stands between
two @ is replaced by a value written as a Python literal; nothing else is ever written into a script.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from importlib.resources import files
from math import isfinite
from pprint import pformat
from typing import Any

from leucippus.agents.expressions import Compiled, Constant

_WIDTH = 110
_MARK = re.compile(r"@([A-Z_]+)@")
_SQL_TOKEN = re.compile(r"\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|\?")


class Code(str):
    """A piece of Python of our own, written as it stands."""

    __slots__ = ()


def fill(templates: Iterable[str], flags: Collection[str], values: Mapping[str, Any]) -> str:
    """The text of these templates one after the other, imports first."""
    imports, body = list[str](), list[str]()
    for name in templates:
        text = files("leucippus.agents.inquiry").joinpath("scripts", f"{name}.py.txt").read_text(encoding="utf-8")
        skips = False
        for line in text.splitlines():
            line, _, condition = line.partition("  #? ")
            if not all((word[1:] not in flags) if word[0] == "!" else word in flags for word in condition.split()):
                continue
            # Values hold no line breaks outside brackets, so that what begins with import is ours.
            filled = _MARK.sub(lambda found: literal(values[found[1]]), line).rstrip()
            moved = line.startswith(("import ", "from "))
            if filled or not skips:
                (imports if moved else body).append(filled)
            skips = moved or (skips and not filled)  # the empty line under an import goes with it
    first, rest = body[0], "\n".join(body[1:])
    ordered = sorted(dict.fromkeys(imports), key=lambda line: (line.split()[1].split(".")[0] not in _STANDARD, line))
    while "\n\n\n\n" in rest:
        rest = rest.replace("\n\n\n\n", "\n\n\n")
    return "\n".join([first, "", *ordered, "", rest.lstrip("\n"), ""])


_STANDARD = {"csv", "gzip", "sys", "warnings"}


def literal(value: Any) -> str:
    """A value as Python source.

    Raises
    ------
    TypeError : it is not made of text, numbers, lists and dictionaries.
    """
    if isinstance(value, Code):
        return str(value)
    return pformat(_plain(value), width=_WIDTH, sort_dicts=False, compact=True)


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):  # a numpy number
        value = value.item()
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} cannot be written into a script")


def with_constants(compiled: Compiled) -> str:
    """The SQL of an expression with its constants as SQL literals."""
    constants = iter(compiled.constants)
    return _SQL_TOKEN.sub(lambda found: found[0] if found[0] != "?" else sql_literal(next(constants)), compiled.sql)


def sql_literal(value: Constant) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float):
        # With an exponent it is a DOUBLE, as a bound parameter would be; 0.1 alone is a DECIMAL.
        return repr(value) if "e" in repr(value) else f"{value!r}e0"
    return str(value)
