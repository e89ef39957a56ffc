"""`leucippus analyze` and `leucippus.analyze`: open what an analysis needs, run it, stop for a person, take it up again.

An analysis is known by what goes into it: data, question, description, graph, design, store, model. The same again in
the same folder goes on where it stopped; one that had ended begins anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leucippus.agents.dataset import Dataset, from_frame
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry.desk import Desk
from leucippus.agents.inquiry.finding import Finding
from leucippus.agents.inquiry.reader import shipped_reader
from leucippus.agents.intake import read_data
from leucippus.config import PACKAGED_MODEL, load_settings
from leucippus.errors import InputError
from leucippus.graphs.dag import Graph
from leucippus.graphs.reading import read_graph
from leucippus.serving.client import Client, connect

if TYPE_CHECKING:
    import pandas as pd

Decide = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What is shown to a person → {"decision": "accept" | "decline"} or {"decision": "edit", "design": {field: value}}.

A question of ours is shown as {"ask": sentence} and answered by {"answer": words}.
"""
CHECKPOINTS = "analysis.sqlite"
REPORT = ("report.html", "report.md", "result.json", "spec.yaml", "reproduce.py")
"""What a folder of an analysis holds beside its figures."""


@dataclass(frozen=True)
class Request:
    """What a user asks for."""

    data: str | Path | pd.DataFrame
    question: str
    description: str = ""
    """Text, or the path of a file with it."""
    graph: str | Path | Graph | None = None
    design: Mapping[str, Any] | Design | None = None
    store: str | Path | None = None
    model: str | None = None
    """None or "none": no language model."""
    out: Path | None = None
    table: str | None = None
    query: str | None = None


def analyze(
    data: str | Path | pd.DataFrame,
    question: str,
    *,
    description: str = "",
    graph: str | Path | Graph | None = None,
    design: Mapping[str, Any] | Design | None = None,
    store: str | Path | None = None,
    model: str | None = None,
    out: str | Path | None = None,
    decide: Decide | None = None,
) -> Finding:
    """A question about a data set, in plain words → an answer with its design and its uncertainty, or a refusal.

    Parameters
    ----------
    data : a file, as for `read_data`, or a data frame.
    description : what the columns are and how the treatment came about: a text, or a file with one.
    graph : causal graph, as a file or text (DOT, dagitty, edge list).
    design : a specification to use instead of one that is found.
    store : a large causal model (DuckDB) to recall prior knowledge from.
    model : a language model that proposes too, named as in the settings; none unless named.
    out : folder for the report and for what is needed to resume.
    decide : asked how the treatment came about where nothing says so, and about the design before anything is
        estimated; nothing is asked and the design is accepted if None.

    Raises
    ------
    InputError : something handed over cannot be used. What the data do not support is a refusal, not an error.
    """
    folder = None if out is None else Path(out)
    return run(Request(data, question, description, graph, design, store, model, folder), decide)[0]


def run(
    request: Request, decide: Decide | None = None, client: Client | None = None
) -> tuple[Finding, tuple[Path, ...]]:
    """As `analyze`; also the files written.

    Parameters
    ----------
    client : the client of the model the request names, where the caller has opened one; it stays open.
    """
    from leucippus.agents.analysis import analysis

    with nullcontext(client) if client else opened(request.model) as model:
        desk = _desk(request, decide is None, model)
        start: Any = {"stated": _specification(request.design)}
        if request.out is None:
            return _drive(analysis, None, desk, start, decide, "once")
        _claim(request.out)
        from langgraph.checkpoint.sqlite import SqliteSaver

        with closing(sqlite3.connect(request.out / CHECKPOINTS, check_same_thread=False)) as connection:
            return _drive(analysis, SqliteSaver(connection), desk, start, decide, _name(request))


