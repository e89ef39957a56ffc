"""A design × a data set → what its checks say: sound, moved to what the data support, or refused with the reason.

The only place where checks decide anything: a failed fatal check refuses; a failed check that names what the data do
support moves the design there, once for each reason, and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from leucippus.agents.bystanders import bystanders
from leucippus.agents.dataset import Dataset
from leucippus.agents.designs.base import UNSOLVABLE, Design
from leucippus.agents.designs.memory import within_memory
from leucippus.agents.designs.result import Check
from leucippus.agents.designs.study import Study, Timing, named_columns, prepare
from leucippus.agents.timing import timing
from leucippus.graphs.dag import Graph

_MOST_MOVES = 3
BASIC = ("rows", "treatment varies", "outcome varies")
"""Checks whose failure leaves nothing to look at further."""
_NAMED = 5


@dataclass(frozen=True, eq=False)
class Vetting:
    """A vetted design."""

    stated: Design
    """As it was given."""
    design: Design
    """As it can be estimated; differs from `stated` where the data support only another estimand."""
    study: Study
    checks: tuple[Check, ...]
    moved: tuple[Check, ...]
    """The failed checks that moved the design."""

    @property
    def moves(self) -> tuple[str, ...]:
        """Why the design was moved, one sentence a move."""
        return tuple(check.sentence for check in self.moved)

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.verdict == "failed")

    @property
    def fatal(self) -> tuple[Check, ...]:
        return tuple(check for check in self.failures if check.fatal)

    @property
    def refused(self) -> bool:
        return bool(self.fatal)


def vet(dataset: Dataset, design: Design, graph: Graph | None = None) -> Vetting:
    """Hold a design against its data and, where there is one, its graph.

    Raises
    ------
    DataError : a column the design names is missing, no rows are left, or they do not fit into memory.
    DesignError : its expressions or codings cannot be used.
    """
    with within_memory(dataset):
        return _vet(dataset, design, graph)


def _vet(dataset: Dataset, design: Design, graph: Graph | None) -> Vetting:
    stated, moved = design, list[Check]()
    named = named_columns(dataset, design)
    when: Mapping[str, Timing] = timing(dataset, design)
    for field in ("before_treatment", "after_treatment"):
        for name in getattr(design, field):
            dataset.require(name, f"in {field}", tuple(design.derived))
    beside = (*design.before_treatment, *bystanders(dataset, named))
    while True:
        study = prepare(dataset, design, graph, when, beside)
        checks = run_checks(study)
        move = next((check for check in checks if check.verdict == "failed" and check.instead), None)
        if move is None or len(moved) == _MOST_MOVES:
            return Vetting(stated, design, study, checks, tuple(moved))
        moved.append(move)
        del study  # its rows make room for those of the next
        design = design.model_copy(update=dict(move.instead or {}))


def run_checks(study: Study) -> tuple[Check, ...]:
    """The design's checks, until one fails that leaves nothing to look at further."""
    checks: list[Check] = []
    try:
        for check in study.design.checks(study):
            checks.append(check)
            basic = check.name in BASIC
            if basic and check.fatal and check.verdict == "failed":
                break
    except UNSOLVABLE as error:
        sentence = f"The checks cannot solve their equations on these rows ({type(error).__name__}: {error})."
        remedy = "Look for columns that nearly repeat each other, and for values of very different size."
        checks.append(Check("checks can be computed", "failed", sentence, fatal=True, remedy=remedy))
    if study.unseen:
        checks.append(_unseen(study))
    return tuple(checks)


def _unseen(study: Study) -> Check:
    names = ", ".join(study.unseen[:_NAMED]) + (" …" if len(study.unseen) > _NAMED else "")
    return Check(
        "further columns",
        "not testable",
        f"{len(study.unseen)} of {len(study.unseen) + len(study.bystanders)} columns that the design does not name were "
        f"not looked at, since {study.n:,} rows of all would take too much memory: {names}.",
        remedy="Name in before_treatment those that were measured before the treatment and matter most.",
    )
