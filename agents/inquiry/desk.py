"""What an analysis works with: the data, the reader, a store, a model. Opened when needed, never saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from leucippus.agents.answer import Answer, answer
from leucippus.agents.dataset import Dataset
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry.case import Case, open_case
from leucippus.agents.inquiry.finding import Citation, Finding, Read, Refusal, RunnerUp
from leucippus.agents.inquiry.propose import Candidate
from leucippus.agents.inquiry.reader import Reader, Reading
from leucippus.agents.inquiry.roles import outcome_of, treatment_of
from leucippus.agents.vet import vet
from leucippus.graphs.dag import Graph
from leucippus.serving.client import Client
from leucippus.serving.encoder import encode

Notes = tuple[str, ...]


@dataclass
class Desk:
    """The things around one analysis."""

    question: str
    description: str
    source: str
    """The data, as the user named them."""
    open_data: Callable[[], Dataset]
    reader: Reader
    graph: Graph | None = None
    store: Path | None = None
    client: Client | None = None
    packaged: bool = False
    """Whether the client's model is the packaged one, whose vote weighs little."""
    out: Path | None = None
    yes: bool = True
    challenge: bool = True
    said: str = ""
    """How the treatment came about, as the person said who was asked."""
    finding: Finding | None = None
    """Set when the analysis has ended in this process."""
    written: tuple[Path, ...] = ()

    @cached_property
    def case(self) -> Case:
        return open_case(self.open_data(), self.question, self.described, self.reader)

    @property
    def described(self) -> str:
        """The description, with what was said since."""
        return f"{self.said}\n{self.description}" if self.said else self.description

    def hear(self, said: str) -> None:
        """Read everything again with what a person said of how the treatment came about."""
        if said == self.said:
            return
        self.said = said
        dataset = self.case.dataset
        case = open_case(dataset, self.question, self.described, self.reader)
        self.__dict__["case"] = replace(case, reading=replace(case.reading, told=case.reading.told or said))

    def take_up(self, reading: Mapping[str, Any], said: str) -> None:
        """Go on with what was saved."""
        self.hear(said)
        self._reading(Reading(**reading))

    def recall(self) -> tuple[tuple[Citation, ...], Notes]:
        """What the store says of the columns: citations; and the reading is nudged by them.

        The graph of what was recalled is not taken for the user's: that nobody was read to draw an arrow proves nothing.
        """
        if self.store is None:
            return (), ()
        from leucippus.agents.inquiry.recall import recall, with_hints
        from leucippus.store.database import open_store

        outcome = outcome_of(self.case)
        with open_store(self.store, "read") as store:
            found = recall(store, self.case, treatment_of(self.case, outcome), outcome, encode)
        self._reading(with_hints(self.case.reading, found))
        return found.citations, () if found.citations else ("The store says nothing about these columns.",)

    def ask_model(self) -> tuple[Sequence[Candidate], Notes]:
        """The model's candidates; its vote on the strategy goes into the reading."""
        if self.client is None:
            return (), ()
        from leucippus.agents.inquiry.model_proposals import (
            MODEL_WEIGHT,
            PACKAGED_WEIGHT,
            blend,
            propose_with_model,
            weighed,
        )

        found = asyncio.run(propose_with_model(self.client, self.case))
        weight = PACKAGED_WEIGHT if self.packaged else MODEL_WEIGHT
        self._reading(blend(self.case.reading, found, weight))
        return weighed(found, weight), (found.note,) if found.note else ()

    def _reading(self, reading: Reading) -> None:
        self.__dict__["case"] = replace(self.case, reading=reading)

    def conclude(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Estimate or refuse, write the report, and return the result as plain values."""
        from leucippus.agents.inquiry.report import result_json, write_report

        refusal = Refusal(**state["refusal"]) if state["refusal"] else None
        found: Answer | None = None
        if state.get("choice"):
            design = parse_design(state["choice"])
            if refusal is not None and refusal.reason == "declined":
                vetting = vet(self.case.dataset, design, self.graph)
                found = Answer(vetting, None, (refusal.sentence,), refusal.remedies)
            else:
                found = answer(self.case.dataset, design, self.graph, challenge=self.challenge)
            if refusal is None and found.refused:
                refusal = Refusal("assumption fails", found.reasons[0], found.reasons, found.remedies)
        self.finding = Finding(
            self.question,
            self.source,
            self.described,
            tuple(Read(**one) for one in state.get("read", ())),
            state["told"],
            state.get("why", ""),
            found,
            refusal,
            tuple(RunnerUp(**one) for one in state.get("runners_up", ())),
            tuple(state["notes"]),
            tuple(Citation(**one) for one in state.get("citations", ())),
            self.graph,
        )
        if self.out is not None:
            self.written = write_report(self.finding, self.out)
        return result_json(self.finding)
