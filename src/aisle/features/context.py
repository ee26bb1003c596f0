"""Context of products and searches as rows of one table: category path, brand, shop, price and scalars, location.

The table is cut into slots, one per field. Its rows are numbered through: the number of a value is that of its slot's
first row plus its number in the slot's vocabulary, and the first row of each slot stands for missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float64, Int32, Int64

from aisle.core.errors import ModelError
from aisle.core.text import normalise_text, normalise_texts
from aisle.features.categories import CategoryPaths
from aisle.features.config import ContextConfig
from aisle.features.quantiles import bucket_numbers, group_edges
from aisle.features.vocabulary import MISSING, Vocabulary

__all__ = ["UNKNOWN_VALUE", "Context", "ContextFeaturiser"]

UNKNOWN_VALUE = -1
"""Row of a search's location or device that is not known; the encoder puts a learnt vector there."""

_TEXTS = {"brand": "brand", "shop": "shop_id", "location": "location"}
_PRICE, _PRICE_IN_CATEGORY, _DEVICE = "price", "price_in_category", "device"
_SCALAR_PREFIX = "quality_"


@dataclass(frozen=True)
class Context:
    """Rows of the context table, one per slot.

    Attributes:
        ids: Of products every slot, missing ones at the slot's first row; of searches location and device,
            `UNKNOWN_VALUE` where not known.
    """

    ids: Int32[np.ndarray, "rows slots"]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)

    def take(self, rows: Int64[np.ndarray, " wanted"]) -> Context:
        """Return these rows, in this order."""
        return Context(self.ids[rows])


