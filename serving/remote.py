"""The same door over any OpenAI-compatible endpoint: retries with backoff, time-outs, a key that is never logged."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ValidationError

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
        self._key = settings.api_key
        self._refused: set[str] = set()
        """Names of the constraints that this endpoint does not know."""
        self.usage = Usage()
        self.batches_at_once = 1

    async def start(self) -> str:
        """The model in use.

        Raises
        ------
        EndpointUnreachable, EndpointRefused : nothing there answers, or it says no.
        """
        import openai

        try:
            if not self._model:
                response = await self._openai.models.with_raw_response.list()
                self._model = _Models.model_validate_json(response.content).data[0].id
            return self._model
        except (ValidationError, IndexError) as error:
            raise EndpointRefused(
                f"{self._url} lists no model.",
                expected="an OpenAI-compatible endpoint, such as http://localhost:8000/v1",
                next_step="Check the URL (…/v1), or name the model: URL#model-name.",
            ) from error
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

        constraint = {name: value for name, value in _constraint(call.shape).items() if name not in self._refused}
        try:
            response = await self._openai.chat.completions.with_raw_response.create(
                model=call.adapter or self._model,
                messages=list(call.messages),  # type: ignore[arg-type]
                max_tokens=call.max_tokens,
                temperature=call.temperature,
                seed=call.seed,
                logprobs=True,
                extra_body=constraint,
            )
        except openai.BadRequestError as error:
            refused = {name for name in constraint if name in str(error)}
            if refused:  # this endpoint has no such constrained decoding: parse what it says
                self._refused |= refused
                return await self._complete(call)
            too_long = "maximum context length" in str(error)
            return Failed(FailureKind.TOO_LONG if too_long else FailureKind.REJECTED, self._message(error))
        except openai.APITimeoutError:
            return Failed(FailureKind.TIMED_OUT, f"no answer within {self._endpoint.timeout_s:g} s")
        except openai.APIConnectionError as error:
            raise EndpointUnreachable(
                f"{self._url} stopped answering ({self._endpoint.max_retries} retries).",
                next_step="Start it again; the job goes on with --resume.",
            ) from error
        except openai.APIStatusError as error:
            if error.status_code in (401, 403, 404):
                raise EndpointRefused(
                    f"{self._url} answers {error.status_code}: {self._message(error)}",
                    next_step="Check LEUCIPPUS_API_KEY and the model's name (URL#model-name).",
                ) from error
            return Failed(FailureKind.REJECTED, self._message(error))
        return _raw(response.content)

    def _message(self, error: Any) -> str:
        """What the endpoint said; some repeat the key they refuse."""
        body = error.body if isinstance(error.body, dict) else {}
        message = str(body.get("message") or error)
        return (message.replace(self._key.get_secret_value(), "(the key)") if self._key else message)[:300]


# What we read of an endpoint's JSON. The openai package does not check it, and a proxy in between may send anything.
class _Message(BaseModel):
    content: str | None = None


class _Token(BaseModel):
    logprob: float


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(BaseModel):
    choices: list[_Choice]
    usage: _Usage | None = None


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model]


def _raw(body: bytes) -> RawAnswer | Failed:
    try:
        done = _Completion.model_validate_json(body)
    except ValidationError as error:
        return Failed(FailureKind.REJECTED, f"the endpoint sent no chat completion: {error.errors()[0]['msg']}")
    usage = Usage(done.usage.prompt_tokens, done.usage.completion_tokens) if done.usage else Usage()
    if not done.choices:
        return Failed(FailureKind.REJECTED, "the endpoint sent no choice", usage=usage)
    choice = done.choices[0]
    tokens = (choice.logprobs.content if choice.logprobs else None) or []
    probability = math.exp(min(0.0, sum(token.logprob for token in tokens) / len(tokens))) if tokens else None
    return RawAnswer(choice.message.content or "", usage, choice.finish_reason == "length", probability)


def _constraint(shape: Shape) -> dict[str, Any]:
    if shape is None:
        return {}
    if isinstance(shape, Choice):
        return {"structured_outputs": {"choice": list(shape.options)}}
    if isinstance(shape, Regex):
        return {"structured_outputs": {"regex": shape.pattern}}
    model = shape.model if isinstance(shape, Copied) else shape
    schema = {"name": model.__name__, "schema": model.model_json_schema()}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}
