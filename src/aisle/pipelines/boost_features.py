"""What is known of every product's quality at the end of training."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from jaxtyping import Float64

from aisle.boosting import QualityFeatures, mid_ranks, robust_scale
from aisle.mining import MinedLog
from aisle.pipelines.catalogue import with_known_quality
from aisle.pipelines.quality_dates import QUALITY_PREFIX

__all__ = ["quality_features"]

_DAY_US = 86_400_000_000


def quality_features(products: pa.Table, mined: MinedLog) -> QualityFeatures:
    """Read `quality_*` values that are dated before the end of training, freshness, and what the log had come to.

    Quality values may be of any scale and are ranked. `freshness` falls with the logarithm of a product's age;
    `popularity` is the logarithm of its orders, `order_rate` and `click_rate` are the smoothed ones of the last
    snapshot; these are scaled between their first and 99th percentile. A product that came after the end of training,
    or of which a rate is not known, is in the middle.

    Args:
        products: Products table.
        mined: The log; only its last snapshot is read.
    """
    end_us = mined.windows.train_end
    known = with_known_quality(products, before_us=end_us)
    quality = [name for name in known.column_names if name.startswith(QUALITY_PREFIX)]
    columns = {name: mid_ranks(_float(known, name)) for name in quality}
    if "created_at" not in products.column_names:
        is_later = np.zeros(products.num_rows, np.bool_)
    else:
        created_us = _float(products.set_column(0, "at", products.column("created_at").cast(pa.int64())), "at")
        is_later = created_us >= end_us
        columns["freshness"] = robust_scale(-np.log1p(np.maximum(end_us - created_us, 0) / _DAY_US))
    statistics = mined.table("statistics", mined.windows.num_slices)
    orders = _of_products(statistics, "orders", missing=np.where(is_later, np.nan, 0.0))
    columns["popularity"] = robust_scale(np.log1p(orders))
    for name in ("order_rate", "click_rate"):
        columns[name] = robust_scale(_of_products(statistics, name, missing=np.full(products.num_rows, np.nan)))
    return QualityFeatures.of_columns(columns)


def _of_products(
    statistics: pa.Table, name: str, *, missing: Float64[np.ndarray, " products"]
) -> Float64[np.ndarray, " products"]:
    values = missing.copy()
    values[statistics.column("product_index").to_numpy()] = _float(statistics, name)
    return values


def _float(table: pa.Table, name: str) -> Float64[np.ndarray, " rows"]:
    return np.asarray(table.column(name).cast(pa.float64(), safe=False).to_numpy(), np.float64)
