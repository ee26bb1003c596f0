"""Reading the imported tables of a workspace."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.ids import IdMap
from aisle.evaluation import JudgedQueries
from aisle.tables import STAGE_GRADES, Stage, read_parquet
from aisle.workspace import Workspace, verify_files

__all__ = [
    "STAGE_GRADE",
    "judgment_hashes",
    "read_judgments",
    "read_products",
    "validation_queries",
    "with_known_quality",
]

STAGE_GRADE = "stage_grade"
"""Column that an import with `--grades` adds to judgments: the grade of the stage that each stands for."""

_POSITIVE_GRADE = STAGE_GRADES[Stage.CLICKED]


def read_products(workspace: Workspace) -> pa.Table:
    """Return the products table, in index order.

    Raises:
        WorkspaceError: If no products were imported, or the file is not as written.
    """
    return read_parquet(workspace.verified("products") / "products.parquet")


def with_known_quality(products: pa.Table, *, before_us: int) -> pa.Table:
    """Blank the `quality_*` values of products that do not say, by `updated_at`, that they are older than a time.

    A rating of today tells how well a product sold after the searches that are learnt from.

    Args:
        products: Products table.
        before_us: The time, microseconds since 1970.
    """
    quality = [name for name in products.column_names if name.startswith("quality_")]
    dated = products.column("updated_at") if "updated_at" in products.column_names else None
    if dated is None or pa.types.is_null(dated.type):
        return products.drop_columns(quality)
    is_known = pc.fill_null(pc.less(dated.cast(pa.int64()), before_us), False)
    for name in quality:
        column = products.column(name)
        known = pc.if_else(is_known, column, pa.scalar(None, column.type))
        products = products.set_column(products.column_names.index(name), name, known)
    return products


def read_judgments(workspace: Workspace, split: str) -> pa.Table | None:
    """Return the judgments of a split, or None where there are none.

    Only that split's file is read (and checked), so that test rows stay out of sight of everything but evaluation.
    """
    name = f"{split}.parquet"
    if not workspace.has("judgments") or name not in workspace.manifest("judgments").files:
        return None
    folder = workspace.folder("judgments")
    verify_files(folder, {name: workspace.manifest("judgments").files[name]})
    return read_parquet(folder / name)


def judgment_hashes(workspace: Workspace, splits: Sequence[str]) -> dict[str, str]:
    """Return the content hash of each split's judgments, "none" where there are none."""
    files = workspace.manifest("judgments").files if workspace.has("judgments") else {}
    return {f"judgments/{split}": files.get(f"{split}.parquet", "none") for split in splits}


def validation_queries(workspace: Workspace) -> JudgedQueries | None:
    """Return the judged validation queries with their relevant products, or None where there are none.

    Relevant is what stands for a click or more; without stages, what has the highest grade, if that is above 0.
    """
    judgments = read_judgments(workspace, "validation")
    if judgments is None:
        return None
    if STAGE_GRADE in judgments.column_names:
        # In place of the own grades, among which a clicked stage may begin at 0: that would mean not relevant.
        judgments = judgments.drop_columns("grade").rename_columns({STAGE_GRADE: "grade"})
        least = _POSITIVE_GRADE
    else:
        least = float(pc.max(judgments.column("grade")).as_py())
    ids = IdMap(read_products(workspace).column("product_id"))
    relevant = judgments.filter(
        pc.and_(
            pc.and_(pc.greater_equal(judgments.column("grade"), least), pc.greater(judgments.column("grade"), 0)),
            pc.is_in(judgments.column("product_id"), value_set=ids.ids),
        )
    )
    return JudgedQueries.from_judgments(relevant, ids, split=None) if relevant.num_rows else None
