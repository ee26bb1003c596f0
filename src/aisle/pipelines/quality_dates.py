"""Quality values that are younger than the searches they would be measured on: told, and refused in evaluation."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import UsageError
from aisle.pipelines.mining import load_mined
from aisle.tables import TIME
from aisle.workspace import Workspace

__all__ = ["QUALITY", "QUALITY_PREFIX", "check_quality_dates", "quality_dates"]

QUALITY_PREFIX = "quality_"
"""Beginning of the names of columns that tell how good a product is."""
QUALITY = "quality"
"""Entry of the index's summary that `quality_dates` gives."""


def quality_dates(products: pa.Table, columns: tuple[str, ...]) -> dict[str, Any] | None:
    """Tell how young the quality values are that product vectors were made of; None where there are none.

    Args:
        products: Products table, as it was encoded.
        columns: Columns of quality that the model reads.

    Returns:
        `columns`, how many products have such values and no `updated_at` (`undated`), and the newest date (`until`,
        ISO 8601, or None).
    """
    read = [name for name in columns if name in products.column_names]
    if not read:
        return None
    has_value = pc.is_valid(products.column(read[0]))
    for name in read[1:]:
        has_value = pc.or_(has_value, pc.is_valid(products.column(name)))
    valued = products.filter(has_value)
    if not valued.num_rows:
        return None
    dated = valued.column("updated_at") if "updated_at" in valued.column_names else pa.nulls(valued.num_rows, TIME)
    newest = pc.max(dated.cast(pa.int64())).as_py()
    return {"columns": read, "undated": dated.null_count, "until": None if newest is None else _iso(newest)}


def check_quality_dates(
    workspace: Workspace, systems: Collection[str], *, labels: str, split: str, trust: bool = False
) -> dict[str, Any] | None:
    """Refuse to measure searches on an index that knows quality values of after them.

    Args:
        workspace: Where the index was built.
        systems: What is measured; product vectors are looked at only where one of them uses vectors.
        labels: What is to be found; judgments have no time, and are not looked at.
        split: Window of the searches.
        trust: Whether such values are taken all the same.

    Returns:
        What was trusted, as `quality_dates` tells it; None where nothing had to be.

    Raises:
        UsageError: If the index was made of values that carry no date, or a date within the split's window or later.
    """
    if labels == "judgments" or not {"semantic", "hybrid"} & set(systems):
        return None
    told = workspace.manifest("index").summary.get(QUALITY)
    windows = load_mined(workspace).windows
    begin = windows.train_end if split == "validation" else windows.validation_until
    if told is None or not (told["undated"] or (told["until"] is not None and told["until"] >= _iso(begin))):
        return None
    if trust:
        return dict(told)
    raise UsageError(
        "Quality values in the index must be older than the searches that it is measured on",
        received={"split": split, "begins": _iso(begin), **told},
        remedy="Train on this catalogue (`aisle train`, `aisle index`), which uses dated values only, or measure all "
        "the same with --trust-quality.",
    )


def _iso(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="microseconds")
