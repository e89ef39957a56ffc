"""The corpus pipeline against what it is built on, on the same prompts, grammars and machine, in one run.

    python benchmarks/throughput.py FOLDER [--max-passages N] [--only pipeline,vllm,…]

Each contender runs in a process of its own, one after the other: the whole pipeline reading with the tagger (the
default), the whole pipeline asking the untuned language model (Ray actor, grounding, store), bare vLLM offline
`generate`, Ray Data LLM, transformers `generate` one prompt at a time.
Read the ratios: absolute numbers move with the machine.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from itertools import islice
from pathlib import Path
from typing import Any

from leucippus.agents.extract import extract, summary
from leucippus.agents.extractors import connect_extractor
from leucippus.agents.model_extractor import way_of, worth_asking
from leucippus.agents.passages import passages
from leucippus.agents.readers import read_documents
from leucippus.config import Settings, load_settings
from leucippus.serving.arithmetic import engine_dtype, fast_bfloat16
from leucippus.serving.calls import Call, Copied
from leucippus.serving.client import find_model
from leucippus.serving.cluster import engine_environment
from leucippus.serving.copying import copy_grammar
from leucippus.store.database import open_store
from leucippus.store.triples import Document, Failure

CONTENDERS = ("tagger", "pipeline", "vllm", "ray_data", "transformers")


def _kind_of(command: str) -> str:
    """vLLM names its processes "VLLM::…", Ray its workers "ray::…"; the rest of Ray runs from its package."""
    for mark, kind in (("VLLM::", "engine"), ("ray::Engine", "actor"), ("multiprocessing", "engine")):
        if mark in command:
            return kind
    return "ray" if "ray" in command else "other"


class Memory:
    """Peak proportional set size, in MB, of this process's tree by kind of process."""

    def __init__(self) -> None:
        self.peak: dict[str, float] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        import psutil

        while not self._done.wait(2):
            now: dict[str, float] = {}
            for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
                try:
                    command = " ".join(process.cmdline())
                    kind = "this process" if process.pid == os.getpid() else _kind_of(command)
                    now[kind] = now.get(kind, 0) + process.memory_full_info().pss / 1e6
                except psutil.Error:
                    continue
            for kind, size in now.items():
                self.peak[kind] = max(self.peak.get(kind, 0), size)

    def stop(self) -> dict[str, int]:
        self._done.set()
        return {kind: round(size) for kind, size in sorted(self.peak.items())}


def the_documents(folder: str, settings: Settings, most: int) -> list[Document]:
    """The first documents of the folder that hold at most `most` passages worth reading."""
    way, chosen, kept = way_of(settings), list[Document](), 0
    for found in read_documents([folder], max_mb=settings.extract.max_document_mb):
        if isinstance(found, Failure):
            continue
        cut = passages(found[0], max_chars=settings.extract.passage_chars)
        kept += sum(worth_asking(passage.text, way) for passage in cut)
        if kept > most and chosen:
            break
        chosen.append(found[0])
    return chosen


def the_calls(folder: str, settings: Settings, most: int) -> tuple[int, list[Call]]:
    """(passages, calls): what the pipeline asks about these documents."""
    way, number, calls = way_of(settings), 0, list[Call]()
    for document in the_documents(folder, settings, most):
        for passage in passages(document, max_chars=settings.extract.passage_chars):
            if worth_asking(passage.text, way):
                number += 1
                calls += way.calls(passage.text, adapter=None, max_tokens=settings.extract.max_tokens)
    return number, calls


def tagger(folder: str, most: int, settings: Settings) -> dict[str, Any]:
    return _whole(folder, most, settings, load_settings())


def pipeline(folder: str, most: int, settings: Settings) -> dict[str, Any]:
    return _whole(folder, most, settings, settings)


def _whole(folder: str, most: int, settings: Settings, reading: Settings) -> dict[str, Any]:
    """The corpus job over the documents that `settings` choose, read as `reading` says."""
    memory = Memory()

    async def job(scratch: Path) -> dict[str, Any]:
        for document in the_documents(folder, settings, most):
            (scratch / f"{document.document_id}.txt").write_text(document.text)
        began = time.monotonic()
        extractor = connect_extractor(reading)
        await extractor.start()
        started = time.monotonic() - began
        with open_store(scratch / "store" / "b.duckdb") as store:
            began = time.monotonic()
            run_id = await extract(store, extractor, [str(scratch)], reading.extract)
            seconds = time.monotonic() - began
            counts = summary(store, run_id)
        await extractor.close()
        return {"start_s": started, "seconds": seconds, "passages": counts["read"], "tokens": counts["output_tokens"]}

    with tempfile.TemporaryDirectory() as scratch:
        return asyncio.run(job(Path(scratch))) | {"memory_mb": memory.stop()}


def vllm(folder: str, most: int, settings: Settings) -> dict[str, Any]:
    memory = Memory()
    from vllm import LLM, SamplingParams
    from vllm.config import StructuredOutputsConfig
    from vllm.sampling_params import StructuredOutputsParams

    number, calls = the_calls(folder, settings, most)
    began = time.monotonic()
    engine = settings.engine
    llm = LLM(
        str(find_model(settings)),
        dtype=engine_dtype(engine),
        max_model_len=engine.max_model_len,
        max_num_seqs=engine.max_num_seqs,
        enforce_eager=not engine.compile,
        structured_outputs_config=StructuredOutputsConfig(backend="xgrammar", disable_any_whitespace=True),
    )
    started = time.monotonic() - began
    tokenizer: Any = llm.get_tokenizer()
    prompts: list[Any] = [_render(tokenizer, call) for call in calls]
    parameters = [
        SamplingParams(
            temperature=0,
            max_tokens=call.max_tokens,
            logprobs=0,
            structured_outputs=StructuredOutputsParams(grammar=_grammar(call)),
        )
        for call in calls
    ]
    began = time.monotonic()
    outputs = llm.generate(prompts, parameters, use_tqdm=False)
    seconds = time.monotonic() - began
    tokens = sum(len(output.outputs[0].token_ids) for output in outputs)
    return {"start_s": started, "seconds": seconds, "passages": number, "tokens": tokens, "memory_mb": memory.stop()}


