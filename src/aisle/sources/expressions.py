"""Checks and evaluates the SQL expressions of a column mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from aisle.sources.engine import column_name
from aisle.tables import did_you_mean

__all__ = ["Expression", "ExpressionError", "evaluate", "parse_expression"]

# Kinds of nodes that a scalar expression over one row may have. Subqueries, windows, stars and parameters are none.
_SCALAR_NODES = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA"}
    | {"OPERATOR", "TYPE"}
)
_NUMERIC_SHARE = 0.5
"""A text column is taken for one of numbers if at least this share of its values are."""

_SCALAR_FUNCTIONS = """
SELECT DISTINCT lower(function_name) AS name FROM duckdb_functions() WHERE function_type IN ('scalar', 'macro')
"""


class ExpressionError(Exception):
    """An expression does not hold; its text is the reason."""


@dataclass(frozen=True)
class Expression:
    """A checked expression: its SQL, and the columns that it names as the table spells them."""

    sql: str
    columns: tuple[str, ...]


def parse_expression(connection: duckdb.DuckDBPyConnection, text: str, available: list[str]) -> Expression:
    """Check that a text is a column, or one scalar SQL expression over the columns.

    Args:
        connection: DuckDB, used as the parser.
        text: A column's name as it stands in the file, or an expression in DuckDB's dialect.
        available: The file's columns.

    Raises:
        ExpressionError: If it is neither.
    """
    if text in available:
        return Expression(column_name(text), (text,))
    # The line end keeps a comment inside the expression from swallowing the bracket.
    parsed = json.loads(connection.execute("SELECT json_serialize_sql(?)", [f"SELECT (\n{text}\n)"]).fetchall()[0][0])
    if parsed["error"]:
        raise ExpressionError(f"{text!r} is neither a column nor an SQL expression ({parsed['error_message']})")
    nodes = _select_list(parsed, text)
    spelling = {name.lower(): name for name in available}
    inner = {parameter.lower() for node in _nodes(nodes) for parameter in _lambda_parameters(node)}
    _refuse_nodes(connection, text, nodes)
    named = dict.fromkeys(node["column_names"][0] for node in _nodes(nodes) if node.get("class") == "COLUMN_REF")
    columns = [name for name in named if name.lower() not in inner]
    unknown = [name for name in columns if name.lower() not in spelling]
    if unknown:
        guesses = ((name, did_you_mean(name, available)) for name in unknown)
        raise ExpressionError(
            "; ".join(
                f"there is no column {name!r}" + (f" (did you mean {guess!r}?)" if guess else "")
                for name, guess in guesses
            )
        )
    return Expression(text, tuple(spelling[name.lower()] for name in columns))


def _select_list(parsed: dict[str, Any], text: str) -> list[Any]:
    """Return the one expression of the one plain SELECT, or refuse what was smuggled past the brackets."""
    match parsed["statements"]:
        case [
            {
                "node": {
                    "type": "SELECT_NODE",
                    "select_list": [expression],
                    "from_table": {"type": "EMPTY"},
                    "where_clause": None,
                    "having": None,
                    "qualify": None,
                    "modifiers": [],
                    "group_expressions": [],
                }
            }
        ]:
            return [expression]
    raise ExpressionError(f"{text!r} must be one expression, not a query")


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for child in tree.values():
            yield from _nodes(child)
    elif isinstance(tree, list):
        for child in tree:
            yield from _nodes(child)


def _lambda_parameters(node: dict[str, Any]) -> Iterator[str]:
    if node.get("class") == "LAMBDA":
        for inner in _nodes(node["lhs"]):
            if inner.get("class") == "COLUMN_REF":
                yield from inner["column_names"]


def _refuse_nodes(connection: duckdb.DuckDBPyConnection, text: str, tree: list[Any]) -> None:
    kinds = {str(node["class"]) for node in _nodes(tree) if "class" in node}
    if kinds - _SCALAR_NODES:
        found = ", ".join(sorted(kind.lower() for kind in kinds - _SCALAR_NODES))
        raise ExpressionError(f"{text!r} must be a scalar expression over one row, without {found}")
    called = {str(node["function_name"]).lower() for node in _nodes(tree) if node.get("class") == "FUNCTION"}
    scalar = set(connection.sql(_SCALAR_FUNCTIONS).to_arrow_table()["name"].to_pylist())
    if called - scalar:
        raise ExpressionError(f"there is no scalar function {', '.join(sorted(called - scalar))} in {text!r}")


def evaluate(connection: duckdb.DuckDBPyConnection, expression: Expression, table: pa.Table) -> pa.ChunkedArray:
    """Evaluate an expression for every row of a table that is registered as `source`.

    Columns of a CSV are text. Where the expression does not fit text (`price/100`), it is evaluated again with those of
    its columns that mostly hold numbers read as such. A value that is no number ("call us") then stands in the
    result as it was, so that validation names it instead of meeting a null.

    Returns:
        One value per row.

    Raises:
        ExpressionError: If it cannot be evaluated.
    """
    try:
        return _select(connection, expression.sql, "source")
    except duckdb.Error as error:
        numeric = [name for name in expression.columns if _mostly_numbers(connection, name, table)]
        if not numeric:
            raise ExpressionError(f"{expression.sql!r} cannot be evaluated ({_first_line(error)})") from error
    casts = ", ".join(f"TRY_CAST({column_name(name)} AS DOUBLE) AS {column_name(name)}" for name in numeric)
    relation = f"(SELECT * REPLACE ({casts}) FROM source)"  # noqa: S608 - quoted column names alone
    try:
        values = _select(connection, expression.sql, relation)
    except duckdb.Error as error:
        raise ExpressionError(f"{expression.sql!r} cannot be evaluated ({_first_line(error)})") from error
    unread = ", ".join(
        f"CASE WHEN TRY_CAST({name} AS DOUBLE) IS NULL AND trim({name}) <> '' THEN {name} END"
        for name in map(column_name, numeric)
    )
    return _keep_unread(values, _select(connection, f"coalesce({unread}, NULL)", "source"))


def _select(connection: duckdb.DuckDBPyConnection, sql: str, relation: str) -> pa.ChunkedArray:
    # Not a query from outside: `sql` passed parse_expression, and the connection is sealed.
    return connection.sql(f"SELECT (\n{sql}\n) AS value FROM {relation}").to_arrow_table()["value"]  # noqa: S608


def _mostly_numbers(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> bool:
    kind = table.schema.field(name).type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return False
    text = column_name(name)
    count = f"SELECT count(TRY_CAST({text} AS DOUBLE)), count(*) FROM source WHERE trim({text}) <> ''"  # noqa: S608
    num_numbers, num_values = connection.sql(count).fetchall()[0]
    return bool(num_numbers and num_numbers >= _NUMERIC_SHARE * num_values)


def _keep_unread(values: pa.ChunkedArray, unread: pa.ChunkedArray) -> pa.ChunkedArray:
    if unread.null_count == len(unread) or pa.types.is_nested(values.type):
        return values
    return pc.coalesce(values.cast(pa.string()), unread.cast(pa.string()))


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
