"""From files or a known source to validated tables: an artefact for each table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import TableError, UsageError
from aisle.core.ids import IdMap
from aisle.pipelines.catalogue import STAGE_GRADE, read_products
from aisle.sources import ColumnMap, SourceTables, load_source, read_table
from aisle.tables import SCHEMAS, SPLITS, STAGE_GRADES, GradeMap, Report, Stage, Validated, validate, write_parquet
from aisle.workspace import Workspace, file_sha256

__all__ = ["IMPORT_ORDER", "ImportOutcome", "import_files", "import_source", "import_tables"]

IMPORT_ORDER = tuple(SCHEMAS)
"""Tables in the order of import: products first, since other tables name them."""

_NAMES_PRODUCTS = {"judgments", "impressions", "events"}


@dataclass
class ImportOutcome:
    """What was imported.

    Attributes:
        reports: Report of every table.
        rejected: Lines of every file that could not be read as rows; they are counted and kept in the quarantine.
        skipped: Tables that were there already, unchanged.
        quarantine: Files of rows that were set aside.
    """

    reports: dict[str, Report] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    quarantine: list[str] = field(default_factory=list)

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
        return {"tables": tables, "quarantine": self.quarantine}


def import_files(
    workspace: Workspace,
    files: Mapping[str, Path],
    *,
    mapping: Mapping[str, ColumnMap] | None = None,
    grades: GradeMap | None = None,
) -> ImportOutcome:
    """Import own files, one per table.

    Args:
        workspace: Where to.
        files: File of each table.
        mapping: Column map of each table that needs one.
        grades: Grade at which each stage begins, for judgments that train.
    """
    tables, rejected = {}, {}
    for name, path in files.items():
        tables[name], rejected[name] = read_table(path, schema=SCHEMAS[name], mapping=(mapping or {}).get(name))
    provenance = {"files": {name: {"name": path.name, "sha256": file_sha256(path)} for name, path in files.items()}}
    return import_tables(workspace, SourceTables(tables, rejected, provenance), grades=grades)


def import_source(
    workspace: Workspace, name: str, *, path: Path | None, cache: Path, grades: GradeMap | None = None
) -> ImportOutcome:
    """Import a known data set, from a local folder or by download."""
    return import_tables(workspace, load_source(name, path=path, cache_dir=cache), grades=grades)


def import_tables(workspace: Workspace, source: SourceTables, *, grades: GradeMap | None = None) -> ImportOutcome:
    """Validate tables and write each as an artefact; bad rows go to its quarantine with their reasons.

    Raises:
        UsageError: If grades are given without judgments, or products were never imported.
        TableError: If a table cannot be used.
    """
    _check_grades(source, grades)
    outcome = ImportOutcome()
    for name in (name for name in IMPORT_ORDER if name in source.tables):
        known = _known_products(workspace, name)
        checked = validate(source.tables[name], SCHEMAS[name], known_products=known)
        table = _with_stage_grades(checked.table, grades) if name == "judgments" else checked.table
        rejected = source.rejected.get(name)
        _write(workspace, name, Validated(table, checked.quarantine, checked.report), rejected, source, outcome)
    return outcome


def _check_grades(source: SourceTables, grades: GradeMap | None) -> None:
    judgments = source.tables.get("judgments")
    if judgments is None and grades is not None:
        raise UsageError(
            "--grades must come with judgments",
            received={"tables": list(source.tables)},
            remedy="Give --judgments too.",
        )
    if judgments is not None and STAGE_GRADE in judgments.column_names:
        raise TableError(
            f"Judgments must not have a column {STAGE_GRADE}: it is made by --grades, and is what trains",
            received={"columns": judgments.column_names},
            remedy="Rename it, for instance --map my_grade=stage_grade, or drop it.",
        )


def _known_products(workspace: Workspace, name: str) -> IdMap | None:
    if name not in _NAMES_PRODUCTS:
        return None
    if not workspace.has("products"):
        raise UsageError(
            f"Products must be imported before {name}",
            received={"table": name, "workspace": str(workspace.path)},
            remedy="Give --products in the same command, or import them first.",
        )
    return IdMap(read_products(workspace).column("product_id"))


def _with_stage_grades(judgments: pa.Table, grades: GradeMap | None) -> pa.Table:
    if grades is None:
        return judgments
    stages = grades.stage_of(judgments.column("grade").to_numpy())
    values = [STAGE_GRADES[Stage(stage)] for stage in range(len(Stage))]
    stage_grade = pa.array(values, pa.float64()).take(pa.array(stages))
    return judgments.append_column(STAGE_GRADE, stage_grade)


def _write(
    workspace: Workspace,
    name: str,
    checked: Validated,
    rejected: pa.Table | None,
    source: SourceTables,
    outcome: ImportOutcome,
) -> None:
    def build(folder: Path) -> dict[str, Any]:
        for part, rows in _parts(name, checked.table).items():
            write_parquet(rows, folder / f"{part}.parquet")
        (folder / "quarantine").mkdir(exist_ok=True)
        if checked.quarantine.num_rows:
            write_parquet(checked.quarantine, folder / "quarantine" / "rows.parquet")
        if rejected is not None and rejected.num_rows:
            write_parquet(rejected, folder / "quarantine" / "lines.parquet")
        return checked.report.as_dict()

    inputs = {"content": _content_hash(checked.table), "quarantine": _content_hash(checked.quarantine)}
    result = workspace.run_step(name, build, inputs=inputs, config={"provenance": _provenance(source, name)})
    outcome.reports[name] = checked.report
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


def _content_hash(table: pa.Table) -> str:
    """Hash a table's schema and values, however it is cut into chunks."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()
