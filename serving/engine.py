"""A Ray actor around one vLLM engine. It renders chats, decodes, counts tokens; it parses nothing.

Two ways in. `answer` joins whatever is running (continuous batching; for people who wait). `answer_batch` is for
jobs that must be repeatable: with bfloat16 a matrix product rounds differently in a batch of one than in a batch
of forty, so what is decoded next to what decides near-ties. A batch therefore starts from a drained engine with an
empty prefix cache and all its requests in place: the same batch gives the same answers, whatever happened before.
"""

import asyncio
import math
import os
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from leucippus.config import EngineSettings
from leucippus.serving.arithmetic import engine_dtype
from leucippus.serving.calls import Call, Choice, Copied, Failed, FailureKind, RawAnswer, Regex, Usage
from leucippus.serving.copying import copy_grammar

Result = TypeVar("Result")

# Grammars are compiled beside the scheduler, about 2 ms each, while later calls are still being submitted. All must be
# ready before the first step of a batch, or the order in which they become ready would decide what is decoded next to
# what: wait a little for the last ones.
_GRAMMAR_SETTLE_S = 0.2
_GRAMMAR_COMPILE_S = 0.001
_PULSE_S = 1.0
"""Between looks at whether the engine is alive."""


@dataclass(frozen=True)
class EngineInfo:
    """What an engine says of itself once it is ready."""

    model: str
    start_seconds: float
    pid: int


@dataclass(frozen=True)
class _Prepared:
    """A call in vLLM's terms."""

    tokens: list[int]
    params: Any
    lora: Any


