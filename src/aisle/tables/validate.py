"""Holds a table to the data contract: casts it, sets bad rows aside, reports every problem at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool

from aisle.core.errors import TableError
from aisle.core.ids import IdMap
from aisle.tables.columns import JUDGMENTS
from aisle.tables.duplicates import earlier_rows, normalise_distinct
from aisle.tables.problems import Problem, Report, first_offenders
from aisle.tables.remarks import remarks
from aisle.tables.rules import Finding, apply_rules
from aisle.tables.schema import TableSchema
from aisle.tables.suggestions import did_you_mean

__all__ = ["REASON", "ROW", "Validated", "validate"]

ROW = "_row"
"""Column of a quarantine table: number of the row in the table that was validated, from 1."""
REASON = "_reason"
"""Column of a quarantine table: every reason, joined by "; "."""


_PRODUCT_KEY_HINT = " Where products go by another number, such as an EAN, name its column with --product-key."


@dataclass(frozen=True)
class Validated:
    """A table that keeps the contract, and what did not.

    Attributes:
        table: Usable rows in their order; contract columns in their types, extra columns untouched.
        quarantine: The other rows as they came, with `_row` and `_reason`.
        report: Every problem.
    """

    table: pa.Table
    quarantine: pa.Table
    report: Report


def validate(
    table: pa.Table,
    schema: TableSchema,
    *,
    known_products: IdMap | None = None,
    known_searches: IdMap | None = None,
    may_be_empty: bool = False,
) -> Validated:
    """Check and cast a table.

    Bad values of required columns (and of `split` and an event's `product_id`, without which the row means something
    else) send their row to the quarantine. Bad values of other columns become null. Both are counted in the report.
    Of rows with the same key the first usable one is kept. Columns that are absent stay absent, but for `split` of
    judgments, which is filled with `test`.

    Args:
        table: Any table with the contract's column names.
        schema: The contract's table.
        known_products: Ids of the catalogue; rows that name another product are set aside.
        known_searches: Ids of the searches; impressions that name another search are set aside.
        may_be_empty: Accept a table without a usable row.

    Raises:
        TableError: If a required column is missing, a column name stands twice, or no row is usable where one must
            be.
    """
    _refuse_columns(table, schema)
    # A quarantine file that was mended and comes back brings its old marks along; they are no data.
    table = table.drop_columns([name for name in (ROW, REASON) if name in table.column_names])
    for column in schema.columns:
        if column.default is not None and column.name not in table.column_names:
            table = table.append_column(column.name, pa.repeat(pa.scalar(column.default), table.num_rows))
    cast, findings = _cast_all(table, schema, known_products, known_searches)
    bad = _any_quarantined(findings, table.num_rows)
    findings += _find_duplicates(cast, schema, usable=~bad)
    bad = _any_quarantined(findings, table.num_rows)
    report = Report(schema.name, table.num_rows, int((~bad).sum()), _problems(table, findings), remarks(table, schema))
    if report.num_usable == 0 and not may_be_empty:
        raise TableError(
            f"Table {schema.name} must have at least one usable row",
            received={"rows": table.num_rows, "problems": [str(problem) for problem in report.problems]},
            remedy="Mend the rows named above, or map other columns." + _PRODUCT_KEY_HINT * _names_products(schema),
        )
    usable = cast.filter(pa.array(~bad)) if bad.any() else cast
    return Validated(usable, _quarantine(table, findings, bad), report)


def _names_products(schema: TableSchema) -> bool:
    return any(column.names_product for column in schema.columns)


def _refuse_columns(table: pa.Table, schema: TableSchema) -> None:
    twice = [name for name, count in Counter(table.column_names).items() if count > 1]
    if twice:
        raise TableError(
            f"Columns of table {schema.name} must have different names",
            received={"twice": twice},
            remedy="Rename or drop one of each.",
        )
    missing = [name for name in schema.required if name not in table.column_names]
    if not missing:
        return
    extra = [name for name in table.column_names if schema.column(name) is None]
    guesses = ((name, did_you_mean(name, extra)) for name in missing)
    maps = [f"{name}={guess}" for name, guess in guesses if guess]
    remedy = (
        f"Did you mean --map {','.join(maps)}?" if maps else "Map the file's columns, for instance --map title=name."
    )
    raise TableError(
        f"Table {schema.name} must have the columns {', '.join(schema.required)}",
        received={"missing": missing, "columns": table.column_names},
        remedy=remedy,
    )


def _cast_all(
    table: pa.Table, schema: TableSchema, known_products: IdMap | None, known_searches: IdMap | None
) -> tuple[pa.Table, list[Finding]]:
    findings: list[Finding] = []
    for place, name in enumerate(table.column_names):
        column = schema.column(name)
        if column is not None:
            known = {"known_products": known_products, "known_searches": known_searches}
            values, found = apply_rules(table.column(place), column, **known)
            findings += found
            table = table.set_column(place, name, values)
    return table, findings


def _find_duplicates(cast: pa.Table, schema: TableSchema, *, usable: Bool[np.ndarray, " rows"]) -> list[Finding]:
    if not schema.key:
        return []
    # A query is its normalised text wherever queries are counted or joined.
    columns = [normalise_distinct(cast[name]) if name == "query" else cast[name] for name in schema.key]
    earlier = earlier_rows(columns, among=usable)
    repeats = earlier != np.arange(len(earlier))
    contradicts = np.zeros(len(earlier), np.bool_)
    if schema is JUDGMENTS:
        grades = cast["grade"].to_numpy()
        contradicts = repeats & (grades != grades[earlier])
    rules = (
        ("must be unique: an earlier row has the same", repeats & ~contradicts),
        ("must have one grade: an earlier row contradicts", contradicts),
    )
    return [Finding(schema.key, rule, "quarantined", mask) for rule, mask in rules if mask.any()]


def _any_quarantined(findings: list[Finding], num_rows: int) -> Bool[np.ndarray, " rows"]:
    masks = [finding.mask for finding in findings if finding.action == "quarantined"]
    return np.any([np.zeros(num_rows, np.bool_), *masks], axis=0)


def _problems(table: pa.Table, findings: list[Finding]) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            ", ".join(finding.columns),
            finding.rule,
            finding.action,
            int(finding.mask.sum()),
            first_offenders(finding.mask, [table[name] for name in finding.columns]),
        )
        for finding in findings
    )


def _quarantine(table: pa.Table, findings: list[Finding], bad: Bool[np.ndarray, " rows"]) -> pa.Table:
    reasons = [
        pc.if_else(
            pa.array(finding.mask[bad]), f"{', '.join(finding.columns)} {finding.rule}", pa.scalar(None, pa.string())
        )
        for finding in findings
        if finding.action == "quarantined"
    ]
    joined = pc.binary_join_element_wise(*reasons, "; ", null_handling="skip") if reasons else pa.array([], pa.string())
    rows = pa.array(np.flatnonzero(bad) + 1, pa.int64())
    return table.filter(pa.array(bad)).append_column(ROW, rows).append_column(REASON, joined)
