"""Casts to texts, lists of texts and maps of texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.tables.casts import Cast, as_mask, flag_all, text_of

__all__ = ["to_text", "to_text_list", "to_text_map"]

_LIST = pa.list_(pa.string())
_MAP = pa.map_(pa.string(), pa.string())


def to_text(values: pa.ChunkedArray) -> Cast:
    """Write scalars as text (see `text_of`); lists, maps and binary that is not UTF-8 are marked."""
    texts = text_of(values)
    if texts is None:
        return flag_all(values, pa.string())
    return Cast(texts, np.zeros(len(values), np.bool_))


def to_text_list(values: pa.ChunkedArray) -> Cast:
    """Read lists of scalars as lists of texts; a scalar becomes a list of one.

    Null and blank elements carry nothing and are dropped; a list that has none left is null.
    """
    kind = values.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    elements_type = kind.value_type if is_list else kind
    if pa.types.is_nested(elements_type):
        return flag_all(values, _LIST)
    chunks: list[pa.Array] = []
    for chunk in values.chunks:
        elements = text_of(chunk.flatten() if is_list else chunk)
        if elements is None:
            return flag_all(values, _LIST)
        parents = pc.list_parent_indices(chunk).to_numpy() if is_list else np.arange(len(chunk))
        chunks.append(_lists_of(elements, parents, len(chunk)))
    return Cast(pa.chunked_array(chunks, _LIST), np.zeros(len(values), np.bool_))


def _lists_of(elements: pa.Array, parents: Int64[np.ndarray, " elements"], num_rows: int) -> pa.Array:
    present = as_mask(pc.is_valid(elements))
    lengths = np.bincount(parents[present], minlength=num_rows)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, elements.filter(pa.array(present)), mask=pa.array(lengths == 0))


def to_text_map(values: pa.ChunkedArray) -> Cast:
    """Read maps of scalars as maps of texts; a null value becomes "".

    A map with a blank key is marked: this is also how sources hand on text that they could not read as a map, under
    a blank key, so that validation can name the row and the text.
    """
    kind = values.type
    if not pa.types.is_map(kind) or pa.types.is_nested(kind.key_type) or pa.types.is_nested(kind.item_type):
        return flag_all(values, _MAP)
    chunks: list[pa.Array] = []
    bad: list[Bool[np.ndarray, " rows"]] = [np.zeros(0, np.bool_)]
    for chunk in values.chunks:
        # As lists of pairs: Arrow's list functions do not know maps, and lists heed a slice's offset.
        pairs = chunk.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)])))
        entries, parents = pairs.flatten(), pc.list_parent_indices(pairs).to_numpy()
        keys, items = text_of(entries.field("key")), text_of(entries.field("value"))
        if keys is None or items is None:
            return flag_all(values, _MAP)
        has_blank_key = np.bincount(parents[as_mask(pc.is_null(keys))], minlength=len(chunk)) > 0
        bad.append(has_blank_key)
        chunks.append(_maps_of(keys, items, parents, null=has_blank_key | as_mask(pc.is_null(chunk))))
    return Cast(pa.chunked_array(chunks, _MAP), np.concatenate(bad))


def _maps_of(
    keys: pa.Array,
    items: pa.Array,
    parents: Int64[np.ndarray, " entries"],
    *,
    null: Bool[np.ndarray, " rows"],
) -> pa.Array:
    kept = ~null[parents]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(parents[kept], minlength=len(null)))])
    kept_rows = pa.array(kept)
    return pa.MapArray.from_arrays(
        pa.array(offsets, pa.int32()),
        keys.filter(kept_rows),
        pc.fill_null(items.filter(kept_rows), ""),
        mask=pa.array(null),
    )
