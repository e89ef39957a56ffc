"""From a shape to what constrains decoding, and from text back to a typed value.

Constrained decoding alone is not trusted: `maxLength` is not always kept, answers are cut by `max_tokens`, and
remote endpoints may ignore the schema. So every answer is parsed as if it were hostile.
"""

import re
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from leucippus.serving.calls import Answer, Choice, Copied, Failed, FailureKind, RawAnswer, Regex, Shape

_FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*|\s*```\s*$")


def parse(raw: RawAnswer, shape: Shape) -> Answer[Any] | Failed:
    """The typed value in `raw.text`, or why there is none."""
    if shape is None:
        return Answer(raw.text, raw.text, raw.usage, raw.probability)
    if isinstance(shape, Choice):
        text = raw.text.strip()
        return _answer(text, raw) if text in shape.options else _failed(raw, f"not one of {shape.options}")
    if isinstance(shape, Regex):
        return _answer(raw.text, raw) if re.fullmatch(shape.pattern, raw.text) else _failed(raw, "pattern not matched")
    return _parse_model(raw, shape.model if isinstance(shape, Copied) else shape)


def _parse_model(raw: RawAnswer, model: type[BaseModel]) -> Answer[Any] | Failed:
    text = _FENCE.sub("", raw.text)
    start = text.find("{")
    if start < 0:
        return _failed(raw, "no JSON object")
    for candidate in (text[start:], text[start : text.rfind("}") + 1]):
        try:
            data = from_json(candidate, allow_partial=raw.truncated)
        except (ValueError, TypeError):  # TypeError: half a surrogate pair, which a remote endpoint can send
            continue
        return _validate(data, raw, model)
    return _failed(raw, "not valid JSON")


def _validate(data: Any, raw: RawAnswer, model: type[BaseModel]) -> Answer[Any] | Failed:
    while True:
        try:
            return _answer(model.model_validate(data), raw)
        except ValidationError as error:
            # An answer cut by max_tokens ends in half an item: the whole ones before it are good.
            if not (raw.truncated and _drop_last_item(data, error)):
                first = error.errors()[0]
                return _failed(raw, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")


def _drop_last_item(data: Any, error: ValidationError) -> bool:
    location = error.errors()[0]["loc"]
    parent: Any = data
    for step in location:
        if isinstance(parent, list) and step == len(parent) - 1:
            parent.pop()
            return True
        try:
            parent = parent[step]  # pyright: ignore  (any JSON value)
        except (KeyError, IndexError, TypeError):
            return False
    return False


def _answer(value: Any, raw: RawAnswer) -> Answer[Any]:
    return Answer(value, raw.text, raw.usage, raw.probability)


def _failed(raw: RawAnswer, why: str) -> Failed:
    if raw.truncated:
        return Failed(FailureKind.TRUNCATED, f"cut at the token limit; {why}", raw.text, raw.usage)
    return Failed(FailureKind.UNPARSABLE, why, raw.text, raw.usage)
