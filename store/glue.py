"""Several stores → one store that holds all they hold, whichever order they come in.

Ids are functions of content, so what two stores share is one row. Where they hold it in two states (a passage planned
here and read there), the one further along stays. Merges are decided anew, the surest first: what any store has parted
stays apart. Nothing is woven.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from leucippus.errors import InputError
from leucippus.store.database import Store, open_store
from leucippus.store.merges import Merge, Written, record_merges
from leucippus.store.slices import check_free, put_store
from leucippus.store.write import rebuild_search_index

_FURTHER = "list_position(['read', 'skipped', 'failed', 'planned'], state)"
_TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "sources": ("source_id", ("first_seen",)),
    "documents": ("document_id", ("added_at", "title", "media_type")),
    "passages": ("passage_id", ()),
    "readers": ("reader_id", ()),
    "runs": (
        "run_id",
        ("list_position(['finished', 'interrupted', 'running', 'failed'], status)", "finished_at", "settings::VARCHAR"),
    ),
    "readings": ("reader_id, passage_id", (_FURTHER, "run_id", "batch", '"position"', "accepted", "candidates")),
    "concepts": ("concept_id", ()),
    "aliases": ("alias", ("method = 'name'", "concept_id", "method")),
    "concept_vectors": ("concept_id", ("vector",)),
    "failures": ("failure_id", ("failed_at",)),
    "topics": (
        "topic_id",
        (
            "list_position(['done', 'failed', 'left', 'open'], state)",
            "document_id IS NULL",
            "run_id",
            '"position"',
            "document_id",
        ),
    ),
    "claims": (
        "claim_id",
        ("-coalesce(confidence, 0)", "run_id", "sign", "negated", "hedged", "relation", "evidence", "quote"),
    ),
}
"""Table → its key, and what decides which of several rows with one key stays: the smallest."""
_SUREST = ("person", "abbreviation", "rule", "model", "vector")
"""Who decides a merge, the one first who is believed where two stores cannot both be right."""


@dataclass(frozen=True)
class GluedStores:
    """What the new store holds. Repeated: claims that several stores held. Parted: merges that some store undid."""

    path: Path
    stores: int
    documents: int
    claims: int
    repeated: int
    concepts: int
    runs: int
    merges: Written
    parted: int


@dataclass(frozen=True)
class _Decision:
    """A merge in force in one of the stores; `depth`: steps from there to the root of its tree in that store."""

    merge: Merge
    depth: int


def glue_stores(
    out: Path, paths: Sequence[Path], *, force: bool = False, memory_limit: str | None = None
) -> GluedStores:
    """Write a store that holds what all of these hold; weave it afterwards. They are only read.

    Gluing one store to itself copies it; the order of `paths` changes no row but the times of merges.

    Parameters
    ----------
    force : replace what is at `out`.
    memory_limit : as in `open_store`.

    Raises
    ------
    InputError : there is none to glue, there is a file at `out`, or it is one of those to glue.
    StoreMissing, StoreLocked, StoreTooNew, StoreError : one of them cannot be read; an older schema is brought up to
        date by opening that store once for writing.
    """
    parts = list(dict.fromkeys(path.resolve() for path in paths))
    if not parts:
        raise InputError("There are no stores to glue.", expected="one or more store files")
    if out.resolve() in parts:
        raise InputError(f"{out} is one of the stores to glue.", next_step="Name a new file for what comes of it.")
    check_free(out, force)
    for part in parts:
        open_store(part, "read").close()
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=f".{out.name[:50]}-") as folder:
        made = Path(folder) / "glued.duckdb"
        with open_store(made, memory_limit=memory_limit) as store:
            names = [f"part{at}" for at in range(len(parts))]
            for name, part in zip(names, parts, strict=True):
                # ATTACH takes no parameter for the name of its file.
                file = str(part).replace("'", "''")
                store.rows(f"ATTACH '{file}' AS {name} (READ_ONLY)")
            held = _copy(store, names)
            parted = _part(store, names)
            written = record_merges(store, [decision.merge for decision in _decisions(store, names)])
            for name in names:
                store.rows(f"DETACH {name}")
            rebuild_search_index(store)
            documents, claims, concepts, runs = store.rows(
                "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM claims),"
                " (SELECT count(*) FROM concepts), (SELECT count(*) FROM runs)"
            )[0]
        put_store(made, out)
    return GluedStores(out, len(parts), documents, claims, held - claims, concepts, runs, written, parted)


def _copy(store: Store, names: Sequence[str]) -> int:
    """Every table but merges; returns how many claims the stores hold one by one."""
    with store.transaction() as cursor:
        for table, (key, better) in _TABLES.items():
            _copy_table(cursor, names, table, key, better)
        echoes = _union(names, lambda name: f"SELECT * FROM {name}.echoes")
        rows = _settled(cursor.execute(echoes).fetchall())
        if rows:
            cursor.execute(
                "INSERT INTO echoes SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[]), unnest($3::DOUBLE[])",
                [list(column) for column in zip(*rows, strict=True)],
            )
        counted = cursor.execute(
            f"SELECT sum(n) FROM ({_union(names, lambda name: f'SELECT count(*) AS n FROM {name}.claims')})"
        ).fetchone()
    assert counted is not None
    return int(counted[0])


def _copy_table(
    cursor: duckdb.DuckDBPyConnection, names: Sequence[str], table: str, key: str, better: tuple[str, ...]
) -> None:
    ranks = "".join(f", {rank} AS rank{at}" for at, rank in enumerate(better))
    every = _union(names, lambda name: f"SELECT {key}{ranks}, '{name}' AS part FROM {name}.{table}")
    order = ", ".join([*(f"rank{at}" for at in range(len(better))), "part"])
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE chosen AS SELECT {key}, arg_min(part, ROW({order})) AS part FROM ({every})"
        f" GROUP BY {key}"
    )
    for name in names:
        cursor.execute(
            f"INSERT INTO {table} BY NAME SELECT * FROM {name}.{table}"
            f" SEMI JOIN (SELECT * FROM chosen WHERE part = '{name}') USING ({key})"
        )
    cursor.execute("DROP TABLE chosen")


def _part(store: Store, names: Sequence[str]) -> int:
    """Copy the merges that were undone, before any is decided: they hold for what the others decided too."""
    with store.transaction() as cursor:
        undone = _union(names, lambda name: f"SELECT * FROM {name}.merges WHERE undone_at IS NOT NULL")
        cursor.execute(
            f"INSERT INTO merges SELECT * FROM ({undone})"
            " QUALIFY row_number() OVER (PARTITION BY merge_id ORDER BY undone_at, decided_at) = 1"
            " ORDER BY decided_at, merge_id"
        )
        counted = cursor.execute("SELECT count(*) FROM merges").fetchone()
    assert counted is not None
    return int(counted[0])


def _decisions(store: Store, names: Sequence[str]) -> list[_Decision]:
    """The merges in force in any store: the surest method first, in a tree its leaves first, so that it keeps its shape
    when it is put together again."""
    found: dict[tuple[object, ...], _Decision] = {}
    for name in names:
        rows = store.rows(
            f"""
            SELECT low.concept_id, high.concept_id, low.name, high.name, turn, method, reason, score
            FROM {name}.merges JOIN {name}.concepts AS low ON low.concept_id = merges.concept_id
            JOIN {name}.concepts AS high ON high.concept_id = into_id WHERE undone_at IS NULL
            """
        )
        up = {low: high for low, high, *_ in rows}
        depths: dict[str, int] = {}
        for low, _, *said in rows:
            merge = Merge(*said)
            depth = _depth(low, up, depths)
            # The same decision of two stores is one, whatever either wrote as its reason.
            known = (merge.name, merge.into, merge.turn, merge.method)
            decision = _Decision(merge, depth)
            found[known] = min(decision, found.get(known, decision), key=_precedence)
    return sorted(found.values(), key=_precedence)


def _depth(concept: str, up: dict[str, str], depths: dict[str, int]) -> int:
    path: list[str] = []
    while concept in up and concept not in depths and len(path) <= len(up):
        path.append(concept)
        concept = up[concept]
    depth = depths.get(concept, 0)
    for passed in reversed(path):
        depth += 1
        depths[passed] = depth
    return depth


def _precedence(decision: _Decision) -> tuple[object, ...]:
    merge = decision.merge
    score = -1.0 if merge.score is None else merge.score
    return _SUREST.index(merge.method), -decision.depth, -score, merge.name, merge.into, merge.turn, merge.reason


def _settled(echoes: Iterable[tuple[str, str, float]]) -> list[tuple[str, str, float]]:
    """Each document once, by its greatest likeness; and none echoes an echo, so that all that repeat one another count
    as one. In a ring of documents, the first stands for the rest."""
    best: dict[str, tuple[str, float]] = {}
    for document, origin, likeness in sorted(echoes, key=lambda row: (row[0], -row[2], row[1])):
        best.setdefault(document, (origin, likeness))
    settled = []
    for document, (_, likeness) in best.items():
        way, at = [document], best[document][0]
        while at in best and at not in way:
            way.append(at)
            at = best[at][0]
        origin = min(way[way.index(at) :]) if at in way else at
        if origin != document:
            settled.append((document, origin, likeness))
    return settled


def _union(names: Sequence[str], select: Callable[[str], str]) -> str:
    return " UNION ALL ".join(select(name) for name in names)
