"""What of a product is read as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["ProductText", "product_text"]

_YES, _NO = ("true", "yes"), ("false", "no")
_NUMBER = r"^[-+0-9.,\s]*$"


@dataclass(frozen=True)
class ProductText:
    """Columns of text, one row per product; a product without a field has an empty text there.

    Attributes:
        title: As given.
        brand: As given.
        category: Names from root to leaf, as one text.
        attributes: Values that are words, and the names of attributes that are simply true, as one text.
        description: As given.
    """

    title: pa.Array
    brand: pa.Array
    category: pa.Array
    attributes: pa.Array
    description: pa.Array

    def __len__(self) -> int:
        """Return the number of products."""
        return len(self.title)

    def by_weight(self) -> dict[str, pa.Array]:
        """Return the fields, the most telling first: the order in which a limit on length cuts them."""
        return {
            "title": self.title,
            "brand": self.brand,
            "category": self.category,
            "attributes": self.attributes,
            "description": self.description,
        }

    def of_fields(self, fields: Sequence[str]) -> pa.Array:
        """Return one text per product, of the fields that are searched by words."""
        by_name = self.by_weight()
        return pc.binary_join_element_wise(*(by_name[name] for name in fields), " ")

    def joined(self) -> pa.Array:
        """Return one text per product, the most telling fields first."""
        return pc.utf8_trim_whitespace(pc.binary_join_element_wise(*self.by_weight().values(), " "))


def product_text(products: pa.Table) -> ProductText:
    """Pick the texts out of a products table (training, indexing and live upserts alike)."""
    return ProductText(
        title=_text(products, "title"),
        brand=_text(products, "brand"),
        category=_category(products),
        attributes=_attributes(products),
        description=_text(products, "description"),
    )


def _column(products: pa.Table, name: str) -> pa.Array | None:
    if name not in products.column_names or pa.types.is_null(products.column(name).type):
        return None
    column = products.column(name)
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _text(products: pa.Table, name: str) -> pa.Array:
    column = _column(products, name)
    return _empty(products) if column is None else pc.fill_null(column.cast(pa.string()), "")


def _empty(products: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar("", pa.string()), products.num_rows)


def _category(products: pa.Table) -> pa.Array:
    column = _column(products, "category")
    return (
        _empty(products) if column is None else _joined_rows(column, pc.fill_null(_of_rows(column, column.values), ""))
    )


def _attributes(products: pa.Table) -> pa.Array:
    """Join attribute values per product.

    "black" or "laser printing" say what a shopper may type; "2.13" without its name and unit does not, and "false"
    says nothing. A value that is "true" stands for its name ("touchscreen").
    """
    column = _column(products, "attributes")
    if column is None:
        return _empty(products)
    keys, values = _of_rows(column, column.keys), _of_rows(column, column.items)
    lowered = pc.utf8_lower(values)
    said = pc.if_else(pc.is_in(lowered, pa.array(_YES)), pc.replace_substring(keys, "_", " "), values)
    silent = pc.or_(pc.is_in(lowered, pa.array(_NO)), pc.match_substring_regex(values, _NUMBER))
    return _joined_rows(column, pc.if_else(pc.fill_null(silent, True), "", said))


def _joined_rows(column: pa.ListArray, words: pa.Array) -> pa.Array:
    """Join the words that stand for the values of each row of a list or map column; a null row is empty."""
    offsets = pc.subtract(column.offsets, column.offsets[0])
    return pc.if_else(pc.is_null(column), "", pc.binary_join(pa.ListArray.from_arrays(offsets, words), " "))


def _of_rows(column: pa.ListArray, values: pa.Array) -> pa.Array:
    """Cut values to those of the column's own rows: a slice of a column still holds the values of the whole."""
    begin, end = column.offsets[0].as_py(), column.offsets[-1].as_py()
    return values.slice(begin, end - begin)
