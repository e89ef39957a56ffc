"""Before anything is estimated: what the logs hold, which arrows are taken for granted, and where they cannot tell."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from leucippus.training.deconfound.logs import Floats, Ints, Logs

_POOR = 0.1
"""Share of rows below which an overlap is called poor."""


@dataclass(frozen=True)
class Plan:
    """Profile and causal summary."""

    rows: int
    texts: int
    rows_a_text: float
    contexts: int | None
    comparable: float
    """Share of rows in contexts with two texts or more; without contexts, 1 if there are two texts."""
    outcome_mean: float
    outcome_sd: float
    overlap: Mapping[str, float]
    """Confounder → share of the rows of its rarer half whose very text, in its context, the other half saw too."""
    arrows: tuple[str, ...]
    """What is taken for granted."""
    warnings: tuple[str, ...]
    dropped: Mapping[str, int]
    masked: Mapping[str, int]
    notes: tuple[str, ...]
    logs_sha256: str


def causal_plan(logs: Logs) -> Plan:
    """The plan for these logs; columns that may not be confounders were refused when they were read."""
    arm = logs.text_of if logs.context_of is None else logs.context_of * len(logs.texts) + logs.text_of
    arm = np.unique(arm, return_inverse=True)[1].ravel().astype(np.int64)
    comparable = 1.0 if len(logs.texts) > 1 else 0.0
    if logs.context_of is not None:
        context = np.zeros(int(arm.max()) + 1, dtype=np.int64)
        context[arm] = logs.context_of
        comparable = float((np.bincount(context)[logs.context_of] > 1).mean())
    overlap = {name: _overlap(arm, column) for name, column in zip(logs.names, logs.c.T, strict=True)}
    return Plan(
        rows=len(logs.y),
        texts=len(logs.texts),
        rows_a_text=len(logs.y) / max(1, len(logs.texts)),
        contexts=None if logs.contexts is None else len(logs.contexts),
        comparable=comparable,
        outcome_mean=float(logs.y.mean()),
        outcome_sd=float(logs.y.std()),
        overlap=overlap,
        arrows=_arrows(logs),
        warnings=_warnings(logs, comparable, overlap),
        dropped=logs.dropped,
        masked=logs.masked,
        notes=logs.notes,
        logs_sha256=logs.sha256,
    )


def in_words(plan: Plan) -> str:
    """For a person."""
    lines = [
        f"{plan.rows:,} rows, {plan.texts:,} texts ({plan.rows_a_text:.1f} rows each)"
        + (f", {plan.contexts:,} contexts" if plan.contexts is not None else ", no contexts")
        + f"; outcome {plan.outcome_mean:.4g} on average, standard deviation {plan.outcome_sd:.4g}.",
        f"{plan.comparable:.0%} of rows stand where two texts or more can be compared.",
        "",
        "Taken for granted:",
        *(f"  {arrow}" for arrow in plan.arrows),
    ]
    if plan.overlap:
        lines += ["", "The same text at high and low values of:"]
        lines += [f"  {name}: {share:.0%} of rows" for name, share in plan.overlap.items()]
    for title, said in (("To bear in mind:", plan.warnings), ("From reading:", plan.notes)):
        lines += ["", title, *(f"  {each}" for each in said)] if said else []
    for title, counts in (("Rows left out", plan.dropped), ("Personal data masked", plan.masked)):
        if counts:
            lines += ["", f"{title}: " + ", ".join(f"{reason} {count:,}" for reason, count in counts.items()) + "."]
    return "\n".join(lines)


def _overlap(arm: Ints, column: Floats) -> float:
    high = column > np.median(column)
    if not high.any():  # an indicator that is one nowhere or seldom has its median at an end
        high = column >= np.median(column)
    if high.all() or not high.any():
        high = column > column.min()
    of_high, of_low = (np.bincount(arm, weights=side, minlength=int(arm.max()) + 1) for side in (high, ~high))
    rare, other = (of_high, of_low) if of_high.sum() <= of_low.sum() else (of_low, of_high)
    total = float(rare.sum())
    return float(rare[other > 0].sum() / total) if total else 0.0


def _arrows(logs: Logs) -> tuple[str, ...]:
    spec = logs.spec
    y, x = f"outcome `{spec.outcome}`", f"text `{spec.text}`"
    found = [f"{x} → {y}: what is to be learnt."]
    for name in spec.confounders:
        found.append(f"`{name}` → {y} and `{name}` → {x}: its part in the outcome is taken out.")
    if spec.instrument is not None and spec.confounders:
        found.append(
            f"`{spec.instrument}` → `{spec.confounders[0]}`, and no other way from `{spec.instrument}` to {y}: it frees "
            f"`{spec.confounders[0]}` of causes that nobody logged."
        )
    if spec.group is not None:
        found.append(f"`{spec.group}` → {y} by a constant for each: its mean is taken out.")
    found.append(f"Nothing else moves both {x} and {y}. This cannot be seen in the logs.")
    if not spec.confounders and spec.group is None:
        found.append("No confounder is named: the reward is the outcome itself.")
    return tuple(found)


def _warnings(logs: Logs, comparable: float, overlap: Mapping[str, float]) -> tuple[str, ...]:
    found = []
    if logs.contexts is None:
        found.append("Without --context, texts are compared across everything they answered to.")
    elif comparable < 1:
        found.append(f"{1 - comparable:.0%} of rows are of contexts with a single text, and teach no preference.")
    if len(logs.y) < 1.5 * len(logs.texts):
        found.append(
            "Most texts were shown once: they are compared through their embeddings, and off-policy values may lack "
            "support."
        )
    else:
        poor = [name for name, share in overlap.items() if share < _POOR]
        if poor:
            found.append(
                f"Texts hardly overlap between high and low {', '.join(poor)}: what was taken out rests on embeddings."
            )
    if logs.user_of is None:
        found.append("No --user: rows are taken to be independent of one another.")
    return tuple(found)
