"""How results are shown: words for a person, or one JSON object a line. Computes nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leucippus.agents.ask import AskAnswer, Statement
from leucippus.agents.extract import Progress
from leucippus.doctor import Check
from leucippus.graphs.credibility import tier
from leucippus.store.query import ClaimRow

if TYPE_CHECKING:  # pandas and its kin load only for the commands that need them
    from leucippus.agents.answer import Answer
    from leucippus.agents.vet import Vetting
    from leucippus.graphs.findings import Findings


def escape_what_cannot_be_shown() -> None:
    """A terminal that cannot show a sign is shown its code: an answer is worth more than its dashes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    print(text, flush=True)


def note(text: str) -> None:
    """To standard error: progress and warnings, which are never part of a result."""
    print(text, file=sys.stderr, flush=True)


def line(value: Mapping[str, Any]) -> None:
    """One JSON object on one line of standard output."""
    unicode = (getattr(sys.stdout, "encoding", None) or "").lower() in ("utf-8", "utf8")
    print(json.dumps(value, ensure_ascii=not unicode, default=str), flush=True)


def claim_json(row: ClaimRow) -> dict[str, Any]:
    fields = row.claim.model_dump(mode="json")
    return {"document": row.uri, "title": row.title} | fields


def statement_json(statement: Statement) -> dict[str, Any]:
    edge = statement.edge
    counts = {} if edge is None else {key: value for key, value in asdict(edge).items() if key != "support"}
    if (link := statement.link) is not None:
        counts = {key: value for key, value in asdict(link).items() if key != "support"}
        counts |= {"sign": link.sign, "contested": link.contested, "tier": tier(link)}
    elif (route := statement.route) is not None:
        weakest = route.weakest
        counts = {"sign": route.sign, "score": route.score, "weakest": [weakest.cause, weakest.effect]}
        counts |= {"tier_of_weakest": tier(weakest)}
    return {"text": statement.text} | counts | {"evidence": [claim_json(row) for row in statement.evidence]}


def answer_json(answer: AskAnswer) -> dict[str, Any]:
    return {
        "question": answer.question.text,
        "wanted": answer.question.wanted,
        "cause": answer.question.cause,
        "effect": answer.question.effect,
        "concepts": [hit.name for hit in answer.concepts],
        "statements": [statement_json(statement) for statement in answer.statements],
        "chains": [statement_json(chain) for chain in answer.chains],
        "note": answer.note,
        "mentions": [hit.passage.model_dump() | {"title": hit.title} for hit in answer.mentions],
    }


def show_claim(row: ClaimRow) -> None:
    claim = row.claim
    marks = [mark for mark, on in (("negated", claim.negated), ("hedged", claim.hedged)) if on]
    marked = f" [{', '.join(marks)}]" if marks else ""
    relation = f"{flat(claim.relation)} " if claim.relation else ""
    sure = f" {claim.confidence:.0%}" if claim.confidence is not None else ""
    say(f"{flat(claim.cause)} —{relation}({claim.sign.value})→ {flat(claim.effect)}{marked}{sure}")
    _quote(row)


def show_answer(answer: AskAnswer) -> None:
    if answer.note:
        say(answer.note)
    for hit in answer.mentions:
        say(f"    mentioned: “{flat(hit.passage.text)}” — {flat(hit.title)}")
    for statement in answer.statements:
        say(f"• {flat(statement.text)}")
        for row in statement.evidence:
            _quote(row)
    if answer.chains:
        say("By way of:")
    for chain in answer.chains:
        say(f"• {flat(chain.text)}")
        for row in chain.evidence:
            _quote(row)


def _quote(row: ClaimRow) -> None:
    say(f"    “{flat(row.claim.quote)}” — {flat(row.title)} ({flat(row.uri)}, {row.claim.start}–{row.claim.end})")


