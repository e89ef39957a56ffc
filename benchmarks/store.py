"""How fast the store takes claims in and answers "what causes this?".

    .venv/bin/python benchmarks/store.py --claims 1000000

Synthetic claims over n/10 concepts and n/20 documents, concepts drawn so that a few are hubs. The load goes through
`record_batch`, as a job does; beside it, in the same run, the same rows go through one bare INSERT … SELECT.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import duckdb
import numpy as np

from leucippus.store.concepts import concept_id, concept_name
from leucippus.store.database import Store, open_store
from leucippus.store.paths import paths
from leucippus.store.query import causes, stats
from leucippus.store.search import find_concepts, nearest_concepts, search_passages
from leucippus.store.triples import Claim, Document, Passage, Reader, Sign, stable_id
from leucippus.store.write import (
    PassageResult,
    Planned,
    add_concept_vectors,
    add_documents,
    add_passages,
    finish_run,
    plan,
    rebuild_search_index,
    record_batch,
    start_run,
)

READER = Reader(model="synthetic", prompt_version="1")
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "ru")
SIGNS = (Sign.POSITIVE, Sign.NEGATIVE, Sign.NONE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=10_000, help="claims a transaction")
    parser.add_argument("--vectors", type=int, default=20_000, help="concept vectors to scan")
    parser.add_argument("--folder", type=Path, default=None, help="where to keep the files; none = a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run(options.folder or Path(temporary), options.claims, options.batch, options.vectors)


def run(folder: Path, count: int, batch: int, vectors: int) -> None:
    path = folder / "store.duckdb"
    with open_store(path) as store:
        documents_and_plan(store, count, batch)
        run_id = store.rows("SELECT run_id FROM runs")[0][0]
        store.rows("CHECKPOINT")
        before, spent, made = path.stat().st_size, 0.0, 0
        slowest = 0.0
        for results in batches(count, batch):
            began = time.perf_counter()
            record_batch(store, run_id, READER.reader_id, results)
            took = time.perf_counter() - began
            spent, slowest, made = spent + took, max(slowest, took), made + sum(len(r.claims) for r in results)
        finish_run(store, run_id, "finished")
        store.rows("CHECKPOINT")
        size = path.stat().st_size - before
    bare = bare_insert(path, folder / "bare.duckdb")
    print(f"load        {made} claims in {spent:.1f} s, {made / spent:,.0f} a second; slowest batch {slowest:.2f} s")
    print(f"bare insert {bare:.1f} s; load / bare = {spent / bare:.1f}")
    print(f"file        {size / made:.0f} bytes a claim with its concepts; {path.stat().st_size / 1e6:.0f} MB in all")
    small = timed_small_batch(path)
    print(f"one batch   256 passages, 300 claims on top of these: p50 {small[0]:.0f} ms, p95 {small[1]:.0f} ms")
    with open_store(path) as store:
        print(stats(store))
        random = np.random.default_rng(1)
        asked = [concept_of(at) for at in random.integers(0, max(count // 10, 1), 200)]
        hub = concept_of(0)
        report("causes, random concept", [partial(causes, store, [c]) for c in asked])
        report("causes, hub", [partial(causes, store, [hub])] * 10)
        print(
            f"            the hub has {store.rows('SELECT count(*) FROM claims WHERE effect_concept = ?', [hub])[0][0]}"
        )
        report(
            "paths, random pair",
            [partial(paths, store, [a], [b]) for a, b in zip(asked[:20], asked[20:40], strict=True)],
        )
        report("paths, hub to hub", [partial(paths, store, [hub], [concept_of(1)])] * 5)
        report("find_concepts", [partial(find_concepts, store, name_of(at)[:-2]) for at in range(20)])
        began = time.perf_counter()
        rebuild_search_index(store)
        print(f"search index built in {time.perf_counter() - began:.1f} s")
        report("search_passages", [partial(search_passages, store, text_of(at)) for at in range(20)])
        numbers = random.standard_normal((vectors, 384), dtype=np.float32)
        ids = [concept for (concept,) in store.rows("SELECT concept_id FROM concepts LIMIT ?", [vectors])]
        add_concept_vectors(store, ids, numbers[: len(ids)])
        report(f"nearest of {len(ids)}", [partial(nearest_concepts, store, v.tolist()) for v in numbers[:20]])


def name_of(at: int) -> str:
    return " ".join("".join(SYLLABLES[int(digit)] for digit in part) for part in (f"{at:06d}"[:3], f"{at:06d}"[3:]))


def concept_of(at: int) -> str:
    return concept_id(concept_name(name_of(at)))


def text_of(at: int) -> str:
    return f"Document {at} reports what was seen, when it was seen, and by whom. " * 8


def documents_and_plan(store: Store, count: int, batch: int) -> None:
    run_id = start_run(store, command="benchmark", settings={}, reader=READER)
    documents = max(count // 20, 1)
    for first in range(0, documents, 5000):
        made = [
            Document.of(text_of(at), media_type="text/plain", title=f"Document {at}")
            for at in range(first, min(first + 5000, documents))
        ]
        add_documents(store, [(document, f"file:///{document.document_id}") for document in made])
        passages = [Passage.of(document, start, start + 100) for document in made for start in range(0, 400, 100)]
        add_passages(store, passages)
        # 20 claims a document, 5 a passage
        plan(
            store,
            run_id,
            READER,
            [
                Planned(passage.passage_id, (first * 4 + at) * 5 // batch, at % (batch // 5))
                for at, passage in enumerate(passages)
            ],
        )


def batches(count: int, batch: int) -> Iterator[list[PassageResult]]:
    random = np.random.default_rng(0)
    concepts = max(count // 10, 1)
    for first in range(0, count, batch):
        size = min(batch, count - first)
        # Square of a uniform: the first concepts are hubs, and every concept is met.
        ends = (random.random((size, 2)) ** 2 * concepts).astype(np.int64).tolist()
        signs, flags = random.integers(0, 3, size).tolist(), random.random((size, 3)).tolist()
        results: dict[str, list[Claim]] = {}
        for at, ((cause, effect), sign, (negated, hedged, sure)) in enumerate(
            zip(ends, signs, flags, strict=True), start=first
        ):
            document_id = stable_id("document", text_of(at // 20))
            start = at % 20 // 5 * 100
            passage_id = stable_id("passage", document_id, start, start + 100)
            span = (start + at % 5, start + at % 5 + 6)
            claim = Claim.model_construct(
                claim_id=Claim.id_of(READER.reader_id, document_id, span, (span[0] + 20, span[1] + 20)),
                document_id=document_id,
                passage_id=passage_id,
                reader_id=READER.reader_id,
                cause=name_of(cause),
                cause_start=span[0],
                cause_end=span[1],
                relation="causes",
                effect=name_of(effect),
                effect_start=span[0] + 20,
                effect_end=span[1] + 20,
                sign=SIGNS[sign],
                negated=negated < 0.05,
                hedged=hedged < 0.2,
                conditions=None,
                quote=f"In sample {at} of this document {name_of(cause)} was seen to cause {name_of(effect)}.",
                start=start,
                end=start + 100,
                confidence=sure,
            )
            results.setdefault(passage_id, []).append(claim)
        yield [
            PassageResult(passage_id, tuple(claims), prompt_tokens=80, output_tokens=40)
            for passage_id, claims in results.items()
        ]


def bare_insert(source: Path, target: Path) -> float:
    """Seconds DuckDB takes for the same rows, without keys, from one open file into another."""
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"ATTACH '{source}' AS source (READ_ONLY)")
        connection.execute("CREATE TABLE claims AS FROM source.claims LIMIT 0")
        began = time.perf_counter()
        connection.execute("INSERT INTO claims SELECT * FROM source.claims")
        return time.perf_counter() - began


def timed_small_batch(path: Path) -> tuple[float, float]:
    """p50 and p95 milliseconds of the batches a job really writes, into a store that is already full."""
    with open_store(path) as store:
        passages = store.rows("SELECT passage_id, document_id FROM passages LIMIT ?", [256 * 20])
        reader = Reader(model="small", prompt_version="1")
        run_id = start_run(store, command="benchmark", settings={"small": True}, reader=reader)
        plan(store, run_id, reader, [Planned(p, at // 256, at % 256) for at, (p, _) in enumerate(passages)])
        made = [result for results in batches(max(len(passages), 1) * 5, 5000) for result in results]
        actions = []
        for first in range(0, len(passages), 256):
            results = [
                PassageResult(
                    passage_id,
                    tuple(
                        claim.model_copy(
                            update={"claim_id": stable_id(claim.claim_id, passage_id), "reader_id": reader.reader_id}
                        )
                        for claim in source.claims[:1]
                    ),
                )
                for (passage_id, _), source in zip(passages[first : first + 256], made[first:], strict=False)
            ]
            actions.append(partial(record_batch, store, run_id, reader.reader_id, results))
        spent = timings(actions)
        return spent[len(spent) // 2], spent[int(len(spent) * 0.95)]


def timings(actions: Sequence[Callable[[], object]]) -> list[float]:
    """Milliseconds of each call, sorted."""
    spent = []
    for action in actions:
        began = time.perf_counter()
        action()
        spent.append((time.perf_counter() - began) * 1000)
    return sorted(spent)


def report(what: str, actions: Sequence[Callable[[], object]]) -> None:
    spent = timings(actions)
    print(f"{what:24s} p50 {spent[len(spent) // 2]:.1f} ms, p95 {spent[int(len(spent) * 0.95)]:.1f} ms ({len(spent)})")


if __name__ == "__main__":
    main()
