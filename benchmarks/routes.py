"""How fast `why` finds routes over the woven edges of a large store, on a file larger than the memory it may use.

    .venv/bin/python benchmarks/routes.py --nodes 1000000 --edges 3000000 --memory 2GB

A synthetic model is written straight into `nodes` and `edges` by SQL: ends drawn so that few concepts are hubs, and
one concept with `--hub` effects and another with as many causes. Pairs asked about: random ones, random ones that a walk of four edges
joins, and hubs. Networkx answers the same pairs in memory where `--networkx` asks for it (unweighted shortest path:
less than what is asked of `why`).
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from leucippus.store.database import Store, open_store
from leucippus.store.routes import why


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--edges", type=int, default=3_000_000)
    parser.add_argument("--hub", type=int, default=100_000, help="neighbours of the two largest concepts")
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--hops", type=int, default=4)
    parser.add_argument("--file", type=Path, default=None, help="where to keep the store; none = a temporary folder")
    parser.add_argument("--networkx", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        path = options.file or Path(temporary) / "routes.duckdb"
        if not path.exists():
            began = time.perf_counter()
            with open_store(path, memory_limit=options.memory, threads=options.threads) as store:
                write_model(store, options.nodes, options.edges, options.hub)
            print(f"written in {time.perf_counter() - began:.0f} s")
        print(f"file {path.stat().st_size / 1e6:.0f} MB, memory limit {options.memory}, {options.threads} threads")
        with open_store(path, "read", memory_limit=options.memory, threads=options.threads) as store:
            measure(store, options.pairs, options.hops, options.networkx)


def write_model(store: Store, nodes: int, edges: int, hub: int) -> None:
    """A model of so many concepts and about so many edges; concept 1 has `hub` effects and concept 2 as many causes."""
    with store.transaction() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        # The cube of a uniform number: most concepts have few neighbours, some have thousands.
        cursor.execute(
            """
            CREATE TEMP TABLE drawn AS SELECT DISTINCT cause, effect FROM (
                SELECT floor(random() ** 1.5 * $nodes)::UINTEGER AS cause,
                       ((floor(random() ** 1.5 * $nodes)::UBIGINT * 7919 + 13) % $nodes)::UINTEGER AS effect
                FROM range($edges)
                UNION ALL SELECT 1, ((range * 9) % $nodes)::UINTEGER FROM range($hub)
                UNION ALL SELECT ((range * 9 + 4) % $nodes)::UINTEGER, 2 FROM range($hub)
            ) WHERE cause <> effect
            """,
            {"nodes": nodes, "edges": edges, "hub": min(hub, nodes)},
        )
        cursor.execute(
            """
            INSERT INTO edges
            SELECT cause, effect, claims, claims, claims, positive, claims - positive - denied, 0, denied, 0, 0, 0, 0, 0, 0,
                   0.7, credibility, claim_id, document_id, 'In sample ' || claim_id || ' of document ' || document_id
                   || ' concept ' || cause || ' was seen to change concept ' || effect || '.'
            FROM (
                SELECT cause, effect, 1 + hash(cause, effect) % 5 AS claims, hash(effect, cause) % (claims + 1) AS denied,
                       hash(cause + 1, effect) % (claims - denied + 1) AS positive,
                       0.02 + 0.96 * (hash(cause, effect + 1) % 10000) / 10000 AS credibility,
                       md5(cause || '-' || effect)[:16] AS claim_id, md5('d' || cause || '-' || effect)[:16] AS document_id
                FROM drawn
            ) ORDER BY cause, credibility DESC, effect
            """
        )
        cursor.execute("INSERT INTO edges_by_effect FROM edges ORDER BY effect, credibility DESC, cause")
        # Numbered in the order of their ids, as a weaving does it.
        cursor.execute(
            """
            INSERT INTO nodes
            SELECT range::UINTEGER, printf('%016x', range * (9223372036854775807 // $nodes)), 'concept ' || range, 1,
                   coalesce(outgoing, 0), coalesce(incoming, 0)
            FROM range($nodes)
            LEFT JOIN (SELECT cause AS node, count(*) AS outgoing FROM edges GROUP BY ALL) AS after ON after.node = range
            LEFT JOIN (SELECT effect AS node, count(*) AS incoming FROM edges GROUP BY ALL) AS before ON before.node = range
            ORDER BY range
            """,
            {"nodes": nodes},
        )
        cursor.execute("DROP TABLE drawn")


def measure(store: Store, pairs: int, hops: int, against_networkx: bool) -> None:
    asked = pairs_of(store, pairs)
    for what, some in asked.items():
        spent, busy, found = [], [], 0
        for cause, effect in some:
            ids = [id_of(store, cause)], [id_of(store, effect)]
            began, working = time.perf_counter(), time.process_time()
            found += bool(why(store, *ids, max_hops=hops))
            spent.append((time.perf_counter() - began) * 1000)
            busy.append((time.process_time() - working) * 1000)
        show(what, spent, found)
        print(f"{'':36s} of the processor, all threads: p50 {sorted(busy)[len(busy) // 2]:.0f} ms")
    if against_networkx:
        import networkx

        began = time.perf_counter()
        graph = networkx.DiGraph(store.rows("SELECT cause, effect FROM edges WHERE claims > denied"))
        print(f"networkx: loaded in {time.perf_counter() - began:.0f} s")
        for what, some in asked.items():
            spent, found = [], 0
            for pair in some:
                began = time.perf_counter()
                with suppress(networkx.NetworkXNoPath, networkx.NodeNotFound):
                    found += len(networkx.bidirectional_shortest_path(graph, *pair)) - 1 <= hops
                spent.append((time.perf_counter() - began) * 1000)
            show(f"networkx, {what}", spent, found)


def pairs_of(store: Store, count: int) -> dict[str, list[tuple[int, int]]]:
    """What is asked about: pairs of node numbers, by kind."""
    random = np.random.default_rng(1)
    nodes = int(store.rows("SELECT count(*) FROM nodes")[0][0])
    drawn = [(int(one), int(other)) for one, other in random.integers(3, nodes, (count, 2))]
    walked: list[tuple[int, int]] = []
    while len(walked) < count:
        at = start = int(random.integers(3, nodes))
        for _ in range(4):
            ways = store.rows(f"SELECT effect FROM edges WHERE cause = {at} AND claims > denied ORDER BY effect")
            if not ways:
                break
            at = int(ways[int(random.integers(len(ways)))][0])
        else:
            walked.append((start, at))
    several = max(count // 5, 3)
    return {
        "random pairs": drawn,
        "ends of a walk of four": walked,
        "hub to random": [(1, other) for _, other in drawn[:several]],
        "random to hub": [(one, 2) for one, _ in drawn[:several]],
        "hub to hub": [(1, 2)] * several,
    }


def id_of(store: Store, node: int) -> str:
    return str(store.rows(f"SELECT concept_id FROM nodes WHERE node = {int(node)}")[0][0])


def show(what: str, spent: Sequence[float], found: int) -> None:
    ranked = sorted(spent)
    print(
        f"{what:36s} p50 {ranked[len(ranked) // 2]:.0f} ms, p95 {ranked[int(len(ranked) * 0.95)]:.0f} ms,"
        f" longest {ranked[-1]:.0f} ms; {found} of {len(spent)} have a route"
    )


if __name__ == "__main__":
    main()