def ray_data(folder: str, most: int, settings: Settings) -> dict[str, Any]:
    memory = Memory()
    import ray
    from ray.data.llm import build_processor, vLLMEngineProcessorConfig

    number, calls = the_calls(folder, settings, most)
    engine = settings.engine
    environment = engine_environment(engine)
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": environment})
    ray.data.DataContext.get_current().enable_progress_bars = False
    began = time.monotonic()
    config = vLLMEngineProcessorConfig(
        model_source=str(find_model(settings)),
        concurrency=1,
        batch_size=engine.max_num_seqs,
        placement_group_config={"bundles": [{"CPU": 1}]},  # the default asks for a GPU and waits for ever
        engine_kwargs={
            "dtype": engine_dtype(engine),
            "max_model_len": engine.max_model_len,
            "max_num_seqs": engine.max_num_seqs,
            "enforce_eager": not engine.compile,
            "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
        },
    )
    processor = build_processor(
        config,
        preprocess=lambda row: {
            "messages": json.loads(row["messages"]),
            "sampling_params": {
                "temperature": 0,
                "max_tokens": row["max_tokens"],
                "structured_outputs": {"grammar": row["grammar"]},
            },
        },
        postprocess=lambda row: {"tokens": row["num_generated_tokens"], "at": time.time()},
    )
    rows = [
        {"messages": json.dumps(list(call.messages)), "grammar": _grammar(call), "max_tokens": call.max_tokens}
        for call in calls
    ]
    done = processor(ray.data.from_items(rows)).take_all()
    whole = time.monotonic() - began
    tokens = sum(row["tokens"] for row in done)
    # Starting its engine is part of every Ray Data LLM job; the seconds here are those of the whole job.
    return {"start_s": 0.0, "seconds": whole, "passages": number, "tokens": tokens, "memory_mb": memory.stop()}


def transformers(folder: str, most: int, settings: Settings) -> dict[str, Any]:
    memory = Memory()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    _, calls = the_calls(folder, settings, most)
    began = time.monotonic()
    path = find_model(settings)
    tokenizer: Any = AutoTokenizer.from_pretrained(path)
    model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=torch.bfloat16 if fast_bfloat16() else torch.float32)
    started = time.monotonic() - began
    tokens, began = 0, time.monotonic()
    for call in islice(calls, HF_CALLS):
        inputs = tokenizer(_render(tokenizer, call), return_tensors="pt", add_special_tokens=False)
        output = model.generate(**inputs, max_new_tokens=16, min_new_tokens=16, do_sample=False)
        tokens += output.shape[1] - inputs.input_ids.shape[1]
    seconds = time.monotonic() - began
    number = min(HF_CALLS, len(calls))
    return {"start_s": started, "seconds": seconds, "passages": number, "tokens": tokens, "memory_mb": memory.stop()}


def _render(tokenizer: Any, call: Call) -> str:
    text: str = tokenizer.apply_chat_template(list(call.messages), tokenize=False, add_generation_prompt=True)
    return text


def _grammar(call: Call) -> str:
    assert isinstance(call.shape, Copied)
    return copy_grammar(call.shape.model, call.shape.sources)


HF_CALLS = 24


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--max-passages", type=int, default=400)
    parser.add_argument("--only", default=",".join(CONTENDERS))
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    settings = load_settings().model_copy(update={"adapter": None})
    if options.inside:
        os.environ.update(engine_environment(settings.engine))
        result = globals()[options.inside](options.folder, options.max_passages, settings)
        print(f"RESULT {json.dumps(result)}")
        return
    print(f"{'':14}{'start s':>9}{'seconds':>9}{'passages/s':>12}{'tokens/s':>10}  memory MB")
    rates: dict[str, float] = {}
    seconds: dict[str, float] = {}
    for name in options.only.split(","):
        arguments = [options.folder, "--max-passages", str(options.max_passages), "--inside", name]
        done = subprocess.run([sys.executable, __file__, *arguments], check=False, capture_output=True, text=True)
        found = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if not found:
            print(f"{name:14}failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
            continue
        result = json.loads(found[0].removeprefix("RESULT "))
        rates[name] = result["tokens"] / result["seconds"]
        seconds[name] = result["seconds"]
        rate = result["passages"] / result["seconds"]
        memory = ", ".join(f"{kind} {size}" for kind, size in result["memory_mb"].items())
        print(
            f"{name:14}{result['start_s']:9.1f}{result['seconds']:9.1f}{rate:12.1f}{rates[name]:10.0f}  {memory}",
            flush=True,
        )
    if "tagger" in seconds and "pipeline" in seconds:
        print(f"tagger: the same documents in 1/{seconds['pipeline'] / seconds['tagger']:.1f} of the pipeline's time")
    for name, rate in rates.items():
        if name not in ("pipeline", "tagger") and "pipeline" in rates:
            print(f"pipeline / {name}: {rates['pipeline'] / rate:.2f} of its tokens per second")


if __name__ == "__main__":
    main()
