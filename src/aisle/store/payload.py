"""What a store keeps of a product beside its vectors: its fields as they were put, and what filters look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import UsageError
from aisle.store.filters import FACET_FIELDS

__all__ = ["PayloadSchema", "pair_key", "path_keys"]

FIELDS = "product"
"""Key, in a payload, of the product's fields as they were put."""

_FIND = "find"
_OTHER = f"{_FIND}.other"
_CATEGORY = f"{_FIND}.category"
_ATTRIBUTE = "attributes."
_STOCK = f"{_FIND}.in_stock"
_KEYWORDS = ("product_id", "brand", "shop_id", "location")
_TRUTHS = {True: "true", False: "false"}


@dataclass(frozen=True)
class PayloadSchema:
    """Where a store keeps what of a product, and under which key an engine finds it.

    An attribute that many products have gets a key and an index of its own, settled when the store is built; the
    others share one key, as pairs of name and value. So filters are exact for every attribute, and counting the
    values of a frequent one does not read those of all.

    Attributes:
        attribute_names: Attributes with a key of their own.
    """

    attribute_names: tuple[str, ...] = ()

    @classmethod
    def of_catalogue(cls, products: pa.Table, *, most: int) -> PayloadSchema:
        """Give the `most` most frequent attributes keys of their own."""
        if "attributes" not in products.column_names or not pa.types.is_map(products.schema.field("attributes").type):
            return cls()
        names = pa.chunked_array([chunk.keys for chunk in products.column("attributes").chunks], pa.string())
        counts = pc.value_counts(names).to_pylist()
        counts.sort(key=lambda one: (-one["counts"], one["values"]))
        return cls(tuple(one["values"] for one in counts[:most]))

    @property
    def keyword_keys(self) -> tuple[str, ...]:
        """Keys of texts that are filtered or counted."""
        own = (f"{_FIND}.a{number}" for number in range(len(self.attribute_names)))
        return (*(f"{FIELDS}.{name}" for name in _KEYWORDS), _CATEGORY, _STOCK, _OTHER, *own)

    @property
    def price_key(self) -> str:
        """Key of the price."""
        return f"{FIELDS}.price"

    def key_of(self, name: str) -> str:
        """Return the key of a field of `FACET_FIELDS`, or of `product_id`."""
        return {"category": _CATEGORY, "in_stock": _STOCK}.get(name, f"{FIELDS}.{name}")

    @staticmethod
    def stock_value(in_stock: bool) -> str:
        """Return the text that stands for being in stock or not: Qdrant Edge 0.9 finds no product by a boolean."""
        return _TRUTHS[in_stock]

    def attribute_values(self, name: str, values: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """Return the key of an attribute, and its values as they stand there."""
        if name in self.attribute_names:
            return f"{_FIND}.a{self.attribute_names.index(name)}", tuple(values)
        return _OTHER, tuple(pair_key(name, value) for value in values)

    def facet_key(self, name: str) -> str:
        """Return the key whose values are counted for a field.

        Raises:
            UsageError: If the field is not one that can be counted.
        """
        if name in FACET_FIELDS:
            return self.key_of(name)
        if name.startswith(_ATTRIBUTE) and len(name) > len(_ATTRIBUTE):
            return self.attribute_values(name.removeprefix(_ATTRIBUTE), ())[0]
        raise UsageError(
            "A facet must be a field whose values can be counted",
            received={"facet": name},
            remedy=f"Choose among {', '.join(FACET_FIELDS)}, or attributes.NAME.",
        )

    def is_shared(self, key: str) -> bool:
        """Whether a key holds the values of several attributes."""
        return key == _OTHER

    def facet_label(self, name: str, value: str) -> str | None:
        """Return a counted value as it is shown; None for one that belongs to another field."""
        if name == "category":
            return " > ".join(orjson.loads(value))
        if self.facet_key(name) == _OTHER:
            attribute, label = orjson.loads(value)
            return label if attribute == name.removeprefix(_ATTRIBUTE) else None
        return value

    def payloads(self, products: pa.Table) -> list[dict[str, Any]]:
        """Return the payload of each product; a field that is null is left out."""
        columns = {name: _json_values(products.column(name)) for name in products.column_names}
        rows = zip(*columns.values(), strict=True)
        return [self._payload({n: v for n, v in zip(columns, row, strict=True) if v is not None}) for row in rows]

    def _payload(self, fields: dict[str, Any]) -> dict[str, Any]:
        find: dict[str, Any] = {}
        if fields.get("category"):
            find["category"] = list(path_keys(tuple(fields["category"])))
        if "in_stock" in fields:
            find["in_stock"] = self.stock_value(fields["in_stock"])
        for name, value in _attributes(fields).items():
            key, (stored,) = self.attribute_values(name, (value,))
            find.setdefault(key.removeprefix(f"{_FIND}."), []).append(stored)
        return {FIELDS: fields, _FIND: find}


@lru_cache(maxsize=100_000)
def path_keys(path: tuple[str | None, ...]) -> tuple[str, ...]:
    """Return the keys of a category and of all above it; names may hold any separator.

    >>> path_keys(("Home", "Chairs"))
    ('["Home"]', '["Home","Chairs"]')
    """
    names = [name or "" for name in path]
    return tuple(orjson.dumps(names[:depth]).decode() for depth in range(1, len(names) + 1))


def pair_key(name: str, value: str) -> str:
    """Return an attribute and its value as one text."""
    return orjson.dumps([name, value]).decode()


def _attributes(fields: Mapping[str, Any]) -> dict[str, str]:
    found = fields.get("attributes")
    return {name: value for name, value in found.items() if value is not None} if isinstance(found, dict) else {}


def _json_values(column: pa.ChunkedArray) -> list[Any]:
    """Turn a column into values that JSON can hold; what it cannot (infinity, NaN) is null."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ").to_pylist()
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_finite(column), column, None).to_pylist()
    if pa.types.is_map(kind):
        return [None if pairs is None else dict(pairs) for pairs in column.to_pylist()]
    if pa.types.is_string(kind) or pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return column.to_pylist()
    return [None if one is None else orjson.loads(orjson.dumps(one, default=str)) for one in column.to_pylist()]
