"""A model asked whether two phrases name one thing."""

from collections.abc import Sequence
from typing import Any

import pytest

from leucippus.agents.adjudicate import _ALIKE, Judge, _pair
from leucippus.serving.calls import Answer, Call, Failed, FailureKind, Usage


class Scripted:
    """Says "same" where the phrases, in their order, are among `same`; fails where it does not know a phrase."""

    usage, batches_at_once = Usage(), 1
    known = frozenset(order for pair in map(_pair, _ALIKE) for order in (pair, pair[::-1]))

    def __init__(self, same: set[tuple[str, str]], probability: float | None = 0.9) -> None:
        self._same, self._probability, self.closed = same, probability, False

    async def start(self) -> None: ...

    async def generate(self, call: Call) -> Answer[Any] | Failed:
        one, _, other = call.messages[-1]["content"].partition(" / ")
        if "?" in one + other:
            return Failed(FailureKind.TIMED_OUT, "too slow")
        said = "same" if (one, other) in self._same | self.known else "different"
        return Answer(said, said, Usage(), self._probability)

    async def generate_batch(self, calls: Sequence[Call]) -> list[Answer[Any] | Failed]:
        return [await self.generate(call) for call in calls]

    async def close(self) -> None:
        self.closed = True


def test_both_orders_have_to_be_called_the_same() -> None:
    client = Scripted({("a", "b"), ("b", "a"), ("c", "d")})
    with Judge(client) as judge:
        assert judge([("a", "b"), ("c", "d"), ("e", "f"), ("?", "g")]) == [True, False, False, None]
        assert judge([]) == []
    assert client.closed


@pytest.mark.parametrize(("probability", "said"), [(0.3, None), (None, True)])
def test_an_answer_that_is_a_guess_is_none(probability: float | None, said: bool | None) -> None:
    with Judge(Scripted({("a", "b"), ("b", "a")}, probability)) as judge:
        assert judge([("a", "b")]) == [said]


class Agreeable(Scripted):
    async def generate(self, call: Call) -> Answer[Any] | Failed:
        return Answer("same", "same", Usage(), 0.99)


def test_a_model_that_calls_everything_the_same_is_not_listened_to() -> None:
    with Judge(Agreeable(set())) as judge:
        assert judge([("a", "b")]) == [None]
        assert judge.heeded is False
