"""A large causal model in the formats of other tools: GraphML, JSON-LD, Parquet, dagitty.

What may hold millions of edges is written as it is read. A file is in its place when it is whole, and not before.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal, TextIO, cast, get_args

from leucippus.agents.export_streams import CONTESTED, SIGN, write_graphml, write_json_ld
from leucippus.errors import InputError, StoreError
from leucippus.graphs.reading import MOST_EDGES
from leucippus.graphs.tokens import LONGEST_NAME
from leucippus.store.database import Store
from leucippus.store.links import Link, all_links
from leucippus.store.weave import not_woven

Format = Literal["graphml", "jsonld", "parquet", "dagitty"]


@dataclass(frozen=True)
class Dropped:
    """An edge that a DAG has no room for: with what is kept it would close a cycle."""

    cause: str
    effect: str
    credibility: float


@dataclass(frozen=True)
class Exported:
    """What was written. `claims` only where the format holds them; `denied`: edges that all claims deny, which dagitty
    has no arrow for."""

    format: Format
    files: tuple[Path, ...]
    nodes: int
    edges: int
    claims: int
    dropped: tuple[Dropped, ...] = ()
    denied: int = 0


def export(store: Store, path: Path, format: str, *, least: float = 0.0, force: bool = False) -> Exported:
    """Write the model as woven: to a file, or as Parquet into a folder (nodes, edges, claims).

    Parameters
    ----------
    format : one of `Format`. graphml: nodes and edges with their best quote. jsonld: every claim too, with document,
        offsets and quote. parquet: the same as three tables. dagitty: a DAG of names alone; of edges that close a
        cycle the least credible are left out.
    least : edges of this credibility at least.
    force : replace what is at `path`; of a folder, the three files.

    Raises
    ------
    InputError : no such format; there is something at `path`; more edges than dagitty can be given.
    StoreError : claims were written or deleted since the last weaving.
    OSError : `path` cannot be written.
    """
    if format not in get_args(Format):
        raise InputError(f"There is no format {format[:80]!r}.", expected=", ".join(get_args(Format)))
    chosen = cast(Format, format)
    if changed := not_woven(store):
        raise StoreError(
            f"{changed:,} claims were written or deleted since {store.path} was woven.",
            next_step="Weave it: `leucippus lcm weave`.",
        )
    if chosen == "parquet":
        return _parquet(store, path, least, force)
    if path.is_dir() or (path.exists() and not force):
        raise InputError(
            f"There is {'a folder' if path.is_dir() else 'a file'} at {path}.",
            next_step="Name another file." if path.is_dir() else "Name another one, or say --force to replace it.",
        )
    with _whole_file(path) as file:
        if chosen == "dagitty":
            return _dagitty(store, file, path, least)
        if chosen == "graphml":
            return Exported(chosen, (path,), *write_graphml(store, file, least), claims=0)
        return Exported(chosen, (path,), *write_json_ld(store, file, least))


def acyclic(edges: Iterable[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Edges, the most credible first → (those that make a DAG, those that would have closed a cycle).

    An edge is dropped only if the more credible ones that were kept lead from its effect to its cause.
    """
    kept: list[tuple[str, str]] = []
    dropped: list[tuple[str, str]] = []
    after = defaultdict[str, list[str]](list)
    for cause, effect in edges:
        if _leads(after, effect, cause):
            dropped.append((cause, effect))
        else:
            after[cause].append(effect)
            kept.append((cause, effect))
    return kept, dropped


def _leads(after: dict[str, list[str]], start: str, goal: str) -> bool:
    if start == goal:
        return True
    met, left = {start}, [start]
    while left:
        for node in after.get(left.pop(), ()):
            if node == goal:
                return True
            if node not in met:
                met.add(node)
                left.append(node)
    return False


