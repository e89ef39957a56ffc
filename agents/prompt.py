"""Prompts are files: a Markdown heading a turn (system, user, assistant). This module turns one into messages."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast, get_args, get_type_hints

from leucippus.serving.calls import Message
from leucippus.store.triples import stable_id

_TURN = re.compile(r"^# (\w+)\n(.*?)(?=^# \w+\n|\Z)", re.MULTILINE | re.DOTALL)
_ROLES = get_args(get_type_hints(Message)["role"])


@dataclass(frozen=True)
class Prompt:
    """The turns before the user's own, and a version that changes with any word of them."""

    name: str
    version: str
    turns: tuple[Message, ...]

    def ask(self, content: str) -> list[Message]:
        return [*self.turns, {"role": "user", "content": content}]


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt in `prompts/<name>.md`."""
    text = files("leucippus.agents").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")
    turns = [(role, content.strip()) for role, content in _TURN.findall(text)]
    assert turns and all(role in _ROLES for role, _ in turns), f"malformed prompt {name}.md"
    messages = tuple(cast(Message, {"role": role, "content": content}) for role, content in turns)
    return Prompt(name, f"{name}-{stable_id(*turns)[:8]}", messages)
