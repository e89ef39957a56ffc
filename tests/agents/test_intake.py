"""Every kind of file becomes the same table, what was changed is said, and what cannot be read is one clear error."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from leucippus.agents.intake import read_data
from leucippus.errors import DataError, InputError

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(content: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "some.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE people AS SELECT range AS id, range % 2 AS treat FROM range(10)")
        connection.execute("CREATE VIEW treated AS SELECT * FROM people WHERE treat = 1")
    return path


def column(path: Path, name: str = "x") -> list[object]:
    return [value for (value,) in read_data(path).connection.execute(f'SELECT "{name}" FROM data').fetchall()]


PEOPLE = pd.DataFrame({"name": ["Zoë", "Bo", "Cy"], "age": [30, 41, 52], "wage": [1.5, None, 2.25]})


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "xlsx", "dta", "sav", "jsonl", "csv.gz"])
def test_every_kind_of_file_gives_the_same_table(tmp_path: Path, kind: str) -> None:
    import pyreadstat

    path = tmp_path / f"people.{kind}"
    writers: dict[str, Callable[[], Any]] = {
        "csv": lambda: PEOPLE.to_csv(path, index=False),
        "tsv": lambda: PEOPLE.to_csv(path, index=False, sep="\t"),
        "parquet": lambda: PEOPLE.to_parquet(path),
        "xlsx": lambda: PEOPLE.to_excel(path, index=False),
        "dta": lambda: pyreadstat.write_dta(PEOPLE, str(path)),
        "sav": lambda: pyreadstat.write_sav(PEOPLE, str(path)),
        "jsonl": lambda: PEOPLE.to_json(path, orient="records", lines=True),
        "csv.gz": lambda: path.write_bytes(gzip.compress(PEOPLE.to_csv(index=False).encode())),
    }
    writers[kind]()
    before = path.read_bytes()
    found = read_data(path)
    assert dict(found.types) == {"name": "VARCHAR", "age": "BIGINT", "wage": "DOUBLE"}
    rows = found.connection.execute("SELECT * FROM data").fetchall()
    assert rows == [("Zoë", 30, 1.5), ("Bo", 41, None), ("Cy", 52, 2.25)]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", "UTF-16"), ("latin-1", "Latin-1"), ("cp1252", "Windows-1252")],
)
def test_encodings(write: Write, encoding: str, said: str) -> None:
    text = "città,señor\n" + "perché è già così,2\n" * 20
    path = write(text.encode(encoding))
    found = read_data(path)
    assert found.columns == ("città", "señor")
    assert column(path, "città")[0] == "perché è già così"
    assert said in " ".join(found.notes)
    assert bool(found.notes) == bool(said)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_and_quotes(write: Write, newline: str) -> None:
    path = write(newline.join(["a,x", '1,"two, and ""three"""', '2,"on two\nlines"', ""]))
    assert column(path) == ['two, and "three"', "on two\nlines"]


def test_labels_and_descriptions_of_stata(tmp_path: Path) -> None:
    import pyreadstat

    path = tmp_path / "coded.dta"
    frame = pd.DataFrame({"sex": [1, 2, 1], "y": [0.5, 1.5, 2.5]})
    pyreadstat.write_dta(
        frame,
        str(path),
        column_labels=["Sex of respondent", "Income at follow-up"],
        variable_value_labels={"sex": {1: "male", 2: "female"}},
    )
    found = read_data(path)
    assert found.labels == {"sex": {"1": "male", "2": "female"}}
    assert found.descriptions == {"sex": "Sex of respondent", "y": "Income at follow-up"}
    kept = read_data(path, query="SELECT y FROM data")
    assert kept.labels == {} and kept.descriptions == {"y": "Income at follow-up"}


