"""The same door over any OpenAI-compatible endpoint: retries with backoff, time-outs, a key that is never logged."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from leucippus.config import Settings
from leucippus.errors import EndpointRefused, EndpointUnreachable
from leucippus.serving.calls import Answer, Call, Choice, Copied, Failed, FailureKind, RawAnswer, Regex, Shape, Usage
from leucippus.serving.structured import parse


class RemoteClient:
    """Satisfies `serving.client.Client`. The model is the URL's fragment, else the endpoint's first model."""

    def __init__(self, settings: Settings) -> None:
        from openai import AsyncOpenAI

        parts = urlsplit(settings.model)
        self._url = urlunsplit(parts._replace(fragment=""))
        self._model = parts.fragment
        self._endpoint = settings.endpoint
        self._room = asyncio.Semaphore(settings.endpoint.concurrency)
        self._openai = AsyncOpenAI(
            base_url=self._url,
            api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
            timeout=settings.endpoint.timeout_s,
            max_retries=settings.endpoint.max_retries,
        )
        self._takes_schemas = True
        self.usage = Usage()

    async def start(self) -> str:
        """The model in use.

        Raises
        ------
        EndpointUnreachable, EndpointRefused : nothing there answers, or it says no.
        """
        import openai

        try:
            if not self._model:
                models = [model.id async for model in self._openai.models.list()]
                if not models:
                    raise EndpointRefused(f"{self._url} serves no model.", next_step="Name one: URL#model-name.")
                self._model = models[0]
            return self._model
        except openai.APIConnectionError as error:
            raise EndpointUnreachable(
                f"Nothing answers at {self._url} ({type(error.__cause__ or error).__name__}).",
                expected="an OpenAI-compatible endpoint, such as http://localhost:8000/v1",
            ) from error
        except openai.APIStatusError as error:
            raise EndpointRefused(
                f"{self._url} answers {error.status_code}.",
                next_step="Set LEUCIPPUS_API_KEY." if error.status_code in (401, 403) else "Check the URL (…/v1).",
            ) from error

    async def generate(self, call: Call) -> Answer[Any] | Failed:
        if not self._model:
            await self.start()
        async with self._room:
            raw = await self._complete(call)
        self.usage += raw.usage
        return raw if isinstance(raw, Failed) else parse(raw, call.shape)

    async def generate_batch(self, calls: Sequence[Call]) -> list[Answer[Any] | Failed]:
        return list(await asyncio.gather(*(self.generate(call) for call in calls)))

    async def close(self) -> None:
        await self._openai.close()

    async def _complete(self, call: Call) -> RawAnswer | Failed:
        import openai

        constraint = _constraint(call.shape) if self._takes_schemas else {}
        try:
            done: Any = await self._openai.chat.completions.create(
                model=call.adapter or self._model,
                messages=list(call.messages),  # type: ignore[arg-type]
                max_tokens=call.max_tokens,
                temperature=call.temperature,
                seed=call.seed,
                logprobs=True,
                **constraint,
            )
        except openai.BadRequestError as error:
            if constraint and "response_format" in str(error):
                self._takes_schemas = False  # this endpoint has no constrained decoding: parse what it says
                return await self._complete(call)
            return Failed(FailureKind.REJECTED, _message(error))
        except openai.APITimeoutError:
            return Failed(FailureKind.TIMED_OUT, f"no answer within {self._endpoint.timeout_s:.0f} s")
        except openai.APIConnectionError as error:
            raise EndpointUnreachable(
                f"{self._url} stopped answering ({self._endpoint.max_retries} retries).",
                next_step="Start it again; the job goes on with --resume.",
            ) from error
        except openai.APIStatusError as error:
            if error.status_code in (401, 403, 404):
                raise EndpointRefused(
                    f"{self._url} answers {error.status_code}: {_message(error)}",
                    next_step="Check LEUCIPPUS_API_KEY and the model's name (URL#model-name).",
                ) from error
            return Failed(FailureKind.REJECTED, _message(error))
        return _raw(done)


def _raw(done: Any) -> RawAnswer | Failed:
    usage = Usage(done.usage.prompt_tokens, done.usage.completion_tokens) if done.usage else Usage()
    if not done.choices:
        return Failed(FailureKind.REJECTED, "the endpoint sent no choice", usage=usage)
    choice = done.choices[0]
    tokens = (choice.logprobs.content if choice.logprobs else None) or []
    probability = math.exp(sum(token.logprob for token in tokens) / len(tokens)) if tokens else None
    return RawAnswer(choice.message.content or "", usage, choice.finish_reason == "length", probability)


def _constraint(shape: Shape) -> dict[str, Any]:
    if shape is None:
        return {}
    if isinstance(shape, Choice):
        return {"extra_body": {"structured_outputs": {"choice": list(shape.options)}}}
    if isinstance(shape, Regex):
        return {"extra_body": {"structured_outputs": {"regex": shape.pattern}}}
    model = shape.model if isinstance(shape, Copied) else shape
    schema = {"name": model.__name__, "schema": model.model_json_schema(), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _message(error: Any) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error)[:300]
