"""A finished analysis → a claim of the large causal model, of its own evidence kind: measured by us, from data.

What was found is written as a document of plain sentences, and the claim's spans are places in it, as with any other
document: it can be read, quoted and forgotten. No effect found is no denial: the claim then has no sign and is hedged.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leucippus.agents.answer import Answer, plain_values
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.did import Did
from leucippus.agents.designs.mediation import Mediation
from leucippus.agents.designs.rd import Rd
from leucippus.agents.designs.result import Estimate
from leucippus.agents.inquiry.conclusion import about, is_clear, per_what
from leucippus.agents.inquiry.description import read_description
from leucippus.agents.inquiry.finding import Finding, strategy_in_words
from leucippus.agents.inquiry.linking import phrases_of_column
from leucippus.agents.inquiry.matching import spoken
from leucippus.agents.inquiry.numerals import number, percent, whole
from leucippus.store.database import Store
from leucippus.store.query import unread
from leucippus.store.triples import Claim, Document, Evidence, Passage, Reader, Sign
from leucippus.store.write import (
    PassageResult,
    Planned,
    add_documents,
    add_passages,
    finish_run,
    plan,
    record_batch,
    start_run,
)

_LONGEST_PHRASE, _LONGEST_TITLE = 120, 300
"""Characters of a column's words, and of data set and question."""
_YES = frozenset("1 1.0 true yes y on treated treatment".split())
_NO = frozenset("0 0.0 false no n off never none untreated control".split())
_ALL = "the rows used"
"""What estimates call their population where there is nothing more to say of it."""
_CODED = re.compile(r"^(?:[01]\s*)?(?:if|when|whether|dummy|indicator)\b(?:\s+(?:for|of))?\s+", re.IGNORECASE)
"""How a column of yes and no is described: "1 if trained" is about being trained."""


def remember(store: Store, finding: Finding) -> str | None:
    """Write what an analysis found into a store; the same analysis again changes nothing.

    Returns
    -------
    The id of the document, by which `leucippus lcm forget` takes it back; None where the analysis refused.

    Raises
    ------
    StoreReadOnly, StoreError : the store cannot be written.
    """
    found = finding.answer
    if found is None or found.estimate is None or finding.refusal is not None:
        return None
    name = _clean(Path(finding.source).name or finding.source, _LONGEST_TITLE)
    said = _sentences(finding, found, found.estimate, name)
    title = f"{name}: {_clean(finding.question, _LONGEST_TITLE)}"
    document = Document.of(said.text, media_type="text/plain", title=title, kind="measured")
    passage = Passage.of(document, 0, len(said.text))
    reader = Reader(model="leucippus", prompt_version=_specification(found.vetting.design))
    add_documents(store, [(document, f"measured:{finding.source}")])
    add_passages(store, [passage])
    if not unread(store, reader.reader_id, [passage.passage_id]):
        return document.document_id
    claim = Claim(
        claim_id=Claim.id_of(reader.reader_id, document.document_id, said.cause, said.effect),
        document_id=document.document_id,
        passage_id=passage.passage_id,
        reader_id=reader.reader_id,
        cause=said.text[slice(*said.cause)],
        cause_start=said.cause[0],
        cause_end=said.cause[1],
        relation=said.relation,
        effect=said.text[slice(*said.effect)],
        effect_start=said.effect[0],
        effect_end=said.effect[1],
        sign=said.sign,
        negated=False,
        hedged=said.hedged,
        conditions=said.conditions,
        evidence=Evidence.MEASURED,
        population=said.population,
        quote=said.text[: said.end],
        start=0,
        end=said.end,
        confidence=1.0,  # the sentence was written to say just this
    )
    settings = {
        "source": _clean(finding.source),
        "question": _clean(finding.question),
        "data": _data_set(finding.source, found),
    }
    run_id = start_run(store, command="remember", settings=settings, reader=reader)
    plan(store, run_id, reader, [Planned(passage.passage_id, 0, 0)])
    record_batch(store, run_id, reader.reader_id, [PassageResult(passage.passage_id, (claim,))])
    finish_run(store, run_id, "finished")
    return document.document_id


def _data_set(source: str, found: Answer) -> str:
    """What tells a data set from others: its content where it is a file, else its name and how many rows it has."""
    if not os.path.isfile(source):
        return f"{_clean(source)}, {found.vetting.study.rows} rows"
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class _Said:
    """The text, and what its first sentence claims, with the places of its words."""

    text: str
    end: int
    """Of the first sentence."""
    cause: tuple[int, int]
    effect: tuple[int, int]
    relation: str
    sign: Sign
    hedged: bool
    conditions: str | None
    population: str | None


