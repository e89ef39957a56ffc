"""The packaged model in a real engine: what constrained decoding promises, what is repeatable, what survives."""

import asyncio
import json
import re
import time
from typing import Annotated, Any, Literal

import psutil  # type: ignore[import-untyped]
import pytest
from pydantic import BaseModel, Field

from leucippus.serving.calls import Answer, Call, Choice, Copied, Failed, FailureKind, Regex, Shape, Source, Usage
from leucippus.serving.engine import EngineInfo
from leucippus.serving.pool import EnginePool
from tests.conftest import Run

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

TEXT = "Heavy rain in the upper valley caused the worst flood since 1954, the mayor said."
LONG_ANSWER_S = 10
"""Less than the packaged model takes for 1500 tokens, even on a fast machine."""


class Claim(BaseModel):
    cause: Annotated[str, Field(max_length=60)]
    effect: Annotated[str, Field(max_length=60)]
    sign: Literal["+", "-"]


class Claims(BaseModel):
    claims: Annotated[list[Claim], Field(max_length=3)]


class Pair(BaseModel):
    cause: str
    effect: str


def call(shape: Shape = None, question: str = "What caused what?", **more: Any) -> Call:
    return Call([{"role": "user", "content": f"{TEXT}\n\n{question}"}], shape, **more)


def answered(answer: Answer[Any] | Failed) -> Answer[Any]:
    assert isinstance(answer, Answer), answer
    return answer


def test_json_is_typed_and_without_white_space(engine: EnginePool, run: Run) -> None:
    answer = answered(run(engine.generate(call(Claims))))
    assert isinstance(answer.value, Claims)
    assert json.dumps(json.loads(answer.text), ensure_ascii=False, separators=(",", ":")) == answer.text


def test_a_choice_is_one_of_its_options(engine: EnginePool, run: Run) -> None:
    options = ("the valley caused it", "the mayor caused it")
    assert answered(run(engine.generate(call(Choice(options))))).value in options


def test_a_pattern_is_matched(engine: EnginePool, run: Run) -> None:
    pattern = "Q[1-4] of [12][0-9]{3}"
    assert re.fullmatch(pattern, answered(run(engine.generate(call(Regex(pattern))))).value)


def test_what_is_copied_stands_in_its_source(engine: EnginePool, run: Run) -> None:
    before, after = TEXT.split(" caused ")
    shape = Copied(Pair, {"cause": Source(before), "effect": Source(after)})
    pair = answered(run(engine.generate(call(shape, temperature=2.0)))).value
    assert pair.cause in before
    assert pair.effect in after
    assert set(pair.cause.split()) <= set(before.split())


def test_an_answer_cut_by_the_token_limit_says_so(engine: EnginePool, run: Run) -> None:
    answer = run(engine.generate(call(Claims, max_tokens=4)))
    assert isinstance(answer, Failed)
    assert answer.kind is FailureKind.TRUNCATED
    assert answer.usage.output_tokens == 4


def test_tokens_are_counted_and_add_up(engine: EnginePool, run: Run) -> None:
    before = engine.usage
    calls = [call(max_tokens=5), call(Choice(("yes", "no"))), call(Claims, max_tokens=4)]
    counted = [answer.usage for answer in run(engine.generate_batch(calls))]
    assert all(usage.prompt_tokens > 10 for usage in counted)
    assert all(usage.output_tokens > 0 for usage in counted)
    assert counted[0].output_tokens == 5
    assert engine.usage == sum(counted, start=before)


def test_probabilities_are_probabilities(engine: EnginePool, run: Run) -> None:
    sure, free = run(engine.generate_batch([call(Regex("the mayor")), call(max_tokens=20)]))
    for answer in (answered(sure), answered(free)):
        assert answer.probability is not None
        assert 0 < answer.probability <= 1


def test_a_batch_is_repeated_to_the_last_digit_whatever_ran_between(engine: EnginePool, run: Run) -> None:
    copied = Copied(Pair, {"": Source(TEXT)})
    shapes: list[Shape] = [Claims, copied, None, Choice(("yes", "no")), Regex("[a-z ]{5,40}")]
    batch = [call(shapes[number % len(shapes)], f"Question {number}?", max_tokens=40) for number in range(20)]

    async def traffic() -> None:
        await asyncio.gather(*(engine.generate(call(None, f"Something else {n}.", max_tokens=9)) for n in range(15)))

    def ask() -> list[tuple[Any, Any]]:
        return [(answer.text, getattr(answer, "probability", None)) for answer in run(engine.generate_batch(batch))]

    first = ask()
    run(traffic())
    assert ask() == first


