"""Pairs that are learnt beside the searches of a log: judged ones and pseudo-queries, of no actor and no time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float32, Int64

from aisle.core.rng import generator
from aisle.training.pairs import TrainingPairs

__all__ = ["BesideDraw", "BesidePairs", "number_beside"]


@dataclass(frozen=True, eq=False)
class BesidePairs:
    """Pairs beside a log, numbered as its queries and products are.

    Attributes:
        query_index: Query of each; those that were never searched stand behind the log's own.
        product_index: Product of each.
        weight: What each counts in the retrieval loss.
        is_judged: Whether people judged it; else it is a pseudo-query.
    """

    query_index: Int64[np.ndarray, " pairs"]
    product_index: Int64[np.ndarray, " pairs"]
    weight: Float32[np.ndarray, " pairs"]
    is_judged: Bool[np.ndarray, " pairs"]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.query_index)


def number_beside(queries: pa.Array, *, judged: TrainingPairs, pseudo: TrainingPairs) -> tuple[pa.Array, BesidePairs]:
    """Number the queries of pairs beside a log: those that it knows as it does, new ones behind them.

    Args:
        queries: Queries of the log, distinct.
        judged: Judged pairs.
        pseudo: Pairs of pseudo-queries.

    Returns:
        All queries, the log's first, and the pairs, judged ones first.
    """
    texts = pa.concat_arrays(
        [pairs.queries.cast(pa.string()).take(pa.array(pairs.query_index)) for pairs in (judged, pseudo)]
    )
    known = queries.cast(pa.string())
    distinct = pc.unique(texts)
    every = pa.concat_arrays([known, distinct.filter(pc.invert(pc.is_in(distinct, value_set=known)))])
    return every, BesidePairs(
        query_index=np.asarray(pc.index_in(texts, value_set=every).to_numpy(zero_copy_only=False), np.int64),
        product_index=np.concatenate([judged.product_index, pseudo.product_index]).astype(np.int64),
        weight=np.concatenate([judged.weight, pseudo.weight]).astype(np.float32),
        is_judged=np.repeat([True, False], [len(judged), len(pseudo)]),
    )


class BesideDraw:
    """Draws rows beside those of a slice: pairs whose product was on sale at its snapshot, evenly, each kind its share.

    Args:
        pairs: The pairs.
        on_sale: Products on sale, by snapshot.
        num_judged: Judged rows of a batch; none where a slice has no such pair, and repeated where it has fewer.
        num_pseudo: Rows of pseudo-queries.
        seed: Seed of the run.
    """

    def __init__(
        self,
        pairs: BesidePairs,
        on_sale: dict[int, Int64[np.ndarray, " on_sale"]],
        *,
        num_judged: int,
        num_pseudo: int,
        seed: int,
    ) -> None:
        self._pairs, self._seed = pairs, seed
        self._choices = {
            snapshot: [
                (np.flatnonzero(kind & np.isin(pairs.product_index, products)), size)
                for kind, size in ((pairs.is_judged, num_judged), (~pairs.is_judged, num_pseudo))
            ]
            for snapshot, products in on_sale.items()
        }

    def draw(self, step: int, snapshot: int) -> Int64[np.ndarray, " rows"]:
        """Return the pairs of a step."""
        rng = generator(self._seed, "beside", step)
        drawn = [
            rng.choice(choices, size, replace=len(choices) < size, shuffle=False)
            for choices, size in self._choices[snapshot]
            if len(choices)
        ]
        return np.concatenate([np.empty(0, np.int64), *drawn])

    def expected_count(self, snapshot: int, *, num_products: int) -> np.ndarray:
        """Return how many rows of a batch of a slice are expected to hold each product."""
        count = np.zeros(num_products)
        for choices, size in self._choices[snapshot]:
            if len(choices):
                held = np.bincount(self._pairs.product_index[choices], minlength=num_products)
                count += size * held / len(choices)
        return count
