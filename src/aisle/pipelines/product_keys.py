"""Names products by another column of the catalogue, such as an EAN that a log writes in place of the product id."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import UsageError
from aisle.tables import did_you_mean

__all__ = ["with_product_ids"]


def with_product_ids(table: pa.Table, products: pa.Table, *, key: str) -> tuple[pa.Table, str]:
    """Put product ids in the place of the values of a key column.

    A key that several products share means the first of them. A value that no product has stays as it is, so that
    validation names it.

    Args:
        table: A table with `product_id`, which holds keys.
        products: The catalogue, with `product_id` and the key column: texts, or lists of texts.
        key: Name of the key column.

    Returns:
        The table, and how many of its values were found, in words.

    Raises:
        UsageError: If the catalogue has no such column, or it holds no texts.
    """
    keys, ids = _keys(products, key)
    if "product_id" not in table.column_names:
        return table, f"no product_id to join to the products' {key}"
    values = table.column("product_id").cast(pa.string())
    found = pc.index_in(values, value_set=keys)
    place = table.column_names.index("product_id")
    named = pc.coalesce(pc.take(ids, found), values)
    num_shared = len(keys) - pc.count_distinct(keys).as_py()
    note = f"{len(found) - found.null_count:,} of {len(values) - values.null_count:,} products found by {key}"
    shared = f"; {num_shared:,} keys belong to several products, the first was taken" if num_shared else ""
    return table.set_column(place, "product_id", named), note + shared


def _keys(products: pa.Table, key: str) -> tuple[pa.Array, pa.Array]:
    """Return every key beside its product id, in the catalogue's order."""
    if key not in products.column_names:
        guess = did_you_mean(key, products.column_names)
        raise UsageError(
            "--product-key must be a column of the products",
            received={"product_key": key, "columns": products.column_names},
            remedy=f"Did you mean {guess}?" if guess else "Import products that have it.",
        )
    column = products.column(key).combine_chunks()
    ids = products.column("product_id").combine_chunks()
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        ids = ids.take(pc.list_parent_indices(column))
        column = pc.list_flatten(column)
    if pa.types.is_nested(column.type):
        raise UsageError(
            "--product-key must be a column of texts or of lists of texts",
            received={"product_key": key, "type": str(column.type)},
            remedy="Name another column.",
        )
    present = pc.is_valid(column)
    return column.filter(present).cast(pa.string()), ids.filter(present)
