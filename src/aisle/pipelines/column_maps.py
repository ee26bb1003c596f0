"""`--map` for one or several files: which table each mapped column belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aisle.core.errors import ConfigError
from aisle.sources import ColumnMap
from aisle.tables import SCHEMAS, did_you_mean

__all__ = ["read_column_maps"]


def read_column_maps(texts: Sequence[str], *, tables: Sequence[str]) -> dict[str, ColumnMap]:
    """Read every `--map`: `column=source` with commas, `table.column=source`, or a TOML file with a part per table.

    A column without a table's name belongs to the first of the tables whose contract has it, and to the first table
    of all where none has.

    Args:
        texts: Values of `--map`.
        tables: Tables that are imported, in order.

    Raises:
        ConfigError: If a map cannot be read, or names a table that is not imported.

    >>> maps = read_column_maps(["title=name,judgments.grade=stars"], tables=["products", "judgments"])
    >>> {name: dict(one.columns) for name, one in maps.items()}
    {'products': {'title': 'name'}, 'judgments': {'grade': 'stars'}}
    """
    columns: dict[str, dict[str, str]] = {}
    for text in texts:
        if text.endswith(".toml"):
            for table in tables:
                columns.setdefault(table, {}).update(ColumnMap.load(Path(text), table=table).columns)
            continue
        for name, source in ColumnMap.parse(text).columns.items():
            table, column = _belongs(name, tables)
            columns.setdefault(table, {})[column] = source
    return {table: ColumnMap(mapped) for table, mapped in columns.items() if mapped}


def _belongs(name: str, tables: Sequence[str]) -> tuple[str, str]:
    prefix, dot, column = name.partition(".")
    if dot:
        if prefix not in tables:
            guess = did_you_mean(prefix, list(tables))
            raise ConfigError(
                "--map must name a table that is imported",
                received={"map": name, "tables": list(tables)},
                remedy=f"Did you mean {guess}.{column}?" if guess else "Give that table's file too.",
            )
        return prefix, column
    owners = [table for table in tables if SCHEMAS[table].column(name) is not None]
    return (owners or list(tables) or ["products"])[0], name