class ContextFeaturiser:
    """Turns products and searches into `Context`.

    Args:
        config: Settings.
        categories: Known category paths.
        vocabularies: Known values of brand, shop, location and device.
        edges: Quantiles of price and of each scalar over the catalogue, [1, edges], by column.
        category_edges: Quantiles of the price under each prefix, [prefixes, edges], by depth.
    """

    def __init__(
        self,
        config: ContextConfig,
        *,
        categories: CategoryPaths,
        vocabularies: Mapping[str, Vocabulary],
        edges: Mapping[str, Float64[np.ndarray, "1 edges"]],
        category_edges: list[Float64[np.ndarray, "prefixes edges"]],
    ) -> None:
        self.config = config
        self.categories = categories
        self.vocabularies = dict(vocabularies)
        self.edges = dict(edges)
        self.category_edges = category_edges
        sizes = self._sizes()
        begin = np.cumsum([0, *sizes.values()])
        self._begin = dict(zip(sizes, begin[:-1].tolist(), strict=True))
        self.num_rows = int(begin[-1])

    @classmethod
    def fit(
        cls,
        products: pa.Table,
        config: ContextConfig,
        *,
        locations: pa.Array | None = None,
        devices: pa.Array | None = None,
    ) -> ContextFeaturiser:
        """Learn vocabularies and quantiles.

        Args:
            products: Products table.
            config: Settings.
            locations: Locations of training searches, which join the products' in one vocabulary.
            devices: Devices of training searches.
        """
        limits = {"min_count": config.min_products, "max_values": config.max_values}
        category = _category(products)
        categories = CategoryPaths.fit(category, max_depth=config.max_depth, **limits)
        texts = {slot: _text(products, column) for slot, column in _TEXTS.items()}
        nothing = pa.array([], pa.string())
        texts["location"] = pa.concat_arrays([texts["location"], _clean(nothing if locations is None else locations)])
        texts[_DEVICE] = _clean(nothing if devices is None else devices)
        names = _scalars(products) if config.scalars is None else config.scalars
        values = {name: _numbers(products, name) for name in (_PRICE, *names)}
        everyone, buckets = np.zeros(products.num_rows, np.int64), config.num_buckets
        number = categories.numbers(category)
        return cls(
            config,
            categories=categories,
            vocabularies={slot: Vocabulary.fit(column, **limits) for slot, column in texts.items()},
            edges={
                name: group_edges(column, everyone, num_groups=1, num_buckets=buckets)
                for name, column in values.items()
            },
            category_edges=[
                _known_edges(values[_PRICE], number[:, depth], len(known), config)
                for depth, known in enumerate(categories.depths)
            ],
        )

    @property
    def scalars(self) -> tuple[str, ...]:
        """Columns of numbers that are read beside the price."""
        return tuple(name for name in self.edges if name != _PRICE)

    @property
    def num_slots(self) -> int:
        """Slots of a product."""
        return len(self._begin) - 1

    def products(self, products: pa.Table) -> Context:
        """Make the context of products; what the catalogue did not show at `fit` is missing, or its parent counts."""
        number = self.categories.numbers(_category(products))
        slots = {f"category_{depth + 1}": number[:, depth] for depth in range(number.shape[1])}
        slots |= {slot: self.vocabularies[slot].numbers(_text(products, column)) for slot, column in _TEXTS.items()}
        slots |= {name: bucket_numbers(_numbers(products, name), edges) for name, edges in self.edges.items()}
        slots[_PRICE_IN_CATEGORY] = bucket_numbers(_numbers(products, _PRICE), self._nearest_edges(number))
        ids = [slots[slot] + begin for slot, begin in self._begin.items() if slot != _DEVICE]
        return Context(np.stack(ids, axis=1).astype(np.int32))

    def searches(self, num_rows: int, *, locations: pa.Array | None = None, devices: pa.Array | None = None) -> Context:
        """Make the context of searches: location and device, each null or absent where not known."""
        ids = np.full((num_rows, 2), UNKNOWN_VALUE, np.int32)
        for place, (slot, values) in enumerate((("location", locations), (_DEVICE, devices))):
            if values is not None:
                number = _search_numbers(self.vocabularies[slot], values)
                ids[:, place] = np.where(number == MISSING, UNKNOWN_VALUE, number + self._begin[slot])
        return Context(ids)

    def save(self, path: Path) -> None:
        """Write what was learnt as JSON; a group without quantiles has null."""
        texts = {slot: known.values.to_pylist() for slot, known in self.vocabularies.items()}
        learnt = {
            "categories": [known.values.to_pylist() for known in self.categories.depths],
            "vocabularies": texts,
            "edges": {name: _plain(edges) for name, edges in self.edges.items()},
            "category_edges": [_plain(edges) for edges in self.category_edges],
        }
        path.write_text(json.dumps(learnt, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path, config: ContextConfig) -> ContextFeaturiser:
        """Read what `save` wrote.

        Raises:
            ModelError: If the file is missing or damaged.
        """
        try:
            learnt: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            width = config.num_buckets - 1
            return cls(
                config,
                categories=CategoryPaths([_vocabulary(values) for values in learnt["categories"]]),
                vocabularies={slot: _vocabulary(learnt["vocabularies"][slot]) for slot in (*_TEXTS, _DEVICE)},
                edges={name: _array(edges, width) for name, edges in learnt["edges"].items()},
                category_edges=[_array(edges, width) for edges in learnt["category_edges"]],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, pa.ArrowException) as error:
            raise ModelError(
                "A model with a context part must hold its vocabularies and quantiles",
                received={"path": str(path), "problem": str(error)},
                remedy="Train the model again.",
            ) from error

    def _sizes(self) -> dict[str, int]:
        """Return the rows of each slot, those of products first."""
        sizes = {f"category_{depth + 1}": len(known) for depth, known in enumerate(self.categories.depths)}
        sizes |= {slot: len(self.vocabularies[slot]) for slot in _TEXTS}
        sizes |= dict.fromkeys((*self.edges, _PRICE_IN_CATEGORY), self.config.num_buckets + 1)
        return {**sizes, _DEVICE: len(self.vocabularies[_DEVICE])}

    def _nearest_edges(self, number: Int32[np.ndarray, "rows depth"]) -> Float64[np.ndarray, "rows edges"]:
        """Return the quantiles of each row's deepest prefix that has some, else those of the catalogue."""
        nearest = np.repeat(self.edges[_PRICE], len(number), axis=0)
        for depth, edges in enumerate(self.category_edges):
            own = edges[number[:, depth]]
            nearest = np.where(np.isnan(own), nearest, own)
        return nearest


def _known_edges(
    price: Float64[np.ndarray, " rows"], number: Int32[np.ndarray, " rows"], num_groups: int, config: ContextConfig
) -> Float64[np.ndarray, "prefixes edges"]:
    """Return the quantiles of the price under each prefix of one depth; a missing prefix has none."""
    edges = group_edges(
        price,
        number.astype(np.int64),
        num_groups=num_groups,
        num_buckets=config.num_buckets,
        min_count=config.min_category_prices,
    )
    edges[MISSING] = np.nan
    return edges


def _column(products: pa.Table, name: str) -> pa.Array | None:
    if name not in products.column_names or pa.types.is_null(products.column(name).type):
        return None
    column = products.column(name)
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _category(products: pa.Table) -> pa.Array:
    column = _column(products, "category")
    return pa.nulls(products.num_rows, pa.list_(pa.string())) if column is None else column


def _text(products: pa.Table, name: str) -> pa.Array:
    column = _column(products, name)
    return pa.nulls(products.num_rows, pa.string()) if column is None else _clean(column)


def _clean(values: pa.Array) -> pa.Array:
    """Normalise texts; an empty one says nothing."""
    texts = normalise_texts(values.cast(pa.string()))
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _search_numbers(known: Vocabulary, values: pa.Array) -> Int32[np.ndarray, " rows"]:
    """Return the numbers of texts; of one text, as a live search has it, without the cost of a column."""
    if len(values) != 1:
        return known.numbers(_clean(values))
    text = values[0].as_py()
    return np.array([known.number(text and normalise_text(text))], np.int32)


def _scalars(products: pa.Table) -> tuple[str, ...]:
    return tuple(sorted(name for name in products.column_names if name.startswith(_SCALAR_PREFIX)))


def _numbers(products: pa.Table, name: str) -> Float64[np.ndarray, " rows"]:
    """Return a column of numbers, NaN where there is none."""
    column = _column(products, name)
    if column is None:
        return np.full(products.num_rows, np.nan)
    return np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False))


def _vocabulary(values: list[str]) -> Vocabulary:
    return Vocabulary(pa.array(values, pa.string()))


def _plain(edges: Float64[np.ndarray, "groups edges"]) -> list[list[float] | None]:
    return [None if np.isnan(row).any() else row.tolist() for row in edges]


def _array(edges: list[list[float] | None], width: int) -> Float64[np.ndarray, "groups edges"]:
    nothing = [np.nan] * width
    return np.array([nothing if row is None else row for row in edges], np.float64).reshape(len(edges), width)
