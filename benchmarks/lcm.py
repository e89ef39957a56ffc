"""A large causal model of ten million claims: loading, weaving, look-ups, size; beside what it is built on.

    .venv/bin/python benchmarks/lcm.py [--claims 10000000] [--memory 2GB] [--folder DIR] [--without-networkx]
        [--transfer]

Made up by a seeded generator: n/10 concepts, of which one in ten is another name of one before it (the duplicates are
known, and recorded as merges), 3n/10 pairs of cause and effect with a long tail of claims each, documents of twenty claims.
The store is given less memory than its file has bytes. In the same run the same rows go into a bare DuckDB table, and
the same questions to networkx (in memory) and SQLite (with indexes on cause and effect).

--transfer: also slices, glue, the difference of two runs and exports, beside a plain COPY of the edges and the weaving;
every claim then has a document of words, and every second claim a second run.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from leucippus.agents.export import export
from leucippus.store.bulk import load
from leucippus.store.concepts import concept_id
from leucippus.store.database import Store, open_store
from leucippus.store.diff import diff
from leucippus.store.glue import glue_stores
from leucippus.store.links import causes_of, effects_of
from leucippus.store.merges import Merge, record_merges
from leucippus.store.routes import why
from leucippus.store.slices import take_slice
from leucippus.store.weave import weave

WEIGHTS = {"one": -1.0, "sources": 1.0, "denied": -2.0, "hedged": -0.5}
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "ru")
ASKED = 200
ROUTES = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", type=int, default=10_000_000)
    parser.add_argument("--memory", default="2GB", help="what DuckDB may hold, here and in the bare table")
    parser.add_argument("--folder", type=Path, default=None, help="where to keep the files; none = a temporary folder")
    parser.add_argument("--without-networkx", action="store_true", help="it takes a kilobyte an edge")
    parser.add_argument("--transfer", action="store_true", help="slices, glue, diff and exports too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        woven = run(folder, options.claims, options.memory, not options.without_networkx)
        if options.transfer:
            transfer(folder, options.memory, woven)


def run(folder: Path, claims: int, memory: str, networkx: bool) -> float:
    """Returns the seconds that the weaving took."""
    parquet = folder / "parquet"
    generate(parquet, claims)
    bytes_parquet = (parquet / "claims.parquet").stat().st_size
    say(f"claims.parquet (zstd): {bytes_parquet / claims:.0f} bytes a claim")
    bare = timed(lambda: bare_load(parquet, folder / "bare.duckdb", memory))
    path = folder / "lcm.duckdb"
    with open_store(path, memory_limit=memory) as store:
        loaded = timed(lambda: (load(store, parquet), store.rows("CHECKPOINT")))
        say(f"load      {loaded:.1f} s; bare INSERT … SELECT of the same rows {bare:.1f} s: {loaded / bare:.2f} times")
        say(f"size      {path.stat().st_size / 1e9:.2f} GB loaded: {path.stat().st_size / claims:.0f} bytes a claim, "
            f"{path.stat().st_size / total(parquet):.2f} times all of the Parquet files")  # fmt: skip
        duplicates = [Merge(name_of(at), name_of(at - 1), 1, "rule", "made so") for at in range(1, claims // 10, 10)]
        took = timed(lambda: record_merges(store, duplicates))
        say(f"merges    {len(duplicates):,} recorded in {took:.1f} s")
        woven = weave(store, WEIGHTS)
        store.rows("CHECKPOINT")
        say(f"weave     {woven.claims:,} claims → {woven.nodes:,} nodes, {woven.edges:,} edges, {woven.conflicts:,} "
            f"conflicts in {woven.seconds:.1f} s")  # fmt: skip
        say(f"size      {path.stat().st_size / 1e9:.2f} GB woven, memory {memory}")
        questions = ask_for(store, claims)
        ours = look_ups(store, questions)
    rows = [("leucippus", ours), ("sqlite", in_sqlite(path, folder / "lcm.sqlite", questions))]
    if networkx:
        rows.append(("networkx", in_networkx(path, questions)))
    print(f"\n| | {' | '.join(ours)} |\n|{'---|' * (len(ours) + 1)}")
    for name, found in rows:
        print(f"| {name} | " + " | ".join(f"{p50 * 1e3:.1f} / {p95 * 1e3:.1f}" for p50, p95 in found.values()) + " |")
    print("\nmilliseconds, p50 / p95")
    say(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")
    return woven.seconds


def transfer(folder: Path, memory: str, woven: float) -> None:
    """What goes out of the woven store and comes together again. Two slices hold three fifths of the documents each."""
    path, one, other, glued = (folder / f"{name}.duckdb" for name in ("lcm", "one", "other", "glued"))
    with open_store(path, memory_limit=memory) as store, store.transaction() as cursor:
        cursor.execute(_TEXTS)
    with open_store(path, "read", memory_limit=memory) as store:
        documents = [row[0] for row in store.rows("SELECT document_id FROM documents ORDER BY document_id")]
        share = len(documents) * 3 // 5
        work: dict[str, Callable[[], Any]] = {
            "COPY": lambda: store.rows(f"COPY (SELECT * FROM edges) TO '{folder / 'edges.parquet'}' (FORMAT parquet)"),
            "slice": lambda: take_slice(store, one, documents=documents[:share], force=True),
            "slice 2": lambda: take_slice(store, other, documents=documents[-share:], force=True),
            "glue": lambda: glue_stores(glued, [one, other], force=True, memory_limit=memory),
            "diff": lambda: diff(store, "run", "other"),
        }
        for form in ("graphml", "jsonld", "parquet"):
            work[form] = partial(export, store, folder / f"lcm.{form}", form, force=True)
        best = f"SELECT credibility FROM edges ORDER BY credibility DESC LIMIT {_DAGITTY}"
        (least,) = store.rows(f"SELECT min(credibility) FROM ({best})")[0]
        work["dagitty"] = partial(export, store, folder / "lcm.dagitty", "dagitty", least=least, force=True)
        plain = timed(work.pop("COPY"))
        say(f"COPY      {plain:.1f} s of {store.rows('SELECT count(*) FROM edges')[0][0]:,} edges to Parquet")
        for name, do in work.items():
            took = timed(do)
            say(f"{name:9} {took:.1f} s: {took / plain:.0f} times the COPY, {took / woven:.1f} times the weaving")
    say(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")


_DAGITTY = 15_000
"""Edges of the dagitty graph, the most credible ones: it may have no more than 20,000."""
_TEXTS = """
    CREATE TEMP MACRO said(cause, effect) AS string_agg('Reports say that ' || cause || ' leads to ' || effect || '.', ' ');
    INSERT INTO documents BY NAME
        SELECT document_id, sha256(document_id) AS content_hash, 'text/plain' AS media_type, document_id AS title,
               said(cause, effect) AS text, length(said(cause, effect)) AS chars, now()::TIMESTAMP AS added_at
        FROM claims GROUP BY document_id;
    INSERT INTO passages
        SELECT passage_id, document_id, 0, length(text), text
        FROM (SELECT passage_id, document_id, said(cause, effect) AS text FROM claims GROUP BY ALL);
    INSERT INTO sources
        SELECT document_id, 'file:///' || document_id, 'text/plain', document_id, now()::TIMESTAMP FROM documents;
    INSERT INTO readings (reader_id, passage_id, run_id, batch, position, state)
        SELECT 'reader', passage_id, 'run', 0, 0, 'read' FROM passages;
    INSERT INTO runs (run_id, command, settings, code_version, started_at, status)
        SELECT unnest(['run', 'other']), 'extract', '{}', '1', now()::TIMESTAMP, 'finished';
    UPDATE claims SET run_id = 'other' WHERE hash(claim_id) % 2 = 0;
