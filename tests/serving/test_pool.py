"""What a pool does when engines die, are full, or are no longer waited for. Ray is real; the engine is played."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import RayTaskError

from leucippus.config import EngineSettings, Settings
from leucippus.errors import EngineDied
from leucippus.serving import pool as pool_module
from leucippus.serving.calls import Answer, Call, Failed, FailureKind, RawAnswer, Usage
from leucippus.serving.engine import EngineInfo
from leucippus.serving.pool import EnginePool
from tests.conftest import Run


class EngineDeadError(Exception):
    """Named like vLLM's."""


class PlayedEngine:
    """Does what a call says; `model` is a folder in which it leaves marks, for it may not live to tell."""

    def __init__(self, model: str, settings: EngineSettings, adapters: dict[str, str]) -> None:
        self._folder = Path(model)
        self._running = 0
        self._mark("started")
        if (self._folder / "cannot start").exists():
            raise RuntimeError("no room for the weights")
        if (self._folder / "starts slowly").exists():
            time.sleep(3)

    async def info(self) -> EngineInfo:
        return EngineInfo("played", 0.0, os.getpid())

    async def answer(self, call: Call) -> RawAnswer | Failed:
        self._running += 1
        try:
            return await self._act(call.messages[-1]["content"])
        finally:
            self._running -= 1

    async def answer_batch(self, calls: Sequence[Call]) -> list[RawAnswer | Failed]:
        return [await self.answer(call) for call in calls]

    async def _act(self, order: str) -> RawAnswer | Failed:
        match order.split():
            case ["die", times] if self._mark("died") < int(times):
                os._exit(1)
            case ["core", "dies", times] if self._mark("died") < int(times):
                raise EngineDeadError("EngineCore encountered an issue.")
            case ["break"]:
                raise ZeroDivisionError("a mistake of ours")
            case ["refuse"]:
                return Failed(FailureKind.TOO_LONG, "too long", usage=Usage(5, 0))
            case ["sleep", seconds]:
                self._mark("sleeping")
                most = self._running
                try:
                    await asyncio.sleep(float(seconds))
                except asyncio.CancelledError:
                    self._mark("cancelled")
                    raise
                return RawAnswer(str(most), Usage(2, 1), False, None)
        return RawAnswer(order, Usage(2, 1), False, 0.5)

    def _mark(self, what: str) -> int:
        """Note that it happened, and say how often it had before."""
        file = self._folder / what
        with file.open("a") as stream:
            stream.write(".")
        return file.stat().st_size - 1


class Pools:
    """Makes pools of played engines over one folder; closes them."""

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.folder = folder
        self.made: list[EnginePool] = []

    def __call__(self, *, max_num_seqs: int = 64, start_timeout_s: float = 60) -> EnginePool:
        engine = EngineSettings(max_num_seqs=max_num_seqs, start_timeout_s=start_timeout_s)
        self.made.append(EnginePool(str(self.folder), Settings(engine=engine)))
        return self.made[-1]

    def times(self, what: str) -> int:
        file = self.folder / what
        return file.stat().st_size if file.exists() else 0


@pytest.fixture
def pools(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pools]:
    monkeypatch.setattr(pool_module, "Engine", PlayedEngine)
    made = Pools(run, tmp_path)
    yield made
    for pool in made.made:
        run(pool.close())


def call(order: str) -> Call:
    return Call([{"role": "user", "content": order}])


def text_of(answer: Answer[Any] | Failed) -> str:
    assert isinstance(answer, Answer), answer
    return answer.text


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not happened():
            await asyncio.sleep(0.02)


def test_a_pool_answers_counts_and_hands_failures_on(pools: Pools, run: Run) -> None:
    pool = pools()
    first, refused, third = run(pool.generate_batch([call("rain"), call("refuse"), call("wind")]))
    assert (text_of(first), text_of(third)) == ("rain", "wind")
    assert refused == Failed(FailureKind.TOO_LONG, "too long", usage=Usage(5, 0))
    assert text_of(run(pool.generate(call("snow")))) == "snow"
    assert pool.usage == Usage(11, 3)
    assert pools.times("started") == 1

    # An exception that is not the engine's death is a mistake of ours: it is shown, and the engine lives on.
    with pytest.raises(RayTaskError, match="a mistake of ours"):
        run(pool.generate(call("break")))
    assert text_of(run(pool.generate(call("hail")))) == "hail"
    assert pools.times("started") == 1


def test_no_more_calls_are_in_flight_than_there_is_room_for(pools: Pools, run: Run) -> None:
    pool = pools(max_num_seqs=2)

    async def ask_at_once() -> list[Answer[Any] | Failed]:
        return list(await asyncio.gather(*(pool.generate(call("sleep 0.1")) for _ in range(12))))

    running = [int(text_of(answer)) for answer in run(ask_at_once())]
    assert max(running) == 4  # twice what decodes side by side, so that the engine never waits for us


def test_cancelling_a_call_cancels_it_in_the_engine(pools: Pools, run: Run) -> None:
    pool = pools()

    async def cancel() -> None:
        waiting = asyncio.create_task(pool.generate(call("sleep 60")))
        await until(lambda: pools.times("sleeping") == 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await until(lambda: pools.times("cancelled") == 1)

    run(pool.start())
    run(cancel())
    assert text_of(run(pool.generate(call("rain")))) == "rain"


@pytest.mark.parametrize("death", ["die 1", "core dies 1"])
def test_a_dead_engine_is_replaced_and_every_call_answered(pools: Pools, run: Run, death: str) -> None:
    pool = pools()

    async def ask_at_once() -> list[Answer[Any] | Failed]:
        return list(await asyncio.gather(*(pool.generate(call(order)) for order in ("sleep 1", death, "sleep 0.5"))))

    answers = run(ask_at_once())
    assert [isinstance(answer, Answer) for answer in answers] == [True, True, True]
    assert text_of(answers[1]) == death
    assert pools.times("started") == 2


def test_starting_a_running_pool_replaces_an_engine_that_died_unnoticed(pools: Pools, run: Run) -> None:
    pool = pools()
    (first,) = run(pool.start())
    os.kill(first.pid, signal.SIGKILL)
    (second,) = run(pool.start())
    assert second.pid != first.pid
    assert pools.times("started") == 2


def test_an_engine_that_keeps_dying_is_given_up(pools: Pools, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "_MAX_RESTARTS", 1)
    pool = pools()
    with pytest.raises(EngineDied, match="died 2 times") as caught:
        run(pool.generate(call("core dies 99")))
    assert "EngineCore encountered an issue" in caught.value.problem
    assert "leucippus doctor" in caught.value.next_step
    assert caught.value.retryable
    assert pools.times("started") == 2


def test_an_engine_that_cannot_start_says_why(pools: Pools, run: Run) -> None:
    (pools.folder / "cannot start").touch()
    with pytest.raises(EngineDied, match="no room for the weights"):
        run(pools().start())


def test_an_engine_that_takes_too_long_to_start_is_not_waited_for(pools: Pools, run: Run) -> None:
    (pools.folder / "starts slowly").touch()
    with pytest.raises(EngineDied, match=r"within 0\.5 s") as caught:
        run(pools(start_timeout_s=0.5).start())
    assert "START_TIMEOUT_S" in caught.value.next_step
