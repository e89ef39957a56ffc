"""Findings of every design, from the real engine on small simulated data."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from leucippus.agents.answer import Answer, answer
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry.finding import Citation, Finding, Read, Refusal, RunnerUp
from leucippus.graphs.reading import read_graph
from tests.agents.designs.worlds import (
    backdoor,
    did,
    frontdoor,
    iv,
    mediation,
    rct,
    rd,
    survival,
    synthetic_control,
    time_series,
)

_MODULES = (rct, backdoor, iv, rd, did, synthetic_control, time_series, mediation, frontdoor, survival)
_WORLDS = {world.name: world for module in _MODULES for world in module.WORLDS}
ANSWERED = {
    "rct": "trial with a covariate",
    "blocked": "blocks",
    "backdoor": "ATE, effects differ",
    "iv": "encouragement, compliers' effect 1",
    "iv with a control": "strong instrument, effect 1",
    "rd": "sharp and curved, effect 0.2",
    "fuzzy rd": "fuzzy, effect 1",
    "did": "panel, effect 1",
    "staggered": "staggered, growing effects",
    "synthetic_control": "one treated place, effect 2",
    "its": "months, step 2",
    "mediation": "indirect effect 0.5",
    "frontdoor": "a binary mediator, effect 0.6",
    "survival": "chosen, adjusted",
    "hazard ratio": "hazard ratio 0.6",
}


@cache
def said(name: str) -> Answer:
    """The engine's answer in one of the simulated worlds."""
    world = _WORLDS[ANSWERED.get(name, name)]
    graph = read_graph(world.graph) if world.graph else None
    return answer(from_frame(world.draw(np.random.default_rng(3))), parse_design(world.design), graph)


def found_in(frame: pd.DataFrame, fields: Mapping[str, Any], **rest: Any) -> Finding:
    """The finding of a design on a table."""
    return finding(answer(from_frame(frame), parse_design(fields)), **rest)


def finding(of: Answer | None, **rest: Any) -> Finding:
    """A finding around an answer; a refusal where there is no number."""
    refusal = None
    if of is None or of.estimate is None:
        evidence = of.reasons if of else ()
        refusal = Refusal("no overlap", "Treated and untreated never meet.", evidence, of.remedies if of else ())
    given: dict[str, Any] = {
        "question": "Did the treatment change the outcome?",
        "source": "rows.csv",
        "description": "A table of 2019.",
        "read": (Read("treatment", "treat", "the treatment"), Read("rows", "age > 30", "")),
        "told": "",
        "choice": "The description speaks of it. The data do not contradict it.",
        "answer": of,
        "refusal": refusal,
        "runners_up": (RunnerUp("did", {"strategy": "did", "treatment": "treat", "time": "year"}, "One period only."),),
        "notes": ("The language model did not answer within 20 seconds.",),
        "citations": (Citation("age raises income", "Age raises income.", "essay.txt", "confounder"),),
    }
    return Finding(**{**given, **rest})