class Engine:
    """Hosts `vllm.AsyncLLM`. Made an actor by the pool; heavy imports happen inside the actor."""

    def __init__(self, model: str, settings: EngineSettings, adapters: dict[str, str]) -> None:
        started = time.monotonic()
        from vllm import AsyncEngineArgs
        from vllm.config import StructuredOutputsConfig
        from vllm.v1.engine.async_llm import AsyncLLM

        options: dict[str, Any] = {}
        if adapters:
            # One place stays empty: vLLM's CPU kernels give a call without an adapter the last place (index -1), so in
            # a batch that mixes both it would be decoded with the adapter.
            options |= {"enable_lora": True, "max_lora_rank": settings.max_lora_rank, "max_loras": len(adapters) + 1}
        self._llm = AsyncLLM.from_engine_args(
            AsyncEngineArgs(
                model=model,
                dtype=engine_dtype(settings),
                max_model_len=settings.max_model_len,
                max_num_seqs=settings.max_num_seqs,
                enforce_eager=not settings.compile,
                tensor_parallel_size=max(1, settings.gpus_per_engine),
                disable_log_stats=True,
                # A small model offered white space between JSON tokens spends its whole answer on it.
                structured_outputs_config=StructuredOutputsConfig(backend="xgrammar", disable_any_whitespace=True),
                **options,
            )
        )
        self._tokenizer: Any = self._llm.get_tokenizer()
        self._adapters = {name: (number, path) for number, (name, path) in enumerate(sorted(adapters.items()), 1)}
        self._ids = count()
        self._batch_lock = asyncio.Lock()
        self._model = model
        self._start_seconds = time.monotonic() - started

    async def info(self) -> EngineInfo:
        """Also the health check: raises vLLM's EngineDeadError if the engine behind this actor has stopped."""
        await self._llm.check_health()
        return EngineInfo(Path(self._model).name, self._start_seconds, os.getpid())

    async def answer(self, call: Call) -> RawAnswer | Failed:
        """One call, decoded beside whatever else is running. Cancelling the task aborts the request."""
        return await self._while_it_lives(self._answer(call))

    async def _answer(self, call: Call) -> RawAnswer | Failed:
        return await self._finish(await self._submit(self._prepare(call)))

    async def answer_batch(self, calls: Sequence[Call]) -> list[RawAnswer | Failed]:
        """The same calls in the same order give the same answers, if nothing else is asked meanwhile.

        Calls are prepared before the engine is waited for, so that one batch is made ready while another is decoded.
        """
        return await self._while_it_lives(self._answer_batch(calls))

    async def _answer_batch(self, calls: Sequence[Call]) -> list[RawAnswer | Failed]:
        prepared: list[_Prepared | Failed] = []
        for call in calls:
            prepared.append(self._prepare(call))
            await asyncio.sleep(0)  # answers of the batch before this one want to be handed on
        async with self._batch_lock:
            await self._llm.pause_generation(mode="wait", clear_cache=True)
            submitted: list[tuple[str, Any] | Failed] = []
            try:
                for each in prepared:
                    submitted.append(await self._submit(each))
                await asyncio.sleep(_GRAMMAR_SETTLE_S + _GRAMMAR_COMPILE_S * len(calls))
                await self._llm.resume_generation()
                return [await self._finish(each) for each in submitted]
            except asyncio.CancelledError:
                await self._llm.abort([each[0] for each in submitted if isinstance(each, tuple)])
                raise
            finally:
                if await self._llm.is_paused():
                    await self._llm.resume_generation()

    async def _while_it_lives(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What comes of `work`; vLLM's EngineDeadError if the engine dies first, for whose word vLLM may wait for ever."""
        task = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({task}, timeout=_PULSE_S))[0]:
                if self._llm.errored:
                    raise self._llm.dead_error
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=_PULSE_S)

    def shutdown(self) -> None:
        self._llm.shutdown()

    def _prepare(self, call: Call) -> "_Prepared | Failed":
        from vllm import SamplingParams
        from vllm.exceptions import VLLMValidationError
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        if call.adapter is not None and call.adapter not in self._adapters:
            known = ", ".join(self._adapters) or "none"
            return Failed(FailureKind.REJECTED, f"unknown adapter {call.adapter!r}; loaded: {known}")
        from jinja2 import TemplateError

        try:
            tokens = self._render(call)
            constraint = _constraint(call)
            params = SamplingParams(
                temperature=call.temperature,
                max_tokens=call.max_tokens,
                seed=call.seed if call.temperature else None,
                logprobs=0,
                output_kind=RequestOutputKind.FINAL_ONLY,
                structured_outputs=StructuredOutputsParams(**constraint) if constraint else None,
            )
        except (VLLMValidationError, ValueError, TemplateError) as error:
            return Failed(FailureKind.REJECTED, str(error))
        return _Prepared(tokens, params, self._lora(call.adapter))

    async def _submit(self, prepared: "_Prepared | Failed") -> "tuple[str, Any] | Failed":
        if isinstance(prepared, Failed):
            return prepared
        from vllm.exceptions import VLLMValidationError

        request_id = f"r{next(self._ids)}"
        try:
            queue = await self._llm.add_request(
                request_id, {"prompt_token_ids": prepared.tokens}, prepared.params, lora_request=prepared.lora
            )
        except (VLLMValidationError, ValueError) as error:
            too_long = "maximum context length" in str(error) or "longer than the maximum" in str(error)
            return Failed(FailureKind.TOO_LONG if too_long else FailureKind.REJECTED, str(error))
        return request_id, queue

    async def _finish(self, submitted: "tuple[str, Any] | Failed") -> RawAnswer | Failed:
        if isinstance(submitted, Failed):
            return submitted
        request_id, queue = submitted
        try:
            output = await queue.get()
        except asyncio.CancelledError:
            await self._llm.abort(request_id)
            raise
        best = output.outputs[0]
        number = len(best.token_ids)
        logprob = best.cumulative_logprob
        return RawAnswer(
            text=best.text,
            usage=Usage(len(output.prompt_token_ids or ()), number),
            truncated=best.finish_reason == "length",
            probability=math.exp(logprob / number) if logprob is not None and number else None,
        )

    def _render(self, call: Call) -> list[int]:
        if self._tokenizer.chat_template:
            text = self._tokenizer.apply_chat_template(list(call.messages), tokenize=False, add_generation_prompt=True)
            ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
            return ids
        # A base model has no chat template: plain turns, the answer to follow.
        text = "\n\n".join(message["content"] for message in call.messages) + "\n\n"
        ids = self._tokenizer.encode(text)
        return ids

    def _lora(self, adapter: str | None) -> Any:
        if adapter is None:
            return None
        from vllm.lora.request import LoRARequest

        number, path = self._adapters[adapter]
        return LoRARequest(adapter, number, path)


def _constraint(call: Call) -> dict[str, Any]:
    shape = call.shape
    if shape is None:
        return {}
    if isinstance(shape, Choice):
        return {"choice": list(shape.options)}
    if isinstance(shape, Regex):
        return {"regex": shape.pattern}
    if isinstance(shape, Copied):
        return {"grammar": copy_grammar(shape.model, shape.sources)}
    return {"json": shape.model_json_schema()}
