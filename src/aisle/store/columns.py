"""Filters and facets over columns in memory: what a snapshot has in place of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.core.ragged import expand_slices
from aisle.store.facets import FacetHits
from aisle.store.filters import ProductFilter
from aisle.store.payload import PayloadSchema, path_keys

__all__ = ["FilterColumns"]

_SEPARATOR = "\0"
_FLAT = ("product_id", "brand", "shop_id", "location")


class FilterColumns:
    """The fields of a catalogue that are filtered or counted, each as values with the rows that hold them.

    Args:
        products: Rows of the products table.
        schema: Under which keys fields are found.
    """

    def __init__(self, products: pa.Table, schema: PayloadSchema) -> None:
        self._schema, self._num_rows = schema, products.num_rows
        self._price = _prices(products)
        self._values = {schema.key_of(name): _flat(products, name) for name in _FLAT if name in products.column_names}
        if "in_stock" in products.column_names:
            self._values[schema.key_of("in_stock")] = _Values.of_column(products.column("in_stock").cast(pa.string()))
        if "category" in products.column_names:
            self._values[schema.key_of("category")] = _paths(products.column("category"))
        self._values |= _attributes(products, schema)

    def passing(self, where: ProductFilter) -> Bool[np.ndarray, " rows"] | None:
        """Tell which rows pass; None where all do."""
        if where.is_empty:
            return None
        key_of, passing = self._schema.key_of, np.ones(self._num_rows, bool)
        path = path_keys(where.category)[-1:] if where.category else ()
        in_stock = () if where.in_stock is None else (self._schema.stock_value(where.in_stock),)
        wanted = {"category": path, "brand": where.brands, "shop_id": where.shop_ids, "location": where.locations}
        conditions = [(key_of(name), values) for name, values in {**wanted, "in_stock": in_stock}.items()]
        conditions += [self._schema.attribute_values(name, values) for name, values in where.attributes.items()]
        for key, values in conditions:
            if values:
                passing &= self._holding(key, values)
        low = -np.inf if where.price_min is None else where.price_min
        high = np.inf if where.price_max is None else where.price_max
        if where.price_min is not None or where.price_max is not None:
            passing &= (self._price >= low) & (self._price <= high)
        return passing & ~self._holding(key_of("product_id"), where.blocked) if where.blocked else passing

    def hits(self, key: str, *, passing: Bool[np.ndarray, " rows"] | None) -> FacetHits:
        """Count all values of a key among the rows that pass."""
        if key not in self._values:
            return []
        values = self._values[key]
        counted = values.code if passing is None else values.code[passing[values.row]]
        count = np.bincount(counted, minlength=len(values.texts))
        return list(zip(values.texts, count.tolist(), strict=True))

    def _holding(self, key: str, wanted: Sequence[str]) -> Bool[np.ndarray, " rows"]:
        holding = np.zeros(self._num_rows, bool)
        if key in self._values:
            values = self._values[key]
            holding[values.row[np.isin(values.code, values.codes_of(wanted))]] = True
        return holding


class _Values:
    """Values of a field, as numbers of distinct texts, with the row of each."""

    def __init__(self, values: pa.Array, row: Int64[np.ndarray, " values"]) -> None:
        known = np.asarray(pc.is_valid(values))
        encoded = values.filter(pa.array(known)).dictionary_encode()
        texts: list[str] = encoded.dictionary.to_pylist()
        order = sorted(range(len(texts)), key=texts.__getitem__)
        self.texts = [texts[place] for place in order]
        self.code = np.argsort(np.array(order, np.int64))[np.asarray(encoded.indices, np.int64)]
        self.row = row[known]
        self._codes = {text: number for number, text in enumerate(self.texts)}

    @classmethod
    def of_column(cls, column: pa.ChunkedArray) -> _Values:
        return cls(_one_chunk(column), np.arange(len(column)))

    def codes_of(self, wanted: Sequence[str]) -> list[int]:
        return [self._codes[text] for text in wanted if text in self._codes]


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined


def _flat(products: pa.Table, name: str) -> _Values:
    return _Values.of_column(products.column(name).cast(pa.string()))


def _prices(products: pa.Table) -> np.ndarray:
    if "price" not in products.column_names:
        return np.full(products.num_rows, np.nan)
    return products.column("price").cast(pa.float64()).to_numpy()


def _paths(column: pa.ChunkedArray) -> _Values:
    """Give every product the keys of its category and of all above it; distinct categories are cut up once."""
    lists = _one_chunk(column.cast(pa.list_(pa.string())))
    names, offsets = _children(lists, lists.values)
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, pc.fill_null(names, "")), _SEPARATOR)
    is_known = np.asarray(lists.value_lengths().fill_null(0)) > 0
    encoded = joined.filter(pa.array(is_known)).dictionary_encode()
    keys = [path_keys(tuple(text.split(_SEPARATOR))) for text in encoded.dictionary.to_pylist()]
    begin = np.concatenate([[0], np.cumsum([len(one) for one in keys])]).astype(np.int64)
    path = np.asarray(encoded.indices, np.int64)
    places, _ = expand_slices(begin[path], begin[path + 1])
    row = np.repeat(np.flatnonzero(is_known), begin[path + 1] - begin[path])
    flat = pa.array([key for one in keys for key in one], pa.string())
    return _Values(flat.take(pa.array(places)), row)


def _attributes(products: pa.Table, schema: PayloadSchema) -> dict[str, _Values]:
    """Return the attributes' values by key; a name that a product has twice counts with its last value."""
    if "attributes" not in products.column_names or not pa.types.is_map(products.schema.field("attributes").type):
        return {}
    maps = _one_chunk(products.column("attributes"))
    (names, offsets), (values, _) = _children(maps, maps.keys), _children(maps, maps.items)
    row = np.repeat(np.arange(len(maps)), np.diff(np.asarray(offsets)))
    encoded = names.dictionary_encode()
    name_code = np.asarray(encoded.indices, np.int64)
    _, last = np.unique((row * (len(encoded.dictionary) + 1) + name_code)[::-1], return_index=True)
    last = np.sort(len(row) - 1 - last)
    stored: dict[str, list[tuple[pa.Array, np.ndarray]]] = {}
    for number, name in enumerate(encoded.dictionary.to_pylist()):  # distinct names, not rows
        places = last[name_code[last] == number]
        key, texts = _stored(schema, name, values.take(pa.array(places)))
        stored.setdefault(key, []).append((texts, row[places]))
    return {
        key: _Values(pa.concat_arrays([texts for texts, _ in parts]), np.concatenate([rows for _, rows in parts]))
        for key, parts in stored.items()
    }


def _stored(schema: PayloadSchema, name: str, values: pa.Array) -> tuple[str, pa.Array]:
    """Return the key of an attribute, and its values as they stand there."""
    encoded = values.dictionary_encode()
    key, texts = schema.attribute_values(name, encoded.dictionary.to_pylist())
    return key, pa.array(texts, pa.string()).take(encoded.indices)


def _children(lists: Any, values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the values of a list column's own rows, and offsets into them: a slice still holds those of the whole."""
    begin, end = lists.offsets[0].as_py(), lists.offsets[-1].as_py()
    return values.slice(begin, end - begin).cast(pa.string()), pc.subtract(lists.offsets, lists.offsets[0])
