"""The designs there are, and how a specification becomes one of them. A new design is one more name in `DESIGNS`."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from leucippus.agents.designs.backdoor import Backdoor
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.did import Did
from leucippus.agents.designs.frontdoor import FrontDoor
from leucippus.agents.designs.iv import Iv
from leucippus.agents.designs.mediation import Mediation
from leucippus.agents.designs.rct import Rct
from leucippus.agents.designs.rd import Rd
from leucippus.agents.designs.survival import Survival
from leucippus.agents.designs.synthetic_control import SyntheticControl
from leucippus.agents.designs.time_series import TimeSeries
from leucippus.errors import DesignError

DESIGNS: tuple[type[Design], ...] = (
    Rct,
    Backdoor,
    Iv,
    SyntheticControl,
    Mediation,
    Rd,
    Did,
    TimeSeries,
    Survival,
    FrontDoor,
)

BY_STRATEGY: dict[str, type[Design]] = {design.model_fields["strategy"].default: design for design in DESIGNS}
_BY_ALIAS: dict[str, type[Design]] = {alias: design for design in DESIGNS for alias in design.aliases}
_LARGEST = 1_000_000


def read_design(path: Path) -> Design:
    """The design in a YAML or JSON file.

    Raises
    ------
    DesignError : it is not there, not YAML, too large, or no design we know.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise DesignError(f"{path} has {path.stat().st_size:,} bytes", expected="a specification of a few lines")
        fields = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise DesignError(f"{path} cannot be read: {error}", expected="a YAML or JSON file with a design") from error
    if not isinstance(fields, dict):
        raise DesignError(f"{path} holds no fields", expected="lines such as `strategy: rct` and `treatment: treat`")
    return parse_design(fields)


def parse_design(fields: Mapping[str, Any]) -> Design:
    """The design of these fields; `strategy` says which.

    Raises
    ------
    DesignError : an unknown strategy or field, or a value that a field cannot take.
    """
    kind = design_kind(str(fields.get("strategy") or ""))
    try:
        return kind.model_validate({**fields, "strategy": kind.model_fields["strategy"].default})
    except ValidationError as error:
        raise _explained(error, kind) from error


def design_kind(strategy: str) -> type[Design]:
    """The design of this name, however it is written.

    Raises
    ------
    DesignError : there is none.
    """
    name = re.sub(r"[\s/_-]+", "_", strategy.strip().lower())
    kind = BY_STRATEGY.get(name) or _BY_ALIAS.get(name)
    if kind is None:
        raise DesignError(
            f"unknown strategy {strategy!r}" if name else "the specification names no strategy",
            expected=f"one of {', '.join(BY_STRATEGY)}",
            next_step=_perhaps(name, BY_STRATEGY),
        )
    return kind


def _explained(error: ValidationError, kind: type[Design]) -> DesignError:
    first = error.errors()[0]
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return DesignError(
            f"a {kind.model_fields['strategy'].default} design has no field {field!r}",
            expected=f"some of {', '.join(kind.model_fields)}",
            next_step=_perhaps(field, kind.model_fields),
        )
    if first["type"] == "missing":
        description = kind.model_fields[field].description or ""
        return DesignError(f"the specification does not name its {field}", expected=description)
    return DesignError(f"{field + ': ' if field else ''}{first['msg'].removeprefix('Value error, ')}")


def _perhaps(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else ""
