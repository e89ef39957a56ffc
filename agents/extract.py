"""JOB corpus: documents → passages → candidates → grounded claims in the store.

Reads top to bottom: `extract` opens a run or takes one up again, `_take_in` writes documents and passages, `_plan`
writes down which passages are read in which batch, `_read` reads them batch by batch. Each batch is one transaction
and, with an engine of our own, repeatable; so a run that is killed and resumed writes what it would have written.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from leucippus.agents.extractors import Extractor
from leucippus.agents.passages import passages
from leucippus.agents.readers import read_documents
from leucippus.agents.weaving import add_vectors
from leucippus.config import ExtractSettings
from leucippus.errors import InputError
from leucippus.serving.encoder import Encode
from leucippus.store.database import Store
from leucippus.store.query import UnfinishedRun, pending, unfinished_runs, unread
from leucippus.store.triples import Document, Failure, Passage, Reader
from leucippus.store.write import (
    PassageResult,
    Planned,
    add_documents,
    add_failures,
    add_passages,
    finish_run,
    plan,
    rebuild_search_index,
    record_batch,
    start_run,
)

COMMAND = "extract"
_DOCUMENTS_AT_ONCE = 200


@dataclass(frozen=True)
class Progress:
    """How far a run has come; `total` passages will be read, `done` are."""

    run_id: str
    documents: int
    total: int
    done: int
    claims: int
    rejected: int
    failed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Passages per second."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def eta_s(self) -> float | None:
        return (self.total - self.done) / self.rate if self.rate else None


Report = Callable[[Progress], None]


async def extract(
    store: Store,
    extractor: Extractor,
    paths: Sequence[str],
    options: ExtractSettings,
    *,
    resume: bool = False,
    limit: int | None = None,
    text_column: str | None = None,
    report: Report = lambda _: None,
    encode: Encode | None = None,
) -> str:
    """Read the documents at `paths` into `store`; returns the run's id.

    What this reader has read before is not read again. A run that stops half way is marked interrupted.

    Parameters
    ----------
    resume : take up the latest unfinished run of the same reader; its own paths and settings apply.
    limit : read at most so many documents.
    encode : sentences → vectors, for the concepts that are new; none = leave them without.

    Raises
    ------
    InputError : nothing to read at `paths`, or nothing to resume.
    ServingError : the model could not be reached, or died for good.
    """
    reader = extractor.reader
    if resume:
        unfinished = _run_to_resume(store, reader)
        run_id, given = unfinished.run_id, json.loads(unfinished.settings)
        paths, limit, text_column = given["paths"], given["limit"], given["text_column"]
        options = ExtractSettings.model_validate(given["extract"])
    else:
        given = {"paths": list(paths), "limit": limit, "text_column": text_column, "extract": options.model_dump()}
        run_id = start_run(store, command=COMMAND, settings=given, reader=reader)
    try:
        if not _is_planned(store, run_id):
            passage_ids = _take_in(store, run_id, paths, options, limit, text_column)
            _plan(store, run_id, extractor, passage_ids, options)
        await _read(store, extractor, run_id, report)
    except BaseException as error:
        finish_run(store, run_id, "failed" if isinstance(error, InputError) else "interrupted")
        raise
    rebuild_search_index(store)
    if encode is not None:
        add_vectors(store, encode)
    finish_run(store, run_id, "finished")
    return run_id


def summary(store: Store, run_id: str) -> dict[str, Any]:
    """The counts of a finished run."""
    columns = (
        "run_id, status, documents, passages, skipped, read, claims, rejected, failures, prompt_tokens, output_tokens,"
        " seconds"
    )
    row = store.rows(f"SELECT {columns} FROM runs WHERE run_id = ?", [run_id])[0]
    return dict(zip(columns.split(", "), row, strict=True))


def _run_to_resume(store: Store, reader: Reader) -> UnfinishedRun:
    runs = [run for run in unfinished_runs(store) if run.command == COMMAND]
    same = [run for run in runs if run.reader_id == reader.reader_id]
    if same:
        return same[-1]
    if runs:
        raise InputError(
            f"Run {runs[-1].run_id} is unfinished, but another model, adapter or prompt began it.",
            next_step="Resume with the settings it was begun with, or start anew without --resume.",
        )
    raise InputError(f"No unfinished run in {store.path}.", next_step="Leave out --resume to start one.")


def _is_planned(store: Store, run_id: str) -> bool:
    # The plan is one transaction, the last of taking in: it is there whole or not at all.
    return bool(store.rows("SELECT 1 FROM readings WHERE run_id = ? LIMIT 1", [run_id]))


def _take_in(
    store: Store,
    run_id: str,
    paths: Sequence[str],
    options: ExtractSettings,
    limit: int | None,
    text_column: str | None,
) -> list[str]:
    """Write documents, passages and what could not be read; returns passage ids in the order they were met."""
    found = first_documents(read_documents(paths, max_mb=options.max_document_mb, text_column=text_column), limit)
    passage_ids: dict[str, None] = {}
    while chunk := list(islice(found, _DOCUMENTS_AT_ONCE)):
        documents = [item for item in chunk if not isinstance(item, Failure)]
        add_failures(store, run_id, [item for item in chunk if isinstance(item, Failure)])
        add_documents(store, documents)
        cut = [p for document, _ in documents for p in passages(document, max_chars=options.passage_chars)]
        add_passages(store, cut)
        passage_ids |= dict.fromkeys(passage.passage_id for passage in cut)
    return list(passage_ids)


def first_documents(
    found: Iterator[tuple[Document, str] | Failure], limit: int | None
) -> Iterator[tuple[Document, str] | Failure]:
    """The first `limit` documents with the failures met on the way."""
    documents = 0
    for item in found:
        if limit is not None and documents == limit:
            return
        documents += not isinstance(item, Failure)
        yield item


def _plan(
    store: Store, run_id: str, extractor: Extractor, passage_ids: Sequence[str], options: ExtractSettings
) -> None:
    """Batches in document order, longest passage first within each: the last to finish then keeps nobody waiting."""
    to_read: list[Passage] = []
    rows: list[Planned] = []
    for passage in unread(store, extractor.reader.reader_id, passage_ids):
        if extractor.worth(passage.text):
            to_read.append(passage)
        else:
            rows.append(Planned(passage.passage_id, batch=-1, position=len(rows), skipped=True))
    for number, start in enumerate(range(0, len(to_read), options.batch_passages)):
        batch = sorted(to_read[start : start + options.batch_passages], key=lambda p: (-len(p.text), p.passage_id))
        rows += [Planned(passage.passage_id, number, position) for position, passage in enumerate(batch)]
    plan(store, run_id, extractor.reader, rows)


async def _read(store: Store, extractor: Extractor, run_id: str, report: Report) -> None:
    (documents, total, done) = store.rows(
        """SELECT count(DISTINCT document_id), count(*) FILTER (state <> 'skipped'),
                  count(*) FILTER (state IN ('read', 'failed'))
           FROM readings JOIN passages USING (passage_id) WHERE run_id = ?""",
        [run_id],
    )[0]
    already, claims, rejected, failed = done, 0, 0, 0
    if total > done:
        await extractor.start()  # before the clock: an engine takes half a minute, once
    started = time.monotonic()
    report(Progress(run_id, documents, total - already, 0, 0, 0, 0, 0.0))
    began = started
    async for results in _ahead(extractor, pending(store, run_id)):
        record_batch(store, run_id, extractor.reader.reader_id, results, seconds=time.monotonic() - began)
        began = time.monotonic()
        done += len(results)
        claims += sum(len(result.claims) for result in results)
        rejected += sum(failure.stage == "ground" for result in results for failure in result.rejected)
        failed += sum(result.failure is not None for result in results)
        seconds = began - started
        report(Progress(run_id, documents, total - already, done - already, claims, rejected, failed, seconds))


async def _ahead(extractor: Extractor, batches: Iterator[list[Passage]]) -> AsyncIterator[list[PassageResult]]:
    """The results of the batches in their order, while the next ones are being read: no engine waits for the store."""
    reading: deque[asyncio.Task[list[PassageResult]]] = deque()
    try:
        while True:
            while len(reading) < extractor.batches_at_once + 1 and (batch := next(batches, None)) is not None:
                reading.append(asyncio.create_task(extractor.read(batch)))
            if not reading:
                return
            yield await reading.popleft()
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
