"""Pools of actors on Ray: where they run, how much they hold, what happens when one dies.

`ActorPool` keeps any kind of actor alive; `EnginePool` holds vLLM engines, `TaggerPool` holds taggers.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog

from leucippus.config import Settings
from leucippus.errors import EngineDied
from leucippus.serving.calls import Answer, Call, Failed, RawAnswer, Usage
from leucippus.serving.cluster import connect_ray, engine_environment, tagger_environment
from leucippus.serving.engine import Engine
from leucippus.serving.structured import parse
from leucippus.serving.tagger import Scores, TaggerActor

_log = structlog.get_logger(__name__)
_MAX_RESTARTS = 3  # in a row, with no answer in between
_QUEUE_FACTOR = 2


class ActorPool:
    """Actors that answer the same questions. Each has `info()`, which raises if it is not well.

    Parameters
    ----------
    what : the model they hold, for messages.
    replicas : how many.
    """

    def __init__(self, what: str, settings: Settings, replicas: int) -> None:
        self._what = what
        self._settings = settings
        self._replicas = replicas
        self._ray = connect_ray(settings)
        self._engines: list[Any] = []
        self._busy: list[int] = []
        self._restarts = 0
        self._starting = asyncio.Lock()
        self.batches_at_once = replicas

    def _place(self) -> Any:
        """Make one actor somewhere on the cluster."""
        raise NotImplementedError

    async def start(self) -> list[Any]:
        """Start every engine and wait until it answers; where they run already, replace the ones that are not well.

        Raises
        ------
        EngineDied : an engine did not come up, or not in time.
        """
        async with self._starting:
            if not self._engines:
                # Nobody else may call an engine before it is ready: a call that kills it would look like a bad start.
                placed = [self._place() for _ in range(self._replicas)]
                try:
                    infos = [await self._until_ready(engine) for engine in placed]
                except BaseException:
                    for engine in placed:
                        self._ray.kill(engine)
                    raise
                self._engines, self._busy = placed, [0] * len(placed)
                return infos
        await asyncio.gather(*(self._mend(index, engine) for index, engine in enumerate(self._engines)))
        return [await self._until_ready(engine) for engine in self._engines]

    async def _mend(self, index: int, engine: Any) -> None:
        from ray.exceptions import RayActorError, RayTaskError

        try:
            await engine.info.remote()
        except (RayActorError, RayTaskError) as error:
            await self._restart(index, engine, error)

    async def close(self) -> None:
        for engine in self._engines:
            self._ray.kill(engine)
        self._engines = []

    async def _ask(self, method: str, argument: object, *, weight: int) -> Any:
        """Call the least busy engine; if it dies, restart it and ask again: every call is safe to repeat."""
        from ray.exceptions import RayActorError, RayTaskError

        if not self._engines:
            await self.start()
        while True:
            index = min(range(len(self._engines)), key=lambda i: self._busy[i])
            engine = self._engines[index]
            self._busy[index] += weight
            reference = getattr(engine, method).remote(argument)
            try:
                reply = await reference
                self._restarts = 0
                return reply
            except asyncio.CancelledError:
                self._ray.cancel(reference)
                raise
            except (RayActorError, RayTaskError) as error:
                if isinstance(error, RayTaskError) and "EngineDead" not in str(error):
                    raise
                await self._restart(index, engine, error)
            finally:
                self._busy[index] -= weight

    async def _restart(self, index: int, dead: Any, error: Exception) -> None:
        async with self._starting:
            if self._engines[index] is not dead:
                return  # another call has replaced it already
            self._restarts += 1
            if self._restarts > _MAX_RESTARTS:
                raise EngineDied(
                    f"An engine of {self._what} died {self._restarts} times; last: {_last_line(error)}",
                    next_step="`leucippus doctor` shows memory and settings; a smaller LEUCIPPUS_ENGINE__MAX_NUM_SEQS "
                    "or LEUCIPPUS_ENGINE__KV_CACHE_GIB needs less.",
                ) from error
            _log.warning("engine died, starting another", restart=self._restarts, error=_last_line(error))
            self._ray.kill(dead)
            placed = self._place()
            await self._until_ready(placed)
            self._engines[index] = placed

    async def _until_ready(self, engine: Any) -> Any:
        timeout = self._settings.engine.start_timeout_s
        try:
            return await asyncio.wait_for(engine.info.remote(), timeout)
        except TimeoutError as error:
            raise EngineDied(
                f"No engine for {self._what} within {timeout:g} s.",
                expected="free CPUs (or GPUs) on the Ray cluster for it",
                next_step="Raise LEUCIPPUS_ENGINE__START_TIMEOUT_S, or look at `leucippus doctor`.",
            ) from error
        except Exception as error:  # whatever vLLM raises while loading: its last line is what a user can act on
            raise EngineDied(f"Cannot start {self._what}: {_last_line(error)}") from error


class EnginePool(ActorPool):
    """vLLM engines of one model. Satisfies `serving.client.Client`.

    Parameters
    ----------
    model : folder that vLLM can load, as every node of the cluster sees it.
    adapters : name → folder of a LoRA adapter; a call asks for one by name.
    """

    def __init__(self, model: str, settings: Settings, adapters: dict[str, str] | None = None) -> None:
        super().__init__(model, settings, settings.engine.replicas)
        self._adapters = adapters or {}
        # Back-pressure: beyond this many calls in flight, callers wait here and not in the engine's memory.
        limit = settings.engine.max_num_seqs * settings.engine.replicas * _QUEUE_FACTOR
        self._room = asyncio.Semaphore(limit)
        self.usage = Usage()

    async def generate(self, call: Call) -> Answer[Any] | Failed:
        async with self._room:
            raw = await self._ask("answer", call, weight=1)
        return self._parsed(raw, call)

    async def generate_batch(self, calls: Sequence[Call]) -> list[Answer[Any] | Failed]:
        """Repeatable: the same batch gives the same answers on the same machine. One engine takes all of it."""
        raws = await self._ask("answer_batch", list(calls), weight=len(calls))
        return [self._parsed(raw, call) for raw, call in zip(raws, calls, strict=True)]

    def _place(self) -> Any:
        engine = self._settings.engine
        return (
            self._ray.remote(Engine)
            .options(
                num_cpus=1,
                num_gpus=engine.gpus_per_engine,
                max_concurrency=1000,
                runtime_env={"env_vars": engine_environment(engine)},
            )
            .remote(self._what, engine, self._adapters)
        )

    def _parsed(self, raw: RawAnswer | Failed, call: Call) -> Answer[Any] | Failed:
        self.usage += raw.usage
        return raw if isinstance(raw, Failed) else parse(raw, call.shape)


class TaggerPool(ActorPool):
    """Taggers of one extractor folder: texts in, numbers a word out."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        super().__init__(str(folder), settings, settings.tagger.replicas)

    async def score(self, texts: Sequence[str]) -> list[Scores]:
        """The scores of each text, in their order. One tagger takes all of them."""
        scores: list[Scores] = await self._ask("score", list(texts), weight=len(texts))
        return scores

    def _place(self) -> Any:
        return (
            self._ray.remote(TaggerActor)
            .options(num_cpus=1, max_concurrency=4, runtime_env={"env_vars": tagger_environment(self._settings.tagger)})
            .remote(self._what)
        )


def _last_line(error: BaseException) -> str:
    """The line of a long remote traceback that says what went wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "rror" in line and "http" not in line]
    return (telling or lines or [type(error).__name__])[-1][:300]