def _sentences(finding: Finding, found: Answer, estimate: Estimate, name: str) -> _Said:
    design = found.vetting.design
    described = read_description(finding.description, found.vetting.study.frame.columns.tolist()).columns
    cause = _cause(found, _words(design.treatment, described, name))
    event = getattr(design, "event", None)
    effect = _words(event or design.outcome, described, name)
    relation, sign = _relation(estimate, event is not None)
    doubts = [check.sentence for check in found.vetting.failures]
    doubts += [challenge.sentence for challenge in found.challenges if challenge.verdict == "doubt"]
    conditions = f"among rows with {_clean(design.subset)}" if design.subset else None

    text = f"In {name}{f', {conditions}' if conditions else ''}, "
    cause_at = (len(text), len(text) + len(cause))
    text += f"{cause} {relation} "
    effect_at = (len(text), len(text) + len(effect))
    low, high = number(estimate.ci_low), number(estimate.ci_high)
    text += (
        f"{effect}{_how_much(estimate, _mediator(design, described, name))} ({percent(estimate.level)} interval "
        f"{low} to {high}; {_strategy(design)}, {whole(estimate.n_used)} rows)."
    )
    end = len(text)
    text += f" {_clean(about(estimate))} Compared: {_clean(per_what(found, estimate))}."
    if doubts:
        text += f" Doubt remains: {_clean(' '.join(doubts))}"
    population = _clean(estimate.population)
    return _Said(
        text,
        end,
        cause_at,
        effect_at,
        relation,
        sign,
        sign is Sign.NONE or bool(doubts),
        conditions,
        population if population != _ALL and population in text else None,
    )


def _words(column: str, described: Mapping[str, str], data: str) -> str:
    """A column in words that mean the same elsewhere; where neither name nor description tells, the data set is named."""
    for phrase in phrases_of_column(column, described.get(column, "")):
        if words := _clean(_CODED.sub("", _clean(phrase)), _LONGEST_PHRASE):
            return words
    return f"{_clean(spoken(column), _LONGEST_PHRASE)} in {data}"


def _cause(found: Answer, words: str) -> str:
    """The treatment in words, as the value that counts as treated has it."""
    design = found.vetting.design
    if isinstance(design, Rd) and design.treatment == design.running_variable:
        side = "below" if design.treated_side == "below" else "at or above"
        return f"{words} {side} {design.cutoff:g}"
    treated, control = design.treated_value, design.control_value
    if treated is None and isinstance(design, Did):
        treated = design.treated_group
    if treated is None or str(treated).strip().casefold() in _YES:
        return words
    if str(treated).strip().casefold() in _NO:
        return f"no {words}"
    try:
        return f"{'lower' if float(treated) < float(control) else 'higher'} {words}"  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return f"{words} {_clean(str(treated), _LONGEST_PHRASE)}"


def _relation(estimate: Estimate, event: bool) -> tuple[str, Sign]:
    """The verb, and the sign of the effect on the outcome, or on the event where time to one is measured."""
    if not is_clear(estimate):
        return "had no clear effect on", Sign.NONE
    if estimate.estimand == "hazard ratio":
        return (
            ("raised the rate of", Sign.POSITIVE) if estimate.estimate > 1 else ("lowered the rate of", Sign.NEGATIVE)
        )
    if event:  # more time without it
        return ("delayed", Sign.NEGATIVE) if estimate.estimate > 0 else ("hastened", Sign.POSITIVE)
    return ("raised", Sign.POSITIVE) if estimate.estimate > 0 else ("lowered", Sign.NEGATIVE)


def _how_much(estimate: Estimate, mediator: str | None) -> str:
    way = {"indirect effect": f", by way of {mediator},", "direct effect": f", past {mediator},"}
    through = way.get(estimate.estimand, "") if mediator else ""
    if not is_clear(estimate):
        return f"{through}: the best guess is {number(estimate.estimate)}"
    if estimate.estimand == "hazard ratio":
        return f"{through} to {number(estimate.estimate)} times what it was"
    return f"{through} by {number(abs(estimate.estimate))}"


def _mediator(design: Design, described: Mapping[str, str], data: str) -> str | None:
    return _words(design.mediator, described, data) if isinstance(design, Mediation) else None


def _strategy(design: Design) -> str:
    said = strategy_in_words(design.strategy)
    return f"{said} at {design.cutoff:g}" if isinstance(design, Rd) else said


def _specification(design: Design) -> str:
    fields: dict[str, Any] = plain_values(design.model_dump(mode="json", exclude_defaults=True))
    whole_design = {"strategy": design.strategy, **fields, "estimand": design.estimand}
    return json.dumps(whole_design, sort_keys=True, ensure_ascii=True)


def _clean(text: str, longest: int | None = None) -> str:
    """On one line, printable and as UTF-8 can hold it."""
    plain = " ".join(text.encode("utf-8", "replace").decode().split())
    return "".join(sign for sign in plain if sign.isprintable())[:longest].strip()