def _parquet(store: Store, path: Path, least: float, force: bool) -> Exported:
    if path.exists() and not path.is_dir():
        raise InputError(f"There is a file at {path}.", expected="a folder", next_step="Name another one.")
    if path.is_dir() and any(path.iterdir()) and not force:
        raise InputError(f"There are files in {path}.", next_step="Name another folder, or say --force.")
    path.mkdir(parents=True, exist_ok=True)
    named = "concept_id, name FROM nodes"
    queries = {
        "nodes": "FROM nodes ORDER BY node",
        "edges": f"SELECT source.concept_id AS cause_id, source.name AS cause, target.concept_id AS effect_id,"
        f" target.name AS effect, {SIGN}, {CONTESTED}, edges.* EXCLUDE (cause, effect) FROM edges"
        f" JOIN (SELECT node, {named}) AS source ON source.node = cause"
        f" JOIN (SELECT node, {named}) AS target ON target.node = effect WHERE credibility >= $least"
        " ORDER BY credibility DESC, cause_id, effect_id",
        "claims": "SELECT claims.*, source.root_id AS cause_id, target.root_id AS effect_id FROM claims"
        " LEFT JOIN meanings AS source ON source.concept_id = cause_concept"
        " LEFT JOIN meanings AS target ON target.concept_id = effect_concept",
    }
    counts, files = {}, []
    try:
        for name, query in queries.items():
            files.append(path / f"{name}.parquet")
            # COPY takes no parameter for the name of its file.
            target = f"{files[-1]}.part".replace("'", "''")
            given = {"least": least} if "$least" in query else None
            ((counts[name],),) = store.rows(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)", given)
        for file in files:
            os.replace(f"{file}.part", file)
    finally:
        for file in files:
            Path(f"{file}.part").unlink(missing_ok=True)
    return Exported("parquet", tuple(files), counts["nodes"], counts["edges"], counts["claims"])


def _dagitty(store: Store, file: TextIO, path: Path, least: float) -> Exported:
    links = all_links(store, least=least, limit=MOST_EDGES + 1)
    if len(links) > MOST_EDGES:
        raise InputError(
            f"The model has more than {MOST_EDGES:,} edges, too many for a dagitty graph.",
            next_step="Take a slice of it first, or ask for more credibility with --least.",
        )
    asserted = {(link.cause_id, link.effect_id): link for link in links if link.asserted}
    kept, closing = acyclic(asserted)
    names = _names({**{e.cause_id: e.cause for e in links}, **{e.effect_id: e.effect for e in links}})
    dropped = [asserted[pair] for pair in closing]
    file.write("dag {\n")
    file.writelines(
        f"// left out, it closes a cycle: {_arrow(names, link)} (credibility {link.credibility:.3f})\n"
        for link in dropped
    )
    nodes = dict.fromkeys(names[concept] for pair in asserted for concept in pair)
    file.writelines(f'"{name}"\n' for name in nodes)
    file.writelines(f"{_arrow(names, asserted[pair])}\n" for pair in kept)
    file.write("}\n")
    return Exported(
        "dagitty",
        (path,),
        len(nodes),
        len(kept),
        0,
        tuple(Dropped(link.cause, link.effect, link.credibility) for link in dropped),
        denied=len(links) - len(asserted),
    )


def _arrow(names: dict[str, str], link: Link) -> str:
    return f'"{names[link.cause_id]}" -> "{names[link.effect_id]}"'


def _names(concepts: dict[str, str]) -> dict[str, str]:
    """Names as both dagitty and graphs/tokens.py take them between quotes: printable, not too long, no two alike."""
    plain = {}
    taken = set[str]()
    for concept, name in concepts.items():
        shown = "".join(sign if sign.isprintable() else " " for sign in name[: 2 * LONGEST_NAME])
        shown = " ".join(shown.replace('"', "'").replace("\\", "/").split())
        if len(shown) > LONGEST_NAME or not shown or shown in taken:
            shown = f"{shown[: LONGEST_NAME - len(concept) - 3]} ({concept})".strip()
        taken.add(shown)
        plain[concept] = shown
    return plain


@contextmanager
def _whole_file(path: Path) -> Iterator[TextIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.name[:50]}-", delete=False
    ) as file:
        made = Path(file.name)
        try:
            yield cast(TextIO, file)
            file.close()
            made.chmod(0o666 & ~_umask())
            os.replace(made, path)
        finally:
            made.unlink(missing_ok=True)


def _umask() -> int:
    # It can only be read by setting it.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
