"""Values written into scripts: they read back as themselves, whatever they hold."""

import ast

import duckdb
import numpy as np
import pandas as pd
import pytest

from leucippus.agents.expressions import compile_expression
from leucippus.agents.inquiry.script_text import Code, fill, literal, with_constants


def test_constants_of_expressions_become_literals() -> None:
    columns = 'SELECT 1.5 AS x, \'a?b\' AS "w?""hat", TRUE AS flag'
    for text in (
        "x == 0.1 + 1.4 and `w?\"hat` == 'a?b'",
        "`w?\"hat` in ['it\\'s', \"a?b\"] and flag == True",
        "x > -2",
    ):
        compiled = compile_expression(text)
        bound = duckdb.execute(f"SELECT {compiled.sql} FROM ({columns})", compiled.constants).fetchall()
        assert duckdb.execute(f"SELECT {with_constants(compiled)} FROM ({columns})").fetchall() == bound


@pytest.mark.parametrize("value", ["'); DROP", "é\n\x00", 0.1, 1e300, -3, True, None, ["a", {"b": np.float64(2.5)}]])
def test_literals_read_back(value: object) -> None:
    assert ast.literal_eval(literal(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), pd.Timestamp("2001-01-01")])
def test_what_is_no_literal_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        literal(value)


def test_a_line_stands_where_its_flags_are_set() -> None:
    values = {"HOW": "by '@SE@'\n"}
    assert 'print("standard error"' in fill(("end",), {"se"}, values)
    # A value that looks like a place for another one stays what it is.
    assert repr(values["HOW"]) in fill(("end",), set(), values)
    assert literal(Code("a + b")) == "a + b"
