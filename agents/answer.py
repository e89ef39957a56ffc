"""A design × a data set → an answer: vetted, then estimated and challenged, or refused with the reason and the remedy."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from leucippus.agents.dataset import Dataset
from leucippus.agents.designs.base import UNSOLVABLE, Design
from leucippus.agents.designs.memory import within_memory
from leucippus.agents.designs.result import Bounds, Challenge, Check, Estimate
from leucippus.agents.vet import BASIC, Vetting, vet
from leucippus.errors import DataError, DesignError
from leucippus.graphs.dag import Graph

_LOOK = "Look for columns that nearly repeat each other, and for values of very different size."
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Answer:
    """What the engine has to say."""

    vetting: Vetting
    estimate: Estimate | None
    """None where the number is withheld."""
    reasons: tuple[str, ...]
    """Why it is withheld; empty where it is not."""
    remedies: tuple[str, ...]
    challenges: tuple[Challenge, ...] = ()
    bounds: Bounds | None = None

    @property
    def refused(self) -> bool:
        return self.estimate is None


def answer(dataset: Dataset, design: Design, graph: Graph | None = None, *, challenge: bool = True) -> Answer:
    """Vet, then estimate and (if asked for) challenge, or refuse.

    Raises
    ------
    DataError, DesignError : as `vet` does. What fails after that is a refusal, not an error.
    """
    with within_memory(dataset):
        return _answer(dataset, design, graph, challenge)


def _answer(dataset: Dataset, design: Design, graph: Graph | None, challenge: bool) -> Answer:
    vetting = vet(dataset, design, graph)
    if vetting.refused:
        return _refusal(vetting, vetting.fatal)
    study, design = vetting.study, vetting.design
    try:
        estimate = design.estimate(study)
    except (DataError, DesignError) as error:
        remedy = error.next_step or f"Bring {error.expected}." if error.expected else "Bring other rows or controls."
        return _refusal(vetting, (Check("estimation", "failed", error.problem, fatal=True, remedy=remedy),))
    except UNSOLVABLE as error:
        sentence = f"The estimator cannot solve its equations on these rows ({type(error).__name__}: {error})."
        return _refusal(vetting, (Check("estimation", "failed", sentence, fatal=True, remedy=_LOOK),))
    # A standard error of rounding says that chance was left out, not that there is none.
    smallest = _ROUNDING * max(abs(estimate.estimate), abs(estimate.ci_high - estimate.ci_low))
    if (
        not all(map(isfinite, (estimate.estimate, estimate.se, estimate.ci_low, estimate.ci_high)))
        or not estimate.se > smallest
    ):
        sentence = f"The {estimate.estimator} gives {estimate.estimate:g} with a standard error of {estimate.se:g}."
        return _refusal(vetting, (Check("estimation", "failed", sentence, fatal=True, remedy="Bring more rows."),))
    return Answer(vetting, estimate, (), (), _challenges(vetting, estimate) if challenge else ())


def _challenges(vetting: Vetting, estimate: Estimate) -> tuple[Challenge, ...]:
    """What the design is asked; one that cannot be answered is said to be so and costs nothing but those after it."""
    found: list[Challenge] = []
    try:
        found.extend(vetting.design.challenges(vetting.study, estimate))
    except (DataError, DesignError) as error:
        found.append(Challenge("further challenges", "not testable", f"{error.problem}."))
    except UNSOLVABLE as error:
        found.append(Challenge("further challenges", "not testable", f"{type(error).__name__}: {error}."))
    except MemoryError:
        found.append(Challenge("further challenges", "not testable", "There is not enough memory for them."))
    return tuple(found)


def _refusal(vetting: Vetting, fatal: tuple[Check, ...]) -> Answer:
    reasons = tuple(check.sentence for check in fatal)
    remedies = tuple(check.remedy for check in fatal if check.remedy)
    try:
        bounds = None if any(check.name in BASIC for check in fatal) else vetting.design.bounds(vetting.study)
    except (DataError, MemoryError, *UNSOLVABLE):
        bounds = None
    return Answer(vetting, None, reasons, remedies, (), bounds)


def vetting_json(vetting: Vetting) -> dict[str, Any]:
    """Plain values; numbers that are not finite become null."""
    fields: dict[str, Any] = plain_values(
        {
            "refused": vetting.refused,
            "reason": [check.sentence for check in vetting.fatal],
            "remedy": [check.remedy for check in vetting.fatal if check.remedy],
            "moved": list(vetting.moves),
            "design": {"strategy": vetting.design.strategy}
            | vetting.design.model_dump(mode="json", exclude_defaults=True)
            | {"estimand": vetting.design.estimand},
            "rows": vetting.study.rows,
            "n_used": vetting.study.n,
            "dropped": [asdict(row) for row in vetting.study.dropped],
            "checks": [asdict(check) for check in vetting.checks],
        }
    )
    return fields


def answer_json(found: Answer) -> dict[str, Any]:
    """One flat object: estimate, se, ci_low, ci_high, estimand, n_used and the rest; or refused with its reason."""
    fields = vetting_json(found.vetting)
    if found.estimate is not None:
        fields |= asdict(found.estimate)
    fields |= {
        "refused": found.refused,
        "reason": list(found.reasons),
        "remedy": list(found.remedies),
        "challenges": [asdict(challenge) for challenge in found.challenges],
        "bounds": asdict(found.bounds) if found.bounds else None,
    }
    said: dict[str, Any] = plain_values(fields)
    return said


def plain_values(value: Any) -> Any:
    """Values as JSON has them: numpy numbers as Python's, and null for a number that is not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(item) for item in value]
    if hasattr(value, "item"):  # a numpy number
        value = value.item()
    return None if isinstance(value, float) and not isfinite(value) else value