@contextmanager
def opened(model: str | None) -> Iterator[Client | None]:
    """The client of a model, closed in the end; none for None and "none"."""
    if model in (None, "none"):
        yield None
        return
    client = connect(load_settings().model_copy(update={"model": model, "adapter": None}))
    try:
        yield client
    finally:
        asyncio.run(client.close())


def _claim(folder: Path) -> None:
    """Make a folder ready for a report, unless files of somebody else would be written over."""
    folder.mkdir(parents=True, exist_ok=True)
    there = [name for name in REPORT if (folder / name).exists()]
    if there and not (folder / CHECKPOINTS).exists():
        raise InputError(
            f"{folder} holds {there[0]}, which is of no analysis and would be written over",
            expected="a new folder, or one of an earlier analysis",
            next_step="Name another folder with --out.",
        )


def _drive(
    build: Callable[..., Any], saver: Any, desk: Desk, start: Any, decide: Decide | None, name: str
) -> tuple[Finding, tuple[Path, ...]]:
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.types import Command

    saver = saver or InMemorySaver()
    graph = build(saver)
    config = {"configurable": {"thread_id": name}}
    saved = graph.get_state(config)
    if saved.next:
        start = None  # it was stopped: on from there
    elif saved.values:
        saver.delete_thread(name)
    # Each step is on disk before the next begins: left to the background, a kill would lose the last ones.
    state = graph.invoke(start, config, context=desk, durability="sync")
    while waiting := state.get("__interrupt__"):
        assert decide is not None, "an analysis that nobody watches asks nobody"
        reply: Any = Command(resume=decide(waiting[0].value))
        state = graph.invoke(reply, config, context=desk, durability="sync")
    assert desk.finding is not None
    return desk.finding, desk.written


def _desk(request: Request, unattended: bool, client: Client | None) -> Desk:
    if isinstance(request.data, str | Path):
        source, data = str(request.data), request.data
        if not Path(data).exists():
            read_data(data)  # its error comes before a model is started

        def open_data() -> Dataset:
            return read_data(data, table=request.table, query=request.query)
    else:
        source, frame = "the data frame", request.data

        def open_data() -> Dataset:
            return from_frame(frame)

    return Desk(
        request.question,
        text_of(request.description),
        source,
        open_data,
        shipped_reader(),
        _graph(request.graph),
        None if request.store is None else Path(request.store),
        client,
        request.model == PACKAGED_MODEL,
        request.out,
        unattended,
    )


def text_of(description: str) -> str:
    """A description, or what is in the file it names.

    Raises
    ------
    InputError : it names a file that is not there or holds no text.
    """
    if "\n" in description or len(description) > 250 or not description.strip():
        return description
    path = Path(description)
    try:
        if path.is_file():
            return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the description {description!r} cannot be read: {error}", expected="a text file") from error
    if path.suffix in (".txt", ".md") and " " not in description:
        raise InputError(f"there is no file {description!r}", expected="a description, or a file with one")
    return description


def _graph(graph: str | Path | Graph | None) -> Graph | None:
    if graph is None or isinstance(graph, Graph):
        return graph
    path = Path(graph)
    if isinstance(graph, Path) or len(graph) < 250 and "\n" not in graph and path.is_file():
        try:
            return read_graph(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"the graph {graph} cannot be read: {error}", expected="DOT, dagitty or an edge list"
            ) from error
    return read_graph(graph)


def _specification(design: Mapping[str, Any] | Design | None) -> dict[str, Any]:
    if design is None:
        return {}
    if isinstance(design, Design):
        return design.model_dump(mode="json", exclude_defaults=True) | {"strategy": design.strategy}
    parse_design(design)
    return dict(design)


def _name(request: Request) -> str:
    """What the same analysis is known by the next time."""
    if isinstance(request.data, str | Path) and Path(request.data).exists():
        seen = Path(request.data).stat()
        data = f"{Path(request.data).resolve()}:{seen.st_size}:{seen.st_mtime_ns}"
    else:
        data = "a data frame"
    parts = replace(request, data=data, out=None, description=text_of(request.description))
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()
