"""What a data set is, before anybody says what to do with it: columns, structure, and traces of known designs.

Puts together what `columns`, `panel`, `thresholds` and `lottery` find. Everything here is what the data look like; that
a column was drawn by lot, or that a rule decided, is for people to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leucippus.agents.columns import FEW, Column, describe, duplicate_rows, names_a_time
from leucippus.agents.dataset import Dataset
from leucippus.agents.lottery import SAMPLED_ROWS as LOTTERY_ROWS
from leucippus.agents.lottery import Instrument, Lottery, find_lotteries, looks_like_a_trait
from leucippus.agents.panel import Adoption, Panel, find_panel, find_series
from leucippus.agents.thresholds import SAMPLED_ROWS as THRESHOLD_ROWS
from leucippus.agents.thresholds import Threshold, find_thresholds

_LISTED = 6
_WIDEST = 24


@dataclass(frozen=True)
class Treatments:
    """Columns that could be a treatment: no identifiers, no times, no traits such as age or sex."""

    binary: tuple[str, ...]
    multivalued: tuple[str, ...]
    continuous: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """Plain values throughout: `dataclasses.asdict` of it is JSON."""

    source: str
    rows: int
    columns: tuple[Column, ...]
    duplicates: int
    """Rows that repeat an earlier one in every column."""
    treatments: Treatments
    panel: Panel | None
    series: str | None
    """The time column, where the rows are one series over time."""
    thresholds: tuple[Threshold, ...]
    lotteries: tuple[Lottery, ...]
    instruments: tuple[Instrument, ...]
    notes: tuple[str, ...]
    """What reading changed, and what was looked at in a sample only."""


def profile(dataset: Dataset) -> Profile:
    """Profile a data set."""
    columns = describe(dataset)
    panel = find_panel(dataset, columns)
    lotteries, instruments = find_lotteries(dataset, columns)
    notes = list(dataset.notes)
    for what, most in (("thresholds", THRESHOLD_ROWS), ("lotteries", LOTTERY_ROWS)):
        if dataset.rows > most:
            notes.append(f"{what} were looked for in a sample of about {most:,} rows")
    infinite = [column.name for column in columns if column.infinite]
    if infinite:
        notes.append(f"infinite values in {', '.join(infinite)} are left out of the figures")
    return Profile(
        dataset.source,
        dataset.rows,
        columns,
        duplicate_rows(dataset),
        _treatments(columns, panel),
        panel,
        None if panel else find_series(dataset, columns),
        find_thresholds(dataset, columns),
        lotteries,
        instruments,
        tuple(notes),
    )


def _treatments(columns: tuple[Column, ...], panel: Panel | None) -> Treatments:
    keys = (panel.unit, panel.time) if panel else ()
    possible = [
        column
        for column in columns
        if column.name not in keys
        and not names_a_time(column.name)
        and not looks_like_a_trait(column.name)
        and column.missing < column.rows
    ]
    return Treatments(
        tuple(column.name for column in possible if column.kind == "binary"),
        tuple(column.name for column in possible if column.kind == "categorical" and column.distinct <= FEW),
        tuple(column.name for column in possible if column.kind in ("continuous", "count")),
    )


def in_words(profile: Profile) -> str:
    """The profile for a terminal: a line a column, then what was found."""
    lines = [f"{profile.source}: {profile.rows:,} rows, {len(profile.columns)} columns"]
    if profile.duplicates:
        lines[0] += f", {profile.duplicates:,} rows repeat another"
    width = min(_WIDEST, max(len(column.name) for column in profile.columns))
    lines += ["", f"{'column':<{width}}  {'kind':<11}  {'values':>9}  {'missing':>7}  range or most frequent"]
    for column in profile.columns:
        share = f"{column.missing / column.rows:.1%}" if column.missing else ""
        name = _short(column.name, width)
        lines.append(
            f"{name:<{width}}  {column.kind:<11}  {column.distinct:>9,}  {share:>7}  {_spread(column)}".rstrip()
        )
    found = list(_findings(profile))
    if found:
        lines += ["", *found]
    return "\n".join(lines)


def _spread(column: Column) -> str:
    if column.top and column.kind != "count":
        parts = [f"{_short(value, 20)} {count / (column.rows - column.missing):.0%}" for value, count in column.top[:4]]
        return ", ".join(parts) + (" …" if column.distinct > len(parts) else "")
    if column.kind == "date":
        return f"{column.minimum} to {column.maximum}"
    if column.mean is not None:
        infinite = f", {column.infinite} infinite" if column.infinite else ""
        sd = f", sd {column.sd:.4g}" if column.sd is not None else ""
        return f"{column.minimum:.6g} to {column.maximum:.6g}, mean {column.mean:.4g}{sd}{infinite}"
    return ""


def _findings(profile: Profile) -> Iterator[str]:
    if profile.panel:
        yield from _panel_in_words(profile.panel)
    if profile.series:
        yield f"one series over time: {profile.series}"
    for threshold in profile.thresholds[:_LISTED]:
        how = "always" if threshold.sharp else f"by {threshold.jump:+.2f} ({threshold.se:.2f})"
        yield f"threshold: {threshold.treatment} jumps {how} at {threshold.running} = {threshold.cutoff:g}"
    for lottery in profile.lotteries[:_LISTED]:
        yield f"like a lottery: {lottery.column} ({len(lottery.traits)} traits do not predict it: p = {lottery.p_value:.2g})"
    for one in profile.instruments[:_LISTED]:
        yield f"like an instrument: {one.column} moves {one.treatment} by {one.effect:+.2f} (F = {one.f:.0f})"
    named = (
        ("two values", profile.treatments.binary),
        ("a few values", profile.treatments.multivalued),
        ("a dose", profile.treatments.continuous),
    )
    for kind, names in named:
        if names:
            more = f" and {len(names) - 2 * _LISTED} more" if len(names) > 2 * _LISTED else ""
            yield f"could be a treatment with {kind}: {', '.join(names[: 2 * _LISTED])}{more}"
    for note in profile.notes:
        yield f"note: {note}"


def _panel_in_words(panel: Panel) -> Iterator[str]:
    state = "balanced" if panel.balanced else f"unbalanced, {panel.gaps:,} gaps"
    state += f", {panel.repeated:,} rows repeat a unit and time" if panel.repeated else ""
    yield (
        f"panel: {panel.units:,} units ({panel.unit}) × {panel.periods:,} periods ({panel.time}, {panel.first} to "
        f"{panel.last}), {state}"
    )
    for adoption in panel.adoptions[:_LISTED]:
        yield _adoption_in_words(adoption)


def _adoption_in_words(adoption: Adoption) -> str:
    dates = ", ".join(f"{when} ({units:,})" for when, units in adoption.cohorts[:_LISTED])
    dates += " …" if len(adoption.cohorts) > _LISTED else ""
    words = {
        "staggered": "switches on at different dates",
        "one date": "switches on at one date for some units",
        "everyone at one date": "switches on for every unit at once",
    }
    stated = f" ({adoption.date_column} holds the date)" if adoption.date_column not in (None, adoption.column) else ""
    return (
        f"  {adoption.column}{stated} {words[adoption.pattern]}: {dates}; {adoption.never_treated:,} units never, "
        f"{adoption.always_treated:,} from the start"
    )


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