"""
"""What the tables of the look-ups do without: texts, where they were found, that they were read, two runs."""


def name_of(at: int) -> str:
    return " ".join("".join(SYLLABLES[int(digit)] for digit in part) for part in (f"{at:08d}"[:4], f"{at:08d}"[4:]))


def generate(folder: Path, claims: int, seed: int = 0) -> None:
    """Parquet files of tables as `store.bulk.dump` writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "claims.parquet").exists():
        return
    rng = np.random.default_rng(seed)
    concepts, pairs, documents = claims // 10, 3 * claims // 10, max(claims // 20, 1)
    names = [name_of(at) for at in range(concepts)]
    ids = [concept_id(name) for name in names]
    # A third of all sides are hubs, some with a hundred thousand neighbours; the rest is anything.
    hubs = np.minimum(rng.pareto(0.6, (2, pairs)), concepts - 1).astype(np.int64)
    cause, effect = np.where(rng.random((2, pairs)) < 0.3, hubs, rng.integers(0, concepts, (2, pairs)))
    effect = np.where(cause == effect, (effect + 1) % concepts, effect)
    pair = np.concatenate([np.arange(pairs), rng.integers(0, pairs, claims - pairs)])
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = true")
        connection.register("c", {"number": np.arange(concepts), "id": np.array(ids), "name": np.array(names)})
        connection.execute("CREATE TABLE concepts AS SELECT * FROM c ORDER BY number")
        connection.register("p", {"pair": np.arange(pairs), "cause": cause, "effect": effect})
        connection.execute("CREATE TABLE pairs AS SELECT * FROM p")
        connection.register(
            "k",
            {
                "number": np.arange(claims),
                "pair": pair,
                "document": rng.integers(0, documents, claims),
                "sign": rng.choice(3, claims, p=[0.6, 0.25, 0.15]),
                "negated": rng.random(claims) < 0.04,
                "hedged": rng.random(claims) < 0.2,
                "confidence": np.round(rng.beta(4, 2, claims), 3),
            },
        )
        hexed = "lpad(to_hex(hash(({})::VARCHAR)), 16, '0')"
        connection.execute(
            f"""
            COPY (
                SELECT {hexed.format("'claim' || k.number")} AS claim_id, {hexed.format("'d' || document")} AS document_id,
                       {hexed.format("'p' || document || '/' || (k.number % 4)")} AS passage_id, 'reader' AS reader_id,
                       'run' AS run_id, a.name AS cause, k.number % 4000 AS cause_start,
                       k.number % 4000 + length(a.name) AS cause_end, a.id AS cause_concept, 'leads to' AS relation,
                       b.name AS effect, k.number % 4000 + 40 AS effect_start,
                       k.number % 4000 + 40 + length(b.name) AS effect_end, b.id AS effect_concept,
                       CASE sign WHEN 0 THEN '+' WHEN 1 THEN '-' ELSE 'none' END AS sign, negated, hedged,
                       NULL::VARCHAR AS conditions,
                       'Case ' || k.number || ' reports that ' || a.name || ' leads to ' || b.name || ' ('
                           || base64(encode(md5(k.number::VARCHAR))) || base64(encode(sha1(k.number::VARCHAR))) || ').'
                           AS quote,
                       k.number % 4000 AS start, k.number % 4000 + 90 AS "end", confidence,
                       CASE WHEN k.number % 5 = 0 THEN 'observational' ELSE 'unstated' END AS evidence,
                       NULL::VARCHAR AS population, NULL::VARCHAR AS place, NULL::VARCHAR AS period
                FROM k JOIN pairs USING (pair) JOIN concepts AS a ON a.number = cause JOIN concepts AS b ON b.number = effect
            ) TO '{folder / "claims.parquet"}' (FORMAT parquet, COMPRESSION zstd)
            """
        )
        connection.execute(
            f"COPY (SELECT id AS concept_id, name FROM concepts) TO '{folder / 'concepts.parquet'}' (FORMAT parquet)"
        )
        connection.execute(
            f"COPY (SELECT name AS alias, id AS concept_id, 'name' AS method FROM concepts)"
            f" TO '{folder / 'aliases.parquet'}' (FORMAT parquet)"
        )