def flat(text: str) -> str:
    """`text` on one line, without the control characters by which a document could steer the terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in " ".join(text.split()))


def show_counts(counts: Mapping[str, Any]) -> None:
    width = max(map(len, counts))
    for name, value in counts.items():
        shown = f"{value:.4g}" if isinstance(value, float) else value
        say(f"{name.replace('_', ' '):<{width}}  {shown}")
    say()


def show_summary(counts: Mapping[str, Any], store: Path) -> None:
    say(
        f"{counts['claims']} claims from {counts['documents']} documents: {counts['read']} of {counts['passages']} passages "
        f"read, {counts['rejected']} candidates rejected, {counts['failures']} failures."
    )
    say(f'Next: leucippus ask "What causes …?" --store {store}')


def show_check(check: Check) -> None:
    advice = f"  → {check.next_step}" if check.status != "ok" and check.next_step else ""
    say(f"{check.status:<4}  {check.name:<18} {check.found}{advice}")


def show_vetting(vetting: Vetting) -> None:
    """The checks, then the verdict."""
    marks = {"passed": "✓", "failed": "✗", "not testable": "·"}
    for check in vetting.checks:
        say(f"{marks[check.verdict]} {check.name}: {flat(check.sentence)}")
        if check.verdict == "failed" and check.remedy:
            say(f"    → {flat(check.remedy)}")
    for move in vetting.moves:
        say(f"moved: {flat(move)}")
    if vetting.refused:
        say("REFUSED: the data do not carry this design.")
    else:
        say(f"The design stands: {vetting.design.estimand}, {vetting.study.n:,} of {vetting.study.rows:,} rows.")


def show_design_answer(found: Answer) -> None:
    """The number with what belongs to it, or why there is none."""
    if found.estimate is None:
        say("No number: " + " ".join(map(flat, found.reasons)))
        for remedy in found.remedies:
            say(f"    → {flat(remedy)}")
        if found.bounds:
            bounds = found.bounds
            say(
                f"What can be said: {bounds.estimand} between {bounds.low:.4g} and {bounds.high:.4g}. {bounds.sentence}"
            )
        return
    one = found.estimate
    say(f"{one.estimand} = {one.estimate:.4g} (standard error {one.se:.4g}; {one.level:.0%} interval {one.ci_low:.4g} to "
        f"{one.ci_high:.4g})")  # fmt: skip
    say(f"    {flat(one.units)}; population: {flat(one.population)}")
    say(f"    {flat(one.estimator)}; {flat(one.inference)}")
    clusters = f", {one.clusters} clusters" if one.clusters else ""
    lost = "; ".join(f"{row.rows:,} {flat(row.reason)}" for row in one.dropped)
    say(f"    {one.n_used:,} rows{clusters}" + (f"; left out: {lost}" if lost else ""))
    for second in one.second:
        say(f"    {flat(second.engine)}: {second.estimate:.4g} ({second.se:.4g}); {flat(second.note)}")
    for move in found.vetting.moves:
        say(f"moved: {flat(move)}")
    say("Assuming:")
    for assumption in one.assumptions:
        say(f"    {flat(assumption)}")
    for check in found.vetting.failures:
        say(f"✗ {check.name}: {flat(check.sentence)}" + (f" → {flat(check.remedy)}" if check.remedy else ""))
    marks = {"stands": "✓", "doubt": "?", "not testable": "·"}
    for challenge in found.challenges:
        say(f"{marks[challenge.verdict]} {challenge.name}: {flat(challenge.sentence)}")


def findings_json(found: Findings) -> dict[str, Any]:
    estimand = found.estimand
    return {
        "identified": estimand is not None,
        "estimand": estimand.text() if estimand else None,
        "latex": estimand.latex() if estimand else None,
        "adjustment_sets": [list(one) for one in found.adjustment_sets],
        "optimal_adjustment_set": None if found.optimal_set is None else list(found.optimal_set),
        "front_door_sets": [list(one) for one in found.front_door_sets],
        "instruments": [{"instrument": one.node, "given": list(one.given)} for one in found.instruments],
        "hedge": None if found.hedge is None else found.hedge.text(),
        "remedies": [remedy.text() for remedy in found.remedies],
    }


def show_findings(found: Findings) -> None:
    if found.estimand is not None:
        say(found.estimand.text())
    if found.hedge is not None:
        say(f"Not identifiable: {found.hedge.text()}.")
    for remedy in found.remedies:
        say(f"    → {remedy.text()}")
    for title, sets in (("Adjustment sets", found.adjustment_sets), ("Front-door sets", found.front_door_sets)):
        if sets:
            say(f"{title}: " + "; ".join("{" + ", ".join(one) + "}" for one in sets))
    if found.optimal_set is not None:
        say("Smallest variance with: {" + ", ".join(found.optimal_set) + "}")
    if found.instruments:
        say("Instruments: " + "; ".join(one.text() for one in found.instruments))


def training_line(part: str, step: int, steps: int, loss: float) -> None:
    """A line now and then: training is watched from afar."""
    if step % 50 == 0 or step == steps:
        note(f"{part}: step {step} of {steps}" + (f", loss {loss:.3f}" if loss else ""))


class ProgressLine:
    """Progress on standard error: one line that is rewritten on a terminal, a line each time elsewhere."""

    def __init__(self) -> None:
        self._rewrite = sys.stderr.isatty()

    def __call__(self, progress: Progress) -> None:
        eta = f", {progress.eta_s:.0f} s left" if progress.eta_s is not None else ""
        text = (
            f"{progress.done}/{progress.total} passages of {progress.documents} documents, {progress.claims} claims, "
            f"{progress.rejected} candidates rejected, {progress.failed} failed, {progress.rate:.1f} passages/s{eta}"
        )
        end = "\r" if self._rewrite and progress.done < progress.total else "\n"
        print(f"\033[K{text}" if self._rewrite else text, end=end, file=sys.stderr, flush=True)
