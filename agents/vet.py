"""A design × a data set → what its checks say: sound, moved to what the data support, or refused with the reason.

The only place where checks decide anything: a failed fatal check refuses; a failed check that names what the data do
support moves the design there, once for each reason, and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from leucippus.agents.bystanders import bystanders
from leucippus.agents.dataset import Dataset
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.result import Check
from leucippus.agents.designs.study import Study, Timing, named_columns, prepare
from leucippus.agents.timing import timing
from leucippus.graphs.dag import Graph

_MOST_MOVES = 3


@dataclass(frozen=True, eq=False)
class Vetting:
    """A vetted design."""

    stated: Design
    """As it was given."""
    design: Design
    """As it can be estimated; differs from `stated` where the data support only another estimand."""
    study: Study
    checks: tuple[Check, ...]
    moves: tuple[str, ...]
    """Why the design was moved, one sentence a move."""

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
    DataError : a column the design names is missing, or no rows are left.
    DesignError : its expressions or codings cannot be used.
    """
    stated, moves = design, list[str]()
    named = named_columns(dataset, design)
    when: Mapping[str, Timing] = timing(dataset, design)
    for name in design.before_treatment:
        dataset.require(name, "in before_treatment")
    beside = (*design.before_treatment, *bystanders(dataset, named))
    while True:
        study = prepare(dataset, design, graph, when, beside)
        checks = run_checks(study)
        move = next((check for check in checks if check.verdict == "failed" and check.instead), None)
        if move is None or len(moves) == _MOST_MOVES:
            return Vetting(stated, design, study, checks, tuple(moves))
        moves.append(move.sentence)
        design = design.model_copy(update=dict(move.instead or {}))


def run_checks(study: Study) -> tuple[Check, ...]:
    """The design's checks, until one fails that leaves nothing to look at further."""
    checks = []
    for check in study.design.checks(study):
        checks.append(check)
        if check.fatal and check.verdict == "failed" and check.name in ("rows", "treatment varies", "outcome varies"):
            break
    return tuple(checks)
