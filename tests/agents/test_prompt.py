"""Prompt files become messages, under a version that changes with any word of them."""

import pytest

from leucippus.agents.prompt import load_prompt

NAMES = ["anchored", "open"]


@pytest.mark.parametrize("name", NAMES)
def test_turns_alternate_after_the_system_message(name: str) -> None:
    first, *rest = (turn["role"] for turn in load_prompt(name).turns)
    assert first == "system"
    assert rest == ["user", "assistant"] * (len(rest) // 2) and rest


@pytest.mark.parametrize("name", NAMES)
def test_a_question_is_the_last_turn_and_changes_nothing_before_it(name: str) -> None:
    prompt = load_prompt(name)
    asked = prompt.ask("Text: x")
    assert asked[-1] == {"role": "user", "content": "Text: x"}
    assert tuple(asked[:-1]) == prompt.turns == load_prompt(name).turns


@pytest.mark.parametrize("name", NAMES)
def test_headings_are_not_sent(name: str) -> None:
    assert not any(line.startswith("# ") for turn in load_prompt(name).turns for line in turn["content"].splitlines())


def test_versions_name_the_prompt_and_differ() -> None:
    versions = [load_prompt(name).version for name in NAMES]
    assert [version.split("-")[0] for version in versions] == NAMES
    assert len({version.split("-")[1] for version in versions}) == len(NAMES)
