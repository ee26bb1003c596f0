"""Training pairs of a query and a product that answers it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float32, Int64

from aisle.core.errors import ShapeError
from aisle.core.text import normalise_texts

__all__ = ["NO_PAIRS", "TrainingPairs", "join_pairs", "split_queries"]


@dataclass(frozen=True, eq=False)
class TrainingPairs:
    """Pairs of a query and a product.

    Attributes:
        queries: Distinct query texts, normalised.
        query_index: Query of every pair, a position in `queries`.
        product_index: Product of every pair, a position in the catalogue.
        weight: What the pair counts in the loss, positive.
    """

    queries: pa.Array
    query_index: Int64[np.ndarray, " pairs"]
    product_index: Int64[np.ndarray, " pairs"]
    weight: Float32[np.ndarray, " pairs"]

    def __post_init__(self) -> None:
        lengths = {"query_index": len(self.query_index), "product_index": len(self.product_index)}
        if len({*lengths.values(), len(self.weight)}) > 1:
            raise ShapeError(
                "All columns of pairs must be of one length", received={**lengths, "weight": len(self.weight)}
            )

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.query_index)

    @classmethod
    def from_texts(
        cls, texts: pa.Array, product_index: Int64[np.ndarray, " pairs"], weight: Float32[np.ndarray, " pairs"]
    ) -> TrainingPairs:
        """Gather equal query texts into one query each; queries without a character are dropped with their pairs."""
        normalised = normalise_texts(texts)
        kept = pc.greater(pc.fill_null(pc.utf8_length(normalised), 0), 0)
        encoded = normalised.filter(kept).dictionary_encode()
        mask = kept.to_numpy(zero_copy_only=False)
        query_index = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        return cls(encoded.dictionary, query_index, product_index[mask], weight[mask].astype(np.float32))

    def of_queries(self, chosen: Bool[np.ndarray, " queries"]) -> TrainingPairs:
        """Keep the pairs of the chosen queries; `queries` stays whole, so indices keep their meaning."""
        kept = chosen[self.query_index]
        return TrainingPairs(self.queries, self.query_index[kept], self.product_index[kept], self.weight[kept])


NO_PAIRS = TrainingPairs.from_texts(pa.array([], pa.string()), np.empty(0, np.int64), np.empty(0, np.float32))
"""No pair at all."""


def join_pairs(first: TrainingPairs, second: TrainingPairs) -> TrainingPairs:
    """Put two sets of pairs together; a query that stands in both becomes one."""
    texts = pa.concat_arrays(
        [pairs.queries.take(pa.array(pairs.query_index)).cast(pa.string()) for pairs in (first, second)]
    )
    return TrainingPairs.from_texts(
        texts,
        np.concatenate([first.product_index, second.product_index]),
        np.concatenate([first.weight, second.weight]),
    )


def split_queries(queries: pa.Array, *, validation_share: float) -> Bool[np.ndarray, " queries"]:
    """Choose validation queries by a hash of their text: a query keeps its side whatever the others are.

    Returns:
        True where the query validates.

    >>> chosen = split_queries(pa.array([f"query {i}" for i in range(1000)]), validation_share=0.1)
    >>> 70 < int(chosen.sum()) < 130
    True
    """
    texts = queries.to_pylist()
    hashes = np.fromiter(
        (int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "little") for text in texts),
        np.uint32,
        len(texts),
    )
    return hashes < validation_share * 2**32
