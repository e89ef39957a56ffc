"""Columns of text → columns of numbers, dates and words: the type that every cell of a column fits, or text.

The text is the table `raw` of a DuckDB connection; the result is its table `data`. Nothing in a cell is evaluated: what
begins with "=" is text. What was changed on the way is said in notes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from leucippus.agents.expressions import quote

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", ".")
_ERRORS = ("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!")
_SAMPLED_CELLS = 100_000
_FEWEST_SAMPLED = 200
_NAMED = 8


@dataclass(frozen=True)
class Form:
    """One way to write a value."""

    kind: str
    """DuckDB type; NUMBER becomes BIGINT where all values are whole."""
    pattern: str
    """What a whole cell looks like; understood alike by Python and RE2."""
    sql: str
    """The value, {0} being the text of the cell without blanks around it."""
    note: str = ""
    """Said of the columns read so."""

    def fits(self, cell: str) -> bool:
        """Whether a cell looks like this."""
        # Python writes a code point as \\u00a0 where RE2 writes \\x{a0}.
        return re.fullmatch(self.pattern.replace(r"\x{a0}", "\u00a0").replace(r"\x{202f}", "\u202f"), cell) is not None


_INTEGER = Form("BIGINT", r"[+-]?\d{1,18}", "try_cast({0} AS BIGINT)")
_NUMBER = Form(
    "DOUBLE",
    # No more than 18 digits before the point: longer ones are codes, and would lose their last digits.
    r"[+-]?(\d{1,18}(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?|[+-]?([iI]nf|INF|[iI]nfinity)",
    "try_cast({0} AS DOUBLE)",
)
_THOUSANDS = Form(
    "NUMBER",
    r"[+-]?[$€£]? ?(\d{1,3}(,\d{3}){1,5}|\d{1,15})(\.\d+)?",
    "try_cast(regexp_replace({0}, '[,$€£ ]', '', 'g') AS DOUBLE)",
    "thousands separators or currency signs were taken out of",
)
_DECIMAL_COMMA = Form(
    "NUMBER",
    r"[+-]?(\d{1,3}([. \x{a0}\x{202f}]\d{3}){1,5}|\d{1,15})(,\d+)?([eE][+-]?\d{1,3})?",
    "try_cast(replace(regexp_replace({0}, '[. \\x{{a0}}\\x{{202f}}]', '', 'g'), ',', '.') AS DOUBLE)",
    "a comma was read as the decimal point in",
)
_PERCENT = Form(
    "NUMBER",
    r"[+-]?\d+(\.\d+)? ?%",
    "try_cast(trim(replace({0}, '%', '')) AS DOUBLE)",
    "percent signs were taken off (12% is 12) in",
)
_BOOLEAN = Form("BOOLEAN", r"[tT]rue|TRUE|[fF]alse|FALSE", "try_cast({0} AS BOOLEAN)")
_TIME = Form(
    "TIMESTAMP",
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?",
    "try_cast(replace({0}, 'Z', '') AS TIMESTAMP)",
)


def _date(pattern: str, form: str) -> Form:
    return Form(
        "DATE", pattern, f"CAST(try_strptime({{0}}, '{form}') AS DATE)", f"dates were read as {_spoken(form)} in"
    )


def _spoken(form: str) -> str:
    for code, word in {"%Y": "year", "%y": "year", "%m": "month", "%d": "day", "%b": "month", "%B": "month"}.items():
        form = form.replace(code, word)
    return form


_ISO_DATE = Form("DATE", r"\d{4}-\d{1,2}-\d{1,2}", "try_cast({0} AS DATE)")
_MONTH_FIRST = _date(r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y")
_DAY_FIRST = _date(r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y")
_DATES = (
    _ISO_DATE,
    _MONTH_FIRST,
    _DAY_FIRST,
    _date(r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    _date(r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    _date(r"\d{1,2}[a-z]{3}\d{4}", "%d%b%Y"),
    _date(r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y"),
    _date(r"\d{1,2} [A-Za-z]{3} \d{4}", "%d %b %Y"),
    _date(r"[A-Z][a-z]{2,8} \d{1,2}, \d{4}", "%B %d, %Y"),
)


@dataclass(frozen=True)
class Column:
    """A column of text and how to get at its cells."""

    name: str
    cell: str
    """SQL: the text without blanks around it, NULL where it is missing."""
    kept: str
    """SQL: the text as it is, NULL where it is missing."""
    cells: int
    """Cells that are not missing."""
    words: int
    """Cells that hold a word for missing."""
    values: tuple[str, ...]
    """A sample of cells."""


def type_columns(connection: duckdb.DuckDBPyConnection, names: Sequence[str], *, comma: bool = False) -> list[str]:
    """Make `data` of `raw`, whose columns are all text, and drop `raw`.

    Parameters
    ----------
    comma : whether a comma is rather a decimal point than a thousands separator (files separated by semicolons).

    Returns
    -------
    notes : what was changed, one sentence a kind.
    """
    numbers = (_DECIMAL_COMMA, _THOUSANDS) if comma else (_THOUSANDS, _DECIMAL_COMMA)
    forms = (_INTEGER, _NUMBER, *numbers, _PERCENT, _BOOLEAN, *_DATES, _TIME)
    said: dict[str, list[str]] = {}
    rows, columns = _survey(connection, names)
    missing = [column.name for column in columns if column.words]
    if missing:
        said[f"cells that say {', '.join(_words_met(connection, missing))} were read as missing in"] = missing
    chosen = {column.name: _choose(connection, column, forms, said) for column in columns}
    if comma and _DECIMAL_COMMA.note in said:
        _points_are_thousands(connection, columns, chosen, said)
    selected = ", ".join(f"{sql} AS {quote(name)}" for name, sql in chosen.items())
    where = ""
    # A line of nothing but separators is no row; in a file of one column an empty line is a missing value.
    if len(names) > 1 and all(column.cells + column.words < rows for column in columns):
        where = f" WHERE NOT ({' AND '.join(map(_blank, names))})"
    connection.execute(f"CREATE TABLE data AS SELECT {selected} FROM raw{where}")
    left = connection.execute("SELECT count(*) FROM data").fetchone()
    connection.execute("DROP TABLE raw")
    notes = [f"{what} {_listed(found)}" for what, found in said.items()]
    return notes + ([f"{rows - left[0]:,} empty rows were left out"] if left and left[0] < rows else [])


def _blank(name: str) -> str:
    return f"coalesce(trim({quote(name)}, ' \t'), '') = ''"


def _is_word(cell: str) -> str:
    words = ", ".join(f"'{word}'" for word in (*MISSING, *_ERRORS))
    return f"(strlen({cell}) < 8 AND {cell} IN ({words}))"


def _survey(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> tuple[int, list[Column]]:
    """The number of rows, and each column, with no more work in its SQL than its cells need."""
    looked = ["count(*)"]
    for place in range(len(names)):
        looked += [
            f"count(c{place})",
            f"count(*) FILTER (t{place} = '')",
            f"count(*) FILTER ({_is_word(f't{place}')})",
            f"count(*) FILTER (strlen(t{place}) <> strlen(c{place}))",
        ]
    trimmed = ", ".join(
        f"{column} AS c{place}, trim({column}, ' \t') AS t{place}" for place, column in enumerate(map(quote, names))
    )
    (counts,) = connection.execute(f"SELECT {', '.join(looked)} FROM (SELECT {trimmed} FROM raw)").fetchall()
    limit = max(_FEWEST_SAMPLED, _SAMPLED_CELLS // len(names))
    sample = connection.execute(f"SELECT {', '.join(map(quote, names))} FROM raw LIMIT {limit}").fetchall()
    columns = []
    for position, name in enumerate(names):
        filled, empty, words, padded = counts[1 + 4 * position : 5 + 4 * position]
        cell = f"trim({quote(name)}, ' \t')" if padded else quote(name)
        missing = f"CASE WHEN NOT {_is_word(cell)} THEN {{}} END" if words else "{}"
        seen = {str(row[position]).strip(" \t") for row in sample if row[position] is not None}
        columns.append(
            Column(
                name,
                missing.format(cell),
                missing.format(quote(name)),
                filled - words,
                words - empty,
                tuple(seen - set(MISSING) - set(_ERRORS)),
            )
        )
    return counts[0], columns


def _words_met(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[str]:
    met = set[str]()
    for name in names:
        cell = f"trim({quote(name)}, ' \t')"
        found = connection.execute(
            f"SELECT DISTINCT {cell} FROM raw WHERE {_is_word(cell)} AND {cell} <> ''"
        ).fetchall()
        met.update(word for (word,) in found)
    return [f'"{word}"' for word in sorted(met)]


def _choose(
    connection: duckdb.DuckDBPyConnection, column: Column, forms: Sequence[Form], said: dict[str, list[str]]
) -> str:
    """The SQL of a column in the first form that all its cells have; text if there is none."""
    for form in forms if column.cells else ():
        if not all(map(form.fits, column.values)):
            continue
        found = _verified(connection, column, form)
        if found is None:
            continue
        kind, zeros = found
        if zeros:
            said.setdefault("leading zeros were dropped in", []).append(column.name)
        if form.note:
            said.setdefault(form.note, []).append(column.name)
        if form is _MONTH_FIRST and _verified(connection, column, _DAY_FIRST):
            said.setdefault("day/month/year would fit as well as month/day/year in", []).append(column.name)
        return f"CAST({form.sql.format(f'({column.cell})')} AS {kind})"
    return column.kept


def _verified(connection: duckdb.DuckDBPyConnection, column: Column, form: Form) -> tuple[str, bool] | None:
    """(type, whether whole numbers have leading zeros) if every cell has the form, else None."""
    value = form.sql.format("cell")
    whole = f"{value} = trunc({value}) AND abs({value}) < 9e15" if form.kind == "NUMBER" else "FALSE"
    zeros = r"regexp_matches(cell, '^0\d')" if form is _INTEGER else "FALSE"
    row = connection.execute(
        f"SELECT bool_and(regexp_full_match(cell, '{form.pattern}') AND {value} IS NOT NULL), bool_and({whole}), "
        f"bool_or({zeros}) FROM (SELECT {column.cell} AS cell FROM raw) WHERE cell IS NOT NULL"
    ).fetchone()
    if row is None or not row[0]:
        return None
    return form.kind if form.kind != "NUMBER" else "BIGINT" if row[1] else "DOUBLE", bool(row[2])


def _points_are_thousands(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[Column],
    chosen: dict[str, str],
    said: dict[str, list[str]],
) -> None:
    """Where a file writes 1,5 for one and a half, a column of nothing but 1.234 and 567 holds thousands."""
    for column in columns:
        if column.name in said[_DECIMAL_COMMA.note] or not chosen[column.name].endswith("AS DOUBLE)"):
            continue
        row = connection.execute(
            r"SELECT bool_and(regexp_full_match(cell, '[+-]?[1-9]\d{0,2}(\.\d{3})*|0')) "
            f"FROM (SELECT {column.cell} AS cell FROM raw) WHERE cell IS NOT NULL"
        ).fetchone()
        if row and row[0]:
            chosen[column.name] = f"CAST(replace({column.cell}, '.', '') AS BIGINT)"
            said.setdefault("a point was read as a thousands separator in", []).append(column.name)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more columns" if len(names) > _NAMED else "")
