"""Searches as vectors: words, what the query led to, the search's place, and what its actor did before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from aisle.core.errors import ModelError
from aisle.core.ids import UNKNOWN
from aisle.core.ragged import group_ranks
from aisle.core.ranking import PastEvents, QueryBatch
from aisle.core.text import normalise_texts
from aisle.features import Histories, Neighbours
from aisle.retrieval.spelling import Speller
from aisle.towers import QueryContext, TwoTower

__all__ = ["SearchEncoder", "save_edges"]

_EDGES = "neighbours.safetensors"


class SearchEncoder:
    """Gives a model what it reads of a search, in serving as in training.

    Args:
        model: The model.
        edges: Its own folder's products of each query by row of its vector table: offsets, products and weights; None
            where it has no graph.
        product_ids: The catalogue that products of past events are positions of.
        speller: Mends the typing errors of queries before anything is looked up or encoded; None: nothing does. N-grams
            of characters help a model over a slip, but not far: the words themselves help more.
    """

    def __init__(
        self,
        model: TwoTower,
        edges: dict[str, np.ndarray] | None,
        *,
        product_ids: Sequence[str] | pa.Array,
        speller: Speller | None = None,
    ) -> None:
        self._model, self._edges, self._speller = model, edges, speller
        self._product_row = np.empty(0, np.int64)
        if model.tables is not None and model.network.history is not None:
            self._product_row = model.tables.products.rows_of(pa.array(product_ids).to_pylist())

    @classmethod
    def load(
        cls,
        model: TwoTower,
        folder: Path,
        *,
        product_ids: Sequence[str] | pa.Array,
        speller: Speller | None = None,
    ) -> SearchEncoder:
        """Read the edges that `save_edges` wrote beside a model.

        Args:
            model: The model.
            folder: Its own.
            product_ids: See the class.
            speller: See the class.

        Raises:
            ModelError: If the model has a graph part and they are missing or damaged.
        """
        if model.network.graph is None:
            return cls(model, None, product_ids=product_ids, speller=speller)
        try:
            return cls(model, load_file(folder / _EDGES), product_ids=product_ids, speller=speller)
        except (OSError, SafetensorError) as error:
            raise ModelError(
                "A model with a graph part must hold the neighbours of its queries",
                received={"path": str(folder / _EDGES), "problem": str(error).partition("\n")[0]},
                remedy="Train the model again.",
            ) from error

    def encode_queries(self, texts: Sequence[str]) -> Float32[np.ndarray, "queries dim"]:
        """Encode queries of nobody known."""
        return self.encode(QueryBatch(texts))

    def encode(self, queries: QueryBatch) -> Float32[np.ndarray, "queries dim"]:
        """Encode searches, each with what is known of it."""
        if self._speller is not None:
            queries = replace(queries, texts=self._speller.corrected(queries.texts))
        context = QueryContext(
            locations=queries.locations,
            neighbours=self.neighbours_of(queries.texts),
            history=self._histories(queries.past) if queries.past is not None else None,
        )
        return self._model.encode_queries(queries.texts, context=context)

    def put_products(self, product_index: Int64[np.ndarray, " products"], products: pa.Table) -> None:
        """Write the rows of new or changed products into the model's vector table, where past events look them up.

        One thread puts, any number encode; a model without vector tables has nothing to write.

        Args:
            product_index: Positions by which past events name them; new ones lie behind the catalogue's.
            products: Rows of the products table, in the same order.
        """
        if self._model.tables is None or not len(product_index):
            return
        rows = self._model.put_products(products)
        most = int(product_index.max()) + 1
        if most > len(self._product_row):  # doubled, so that adding one at a time stays cheap
            spare = np.full(max(most, 2 * len(self._product_row)) - len(self._product_row), UNKNOWN)
            self._product_row = np.concatenate([self._product_row, spare])
        self._product_row[product_index] = rows

    def neighbours_of(self, texts: Sequence[str]) -> Neighbours | None:
        """Return the products that each query led to in the log; None where the model reads none."""
        if self._edges is None or self._model.tables is None:
            return None
        rows = self._model.tables.queries.rows_of(normalise_texts(pa.array(texts, pa.string())).to_pylist())
        edges, most = self._edges, self._model.config.graph.neighbours
        return Neighbours.from_edges(edges["offsets"], edges["index"], edges["weight"], rows=rows, most=most)

    def _histories(self, past: PastEvents) -> Histories | None:
        if self._model.network.history is None:
            return None
        most = self._model.config.history.events
        length = np.diff(past.offsets)
        row = np.repeat(np.arange(len(length)), length)
        # The last events are read: count each row's from its end.
        from_end = group_ranks(row, -np.arange(len(row)))
        kept = np.flatnonzero(from_end < most)
        column = np.minimum(length, most)[row[kept]] - 1 - from_end[kept]
        made = Histories.none(len(length), most)
        made.query_index[row[kept], column] = self._query_rows(past, kept)
        made.product_index[row[kept], column] = self._rows_of(past.product_index[kept])
        made.stage[row[kept], column] = past.stage[kept]
        made.age_s[row[kept], column] = past.age_s[kept]
        return made

    def _rows_of(self, product: Int64[np.ndarray, " kept"]) -> Int64[np.ndarray, " kept"]:
        known = self._product_row  # once: another thread may put a longer one in its place
        is_known = (product >= 0) & (product < len(known))
        return np.where(is_known, known[np.where(is_known, product, 0)] if len(known) else UNKNOWN, UNKNOWN)

    def _query_rows(self, past: PastEvents, kept: Int64[np.ndarray, " kept"]) -> Int64[np.ndarray, " kept"]:
        texts = [past.queries[place] for place in kept.tolist()]
        asked = list(dict.fromkeys(text for text in texts if text is not None))
        row_of: dict[str | None, int] = dict(zip(asked, self._model.query_rows(asked).tolist(), strict=True))
        return np.fromiter((row_of.get(text, -1) for text in texts), np.int64, len(texts))


def save_edges(
    folder: Path,
    *,
    offsets: Int64[np.ndarray, " queries_and_1"],
    index: np.ndarray,
    weight: Float32[np.ndarray, " edges"],
) -> None:
    """Write the products that each query led to into a model's folder, by row of its vector table."""
    arrays = {"offsets": offsets, "index": index, "weight": weight}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / _EDGES)
