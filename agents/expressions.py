"""A tiny language for filters and derived variables, compiled to SQL; nothing in it is ever evaluated as code.

    0.48 <= share <= 0.52 and year in [1995, 1996]
    log(`net price`)      diff(sales)      lag(sales)      is_missing(wage)      dose > 0 and not (arm == 'none')

Names are columns, in backticks where they are not plain words; text is in quotes. It has numbers, text, comparisons
(chained ones too), `in`, and, or, not, + - * / ** %, and the functions of `FUNCTIONS`. The expression is read with
Python's parser, every node must be one of those named here, and what comes out is SQL whose constants are bound as
parameters, never written into the text.
"""

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leucippus.errors import DesignError

Constant = str | float | int | bool

FUNCTIONS: dict[str, str] = {
    "log": "ln(nullif(greatest({0}, 0), 0))",
    "log1p": "ln(nullif(greatest(1 + {0}, 0), 0))",
    "exp": "exp({0})",
    "sqrt": "nullif(pow({0}, 0.5), 'nan'::DOUBLE)",
    "abs": "abs({0})",
    "is_missing": "({0} IS NULL)",
    "lag": "lag({0}) OVER ({window})",
    "diff": "({0} - lag({0}) OVER ({window}))",
}
"""Name → SQL. Logarithms of what is not positive and roots of what is negative are missing values; the argument stands
once, so that nested functions stay short."""

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "({0} + {1})",
    ast.Sub: "({0} - {1})",
    ast.Mult: "({0} * {1})",
    ast.Div: "({0}::DOUBLE / nullif({1}, 0))",
    ast.Pow: "nullif(pow({0}, {1}), 'nan'::DOUBLE)",
    ast.Mod: "({0} % nullif({1}, 0))",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "=",
    ast.NotEq: "<>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_LONGEST = 2_000
_QUOTED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Compiled:
    """SQL for one expression."""

    sql: str
    constants: tuple[Constant, ...]
    """Bound to the question marks of `sql`, in order."""
    columns: tuple[str, ...]
    """Every column the expression names, each once, in order of appearance."""
    looks_back: bool
    """Whether it holds `lag` or `diff`, which need rows in order of time."""


def quote(name: str) -> str:
    """A column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def compile_expression(text: str, unit: str | None = None, time: str | None = None) -> Compiled:
    """The SQL of an expression.

    Parameters
    ----------
    text : the expression, at most 2,000 characters.
    unit, time : the columns that say within what and in which order `lag` and `diff` look back one row.

    Raises
    ------
    DesignError : it cannot be read, or uses anything outside the language.
    """
    if len(text) > _LONGEST:
        raise DesignError(f"an expression of {len(text)} characters", expected=f"at most {_LONGEST}")
    names: list[str] = []
    plain = _QUOTED.sub(lambda found: _placeholder(names, found[1]), text)
    try:
        tree = ast.parse(plain.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _unusable(text, "it is not an expression") from error
    compiler = _Compiler(text, names, unit, time)
    try:
        sql = compiler.visit(tree)
    except RecursionError as error:
        raise _unusable(text, "it is nested too deeply") from error
    return Compiled(sql, tuple(compiler.constants), tuple(dict.fromkeys(compiler.columns)), compiler.looks_back)


def _placeholder(names: list[str], name: str) -> str:
    names.append(name)
    return f"__column_{len(names) - 1}__"


def _unusable(text: str, why: str) -> DesignError:
    return DesignError(
        f"the expression {text!r} cannot be used: {why}",
        expected="columns, numbers, quoted text, comparisons, in, and, or, not, + - * / ** %, and "
        + ", ".join(f"{name}()" for name in FUNCTIONS),
        next_step="Put column names with spaces in backticks and text in quotes.",
    )


class _Compiler:
    """Walks the syntax tree; every kind of node it does not name is refused."""

    def __init__(self, text: str, names: Sequence[str], unit: str | None, time: str | None) -> None:
        self.text = text
        self.names = names
        self.unit = unit
        self.time = time
        self.constants: list[Constant] = []
        self.columns: list[str] = []
        self.looks_back = False

    def visit(self, node: ast.expr) -> str:
        handlers: dict[type[ast.expr], Callable[..., str]] = {
            ast.Name: self._name,
            ast.Constant: self._constant,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._binary,
            ast.BoolOp: self._boolean,
            ast.Compare: self._compare,
            ast.Call: self._call,
        }
        handler = handlers.get(type(node))
        if handler is None:
            raise _unusable(self.text, f"it holds a {type(node).__name__.lower()}")
        return handler(node)

    def _name(self, node: ast.Name) -> str:
        found = re.fullmatch(r"__column_(\d+)__", node.id)
        name = self.names[int(found[1])] if found and int(found[1]) < len(self.names) else node.id
        self.columns.append(name)
        return quote(name)

    def _constant(self, node: ast.Constant) -> str:
        value = node.value
        if not isinstance(value, str | float | int | bool):
            raise _unusable(self.text, f"{value!r} is neither a number nor text")
        if not isinstance(value, str) and not abs(value) < 1e300:
            raise _unusable(self.text, f"{str(value)[:20]} is too large a number")
        self.constants.append(value)
        return "?"

    def _unary(self, node: ast.UnaryOp) -> str:
        signs: dict[type[ast.unaryop], str] = {ast.USub: "(-{0})", ast.UAdd: "{0}", ast.Not: "(NOT {0})"}
        form = signs.get(type(node.op))
        if form is None:
            raise _unusable(self.text, "it holds a bit operation")
        return form.format(self.visit(node.operand))

    def _binary(self, node: ast.BinOp) -> str:
        form = _BINARY.get(type(node.op))
        if form is None:
            raise _unusable(self.text, f"it holds the operation {type(node.op).__name__}")
        return form.format(self.visit(node.left), self.visit(node.right))

    def _boolean(self, node: ast.BoolOp) -> str:
        word = " AND " if isinstance(node.op, ast.And) else " OR "
        return "(" + word.join(self.visit(value) for value in node.values) + ")"

    def _compare(self, node: ast.Compare) -> str:
        parts = []
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self._comparison(left, operator, right))
            left = right
        return "(" + " AND ".join(parts) + ")"

    def _comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> str:
        if isinstance(operator, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
                raise _unusable(self.text, "`in` needs a list such as [1, 2]")
            word = "IN" if isinstance(operator, ast.In) else "NOT IN"
            return f"{self.visit(left)} {word} (" + ", ".join(self.visit(item) for item in right.elts) + ")"
        symbol = _COMPARE.get(type(operator))
        if symbol is None:
            raise _unusable(self.text, "it compares with `is`")
        return f"{self.visit(left)} {symbol} {self.visit(right)}"

    def _call(self, node: ast.Call) -> str:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS or len(node.args) != 1 or node.keywords:
            raise _unusable(
                self.text, f"{name or 'that'}() with {len(node.args)} arguments is not one of its functions"
            )
        if name in ("lag", "diff"):
            if not isinstance(node.args[0], ast.Name):
                raise _unusable(self.text, f"{name}() takes a column")
            if not self.time:
                raise _unusable(self.text, f"{name}() needs a design with a time column")
            self.looks_back = True
        argument = self.visit(node.args[0])
        partition = f"PARTITION BY {quote(self.unit)} " if self.unit else ""
        window = f"{partition}ORDER BY {quote(self.time)}" if self.time else ""
        return FUNCTIONS[name].format(argument, window=window)
