"""A file of logs → `Logs`: rows that can teach, as numbers; what cannot be used is counted, and what must not, refused.

Reads, checks and codes; estimates nothing. `source` opens the file in DuckDB, and columns leave it one at a time.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from leucippus.agents.dataset import Dataset
from leucippus.agents.expressions import quote
from leucippus.errors import InputError
from leucippus.serving.packaged import sha256_of
from leucippus.training.deconfound import columns as col
from leucippus.training.deconfound.logs import Floats, Logs, LogSpec, Unanswered
from leucippus.training.deconfound.privacy import mask_all
from leucippus.training.deconfound.roles import Doubt, doubtful_names, refuse, telling
from leucippus.training.deconfound.source import open_logs

FEWEST_ROWS, FEWEST_TEXTS = 50, 20
"""Below these nothing can be told apart from chance, whatever the method."""
NO_OUTCOME = "outcome missing"
_LATE = 0.5
"""Share of rows in which a time must follow the showing of the text to be called later."""


def read_logs(path: Path, spec: LogSpec, *, table: str | None = None, masked: bool = True) -> Logs:
    """Read logs and check that each column can play its part.

    Parameters
    ----------
    table : of a DuckDB or SQLite file or a workbook; may be left out where there is but one.
    masked : whether personal data in texts and contexts are masked (see `privacy`).

    Raises
    ------
    InputError : a column is missing or used twice, cannot be a number where it must, or there are too few rows; a
        confounder does not vary, looks as if text or outcome had caused it, or copies the outcome.
    DataError : the file cannot be read.
    """
    _check(spec)
    data = open_logs(path, table)
    for name, part in spec.columns.items():
        data.require(name, part)
    refuse(doubtful_names(spec), spec)
    notes = list(data.notes)
    kinds = _tabulate(data, spec, notes)
    n, more = _counts(data.connection)
    if n < FEWEST_ROWS:
        raise InputError(
            f"{n} of {data.rows} rows of {path} have all that is needed{_losses(data.connection)}",
            expected=f"at least {FEWEST_ROWS}; some thousands to be of use",
        )
    clean = mask_all if masked else _as_it_is
    texts, text_of, counts = col.code_texts(data.connection, "kept", "text", clean)
    if len(texts) < FEWEST_TEXTS:
        raise InputError(
            f"{len(texts)} different texts in {n} rows of {path}",
            expected=f"at least {FEWEST_TEXTS}: a model learns from how texts differ",
        )
    contexts, context_of = None, None
    if spec.context is not None:
        contexts, coded, more_counts = col.code_texts(data.connection, "kept", "context", clean)
        context_of = coded[:n]
        counts = {kind: counts.get(kind, 0) + more_counts.get(kind, 0) for kind in {*counts, *more_counts}}
    y = _numbers(data.connection, "y")[:n]
    if float(np.ptp(y)) == 0.0:
        raise InputError(f"the outcome {spec.outcome!r} is {y[0]:g} in every row", expected="an outcome that varies")
    c, names = _confounders(data.connection, spec, kinds, n + more)
    _check_confounders(y, c[:n], names, spec)
    z, z_levels = _instrument(data.connection, spec, kinds, n)
    return Logs(
        spec=spec,
        texts=texts,
        text_of=text_of[:n],
        y=y,
        c=c[:n],
        names=names,
        contexts=contexts,
        context_of=context_of,
        z=z,
        group_of=None if spec.group is None else col.code_ids(data.connection, "answered", "g"),
        user_of=None if spec.user is None else col.code_ids(data.connection, "answered", "u"),
        time=None if spec.time is None else _numbers(data.connection, "t")[:n],
        randomised=None if spec.experiment is None else _truths(data.connection, "x")[:n],
        sha256=sha256_of(path),
        dropped=dict(
            data.connection.execute(
                "SELECT why, count(*) FROM logs WHERE why IS NOT NULL GROUP BY 1 ORDER BY 1"
            ).fetchall()
        ),
        masked=counts,
        z_levels=z_levels,
        unanswered=Unanswered(text_of[n:], c[n:]) if more else None,
        notes=tuple(notes),
    )


def _check(spec: LogSpec) -> None:
    """Raise InputError where the parts do not fit together."""
    named = [spec.text, spec.outcome, *spec.confounders]
    named += [name for name in (spec.instrument, spec.experiment, spec.time) if name is not None]
    named += [name for name in (spec.context,) if name in (spec.text, spec.outcome)]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise InputError(f"{', '.join(map(repr, twice))} has two parts", expected="one part for each column")
    if spec.group is not None and spec.group in named:
        raise InputError(f"{spec.group!r} is the group and something else", expected="one part for each column")
    if not spec.confounders and spec.group is None:
        raise InputError(
            "neither confounders nor a group are named",
            expected="what moved the outcome and the choice of the text, such as audience, position or price",
            next_step="Name them with --confounders, or an id whose constant effect is to be removed with --group.",
        )
    if spec.instrument is not None and not spec.confounders:
        raise InputError("an instrument without a confounder that it moves", next_step="Name that confounder first.")


def _tabulate(data: Dataset, spec: LogSpec, notes: list[str]) -> Mapping[str, str]:
    """Fill the tables `logs` (every row, and why it is left out), `kept` and its part `answered`.

    Returns the kind of each of c0, c1, … and z: number or levels.
    """
    connection = data.connection
    kinds: dict[str, str] = {}
    picked = {"text": f"nullif(trim(CAST({quote(spec.text)} AS VARCHAR)), '')", "y": _outcome_sql(data, spec.outcome)}
    lacking = ["WHEN text IS NULL THEN 'text missing'"]
    for key, name, part in (("context", spec.context, "context"), ("g", spec.group, "group")):
        if name is not None:
            picked[key] = f"nullif(trim(CAST({quote(name)} AS VARCHAR)), '')"
            lacking.append(f"WHEN {key} IS NULL THEN '{part} missing'")
    for key, name in [*((f"c{i}", name) for i, name in enumerate(spec.confounders)), ("z", spec.instrument)]:
        if name is None:
            continue
        kind = data.types[name]
        kinds[key] = "number" if col.is_number(kind) or col.is_time(kind) else "levels"
        picked[key] = (
            col.number_sql(name, kind)
            if kinds[key] == "number"
            else f"nullif(trim(CAST({quote(name)} AS VARCHAR)), '')"
        )
        part = "instrument" if key == "z" else f"confounder {name}"
        lacking.append(f"WHEN {key} IS NULL THEN '{part.replace(chr(39), chr(39) * 2)} missing'")
    if spec.user is not None:
        picked["u"] = quote(spec.user)
    if spec.time is not None:
        if not (col.is_number(data.types[spec.time]) or col.is_time(data.types[spec.time])):
            raise InputError(
                f"the time {spec.time!r} cannot be read as dates or numbers", expected="such as 2024-05-31 12:00"
            )
        picked["t"] = col.number_sql(spec.time, data.types[spec.time])
        refuse(_timed_after(data, spec), spec)
    if spec.experiment is not None:
        picked["x"] = col.truth_sql(spec.experiment)
    columns = ", ".join(f"{sql} AS {key}" for key, sql in picked.items())
    lacking.append(f"WHEN y IS NULL THEN '{NO_OUTCOME}'")
    connection.execute(
        f"CREATE TABLE logs AS SELECT *, CASE {' '.join(lacking)} END AS why FROM (SELECT {columns} FROM data)"
    )
    connection.execute(
        f"CREATE TABLE kept AS SELECT row_number() OVER (ORDER BY why IS NOT NULL, rowid) - 1 AS row, * FROM logs "
        f"WHERE why IS NULL OR why = '{NO_OUTCOME}' ORDER BY row"
    )
    connection.execute("CREATE VIEW answered AS SELECT * FROM kept WHERE why IS NULL")
    if spec.experiment is not None:
        unknown = connection.execute("SELECT count(*) FROM answered WHERE x IS NULL").fetchone()
        if unknown and unknown[0]:
            notes.append(
                f"{unknown[0]} rows do not say whether their text was drawn at random; they count as not drawn"
            )
    return kinds


def _outcome_sql(data: Dataset, name: str) -> str:
    """SQL of the outcome as a number."""
    kind = data.types[name]
    if col.is_number(kind):
        return col.number_sql(name, kind)
    said = data.connection.execute(f"SELECT count({quote(name)}), count({col.truth_sql(name)}) FROM data").fetchone()
    if said and said[0] and said[0] == said[1]:
        return f"CAST({col.truth_sql(name)} AS DOUBLE)"
    raise InputError(
        f"the outcome {name!r} is not a number ({kind})",
        expected="numbers, or true and false",
        next_step="Give what happened as a number, such as 1 for a click and 0 for none.",
    )


def _timed_after(data: Dataset, spec: LogSpec) -> tuple[Doubt, ...]:
    """Confounders that are times, and mostly later than the showing of the text."""
    found = []
    for name in spec.confounders:
        if spec.time is None or name in spec.allow or not col.is_time(data.types[name]):
            continue
        if not col.is_time(data.types[spec.time]):
            continue
        later, known = data.connection.execute(
            f"SELECT count(*) FILTER ({quote(name)}::TIMESTAMP > {quote(spec.time)}::TIMESTAMP), count({quote(name)}) FROM data"
        ).fetchone() or (0, 0)
        if known and later > _LATE * known:
            found.append(Doubt(name, f"later than {spec.time!r} in {100 * later / known:.0f} % of the rows"))
    return tuple(found)


def _confounders(
    connection: duckdb.DuckDBPyConnection, spec: LogSpec, kinds: Mapping[str, str], rows: int
) -> tuple[Floats, tuple[str, ...]]:
    """(rows, k) confounders, and their names."""
    plans: list[tuple[str, str, tuple[str, ...]]] = []
    for i, name in enumerate(spec.confounders):
        if kinds[f"c{i}"] == "number":
            plans.append((name, f"c{i}", ()))
            continue
        coded = col.levels_of(connection, "answered", f"c{i}", "confounder")
        if len(coded.levels) < 2:
            raise _constant(name, coded.levels[0] if coded.levels else "missing")
        plans += [
            (f"{name}={level}", f"{coded.sql} = {at}", coded.values) for at, level in enumerate(coded.levels) if at
        ]
    c = col.matrix(rows, len(plans))
    for j, (_, sql, values) in enumerate(plans):
        c[:, j] = col.fetch(connection, f"SELECT CAST({sql} AS DOUBLE) FROM kept ORDER BY row", values)
    return c, tuple(name for name, _, _ in plans)


def _check_confounders(y: Floats, c: Floats, names: Sequence[str], spec: LogSpec) -> None:
    for j, name in enumerate(names):
        if float(np.ptp(c[:, j])) == 0.0:
            raise _constant(name, f"{c[0, j]:g}")
    refuse(telling(y, c, names, spec), spec)


def _constant(name: str, value: str) -> InputError:
    return InputError(
        f"the confounder {name!r} is {value} in every row that can be used",
        expected="something that varies",
        next_step=f"Leave out {name!r}: what does not vary confounds nothing.",
    )


def _instrument(
    connection: duckdb.DuckDBPyConnection, spec: LogSpec, kinds: Mapping[str, str], n: int
) -> tuple[Floats | None, int]:
    if spec.instrument is None:
        return None, 0
    levels = 0
    if kinds["z"] == "number":
        z = _numbers(connection, "z")[:n]
    else:
        coded = col.levels_of(connection, "answered", "z", "instrument")
        levels = len(coded.levels)
        codes = col.fetch(connection, f"SELECT CAST({coded.sql} AS DOUBLE) FROM answered ORDER BY row", coded.values)
        z = np.asarray(codes, dtype=np.float64)
    if float(np.ptp(z)) == 0.0:
        raise InputError(f"the instrument {spec.instrument!r} does not vary", next_step="Leave it out.")
    return z, levels


def _numbers(connection: duckdb.DuckDBPyConnection, name: str) -> Floats:
    return np.asarray(col.fetch(connection, f"SELECT {name} FROM kept ORDER BY row"), dtype=np.float64)


def _truths(connection: duckdb.DuckDBPyConnection, name: str) -> NDArray[np.bool_]:
    return np.asarray(col.fetch(connection, f"SELECT coalesce({name}, false) FROM kept ORDER BY row"), dtype=np.bool_)


def _counts(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Rows that have everything, and rows that lack the outcome alone."""
    found = connection.execute(
        "SELECT count(*) FILTER (why IS NULL), count(*) FILTER (why IS NOT NULL) FROM kept"
    ).fetchone()
    return (int(found[0]), int(found[1])) if found else (0, 0)


def _losses(connection: duckdb.DuckDBPyConnection) -> str:
    lost = connection.execute(
        "SELECT why, count(*) FROM logs WHERE why IS NOT NULL GROUP BY 1 ORDER BY 2 DESC"
    ).fetchall()
    return f" ({', '.join(f'{why}: {count}' for why, count in lost)})" if lost else ""


def _as_it_is(texts: Sequence[str]) -> tuple[list[str], Mapping[str, int]]:
    return list(texts), {}
