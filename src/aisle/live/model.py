"""The model of a version as serving uses it: searches and products into one space, with the boost if there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64

from aisle.boosting import boosted_queries, split_boosted, with_boost
from aisle.core.ranking import QueryBatch
from aisle.live.known import KnownProducts
from aisle.retrieval import SearchEncoder, SplitScores
from aisle.towers import TwoTower

__all__ = ["LiveModel"]


class LiveModel:
    """Encodes searches and products as the version's store holds them.

    Any number of threads may encode searches while one encodes and puts products.

    Args:
        model: The model.
        encoder: Gives it what it reads of a search.
        known: What is known of the base products beside their fields.
    """

    def __init__(self, model: TwoTower, encoder: SearchEncoder, known: KnownProducts) -> None:
        self._model, self._encoder, self._known = model, encoder, known

    @classmethod
    def load(cls, folder: Path, *, known: KnownProducts, product_ids: pa.Array, dim: int | None = None) -> LiveModel:
        """Read a model's folder, whose files were checked.

        Args:
            folder: Of the model.
            known: What is known of the base products.
            product_ids: The base products, in the order of their index.
            dim: Served dimensions, before the boost's two; None: all of the model's.

        Raises:
            ModelError: If a file is missing or damaged.
        """
        model = TwoTower.load(folder)
        model.serve(dim)
        return cls(model, SearchEncoder.load(model, folder, product_ids=product_ids), known)

    @property
    def dim(self) -> int:
        """Dimensions of a vector in the store."""
        return self._model.embedding_dim + (2 if self._is_boosted else 0)

    @property
    def split_scores(self) -> SplitScores:
        """Splits scores into the parts of the model, and the boost."""
        return split_boosted(self._model.explain) if self._is_boosted else self._model.explain

    @property
    def reads_past(self) -> bool:
        """Whether the past of who searches counts."""
        return bool(self._model.config.history.enabled)

    @property
    def reads_places(self) -> bool:
        """Whether the place of a search counts."""
        return bool(self._model.config.context.enabled)

    def encode_search(self, asked: QueryBatch) -> Float32[np.ndarray, "searches dim"]:
        """Encode searches, each with what is known of it."""
        vectors = self._encoder.encode(asked)
        return boosted_queries(vectors) if self._is_boosted else vectors

    def encode_products(
        self, products: pa.Table, product_index: Int64[np.ndarray, " products"]
    ) -> Float32[np.ndarray, "products dim"]:
        """Encode rows of the products table; a known product keeps its boost and the queries that led to it."""
        vectors = self._model.encode_products(products, neighbours=self._known.neighbours_of(product_index))
        if not self._is_boosted:
            return vectors
        boost = self._known.boost_of(product_index)
        return with_boost(vectors, boost, squared_norm=self._known.squared_norm or None)

    def learn_products(self, products: pa.Table, product_index: Int64[np.ndarray, " products"]) -> None:
        """Let past events name these products; see `SearchEncoder.put_products`."""
        self._encoder.put_products(product_index, products)

    @property
    def _is_boosted(self) -> bool:
        return self._known.boost is not None
