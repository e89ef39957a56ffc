"""JOB chat: a question about a data set → a vetted design and its answer, or a refusal with its reason.

The graph reads top to bottom. Its state is plain JSON and is saved after every step, so that an analysis that was stopped
anywhere goes on in another process; data and models are opened again where a step needs them.

    understand  is it a question we can answer, and what does it name
    ask         how the treatment came about, where nothing says so and a person is there
    recall      what the large causal model says about these columns
    propose     candidate designs: from the words, a graph, a model, the user
    vet         candidates × data: the one with the best evidence, or none
    approve     a person sees design, assumptions and checks: accept, edit, decline
    report      the number and its challenges, or the refusal, in words and files
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from leucippus.agents.answer import plain_values, vetting_json
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry.desk import Desk
from leucippus.agents.inquiry.finding import Refusal
from leucippus.agents.inquiry.graph_proposals import propose_from_graph
from leucippus.agents.inquiry.propose import Candidate, propose
from leucippus.agents.inquiry.rank import judge, rank
from leucippus.agents.inquiry.refuse import impossible, refusal_of
from leucippus.agents.inquiry.roles import sides_of
from leucippus.agents.inquiry.words import choice_in_words, not_followed, read_as, why_lost
from leucippus.errors import DesignError

Update = dict[str, Any]
_LONGEST_ANSWER = 2_000


class State(TypedDict):
    """What the steps hand on: plain JSON values. A step sets some; what is not reached yet is not there."""

    stated: dict[str, Any]
    """A design the user stated; empty if none."""
    reading: dict[str, Any]
    """What the words were read as, so far."""
    read: list[dict[str, str]]
    said: str
    """How the treatment came about, in the words of the person who was asked; empty where nobody was."""
    told: str
    citations: list[dict[str, str]]
    candidates: list[dict[str, Any]]
    choice: dict[str, Any]
    """The chosen specification; empty where there is none."""
    why: str
    shown: dict[str, Any]
    """The choice and its checks, as a person is shown them."""
    runners_up: list[dict[str, Any]]
    refusal: dict[str, Any]
    notes: list[str]
    result: dict[str, Any]


def understand(state: State, runtime: Runtime[Desk]) -> Update:
    case = runtime.context.case
    refusal = None if state["stated"] else impossible(case)
    return {
        "reading": asdict(case.reading),
        "said": "",
        "told": case.reading.told,
        "notes": [],
        "refusal": {} if refusal is None else asdict(refusal),
    }


def ask(state: State, runtime: Runtime[Desk]) -> Update:
    """Ask how the treatment came about; an empty answer leaves it open, and the report says so."""
    if runtime.context.yes or state["stated"] or state["told"]:
        return {}
    desk = _desk(state, runtime)
    treatment, _ = sides_of(desk.case)
    question = f"How did {treatment} come about: who or what decided which rows have it?"
    answer: Mapping[str, Any] = interrupt({"ask": question})
    desk.hear(str(answer.get("answer") or "").strip()[:_LONGEST_ANSWER])
    return {"said": desk.said, "told": desk.case.reading.told, "reading": asdict(desk.case.reading)}


def recall(state: State, runtime: Runtime[Desk]) -> Update:
    desk = _desk(state, runtime)
    citations, notes = desk.recall()
    said = [asdict(one) for one in citations]
    return {"citations": said, "notes": [*state["notes"], *notes], "reading": asdict(desk.case.reading)}


def propose_designs(state: State, runtime: Runtime[Desk]) -> Update:
    desk = _desk(state, runtime)
    if state["stated"]:
        stated = Candidate(parse_design(state["stated"]), 1.0, ("user",), "you stated it")
        return {"candidates": [_candidate(stated)]}
    modelled, notes = desk.ask_model()
    left_out: list[str] = []
    found = [*propose(desk.case, left_out), *modelled]
    if desk.graph is not None:
        found += propose_from_graph(desk.case, desk.graph)
    candidates, notes = [_candidate(one) for one in found], (*state["notes"], *notes, *left_out)
    return {"candidates": candidates, "notes": [*notes], "reading": asdict(desk.case.reading)}


def vet_designs(state: State, runtime: Runtime[Desk]) -> Update:
    desk = _desk(state, runtime)
    candidates = [
        Candidate(parse_design(one["design"]), one["weight"], tuple(one["sources"]), one["why"])
        for one in state["candidates"]
    ]
    ranking = rank(desk.case, candidates, desk.graph)
    chosen = ranking.choice
    runners_up: list[dict[str, Any]] = [
        {"strategy": one.candidate.design.strategy, "design": _spec(one.candidate.design), "why": why_lost(one, chosen)}
        for one in ranking.judged
        if one is not chosen
    ]
    if chosen is None or chosen.vetting is None:
        refusal = refusal_of(ranking.judged, ranking.out)
        spec = _spec(ranking.out.candidate.design) if ranking.out else {}
        return {"refusal": asdict(refusal), "runners_up": runners_up, "choice": spec}
    design = chosen.vetting.design
    return {
        "choice": _spec(chosen.vetting.stated),
        "why": choice_in_words(desk.case, ranking),
        "shown": vetting_json(chosen.vetting),
        "read": [asdict(one) for one in read_as(desk.case, design)],
        "runners_up": runners_up,
        "notes": [*state["notes"], *not_followed(desk.case, design)],
    }


def approve(state: State, runtime: Runtime[Desk]) -> Command[Literal["approve", "report"]]:
    """Stop for a person; an edited design is vetted and shown again."""
    if runtime.context.yes:
        return Command(goto="report")
    answer: Mapping[str, Any] = interrupt({"why": state["why"], "read": state["read"], **state["shown"]})
    if answer.get("decision") == "accept":
        return Command(goto="report")
    if answer.get("decision") == "edit":
        return _edited(state, _desk(state, runtime), answer.get("design") or {})
    declined = Refusal("declined", "The design was declined.", (), ("State another one with --design.",))
    return Command(goto="report", update={"refusal": asdict(declined)})


def _edited(state: State, desk: Desk, fields: Mapping[str, Any]) -> Command[Literal["approve", "report"]]:
    try:
        design = parse_design({**state["choice"], **fields})
    except DesignError as error:
        shown = {**state["shown"], "not_taken": str(error)}
        return Command(goto="approve", update={"shown": shown})
    judged = judge(desk.case, Candidate(design, 1.0, ("user",), "you edited it"), desk.graph)
    if judged.vetting is None:
        return Command(goto="approve", update={"shown": {**state["shown"], "not_taken": judged.why}})
    update: dict[str, Any] = {"choice": _spec(design), "shown": vetting_json(judged.vetting)}
    update |= {"why": "You edited this design.", "read": [asdict(one) for one in read_as(desk.case, design)]}
    return Command(goto="approve", update=update)


def report(state: State, runtime: Runtime[Desk]) -> Update:
    return {"result": plain_values(_desk(state, runtime).conclude(dict(state)))}


def _after_understanding(state: State) -> Literal["ask", "report"]:
    return "report" if state["refusal"] else "ask"


def _after_vetting(state: State) -> Literal["approve", "report"]:
    return "report" if state["refusal"] else "approve"


def analysis(checkpointer: BaseCheckpointSaver[Any] | None = None) -> CompiledStateGraph[State, Desk, State, State]:
    """The graph; its context is the `Desk`, which is never saved."""
    graph = StateGraph(State, context_schema=Desk)
    graph.add_node("understand", understand)
    graph.add_node("ask", ask)
    graph.add_node("recall", recall)
    graph.add_node("propose", propose_designs)
    graph.add_node("vet", vet_designs)
    graph.add_node("approve", approve)
    graph.add_node("report", report)
    graph.add_edge(START, "understand")
    graph.add_conditional_edges("understand", _after_understanding)
    graph.add_edge("ask", "recall")
    graph.add_edge("recall", "propose")
    graph.add_edge("propose", "vet")
    graph.add_conditional_edges("vet", _after_vetting)
    graph.add_edge("report", END)
    return graph.compile(checkpointer)


def _desk(state: State, runtime: Runtime[Desk]) -> Desk:
    runtime.context.take_up(state["reading"], state["said"])
    return runtime.context


def _spec(design: Design) -> dict[str, Any]:
    spec: dict[str, Any] = plain_values(design.model_dump(mode="json", exclude_defaults=True))
    return {"strategy": design.strategy, **spec, "estimand": design.estimand}


def _candidate(one: Candidate) -> dict[str, Any]:
    return {"design": _spec(one.design), "weight": one.weight, "sources": list(one.sources), "why": one.why}
