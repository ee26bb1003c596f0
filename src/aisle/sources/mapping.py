"""Maps the columns of any file to the contract: `title=name,price=price/100`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from aisle.core.errors import ConfigError
from aisle.sources.engine import engine
from aisle.sources.expressions import ExpressionError, evaluate, parse_expression
from aisle.tables import SCHEMAS, did_you_mean

__all__ = ["ColumnMap"]

_QUOTED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
_TOKEN = re.compile(rf"{_QUOTED}|[\[({{]|[\])}}]|,|[^'\"\[\](){{}},]+|['\"]")
_REMEDY = (
    "Write for instance title=name,price=price/100: a contract's column, =, a column of the file or an expression."
)


@dataclass(frozen=True)
class ColumnMap:
    """Where columns of the contract come from.

    Attributes:
        columns: For each column to make, a column of the file or a scalar SQL expression in DuckDB's dialect over
            the file's columns. A column whose name is no plain word stands in double quotes inside an expression.
    """

    columns: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> ColumnMap:
        """Read "title=name,price=price/100,category=[a,b]".

        Commas inside brackets and quotes do not divide. The first = of each part divides name and source.

        Raises:
            ConfigError: If a part has no =, an empty side, or a name that stands twice; lists every problem.

        >>> dict(ColumnMap.parse("title=name, category=[a, b]").columns)
        {'title': 'name', 'category': '[a, b]'}
        """
        problems: list[str] = []
        columns: dict[str, str] = {}
        for part in _split(text):
            name, _, source = (side.strip() for side in part.partition("="))
            if not name or not source:
                problems.append(f"{part.strip()!r} is not of the form name=source")
            elif name in columns:
                problems.append(f"{name} stands twice")
            columns.setdefault(name, source)
        if problems:
            raise ConfigError(
                "A mapping must give each column one source: " + "; ".join(problems),
                received={"map": text},
                remedy=_REMEDY,
            )
        return cls(MappingProxyType(columns))

    @classmethod
    def load(cls, path: Path, *, table: str) -> ColumnMap:
        """Read the part of a TOML file that maps one table, such as `[products]` with `title = "name"`.

        Args:
            path: The file; it may map several tables.
            table: Name of a table of the contract; one that the file does not map gets an empty mapping.

        Raises:
            ConfigError: If the file is missing, no TOML, or holds anything but tables of the contract with texts;
                lists every problem.
        """
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(
                "A mapping file must be readable TOML",
                received={"path": str(path), "reason": str(error)},
                remedy=_REMEDY,
            ) from error
        problems: list[str] = []
        for name, columns in content.items():
            if name not in SCHEMAS:
                guess = did_you_mean(name, SCHEMAS)
                problems.append(f"[{name}] is no table" + (f" (did you mean [{guess}]?)" if guess else ""))
            elif not isinstance(columns, dict) or not all(isinstance(source, str) for source in columns.values()):
                problems.append(f"[{name}] must hold texts alone")
        if problems:
            raise ConfigError(
                "A mapping file must map tables of the contract: " + "; ".join(problems),
                received={"path": str(path)},
                remedy=f'Tables are {", ".join(SCHEMAS)}; each holds lines such as title = "name".',
            )
        return cls(MappingProxyType(dict(content.get(table, {}))))

    def apply(self, table: pa.Table) -> pa.Table:
        """Make the mapped columns.

        A mapped column comes in the place of a column of the same name. A column that is given another name as it
        is leaves its old name; columns that only feed expressions, and all others, stay.

        Raises:
            ConfigError: If a source names a column that is not there, is not one scalar expression, or cannot be
                evaluated; lists every problem.
        """
        made: dict[str, pa.ChunkedArray] = {}
        renamed: set[str] = set()
        problems: list[str] = []
        with engine(sealed=True) as connection:
            connection.register("source", table)
            for name, source in self.columns.items():
                try:
                    expression = parse_expression(connection, source, table.column_names)
                    is_column = source in table.column_names
                    made[name] = table[source] if is_column else evaluate(connection, expression, table)
                    renamed |= {source} if is_column else set()
                except ExpressionError as error:
                    problems.append(f"{name}: {error}")
        if problems:
            raise ConfigError(
                "A mapping must fit the file: " + "; ".join(problems),
                received={"columns": table.column_names},
                remedy=_REMEDY,
            )
        kept = [name for name in table.column_names if name not in renamed and name not in made]
        return pa.table({**made, **{name: table[name] for name in kept}})


def _split(text: str) -> list[str]:
    """Divide at the commas that stand outside of brackets and quotes; empty parts are left out."""
    parts, depth = [""], 0
    for piece in _TOKEN.findall(text):
        if piece in ("(", "[", "{"):
            depth += 1
        elif piece in (")", "]", "}"):
            depth -= 1
        if piece == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part for part in parts if part.strip()]
