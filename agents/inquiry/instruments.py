"""Which columns may be the instrument: those the question names, else those that words and data speak for."""

from __future__ import annotations

from collections.abc import Iterator

from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.roles import ranked

_MOVES = 0.3
"""What it adds that the treatment is seen to move with a column as if it were drawn by lot."""
_SETS = 3
_LEAST, _NEARLY = 0.35, 0.5
"""Share of the best set at least; how good another has to be, of the best, to be proposed beside it."""
_SAME = 0.4
"""How likely a column has to be the treatment in another form to be left out."""
_ALIKE = 0.7
"""The same for a column of which the same is said, to be in the set with it."""


def instruments(case: Case, treatment: str, outcome: str) -> Iterator[tuple[float, tuple[str, ...]]]:
    """(how much speaks for it, columns), the best first. What the question wants adjusted for shifts nothing."""
    stated = tuple(name for name in case.question.instruments if name not in (outcome, treatment))
    if stated:
        yield 1.0, stated
        return
    moving = {one.column for one in case.profile.instruments if one.treatment == treatment}
    barred = {outcome, treatment, *case.forms(treatment), *case.forms(outcome), *case.question.adjust}
    barred |= {*case.steps(treatment), *case.bands(treatment), *case.amounts(treatment)}
    barred |= {name for name in case.by_name if case.role(name, "same") > max(_SAME, case.role(name, "instrument"))}
    found = sorted(
        ((score + _MOVES * (name in moving), name) for name, score in ranked(case, "instrument") if name not in barred),
        reverse=True,
    )
    taken: set[str] = set()
    for score, name in found[: 2 * _SETS]:
        if name in taken or score < _NEARLY * found[0][0]:
            continue
        said = case.description.columns.get(name)
        kin = [
            other for its, other in found if other != name and its > _ALIKE * score and _said_alike(case, said, other)
        ]
        taken |= {name, *kin}
        best = min(1.0, _LEAST + (1 - _LEAST) * found[0][0])
        yield best * score / (found[0][0] or 1.0), (name, *kin)
        if len(taken) >= _SETS:
            return


def _said_alike(case: Case, said: str | None, other: str) -> bool:
    """Whether one phrase tells of both columns: `parents' schooling`."""
    return bool(said) and case.description.columns.get(other) == said
