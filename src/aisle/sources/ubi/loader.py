"""User Behavior Insights: joins a stream of queries and events to searches, impressions and events.

Source: github.com/opensearch-project/user-behavior-insights, schema 1.x. The rules stand in docs/import.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.core.progress import progress_bar
from aisle.sources.engine import engine
from aisle.sources.source_tables import REJECTED_SCHEMA, Account, SourceTables
from aisle.sources.statements import statement
from aisle.sources.ubi.config import UbiConfig
from aisle.sources.ubi.notes import notes_of
from aisle.sources.ubi.reading import find_files, read_files
from aisle.tables import Stage

__all__ = ["load_ubi"]

_DAY_US = 86_400_000_000
_TABLES = ("searches", "impressions", "events")
_KINDS = {"searches": "query", "events": "event"}
_ACCOUNTS = """
SELECT kind, fate, count(*) AS num FROM fates GROUP BY kind, fate ORDER BY kind DESC, num DESC, fate
"""
# From the lines as they were read, so that a join that lost or doubled rows would not agree with it.
_ROWS = "SELECT kind, count(*) FROM log_rows WHERE kind <> 'bulk' GROUP BY kind"


def load_ubi(path: Path, config: UbiConfig | None = None) -> SourceTables:
    """Read a UBI log.

    Args:
        path: A folder with files `ubi*`, or one file: JSON lines, OpenSearch bulk, TSV of table name and JSON, CSV or
            Parquet. Queries and events may stand in one file.
        config: Windows and rules.

    Returns:
        `searches`, `impressions` and `events`, which may be empty; the lines that were set aside; an account of all
        lines and a note for every rule that met some. Products are not part of a UBI log.

    Raises:
        SourceError: If no file is found, or one is empty, damaged or not UTF-8, or the log holds no usable row.
    """
    files = find_files(path)
    with engine() as connection:
        try:
            read_files(connection, files)
            _join(connection, config or UbiConfig())
            return _result(connection, files, config or UbiConfig())
        except duckdb.Error as error:
            raise SourceError(
                "A UBI log must be readable",
                received={"path": str(path), "reason": str(error).splitlines()[0]},
                remedy="Check its format: JSON lines, OpenSearch bulk, CSV or Parquet.",
            ) from error


def _join(connection: duckdb.DuckDBPyConnection, config: UbiConfig) -> None:
    drop = {"drop_bots": config.drop_bots}
    rates = {
        "searches_per_hour": config.bot_searches_per_hour,
        "searches_without_click": config.bot_searches_without_click,
    }
    window = {"skew_us": int(config.skew_seconds * 1e6), "late_us": int(config.late_days * _DAY_US)}
    attribution = {"clicked": int(Stage.CLICKED), "attribution_us": int(config.attribution_days * _DAY_US)}
    steps: dict[str, Mapping[str, object]] = {
        "02_events": {},
        "03_searches": {},
        "04_bots": rates,
        "05_timed": {**window, **drop},
        "06_bases": {},
        "07_shown": drop,
        "08_acted": attribution,
        "09_fates": drop,
    }
    with progress_bar("join log", total=len(steps), unit="steps") as advance:
        for name, parameters in steps.items():
            connection.execute(statement(f"ubi/{name}"), parameters)
            advance(1, name)


def _result(connection: duckdb.DuckDBPyConnection, files: list[Path], config: UbiConfig) -> SourceTables:
    tables = {name: connection.sql(statement(f"ubi/out_{name}")).to_arrow_table() for name in _TABLES}
    if not any(table.num_rows for table in tables.values()):
        raise SourceError(
            "A UBI log must hold at least one usable query or event",
            received={"files": [str(file) for file in files], "set_aside": _set_aside(connection, "event").num_rows},
            remedy="Check the export.",
        )
    return SourceTables(
        tables=tables,
        rejected={name: _set_aside(connection, kind) for name, kind in _KINDS.items()},
        provenance={
            "source": "ubi",
            "citation": "User Behavior Insights, schema 1.x",
            "files": [str(file) for file in files],
        },
        accounts=_accounts(connection),
        notes=notes_of(connection, config),
        may_be_empty=frozenset({"events"}),
    )


def _set_aside(connection: duckdb.DuckDBPyConnection, kind: str) -> pa.Table:
    query = connection.sql(statement("ubi/out_set_aside"), params={"kind": kind})
    return query.to_arrow_table().cast(REJECTED_SCHEMA)


def _accounts(connection: duckdb.DuckDBPyConnection) -> tuple[Account, ...]:
    fates: dict[str, dict[str, int]] = {}
    for kind, fate, num in connection.execute(_ACCOUNTS).fetchall():
        fates.setdefault(kind, {})[fate] = num
    names = {"query": "ubi_queries", "event": "ubi_events"}
    num_rows = dict(connection.execute(_ROWS).fetchall())
    return tuple(Account(names[kind], num_rows[kind], by_fate) for kind, by_fate in fates.items())
