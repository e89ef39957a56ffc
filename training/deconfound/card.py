"""The model card of a version: what it was learnt from, what has to be true for it, and what is known of how good it is.

Made of facts alone: the same facts, as JSON, are the version's report. No path of the machine is among them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leucippus.training.deconfound.before_after import BeforeAfter
from leucippus.training.deconfound.off_policy import OffPolicy
from leucippus.training.deconfound.reward import Finding


@dataclass(frozen=True)
class Coefficient:
    """What one unit of a confounder does to the outcome."""

    confounder: str
    gamma: float
    se: float


@dataclass(frozen=True)
class Facts:
    """Everything that is told of a version."""

    version: str
    parent: str | None
    """The version that it went on from."""
    base: str
    method: str
    logs_sha256: str
    columns: Mapping[str, str]
    """Column → its part."""
    rows: int
    texts: int
    contexts: int | None
    dropped: Mapping[str, int]
    masked: Mapping[str, int]
    reward_method: str
    coefficients: tuple[Coefficient, ...]
    assumptions: tuple[str, ...]
    findings: tuple[Finding, ...]
    overlap: Mapping[str, float]
    """Confounder → share of the rows of its rarer half whose very text, in its context, the other half saw too."""
    warnings: tuple[str, ...]
    """What the logs cannot tell, whatever is made of them."""
    lessons: int
    steps: int
    train_loss: float
    before_after: BeforeAfter
    off_policy: OffPolicy
    tilted: OffPolicy
    worse: str | None
    """Why it is not served, if it is worse beyond doubt."""
    recipe: Mapping[str, Any]
    seed: int
    code_version: str


def model_card(facts: Facts) -> str:
    """Markdown."""
    fired = [finding for finding in facts.findings if finding.fired]
    parts = [
        f"# {facts.base}, tuned on deconfounded logs ({facts.method}), version {facts.version}",
        _intended(facts),
        "## Before you serve it",
        f"**Not served:** {facts.worse}." if facts.worse else "",
        f"**Off-policy value.** {facts.off_policy.said}",
        f"**What tuning changed.** {facts.tilted.said}" if facts.tilted.supported else "",
        "**Diagnostics.** "
        + (
            f"{len(fired)} of {len(facts.findings)} warn: {', '.join(finding.name for finding in fired)}; see below."
            if fired
            else f"None of {len(facts.findings)} warns. That is no proof: a confounder that nobody logged leaves no trace."
        ),
        "## What the confounders did",
        f"Reward R = Y − γ̂ᵀ(C − C̄), by the {facts.reward_method} method.",
        _table(
            ("confounder", "γ̂", "standard error", "95%"),
            [
                (
                    one.confounder,
                    f"{one.gamma:.4g}",
                    f"{one.se:.2g}",
                    f"{one.gamma - 1.96 * one.se:.4g} to {one.gamma + 1.96 * one.se:.4g}",
                )
                for one in facts.coefficients
            ],
        ),
        "## What has to be true",
        "\n".join(f"- {assumption}" for assumption in (*facts.assumptions, *facts.warnings)),
        _table(
            ("confounder", "rows of its rarer half whose text, in its context, the other half saw too"),
            [(name, f"{share:.0%}") for name, share in facts.overlap.items()],
        ),
        "## Diagnostics",
        _table(
            ("diagnostic", "statistic", "p", "", "what it says"),
            [
                (
                    one.name,
                    f"{one.statistic:.4g}",
                    "" if one.p_value is None else f"{one.p_value:.2g}",
                    "warns" if one.fired else "quiet",
                    one.said,
                )
                for one in facts.findings
            ],
        ),
        "## Before and after",
        _before_after(facts.before_after),
        "## Value on held-out logs",
        _values("Choosing among logged texts as the tuned model does", facts.off_policy),
        _values("What was shown, times what tuning did to its likelihood", facts.tilted),
        "## Data",
        _table(("column", "part"), list(facts.columns.items())),
        f"{facts.rows:,} rows, {facts.texts:,} texts"
        + (f", {facts.contexts:,} contexts" if facts.contexts is not None else "")
        + f". SHA-256 of the file: `{facts.logs_sha256}`.",
        _counts("Rows left out", facts.dropped),
        _counts("Personal data masked", facts.masked),
        "## Recipe",
        (
            f"{facts.lessons:,} lessons, {facts.steps:,} steps, last mean loss {facts.train_loss:.4g}, "
            f"seed {facts.seed}, Leucippus {facts.code_version}."
        ),
        _table(("setting", "value"), [(name, str(value)) for name, value in flat(facts.recipe).items()]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def flat(recipe: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings by dotted names."""
    found: dict[str, Any] = {}
    for name, value in recipe.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{above}{name}.")
        else:
            found[f"{above}{name}"] = value
    return found


def _intended(facts: Facts) -> str:
    came = f" It goes on from version {facts.parent}." if facts.parent else ""
    return (
        f"Writes texts of the kind logged as `{next(c for c, part in facts.columns.items() if part == 'text')}`, tuned "
        f"towards those that raised `{next(c for c, part in facts.columns.items() if part == 'outcome')}` by themselves, "
        f"not for whom or when they were shown.{came} Causal words here hold under the assumptions below, and no others."
    )


def _before_after(found: BeforeAfter) -> str:
    agrees = "no pair is beyond noise" if found.agrees is None else f"{found.agrees:.0%} of {found.pairs:,}"
    rows = [
        ("expected reward of what it writes", f"{found.base:.4g}", f"{found.tuned:.4g}", str(found.gain)),
        ("held-out pairs whose better text became likelier", "50% by chance", agrees, ""),
    ]
    examples = [(prompt, base, tuned) for prompt, base, tuned in found.examples]
    return "\n\n".join(
        [
            _table(("", "base", "tuned", "difference (95%)"), rows),
            f"Both wrote one text for each of {found.prompts:,} prompts; rewards by a model fitted to held-out rows.",
            _table(("prompt", "base", "tuned"), examples),
        ]
    )


def _values(policy: str, found: OffPolicy) -> str:
    weighed = (
        f"{found.rows:,} rows ({found.covered:.0%} of those held out), {found.texts:,} texts in their contexts, effective "
        f"sample size {found.ess:,.0f} rows and {found.clusters:,.0f} independent groups, heaviest row {found.heaviest:.1%}."
    )
    if not found.supported:
        return f"{policy}: not supported by these logs, no value is given. {weighed}"
    rows = [
        (name, str(estimate))
        for name, estimate in (
            ("it", found.value),
            ("what was shown", found.logged),
            ("it less what was shown", found.over_logged),
            ("it less the base's choice", found.over_base),
        )
        if estimate is not None
    ]
    return _table((policy, "reward a row (95%)"), rows) + "\n\n" + weighed


def _counts(what: str, counts: Mapping[str, int]) -> str:
    return f"{what}: " + ", ".join(f"{reason} {count:,}" for reason, count in counts.items()) + "." if counts else ""


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Markdown; nothing where there are no rows."""
    if not rows:
        return ""
    lines = [head, ("---",) * len(head), *(tuple(_cell(cell) for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """Texts of logs are anything: a bar would end the cell, and marks of HTML would be taken for it."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
