"""Attributes of a real catalogue that shoppers can ask for: those whose values its titles and descriptions say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

from aisle.core.text import normalise_texts
from aisle.simulation.choices import NOTHING
from aisle.simulation.vocabulary import Attribute, AttributeValue

__all__ = ["CatalogueValues", "find_values"]

_MOST_ATTRIBUTES = 16
_MOST_VALUES = 64
_LONGEST_VALUE = 30
"""Letters; longer values are sentences, which nobody asks for."""
_LEAST_PRODUCTS = 20
_LEAST_COVERAGE = 0.01
"""Share of the products that must have the attribute."""
_LEAST_KEPT = 0.5
"""Share of an attribute's products that its most usual values must cover: weights and widths do not."""
_LEAST_SAID = 0.2
"""Share of an attribute's products whose texts say its value."""

_SAYS_SOMETHING = r"\pL"
"""A number without its unit is nothing to ask for, and is found in any text."""


@dataclass(frozen=True)
class CatalogueValues:
    """Attributes, and each product's values."""

    attributes: tuple[Attribute, ...]
    value_index: Int64[np.ndarray, "products attributes"]
    """Position among the attribute's values; -1 where the product has none that is kept."""


@dataclass(frozen=True)
class _Candidate:
    name: str
    values: tuple[str, ...]
    row: Int64[np.ndarray, " listed"]
    value: Int64[np.ndarray, " listed"]
    said: float
    """Number of products whose texts say the value."""


def find_values(products: pa.Table) -> CatalogueValues:
    """Find up to 16 attributes, those first that the texts of most products mention.

    A vocabulary needs one attribute: a catalogue without any that fits gets one with a single value, which tells
    nothing.
    """
    texts = _padded_texts(products)
    candidates = [] if "attributes" not in products.column_names else _candidates(products, texts)
    chosen = sorted(candidates, key=lambda one: (-one.said, one.name))[:_MOST_ATTRIBUTES]
    if not chosen:
        return CatalogueValues((_attribute("feature", ("standard",)),), np.zeros((len(products), 1), np.int64))
    value_index = np.full((len(products), len(chosen)), NOTHING, dtype=np.int64)
    for column, one in enumerate(chosen):
        value_index[one.row, column] = one.value
    return CatalogueValues(tuple(_attribute(one.name, one.values) for one in chosen), value_index)


def _attribute(name: str, values: Sequence[str]) -> Attribute:
    return Attribute(name, "after", ("{}.",), tuple(AttributeValue((value,), ()) for value in values))


def _padded_texts(products: pa.Table) -> pa.Array:
    """Return normalised title and description of each product with spaces around, so that whole words are found."""
    titles = products.column("title").combine_chunks()
    if "description" in products.column_names:
        descriptions = pc.fill_null(products.column("description").combine_chunks().cast(pa.string()), "")
        titles = pc.binary_join_element_wise(titles, descriptions, " ")
    return pc.binary_join_element_wise("", normalise_texts(titles), "", " ")


def _candidates(products: pa.Table, texts: pa.Array) -> list[_Candidate]:
    maps = products.column("attributes").combine_chunks()
    row = np.repeat(np.arange(len(products)), _map_lengths(maps))
    keys = maps.keys.slice(maps.offsets[0].as_py(), len(row)).dictionary_encode()
    values = normalise_texts(maps.items.slice(maps.offsets[0].as_py(), len(row)).cast(pa.string()))
    key = keys.indices.to_numpy(zero_copy_only=False)
    num = np.bincount(key, minlength=len(keys.dictionary))
    enough = np.flatnonzero(num >= max(_LEAST_PRODUCTS, _LEAST_COVERAGE * len(products)))
    order = np.argsort(key, kind="stable")
    begin = np.searchsorted(key[order], enough)
    listed = [order[start : start + num[one]] for start, one in zip(begin, enough, strict=True)]
    found = [
        _candidate(str(keys.dictionary[one]), values.take(pa.array(items)), row[items], texts=texts)
        for one, items in zip(enough.tolist(), listed, strict=True)
    ]
    return [one for one in found if one is not None]


def _map_lengths(maps: pa.MapArray) -> Int64[np.ndarray, " products"]:
    """Return the number of entries of each map; 0 for a null."""
    lengths = np.diff(maps.offsets.to_numpy())
    return np.where(maps.is_valid().to_numpy(zero_copy_only=False), lengths, 0)


def _candidate(name: str, listed: pa.Array, row: Int64[np.ndarray, " listed"], *, texts: pa.Array) -> _Candidate | None:
    """Return an attribute with its most usual values; None where shoppers cannot ask for it."""
    fits = pc.and_(pc.is_valid(listed), pc.less_equal(pc.utf8_length(listed), _LONGEST_VALUE))
    fits = pc.and_(fits, pc.invert(pc.is_in(listed, pa.array(["true", "false", "yes", "no", "y", "n"]))))
    fits = pc.and_(fits, pc.match_substring_regex(listed, _SAYS_SOMETHING))
    usual = pc.value_counts(listed.filter(pc.fill_null(fits, False)))
    order = np.lexsort((usual.field("values").to_numpy(zero_copy_only=False), -usual.field("counts").to_numpy()))
    values = usual.field("values").take(pa.array(order[:_MOST_VALUES]))
    value = pc.fill_null(pc.index_in(listed, value_set=values), NOTHING).to_numpy(zero_copy_only=False)
    kept = value >= 0
    if len(values) < 2 or kept.mean() < _LEAST_KEPT:  # one value tells nothing apart
        return None
    said = _num_said(values, value[kept].astype(np.int64), texts.take(pa.array(row[kept])))
    if said < _LEAST_SAID * kept.sum():
        return None
    return _Candidate(name, tuple(values.to_pylist()), row[kept], value[kept].astype(np.int64), said)


def _num_said(values: pa.Array, value: Int64[np.ndarray, " listed"], texts: pa.Array) -> float:
    """Count the products whose text says their value."""
    count = 0
    for number, words in enumerate(values.to_pylist()):
        of_value = texts.filter(pa.array(value == number))
        count += pc.sum(pc.match_substring(of_value, f" {words} ")).as_py() or 0
    return float(count)
