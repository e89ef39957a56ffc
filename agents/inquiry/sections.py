"""A finding → the sections of its report, in the order in which a reader asks: what, how sure, why so, on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from leucippus.agents.answer import Answer
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.result import Challenge
from leucippus.agents.inquiry.balance import Balance
from leucippus.agents.inquiry.conclusion import conclusion, details
from leucippus.agents.inquiry.figures import MOST_CONTRASTS
from leucippus.agents.inquiry.finding import Finding, strategy_in_words
from leucippus.agents.inquiry.numerals import Known, cell, number, whole
from leucippus.agents.inquiry.page import Block, Items, Page, Paragraph, Picture, Section, Table, texts_of

_LONGEST_TABLE = 30
_STANDS = {"stands": "The answer stands", "doubt": "Casts doubt", "not testable": "Could not be tested"}
LEFT_OUT = "A passage was left out here: it held a number that is not in result.json."


def page_of(
    finding: Finding,
    result: Mapping[str, Any],
    pictures: Mapping[str, Sequence[Block]],
    balance: Balance | None,
    reproducible: bool = False,
) -> Page:
    """The report.

    Parameters
    ----------
    result : what result.json holds; a block with a number that is not in there is left out, and the report says so.
    pictures : which section (`answer`, `design`, `assumptions`) → its pictures, or the sentences that stand for them.
    """
    found = finding.answer
    sections = [
        Section("The question", tuple(_question(finding))),
        Section("The answer", (*conclusion(finding), *pictures.get("answer", ()))),
        Section("How the question was read", tuple(_read(finding))),
        Section("How the treatment came about", tuple(_told(finding))),
        Section("Why this design", (*_choice(finding), *pictures.get("design", ()))),
    ]
    if found is not None:
        checked = (*_assumptions(found), *pictures.get("assumptions", ()), *_balance(balance))
        sections.append(Section("What has to hold", checked))
        sections.append(Section("What a referee would ask", tuple(_challenges(found.challenges, found.refused))))
        sections.append(Section("The rows", tuple(_rows(found))))
        if found.estimate is not None:
            sections.append(Section("How the number was made", tuple(_made(found, reproducible))))
    sections.append(Section("Designs that were not used", tuple(_runners_up(finding))))
    if finding.notes:
        sections.append(Section("Notes", (Items(tuple(("", note) for note in finding.notes)),)))
    sections.append(Section("Sources", tuple(_sources(finding))))
    known = Known(result)
    held = (Section(section.title, tuple(_held(section.blocks, known))) for section in sections)
    return Page("Causal analysis", tuple(held))


def _held(blocks: Sequence[Block], known: Known) -> Iterator[Block]:
    for block in blocks:
        yield Paragraph(LEFT_OUT) if known.stray(texts_of(block)) else block


def _question(finding: Finding) -> Iterator[Block]:
    yield Paragraph(finding.question.strip() or "No question was asked.", "quote")
    yield Paragraph(f"Asked of: {finding.source}")


def _read(finding: Finding) -> Iterator[Block]:
    if not finding.read:
        yield Paragraph("Nothing could be read from the question.")
        return
    rows = tuple((one.field, one.value, one.words or "(inferred from the data)") for one in finding.read)
    yield Table(("What", "Read as", "From the words"), rows)


def _told(finding: Finding) -> Iterator[Block]:
    if finding.told:
        yield Paragraph("The description says:")
        yield Paragraph(finding.told, "quote")
    else:
        yield Paragraph("Neither the question nor the description says how the treatment came about.")


def _choice(finding: Finding) -> Iterator[Block]:
    found = finding.answer
    if found is not None:
        yield Paragraph(f"The design: {strategy_in_words(found.vetting.design.strategy)}.")
    yield Paragraph(finding.choice or "No design could be chosen.")
    if found is not None and found.vetting.moves:
        yield Paragraph("The design was changed to what the data support:")
        yield Items(tuple(("", sentence) for sentence in found.vetting.moves))
    if found is not None:
        yield Table(("Field", "Value"), tuple(_fields(found.vetting.design)))


def _fields(design: Design) -> Iterator[tuple[str, str]]:
    stated = design.model_dump(mode="json", exclude_defaults=True) | {"estimand": design.estimand}
    yield "strategy", design.strategy
    for name, value in stated.items():
        if name != "strategy":
            yield name, cell(value)


def _assumptions(found: Answer) -> Iterator[Block]:
    for verdict, heading in (
        ("failed", "Tested, and failed:"),
        ("passed", "Tested, and passed:"),
        ("not testable", "Could not be tested:"),
    ):
        checks = [check for check in found.vetting.checks if check.verdict == verdict]
        if checks:
            yield Paragraph(heading)
            remedies = verdict == "failed"
            said = ((check.name, check.sentence, check.remedy if remedies else "") for check in checks)
            yield Items(tuple((name, f"{sentence} {remedy}".strip()) for name, sentence, remedy in said))
    if found.estimate is not None and found.estimate.assumptions:
        yield Paragraph("No data can prove the following; the answer rests on it:")
        yield Items(tuple(("", assumption) for assumption in found.estimate.assumptions))


def _balance(balance: Balance | None) -> Iterator[Block]:
    if balance is None:
        return
    yield Paragraph(
        "The two arms, column by column. Differences are in standard deviations; the largest come first."
        + (" After: once rows are weighted by their chance of each arm." if balance.propensities is not None else "")
    )
    rows = tuple(
        (one.column, *map(number, (one.mean_treated, one.mean_untreated, one.before, one.after)))
        for one in balance.contrasts[:MOST_CONTRASTS]
    )
    yield Table(("Column", f"Mean, {balance.arm}", "Mean, others", "Difference before", "Difference after"), rows)


def _challenges(challenges: Sequence[Challenge], refused: bool) -> Iterator[Block]:
    if not challenges:
        yield Paragraph("Nothing was asked, since there is no number." if refused else "Nothing further was asked.")
    for asked in challenges:
        yield Items(((asked.name, f"{_STANDS[asked.verdict]}. {asked.sentence}"),))
        if asked.table:
            yield _table(asked.table)
            if len(asked.table) > _LONGEST_TABLE:
                yield Paragraph("Further rows of this table are in result.json.")


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    head = tuple(dict.fromkeys(name for row in rows for name in row))
    return Table(head, tuple(tuple(cell(row.get(name)) for name in head) for row in rows[:_LONGEST_TABLE]))


def _rows(found: Answer) -> Iterator[Block]:
    study = found.vetting.study
    # A design may use fewer rows than its study holds: those within a bandwidth.
    used, dropped = (
        (study.n, study.dropped) if found.estimate is None else (found.estimate.n_used, found.estimate.dropped)
    )
    yield Paragraph(f"The data have {whole(study.rows)} rows. The number of rows used is {whole(used)}.")
    if dropped:
        yield Table(("Rows left out", "Why"), tuple((whole(lost.rows), lost.reason) for lost in dropped))
    elif used == study.rows:
        yield Paragraph("No row was left out for a missing value, a filter or a value that is not compared.")


def _made(found: Answer, reproducible: bool) -> Iterator[Block]:
    estimate = found.estimate
    assert estimate is not None
    yield Items((("Estimator", estimate.estimator), ("Uncertainty", estimate.inference)))
    if estimate.second:
        yield Paragraph("A second opinion on the same rows:")
        rows = (
            (one.engine, number(one.estimate), number(one.se), "yes" if one.agrees else "no", one.note)
            for one in estimate.second
        )
        yield Table(("From", "Estimate", "Standard error", "Same estimate", "What differs"), tuple(rows))
    yield from details(estimate)
    if reproducible:
        yield Paragraph("reproduce.py yields the number again from your file, with public libraries alone.")
    yield Paragraph("spec.yaml holds the design as it was estimated; result.json holds every number, unrounded.")


def _runners_up(finding: Finding) -> Iterator[Block]:
    if not finding.runners_up:
        yield Paragraph("No other design was considered.")
    for one in finding.runners_up:
        fields = {name: value for name, value in one.design.items() if name != "strategy"}
        yield Items(((strategy_in_words(one.strategy), one.why or "Less likely by the words of the question."),))
        if fields:
            yield Table(("Field", "Value"), tuple((name, cell(value)) for name, value in fields.items()))


def _sources(finding: Finding) -> Iterator[Block]:
    yield Paragraph(f"The data: {finding.source}")
    if finding.description.strip():
        yield Paragraph("Their description, as it was given:")
        yield Paragraph(finding.description.strip(), "quote")
    for one in finding.citations:
        yield Items(((one.role, f"{one.claim} (in {one.document})"),))
        yield Paragraph(one.quote, "quote")


def picture_or_sentence(file: str, caption: str, failure: str) -> Block:
    """The picture, or why it is not there."""
    return Paragraph(f"The figure “{caption}” could not be drawn: {failure}.") if failure else Picture(file, caption)


def summary(finding: Finding) -> str:
    """The answer, the reason for its design and the notes, for a terminal."""
    blocks = [*conclusion(finding), *([Paragraph(finding.choice)] if finding.choice else [])]
    blocks += [Paragraph(f"Note: {note}") for note in finding.notes]
    return "\n\n".join(_plain(block) for block in blocks)


def _plain(block: Block) -> str:
    if isinstance(block, Items):
        return "\n".join(f"- {label + ': ' if label else ''}{text}" for label, text in block.items)
    if isinstance(block, Table):
        width = max(len(row[0]) for row in block.rows)
        return "\n".join(f"{row[0]:<{width}}  {'  '.join(row[1:])}" for row in block.rows)
    return block.text if isinstance(block, Paragraph) else block.caption
