"""The whole agent on invented studies: no effects where there are none, intervals that hold those that are there.

`benchmarks/honesty.py` runs hundreds of them; here it is each kind of design once.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.honesty import Outcome, plan, try_one
from benchmarks.stories import BREAKABLE, KINDS, story
from leucippus.agents.answer import answer
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design

EVERY_KIND = len(KINDS)


def outcomes(which: str, draws: int) -> list[Outcome]:
    return [try_one(*one, None) for one in plan(draws, which)]


def test_a_seed_tells_one_story() -> None:
    told = [story(seed, kind, 0.5) for kind in KINDS for seed in (1, 2)]
    again = story(1, "trial", 0.5)
    assert again.description == told[0].description
    assert again.frame.equals(told[0].frame)
    assert len({one.description for one in told}) == len(told)


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_is_in_the_description(kind: str) -> None:
    told = story(3, kind, 0.0)
    assert all(name in told.description for name in told.frame)
    assert 200 <= len(told.frame) <= 3000


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_design_finds_the_effect(kind: str) -> None:
    """Of three draws all but one at most: an interval misses once in twenty."""
    held = 0
    for seed in (11, 12, 13):
        told = story(seed, kind, 0.5)
        found = answer(from_frame(told.frame), parse_design(told.gold), challenge=False).estimate
        held += found is not None and found.ci_low <= told.truth <= found.ci_high
    assert held >= 2


@pytest.mark.parametrize("kind", BREAKABLE)
def test_a_broken_story_has_no_effect(kind: str) -> None:
    assert story(1, kind, 0.0, broken=True).truth == 0


def test_few_effects_are_claimed_where_there_are_none() -> None:
    claimed = [one for one in outcomes("noise", EVERY_KIND) if one.claims]
    assert len(claimed) <= 1, claimed


def test_intervals_hold_the_effect() -> None:
    """What is reached so far, so that it does not get worse; nine in ten are wanted."""
    held = [one for one in outcomes("effect", EVERY_KIND) if one.covers]
    assert len(held) >= 6, held
