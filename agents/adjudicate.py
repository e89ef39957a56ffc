"""Pairs of phrases that neither words nor vectors decide, put to a language model: one concept, or two?"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from leucippus.agents.prompt import load_prompt
from leucippus.serving.calls import Answer, Call, Choice
from leucippus.serving.client import Client

_LONGEST = 200
"""Characters of a phrase that are shown: longer ones are no names of concepts."""
_ALIKE = (
    "heart attack/myocardial infarction", "car/automobile", "physician/doctor", "unemployment/joblessness",
    "power cut/power outage", "blood sugar/blood glucose", "school dropout/leaving school early", "rain/rainfall",
    "high blood pressure/hypertension", "house price/price of housing",
)  # fmt: skip
_UNLIKE = (
    "network failure/network upgrade", "crop yield/crop price", "car accident/car insurance", "flooding/drought",
    "disk failure/disk replacement", "hypertension/hypotension", "memory leak/memory loss", "teacher pay/teacher absence",
    "outdated configuration/configuration change", "type 1 diabetes/type 2 diabetes", "power plant/power outage",
    "service degradation/restoration of service", "child labour/childbirth", "rate limit/interest rate",
    "sea temperature/sea level", "hospital admission/hospital building", "bus fare/bus route", "smoke/smoking",
    "import tariff/import quota", "load balancer/load test",
)  # fmt: skip
"""Pairs whose answer is known: a model is listened to only if it gets nearly all of them right."""
_LEAST_ALIKE, _LEAST_UNLIKE = 0.5, 0.9
"""Shares of them that it has to get right. A wrong merge does more harm than a missed one."""
_SURE = 0.6
"""Mean probability of the answer's tokens below which it is no answer, where the model reports one."""


class Judge:
    """Asks a model about pairs, all together; callable as `graphs.canonical.Adjudicate`. Use it as a context manager.

    Both orders of a pair are asked, and "same" has to be the answer to both. First come pairs whose answer is known; a
    model that fails on those is not listened to.
    """

    heeded: bool | None = None
    """Whether its answers count; None before the first question."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._prompt = load_prompt("same")
        self._runner = asyncio.Runner()

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[bool | None]:
        """True, False, or None where there was no clear answer or the model is not up to it; raises as the client."""
        if self.heeded is None and pairs:
            alike, unlike = (self._ask([_pair(one) for one in known]) for known in (_ALIKE, _UNLIKE))
            self.heeded = alike.count(True) >= _LEAST_ALIKE * len(alike) and unlike.count(True) <= (
                1 - _LEAST_UNLIKE
            ) * len(unlike)
        return self._ask(pairs) if self.heeded else [None] * len(pairs)

    def _ask(self, pairs: Sequence[tuple[str, str]]) -> list[bool | None]:
        asked = [order for one, other in pairs for order in ((one, other), (other, one))]
        answers = (
            self._runner.run(self._client.generate_batch([self._call(*order) for order in asked])) if asked else []
        )
        said = [_read(answer) for answer in answers]
        return [
            None if None in (there, back) else bool(there and back)
            for there, back in zip(said[::2], said[1::2], strict=True)
        ]

    def _call(self, one: str, other: str) -> Call:
        return Call(
            self._prompt.ask(f"{one[:_LONGEST]} / {other[:_LONGEST]}"), Choice(("same", "different")), max_tokens=8
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


def _pair(known: str) -> tuple[str, str]:
    one, _, other = known.partition("/")
    return one, other


def _read(answer: object) -> bool | None:
    if not isinstance(answer, Answer) or (answer.probability is not None and answer.probability < _SURE):
        return None
    return bool(answer.value == "same")
