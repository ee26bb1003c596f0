"""One call from a query's text to products that can be shown; what the command line and the service use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import MAX_K, NO_PRODUCT, QueryBatch, Retriever, check_k
from aisle.core.text import normalise_text

__all__ = ["DISPLAY_FIELDS", "Hit", "SearchEngine"]

DISPLAY_FIELDS = ("title", "brand", "description", "category", "price", "currency", "image")
"""What of a product is shown; None where the catalogue lacks it."""


@dataclass(frozen=True)
class Hit:
    """One product of a result.

    Attributes:
        rank: Place in the result, from 1.
        product_id: The shop's own id.
        score: Higher is better; comparable within one result only.
        product: `DISPLAY_FIELDS` of the product, by name; a category is a list from root to leaf.
    """

    rank: int
    product_id: str
    score: float
    product: dict[str, Any]


class SearchEngine:
    """A catalogue and the retrievers that search it, by mode.

    Args:
        products: Products table; its row number is the product index of every retriever.
        retrievers: Retriever of each mode, such as "hybrid", "semantic" and "lexical".
        default_mode: Mode of a search that names none.

    Raises:
        UsageError: If there is no retriever for the default mode.
    """

    def __init__(self, products: pa.Table, retrievers: Mapping[str, Retriever], *, default_mode: str) -> None:
        self._retrievers = dict(retrievers)
        self._default_mode = default_mode
        self._retriever(default_mode)
        shown = [name for name in DISPLAY_FIELDS if name in products.column_names]
        # In one piece: taking rows out of many chunks searches the chunk of every row.
        self._products = products.select(["product_id", *shown]).combine_chunks()

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes that can be asked for."""
        return tuple(self._retrievers)

    @property
    def default_mode(self) -> str:
        """Mode of a search that names none."""
        return self._default_mode

    @property
    def num_products(self) -> int:
        """Products that are searched."""
        return int(self._products.num_rows)

    def search(self, query: str, *, k: int = 24, mode: str | None = None) -> list[Hit]:
        """Return the best products, at most k.

        Args:
            query: As typed.
            k: Most results, 1 to `MAX_K`.
            mode: One of `modes`; the default one where it is None.

        Raises:
            UsageError: If the query is blank, k is out of its bounds, or the mode is unknown.
        """
        check_k(k, most=MAX_K)
        retriever = self._retriever(self._default_mode if mode is None else mode)
        _check_query(query)
        ranking = retriever.retrieve(QueryBatch([query]), k=k)
        found = ranking.product_index[0] != NO_PRODUCT
        return self._hits(ranking.product_index[0][found], ranking.score[0][found])

    def _hits(self, product_index: np.ndarray, score: np.ndarray) -> list[Hit]:
        if len(product_index) and product_index.max() >= self.num_products:
            raise ShapeError(
                "The retriever must have been built from these products",
                received={"product_index": int(product_index.max()), "products": self.num_products},
                remedy="Build the index again from the present catalogue.",
            )
        rows = self._products.take(pa.array(product_index)).to_pylist()
        return [
            Hit(
                rank=rank,
                product_id=row["product_id"],
                score=float(value),
                product={name: row.get(name) for name in DISPLAY_FIELDS},
            )
            for rank, (row, value) in enumerate(zip(rows, score, strict=True), start=1)
        ]

    def _retriever(self, mode: str) -> Retriever:
        if mode not in self._retrievers:
            raise UsageError(
                f"The mode must be one of {', '.join(self._retrievers) or 'none: there is no retriever'}",
                received={"mode": mode},
                remedy="Choose one of these.",
            )
        return self._retrievers[mode]


def _check_query(query: str) -> None:
    try:
        is_blank = not normalise_text(query)
    except UnicodeEncodeError:  # half of a character, as broken JSON or a foreign terminal sends it
        raise UsageError(
            "A query must be valid Unicode", received={"query": query}, remedy="Send it as UTF-8."
        ) from None
    if is_blank:
        raise UsageError("A query must not be blank", received={"query": query}, remedy="Type a word.")
