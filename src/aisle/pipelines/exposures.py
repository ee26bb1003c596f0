"""Which part of the logging policy had shown what is to be found: logged orders favour whatever was shown."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Int64

from aisle.core.ids import UNKNOWN, IdMap
from aisle.workspace import Workspace

__all__ = ["shown_by"]

_COLUMNS = ("slot", "exposed_by")


def shown_by(
    workspace: Workspace,
    search_ids: pa.Array,
    product_ids: pa.Array,
    *,
    row: Int64[np.ndarray, " found"],
    product_index: Int64[np.ndarray, " found"],
) -> dict[str, float] | None:
    """Return the share of products to be found that each part of the logging policy had shown, the largest first.

    Args:
        workspace: Where impressions were imported.
        search_ids: Distinct searches.
        product_ids: The catalogue.
        row: Search of each product that is to be found.
        product_index: The product.

    Returns:
        Part → share of all products to be found; None where the log does not say what showed a product.
    """
    path = workspace.folder("impressions") / "impressions.parquet"
    said = [name for name in _COLUMNS if name in pq.read_schema(path).names]
    if not said or not len(row):
        return None
    shown = pq.read_table(
        path, columns=["search_id", "product_id", *said], filters=pc.field("search_id").isin(search_ids)
    )
    search = IdMap(search_ids).index_of(shown.column("search_id"))
    product = IdMap(product_ids).index_of(shown.column("product_id"))
    wanted = np.unique(row * len(product_ids) + product_index)
    key = np.where(product == UNKNOWN, -1, search * len(product_ids) + product)
    parts = pc.coalesce(*(shown.column(name) for name in said)).filter(pa.array(np.isin(key, wanted)))
    counts = pc.value_counts(parts.cast(pa.string()).drop_null()).to_pylist()
    ordered = sorted(counts, key=lambda entry: (-entry["counts"], entry["values"]))
    return {entry["values"]: entry["counts"] / len(wanted) for entry in ordered}