@pytest.mark.parametrize(
    ("cells", "expected", "note"),
    [
        (["1", "2", "03"], [1, 2, 3], "leading zeros"),
        (["1", "2.5", "1e3"], [1.0, 2.5, 1000.0], ""),
        (["1.5", "Inf", "-inf"], [1.5, math.inf, -math.inf], ""),
        (['"1,234"', '"12,345,678"', "7"], [1234, 12345678, 7], "thousands separators"),
        (['"1,234.50"', '"-2,000.00"', "$3"], [1234.5, -2000.0, 3.0], "thousands separators"),
        (['"1,5"', '"2,25"', "3"], [1.5, 2.25, 3.0], "decimal point"),
        (["12%", "3.5 %"], [12.0, 3.5], "percent"),
        (["true", "FALSE"], [True, False], ""),
        (["2020-01-31", "2020-02-01"], [date(2020, 1, 31), date(2020, 2, 1)], ""),
        (["1/31/2020", "2/1/2020"], [date(2020, 1, 31), date(2020, 2, 1)], "month/day/year"),
        (["31/1/2020", "1/2/2020"], [date(2020, 1, 31), date(2020, 2, 1)], "day/month/year"),
        (["1/2/2020", "2/1/2020"], [date(2020, 1, 2), date(2020, 2, 1)], "would fit as well"),
        (["2020-01-31", "soon"], ["2020-01-31", "soon"], ""),
        (["NA", "1", "N/A", ".", "4", ""], [None, 1, None, None, 4, None], '".", "N/A", "NA"'),
        (["NA", "a"], [None, "a"], '"NA"'),
        (["=1+1", "=cmd|' /C calc'!A0"], ["=1+1", "=cmd|' /C calc'!A0"], ""),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"], ""),
        (["1_000", "2"], ["1_000", "2"], ""),
        (["0x1F", "2"], ["0x1F", "2"], ""),
        ([" 7", "8 "], [7, 8], ""),
        ([" a", "b"], [" a", "b"], ""),
    ],
)
def test_cells(write: Write, cells: list[str], expected: list[object], note: str) -> None:
    path = write("id,x\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)))
    assert column(path) == expected
    notes = [line for line in read_data(path).notes if line.endswith(" x")]
    assert any(note in line for line in notes) if note else notes == []


def test_a_late_cell_decides_the_type(write: Write) -> None:
    path = write("id,x\n" + "".join(f"{i},{i}\n" for i in range(60_000)) + "60000,none\n")
    assert read_data(path).types["x"] == "VARCHAR"


def test_semicolons_and_decimal_commas(write: Write) -> None:
    path = write("land;x;population;code\nA;1,5;1.234;1.5\nB;-2,25;83.000.000;2\nC;3;500;3.75\n")
    found = read_data(path)
    assert column(path) == [1.5, -2.25, 3.0]
    assert column(path, "population") == [1234, 83_000_000, 500]
    assert column(path, "code") == [1.5, 2.0, 3.75]
    assert any("decimal point" in note for note in found.notes)


def test_an_unnamed_first_column_is_an_index(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    PEOPLE.to_csv(path)
    found = read_data(path)
    assert found.columns == ("index", "name", "age", "wage")
    assert any("'index'" in note for note in found.notes)


def test_names_of_rows_without_a_name(write: Write) -> None:
    assert read_data(write("a,b\nr1,1,2\nr2,3,4\n")).columns == ("index", "a", "b")


def test_rows_without_cells_are_left_out(write: Write) -> None:
    found = read_data(write("a,b\n1,2\n,\n,\n"))
    assert found.rows == 1
    assert "2 empty rows were left out" in found.notes


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        ("", "data.csv", "is empty"),
        ("a,b\n", "data.csv", "header and no rows"),
        ("a,b,a\n1,2,3\n", "data.csv", "both called 'a'"),
        ("a,b,A\n1,2,3\n", "data.csv", "both called 'A'"),
        ("a,,b\n1,2,3\n", "data.csv", "column 2 .* has no name"),
        ("1,2,3\n4,5,6\n7,8,9\n", "data.csv", "first row .* is numbers"),
        ("a,b\n1,2\n3,4,5\n6,7\n", "data.csv", "line 3 .* has 3 cells under 2 columns"),
        ("a,b\n1,2\n3\n6,7\n", "data.csv", "line 3 .* has 1 cells under 2 columns"),
        (bytes(range(256)) * 40, "data.csv", "no text"),
        (b"PAR1" + b"\x15\x04" * 50, "data.csv", "looks like a Parquet file"),
        ("a,b\n1,2\n", "data.parquet", "cannot be read"),
        ("a,b\n1,2\n", "data.xlsx", "cannot be read as a workbook"),
        ("a,b\n1,2\n", "data.dta", "cannot be read"),
        ("a,b\n1,2\n", "data.sav", "cannot be read"),
        ("a,b\n1,2\n", "data.duckdb", "cannot be read"),
        ("not json\n", "data.jsonl", "cannot be read"),
        ("a,b\n1,2\n", "data.csv.gz", "no gzip file"),
        ("a,b\n1,2\n", "data.pdf", "ending we do not read"),
    ],
)
def test_what_cannot_be_read(write: Write, content: str | bytes, name: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_data(write(content, name))
    assert caught.value.expected or caught.value.next_step


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_data(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_data(tmp_path)


def test_sheets(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        PEOPLE.to_excel(book, sheet_name="people", index=False)
        PEOPLE.to_excel(book, sheet_name="again", index=False)
    with pytest.raises(DataError, match="2 sheets: people, again"):
        read_data(path)
    with pytest.raises(DataError, match="no sheet 'other'"):
        read_data(path, table="other")
    assert read_data(path, table="again").rows == 3


def test_formulas_count_as_their_stored_values(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book["Sheet"]
    sheet.append(["a", "b"])
    sheet.append([1, "=A2+1"])
    path = tmp_path / "book.xlsx"
    book.save(path)
    with pytest.raises(DataError, match="1 formulas .* no stored value, the first in column 2, row 2"):
        read_data(path)


def test_tables_of_a_database(database: Path) -> None:
    with pytest.raises(DataError, match="2 tables: people, treated"):
        read_data(database)
    with pytest.raises(DataError, match="no table 'others'"):
        read_data(database, table="others")
    assert read_data(database, table="people").rows == 10
    assert read_data(database, table="treated").rows == 5
    assert read_data(database, query="SELECT id FROM people WHERE id > 2 -- late ones").rows == 7


def test_a_query_over_a_file(write: Write) -> None:
    found = read_data(write("a,b\n1,2\n3,4\n"), query="SELECT a + b AS c FROM data;")
    assert found.connection.execute("SELECT c FROM data").fetchall() == [(3,), (7,)]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELEC a FROM data", "fails"),
        ("SELECT nothing FROM data", "fails"),
        ("", "not one SELECT"),
        ("SELECT 1 AS a; SELECT 2 AS a", "not one SELECT"),
        ("CREATE TABLE x (i INT)", "not one SELECT"),
        ("COPY data TO 'stolen.csv'", "not one SELECT"),
        ("INSERT INTO data VALUES (1, 2)", "not one SELECT"),
        ("ATTACH 'other.duckdb'", "not one SELECT"),
        ("SELECT a, a FROM data", "both called 'a'"),
        ("SELECT * FROM data WHERE a > 100", "has no rows"),
        ("SELECT * FROM read_text('/etc/hostname')", "fails: Permission Error"),
        ("SELECT * FROM '/etc/hostname'", "fails"),
        ("SELECT * FROM glob('/*')", "fails: Permission Error"),
        ("SELECT * FROM path", "fails: Catalog Error"),  # a variable of the caller
    ],
)
def test_queries_that_are_refused(write: Write, query: str, says: str) -> None:
    path = write("a,b\n1,2\n3,4\n")
    with pytest.raises(DataError, match=says):
        read_data(path, query=query)
    assert path.read_text() == "a,b\n1,2\n3,4\n"


def test_the_connection_stays_locked(write: Write, tmp_path: Path) -> None:
    found = read_data(write("a,b\n1,2\n"))
    for statement in (f"COPY data TO '{tmp_path}/out.csv'", "SET enable_external_access = true", "SET threads = 1"):
        with pytest.raises(duckdb.Error):
            found.connection.execute(statement)
    assert not (tmp_path / "out.csv").exists()


def test_not_a_number_is_missing_and_nested_values_are_text(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT 'nan'::DOUBLE AS x, [1, 2] AS l UNION ALL SELECT 2, [3]) TO '{path}' (FORMAT parquet)"
        )
    found = read_data(path)
    assert found.connection.execute("SELECT x, l FROM data").fetchall() == [(None, "[1,2]"), (2.0, "[3]")]
    assert any("nested" in note for note in found.notes)


def test_what_is_larger_than_memory_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT range AS id, hash(range)::VARCHAR || repeat('x', 180) AS words, range % 7 AS code "
            f"FROM range(500_000)) TO '{path}' (HEADER)"
        )
    assert path.stat().st_size > 100_000_000

    found = read_data(path, memory_limit="60MB")
    assert found.rows == 500_000
    assert dict(found.types) == {"id": "BIGINT", "words": "VARCHAR", "code": "BIGINT"}
    assert found.connection.execute("SELECT sum(code), count(DISTINCT id) FROM data").fetchone() == (1_499_994, 500_000)


def test_nothing_is_left_behind(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    path = write("città,b\nè,2\n".encode("latin-1"))
    found = read_data(path)
    assert len(list(folder.iterdir())) == 1
    del found
    assert list(folder.iterdir()) == []
    with pytest.raises(DataError):
        read_data(write("a,a\n1,2\n"))
    assert list(folder.iterdir()) == []


def test_a_file_name_is_no_pattern(tmp_path: Path) -> None:
    for name, rows in (("data[1]", 5), ("data1", 3)):
        frame = pd.DataFrame({"a": range(rows)})
        frame.to_parquet(tmp_path / f"{name}.parquet")
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    assert read_data(tmp_path / "data[1].parquet").rows == read_data(tmp_path / "data[1].csv").rows == 5
    (tmp_path / "run=3").mkdir()
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "run=3" / "x.parquet")
    assert read_data(tmp_path / "run=3" / "x.parquet").columns == ("a",)