def test_a_seed_decides_what_is_drawn(engine: EnginePool, run: Run) -> None:
    batch = [call(None, max_tokens=20, temperature=1.0, seed=seed) for seed in (1, 1, 2)]
    first, again, other = (answered(answer).text for answer in run(engine.generate_batch(batch)))
    assert first == again
    assert first != other


def test_an_empty_batch_has_no_answers(engine: EnginePool, run: Run) -> None:
    assert run(engine.generate_batch([])) == []


def test_an_adapter_changes_what_is_said_only_where_it_is_asked_for(engine: EnginePool, run: Run, adapter: str) -> None:
    plain = call(None, max_tokens=24)
    adapted = call(None, max_tokens=24, adapter=adapter)
    first, second, third = (answered(answer).text for answer in run(engine.generate_batch([plain, adapted, plain])))
    assert first == third
    assert second != first


def refused(engine: EnginePool, run: Run, bad: Call) -> Failed:
    """The failure that `bad` ends as; a good call in the same batch is answered all the same."""
    failure, good = run(engine.generate_batch([bad, call(Choice(("yes", "no")))]))
    assert isinstance(good, Answer)
    assert isinstance(failure, Failed)
    return failure


def test_a_prompt_that_does_not_fit_is_a_failure(engine: EnginePool, run: Run) -> None:
    failure = refused(engine, run, call(None, "word " * 4000))
    assert failure.kind is FailureKind.TOO_LONG
    assert "2048" in failure.message


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (call(adapter="no-such-adapter"), "no-such-adapter"),
        (call(Regex("(")), "parenthesis"),
        (call(Choice(())), "empty"),
        (call(max_tokens=0), "max_tokens"),
        (call(temperature=-1.0), "temperature"),
    ],
    ids=["unknown adapter", "broken pattern", "no options", "no tokens", "odd temperature"],
)
def test_a_call_that_makes_no_sense_is_a_failure(engine: EnginePool, run: Run, bad: Call, why: str) -> None:
    failure = refused(engine, run, bad)
    assert failure.kind is FailureKind.REJECTED
    assert why in failure.message
    assert failure.usage == Usage()


@pytest.mark.parametrize("together", [False, True], ids=["a call", "a batch"])
def test_what_is_cancelled_is_not_decoded_on(engine: EnginePool, run: Run, together: bool) -> None:
    long = call(Regex("[a-z ]{6000}"), max_tokens=1500)

    async def cancel() -> float:
        waiting: asyncio.Task[Any] = asyncio.create_task(
            engine.generate_batch([long, long]) if together else engine.generate(long)
        )
        await asyncio.sleep(1.5)
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        # A batch begins when nothing else is being decoded.
        started = time.monotonic()
        answered((await engine.generate_batch([call(Choice(("yes", "no")))]))[0])
        return time.monotonic() - started

    assert run(cancel()) < LONG_ANSWER_S


@pytest.mark.parametrize("busy", [True, False], ids=["while it decodes", "while it waits"])
def test_a_killed_engine_is_replaced_and_leaves_no_process(engine: EnginePool, run: Run, busy: bool) -> None:
    (info,) = run(engine.start())
    family = psutil.Process(info.pid).children(recursive=True)
    (core,) = [child for child in family if "EngineCore" in " ".join(child.cmdline())]

    async def kill_and_ask() -> list[Answer[Any] | Failed]:
        waiting = asyncio.create_task(engine.generate_batch([call(Regex("[a-z ]{80}")), call(max_tokens=60)]))
        if busy:
            await asyncio.sleep(0.5)
            assert not waiting.done()
        core.kill()
        return await waiting

    if not busy:
        core.kill()
        core.wait(10)
    for answer in run(kill_and_ask() if busy else engine.generate_batch([call(max_tokens=9)])):
        answered(answer)
    (replacement,) = run(engine.start())
    assert isinstance(replacement, EngineInfo)
    assert replacement.pid != info.pid
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
