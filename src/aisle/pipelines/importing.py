"""From files or a known source to validated tables: an artefact for each table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import TableError, UsageError
from aisle.core.ids import IdMap
from aisle.pipelines.adding import joined
from aisle.pipelines.catalogue import STAGE_GRADE
from aisle.pipelines.product_keys import with_product_ids
from aisle.sources import Account, ColumnMap, SourceTables, load_source, read_table
from aisle.tables import (
    SCHEMAS,
    SPLITS,
    STAGE_GRADES,
    GradeMap,
    Report,
    Stage,
    Validated,
    read_parquet,
    table_hash,
    validate,
    without_copies,
    write_parquet,
)
from aisle.workspace import Workspace, file_sha256

__all__ = ["IMPORT_ORDER", "ImportOutcome", "import_files", "import_source", "import_tables"]

IMPORT_ORDER = tuple(SCHEMAS)
"""Tables in the order of import: products and searches first, since other tables name them."""


@dataclass
class ImportOutcome:
    """What was imported.

    Attributes:
        reports: Report of every table.
        rejected: Lines of every file that could not be read as rows; they are counted and kept in the quarantine.
        skipped: Tables that were there already, unchanged.
        quarantine: Files of rows that were set aside.
        accounts: Where the rows of each of a source's inputs went.
        notes: What a source's rules met, in words.
    """

    reports: dict[str, Report] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    quarantine: list[str] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        tables = {
            name: {
                **report.as_dict(),
                "rejected_lines": self.rejected.get(name, 0),
                "skipped": name in self.skipped,
            }
            for name, report in self.reports.items()
        }
        accounts = {account.name: account.as_dict() for account in self.accounts}
        return {"tables": tables, "accounts": accounts, "notes": self.notes, "quarantine": self.quarantine}


def import_files(
    workspace: Workspace,
    files: Mapping[str, Path],
    *,
    mapping: Mapping[str, ColumnMap] | None = None,
    grades: GradeMap | None = None,
    product_key: str | None = None,
    add: bool = False,
) -> ImportOutcome:
    """Import own files, one per table.

    Args:
        workspace: Where to.
        files: File of each table.
        mapping: Column map of each table that needs one.
        grades: Grade at which each stage begins, for judgments that train.
        product_key: Column of the products by which other tables name them; None for `product_id`.
        add: Join the rows to those that were imported, instead of replacing them; see `joined`.
    """
    return _import(workspace, [_read_files(files, mapping)], grades=grades, product_key=product_key, add=add)


def import_source(
    workspace: Workspace,
    name: str,
    *,
    path: Path | None,
    cache: Path,
    settings: Mapping[str, Any] | None = None,
    files: Mapping[str, Path] | None = None,
    mapping: Mapping[str, ColumnMap] | None = None,
    grades: GradeMap | None = None,
    product_key: str | None = None,
    add: bool = False,
) -> ImportOutcome:
    """Import a known data set, from a local folder or by download, with own files of tables that it has not.

    Args:
        workspace: Where to.
        name: Name of the data set.
        path: Its folder or file; None to download it.
        cache: Folder of downloads.
        settings: Settings of its loader.
        files: Own file of each table that the data set has not, such as the products of a log.
        mapping: Column map of each own file that needs one.
        grades: Grade at which each stage begins; None for the data set's own.
        product_key: Column of the products by which other tables name them; None for `product_id`.
        add: Join the rows to those that were imported, instead of replacing them; see `joined`.

    Raises:
        UsageError: If a table comes from both.
    """
    own = _read_files(files or {}, mapping)
    source = load_source(name, path=path, cache_dir=cache, settings=settings)
    twice = sorted(own.tables.keys() & source.tables.keys())
    if twice:
        raise UsageError(
            "A table must come either from the data set or from an own file",
            received={"from": name, "tables": twice},
            remedy="Leave the file out.",
        )
    return _import(workspace, [own, source], grades=grades, product_key=product_key, add=add)


def import_tables(
    workspace: Workspace,
    source: SourceTables,
    *,
    grades: GradeMap | None = None,
    product_key: str | None = None,
    add: bool = False,
) -> ImportOutcome:
    """Validate tables and write each as an artefact; bad rows go to its quarantine with their reasons.

    Raises:
        UsageError: If grades are given without judgments, a table that another names was never imported, or judgments
            are to be added.
        TableError: If a table cannot be used.
    """
    return _import(workspace, [source], grades=grades, product_key=product_key, add=add)


def _read_files(files: Mapping[str, Path], mapping: Mapping[str, ColumnMap] | None) -> SourceTables:
    tables, rejected = {}, {}
    for name, path in files.items():
        tables[name], rejected[name] = read_table(path, schema=SCHEMAS[name], mapping=(mapping or {}).get(name))
    accounts: tuple[Account, ...] = ()
    if "events" in tables:
        num_rows = tables["events"].num_rows
        tables["events"], num_copies = without_copies(tables["events"])
        fates = {"events": num_rows - num_copies, "duplicate": num_copies, "set aside": rejected["events"].num_rows}
        accounts = (Account(files["events"].name, sum(fates.values()), fates),)
    provenance = {"files": {name: {"name": path.name, "sha256": file_sha256(path)} for name, path in files.items()}}
    return SourceTables(tables, rejected, provenance, accounts)


def _import(
    workspace: Workspace,
    sources: Sequence[SourceTables],
    *,
    grades: GradeMap | None,
    product_key: str | None,
    add: bool,
) -> ImportOutcome:
    by_table = {name: source for source in sources for name in source.tables}
    _check_grades(by_table, grades)
    _check_added(by_table, add=add)
    outcome = ImportOutcome(
        accounts=[account for source in sources for account in source.accounts],
        notes=[note for source in sources for note in source.notes],
    )
    checked: dict[str, Validated] = {}
    # All tables are checked before the first is written: an import that is refused leaves the workspace as it was.
    for name in (name for name in IMPORT_ORDER if name in by_table):
        known = _Known(workspace, checked)
        source, table = by_table[name], by_table[name].tables[name]
        if product_key is not None and name != "products" and SCHEMAS[name].column("product_id") is not None:
            table, note = with_product_ids(table, known.table("products", by=name), key=product_key)
            outcome.notes.append(f"{name}: {note}")
        # A log without events must replace the events of an earlier one. Own files are never empty.
        may_be_empty = table.num_rows == 0 or name in source.may_be_empty
        validated = validate(table, SCHEMAS[name], **known.ids(name), may_be_empty=may_be_empty)
        checked[name] = _with_earlier(workspace, name, validated) if add else validated
    for name, validated in checked.items():
        table = validated.table
        if name == "judgments":
            table = _with_stage_grades(table, grades or by_table[name].grades)
        result = Validated(table, validated.quarantine, validated.report)
        _write(workspace, name, result, by_table[name], outcome, add=add)
    return outcome


def _with_earlier(workspace: Workspace, name: str, validated: Validated) -> Validated:
    """Join what was checked to what the workspace has of the table; the report stays that of the later rows."""
    if not workspace.has(name):
        return validated
    before = read_parquet(workspace.verified(name) / f"{name}.parquet")
    return Validated(joined(before, validated.table, SCHEMAS[name]), validated.quarantine, validated.report)


def _check_added(by_table: Mapping[str, SourceTables], *, add: bool) -> None:
    if add and "judgments" in by_table:
        raise UsageError(
            "--add takes rows of a log and of its products",
            received={"tables": list(by_table)},
            remedy="Import judgments whole, without --add.",
        )


def _check_grades(by_table: Mapping[str, SourceTables], grades: GradeMap | None) -> None:
    judgments = by_table["judgments"].tables["judgments"] if "judgments" in by_table else None
    if judgments is None and grades is not None:
        raise UsageError(
            "--grades must come with judgments",
            received={"tables": list(by_table)},
            remedy="Give --judgments too.",
        )
    if judgments is not None and STAGE_GRADE in judgments.column_names:
        raise TableError(
            f"Judgments must not have a column {STAGE_GRADE}: it is made by --grades, and is what trains",
            received={"columns": judgments.column_names},
            remedy="Rename it, for instance --map my_grade=stage_grade, or drop it.",
        )


@dataclass(frozen=True)
class _Known:
    """The tables that others name: those of this import, else those of the workspace."""

    workspace: Workspace
    checked: Mapping[str, Validated]

    def ids(self, name: str) -> dict[str, IdMap]:
        """Return the ids that the rows of a table may name."""
        known: dict[str, IdMap] = {}
        if any(column.names_product for column in SCHEMAS[name].columns):
            known["known_products"] = IdMap(self._ids_of("products", "product_id", by=name))
        if any(column.names_search for column in SCHEMAS[name].columns):
            known["known_searches"] = IdMap(self._ids_of("searches", "search_id", by=name))
        return known

    def _ids_of(self, name: str, column: str, *, by: str) -> pa.ChunkedArray:
        return self.table(name, by=by, columns=[column]).column(column)

    def table(self, name: str, *, by: str, columns: list[str] | None = None) -> pa.Table:
        """Return a table that the table `by` names, or some of its columns."""
        if name in self.checked:
            return self.checked[name].table
        if not self.workspace.has(name):
            raise UsageError(
                f"{name.capitalize()} must be imported before {by}",
                received={"table": by, "workspace": str(self.workspace.path)},
                remedy=f"Give --{name} in the same command, or import them first.",
            )
        return read_parquet(self.workspace.verified(name) / f"{name}.parquet", columns=columns)


def _with_stage_grades(judgments: pa.Table, grades: GradeMap | None) -> pa.Table:
    if grades is None:
        return judgments
    stages = grades.stage_of(judgments.column("grade").to_numpy())
    values = [STAGE_GRADES[Stage(stage)] for stage in range(len(Stage))]
    stage_grade = pa.array(values, pa.float64()).take(pa.array(stages))
    return judgments.append_column(STAGE_GRADE, stage_grade)


def _write(
    workspace: Workspace, name: str, checked: Validated, source: SourceTables, outcome: ImportOutcome, *, add: bool
) -> None:
    rejected = source.rejected.get(name)

    def build(folder: Path) -> dict[str, Any]:
        for part, rows in _parts(name, checked.table).items():
            write_parquet(rows, folder / f"{part}.parquet")
        (folder / "quarantine").mkdir(exist_ok=True)
        if checked.quarantine.num_rows:
            write_parquet(checked.quarantine, folder / "quarantine" / "rows.parquet")
        if rejected is not None and rejected.num_rows:
            write_parquet(rejected, folder / "quarantine" / "lines.parquet")
        return checked.report.as_dict()

    inputs = {"content": table_hash(checked.table), "quarantine": table_hash(checked.quarantine)}
    if rejected is not None:
        inputs["rejected"] = table_hash(rejected)
    config = {"provenance": _provenance(source, name)}
    outcome.reports[name] = checked.report
    if add and workspace.has(name) and workspace.manifest(name).inputs.get("content") == inputs["content"]:
        # Rows that were added before: nothing has changed, and where the others come from stays told.
        outcome.skipped.append(name)
        return
    result = workspace.run_step(name, build, inputs=inputs, config=config)
    outcome.rejected[name] = rejected.num_rows if rejected is not None else 0
    if result.skipped:
        outcome.skipped.append(name)
    outcome.quarantine += [
        str(workspace.folder(name) / file) for file in result.manifest.files if file.startswith("quarantine/")
    ]


def _provenance(source: SourceTables, name: str) -> dict[str, Any]:
    """Return where one table comes from: the file of another table must not make this one look changed."""
    files = source.provenance.get("files")
    own = {"files": {name: files[name]}} if isinstance(files, Mapping) else {}
    return {**source.provenance, **own}


def _parts(name: str, table: pa.Table) -> dict[str, pa.Table]:
    """Split judgments by split, so that a step that trains need not touch test rows; other tables are one file."""
    if name != "judgments":
        return {name: table}
    return {split: rows for split in SPLITS if (rows := table.filter(pc.equal(table.column("split"), split))).num_rows}