def total(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.parquet"))


def bare_load(parquet: Path, path: Path, memory: str) -> None:
    """The same rows into tables without keys, checks or anything else."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path), config={"memory_limit": memory}) as connection:
        for file in sorted(parquet.glob("*.parquet")):
            connection.execute(f"CREATE TABLE {file.stem} AS FROM read_parquet('{file}') LIMIT 0")
            connection.execute(f"INSERT INTO {file.stem} FROM read_parquet('{file}')")
        connection.execute("CHECKPOINT")


Questions = dict[str, Sequence[tuple[str, ...]]]


def ask_for(store: Store, claims: int) -> Questions:
    """The same for all: concepts drawn at random, the best connected one, and pairs that are two to four steps apart."""
    rng = np.random.default_rng(1)
    drawn = [
        (concept,)
        for (concept,) in store.rows(
            f"SELECT concept_id FROM nodes USING SAMPLE reservoir({ASKED} ROWS) REPEATABLE (1)"
        )
    ]
    hub = store.rows("SELECT concept_id FROM nodes ORDER BY outgoing + incoming DESC LIMIT 1")[0][0]
    pairs = []
    for (start,) in rng.permutation(np.array(drawn)).tolist():
        end = start
        for _ in range(int(rng.integers(2, 4))):
            ahead = effects_of(store, [end], limit=5)
            if not ahead:
                break
            end = ahead[int(rng.integers(len(ahead)))].effect_id
        if end != start and len(pairs) < ROUTES:
            pairs.append((start, end))
    return {"causes": drawn, "effects": drawn, "causes, hub": [(hub,)] * 10, "why": pairs}


Times = dict[str, tuple[float, float]]


def measure(questions: Questions, answers: dict[str, Callable[..., Any]]) -> Times:
    found = {}
    for what, asked in questions.items():
        answer = answers[what.partition(",")[0]]
        seconds = [timed(partial(answer, *given)) for given in asked]
        found[what] = (float(np.median(seconds)), float(np.quantile(seconds, 0.95)))
    return found


def look_ups(store: Store, questions: Questions) -> Times:
    found = [len(why(store, [a], [b])) > 0 for a, b in questions["why"]]
    say(f"why       finds a route in {sum(found)} of {len(found)} pairs")
    return measure(
        questions,
        {
            "causes": lambda concept: causes_of(store, [concept]),
            "effects": lambda concept: effects_of(store, [concept]),
            "why": lambda one, other: why(store, [one], [other]),
        },
    )


def in_sqlite(store: Path, path: Path, questions: Questions) -> Times:
    """The woven edges in SQLite, with an index on each side; routes by a recursive query."""
    path.unlink(missing_ok=True)
    base = sqlite3.connect(path)
    base.executescript(
        "CREATE TABLE edges (cause TEXT, effect TEXT, credibility REAL, quote TEXT); PRAGMA synchronous = OFF;"
    )
    with duckdb.connect(str(store), read_only=True) as connection:
        cursor = connection.execute(_EDGES)
        while rows := cursor.fetchmany(100_000):
            base.executemany("INSERT INTO edges VALUES (?, ?, ?, ?)", rows)
    base.executescript("CREATE INDEX by_cause ON edges (cause); CREATE INDEX by_effect ON edges (effect);")
    base.commit()
    say(f"sqlite    {path.stat().st_size / 1e9:.2f} GB for the edges alone")

    def side(given: str, concept: str) -> list[Any]:
        return base.execute(
            f"SELECT * FROM edges WHERE {given} = ? ORDER BY credibility DESC LIMIT 50", [concept]
        ).fetchall()

    def route(one: str, other: str) -> Any:
        return _breadth_first(
            one,
            other,
            lambda at: [row[0] for row in base.execute("SELECT effect FROM edges WHERE cause = ?", [at])],
            lambda at: [row[0] for row in base.execute("SELECT cause FROM edges WHERE effect = ?", [at])],
        )

    return measure(
        questions, {"causes": lambda c: side("effect", c), "effects": lambda c: side("cause", c), "why": route}
    )


def in_networkx(store: Path, questions: Questions) -> Times:
    """The woven edges as a networkx.DiGraph in memory."""
    import networkx as nx

    graph: Any = nx.DiGraph()
    with duckdb.connect(str(store), read_only=True) as connection:
        cursor = connection.execute(_EDGES)
        while rows := cursor.fetchmany(100_000):
            graph.add_edges_from((a, b, {"credibility": c, "quote": q}) for a, b, c, q in rows)

    def best(edges: Any) -> list[Any]:
        return sorted(edges, key=lambda edge: -edge[2]["credibility"])[:50]

    def route(one: str, other: str) -> Any:
        return _breadth_first(one, other, graph.successors, graph.predecessors)

    return measure(
        questions,
        {
            "causes": lambda c: best(graph.in_edges(c, data=True)),
            "effects": lambda c: best(graph.out_edges(c, data=True)),
            "why": route,
        },
    )


_EDGES = (
    "SELECT a.concept_id, b.concept_id, credibility, quote FROM edges JOIN nodes AS a ON a.node = cause"
    " JOIN nodes AS b ON b.node = effect"
)


def _breadth_first(
    one: str, other: str, ahead: Callable[[str], Any], back: Callable[[str], Any], hops: int = 4
) -> str | None:
    """Where searches from both ends meet within so many hops; the smaller frontier is grown."""
    seen = ({one}, {other})
    fronts = (deque([one]), deque([other]))
    for _ in range(hops):
        side = 0 if len(fronts[0]) <= len(fronts[1]) else 1
        grown: deque[str] = deque()
        for at in fronts[side]:
            for reached in (ahead, back)[side](at):
                if reached in seen[1 - side]:
                    return str(reached)
                if reached not in seen[side]:
                    seen[side].add(reached)
                    grown.append(reached)
        fronts = (grown, fronts[1]) if side == 0 else (fronts[0], grown)
    return None


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
