"""What the graph of the query tower reads: vectors looked up for one search, as arrays.

Nothing here calls into torch for arithmetic: at one row its overhead per call is most of the cost.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from aisle.encoders import age_buckets
from aisle.features import Context, Features, Histories, Neighbours, Terms
from aisle.towers.network import TowerNetwork
from aisle.towers.vector_tables import VectorTables

__all__ = ["QueryInputs"]

_NO, _YES = np.zeros((1, 1), bool), np.ones((1, 1), bool)

_Inputs = dict[str, np.ndarray]


class QueryInputs:
    """Looks up what the graph of a network's query tower reads of one search.

    Args:
        network: On the CPU. Its tables of n-grams and of the context are read in place, so a change of the weights is
            seen.
    """

    def __init__(self, network: TowerNetwork) -> None:
        self._network = network
        self._term_table = _array(network.term.table.weight) if network.term is not None else None
        self._context_table = _array(network.context.table.weight) if network.context is not None else None
        learnt = network.graph.learnt_rows("product") if network.graph is not None else None
        self._learnt_rows = _array(learnt) if learnt is not None else None

    def of(self, features: Features, tables: VectorTables | None) -> _Inputs:
        """Return the inputs of one search, by name; `write_query_graph` tells what they are.

        Args:
            features: Features of the search, one row of each kind that the network reads.
            tables: What neighbours and past events are rows of; without them they are not known.
        """
        network, inputs = self._network, _Inputs()
        if features.terms is not None and network.term is not None:
            inputs["term"] = self._term(features.terms)
        if features.tokens is not None and network.query_text is not None:
            inputs["tokens"] = features.tokens.ids[:, : int(features.tokens.length[0])].astype(np.int64)
        if network.graph is not None:
            inputs |= self._neighbours(features.neighbours, tables)
        if network.history is not None:
            inputs |= self._events(features.history, tables)
        if network.context is not None:
            inputs |= self._place(features.context, inputs)
        return inputs

    def _term(self, terms: Terms) -> Float32[np.ndarray, "1 dim"]:
        assert self._network.term is not None
        assert self._term_table is not None
        if not len(terms.bucket):
            return _array(self._network.term.missing)[None]
        return terms.weight[None] @ self._term_table[terms.bucket]

    def _neighbours(self, neighbours: Neighbours | None, tables: VectorTables | None) -> _Inputs:
        graph = self._network.graph
        assert graph is not None
        if neighbours is not None and tables is not None:
            vectors, known = tables.products.take(neighbours.index[0])
            if known.any():
                weight = neighbours.weight[:, known].astype(np.float32)
                found = {"neighbours": vectors[known], "neighbour_weight": weight, "has_neighbours": _YES}
                return found | self._learnt(neighbours.index[0, known])
        nobody = np.zeros((1, graph.table_dim), np.float32)
        nothing = {"neighbours": nobody, "neighbour_weight": nobody[:, :1], "has_neighbours": _NO}
        return nothing | self._learnt(np.array([np.iinfo(np.int64).max]))

    def _learnt(self, index: Int64[np.ndarray, " neighbours"]) -> _Inputs:
        """Look up the learnt rows of neighbours, where the network has such; zero for one that came later."""
        if self._learnt_rows is None:
            return {}
        rows = np.zeros((len(index), self._learnt_rows.shape[1]), np.float32)
        has_row = index < len(self._learnt_rows)
        rows[has_row] = self._learnt_rows[index[has_row]]
        return {"neighbour_rows": rows}

    def _events(self, history: Histories | None, tables: VectorTables | None) -> _Inputs:
        real = np.flatnonzero(history.stage[0] >= 0) if history is not None else ()
        if history is None or tables is None or not len(real):
            return self._no_events()
        query, query_known = tables.queries.take(history.query_index[0, real])
        product, product_known = tables.products.take(history.product_index[0, real])
        # By torch, as in training: where a bucket ends, another library's logarithm may round to its other side.
        age = age_buckets(torch.from_numpy(history.age_s[0, real].astype(np.float32))).numpy()
        return {
            "event_query": query,
            "event_query_known": query_known[:, None],
            "event_product": product,
            "event_product_known": product_known[:, None],
            "event_stage": history.stage[0, real].astype(np.int64),
            "event_age": age,
            "has_events": _YES,
        }

    def _no_events(self) -> _Inputs:
        history = self._network.history
        assert history is not None
        number = np.zeros(1, np.int64)
        return {
            "event_query": np.zeros((1, history.query.in_features), np.float32),
            "event_query_known": _NO,
            "event_product": np.zeros((1, history.product.in_features), np.float32),
            "event_product_known": _NO,
            "event_stage": number,
            "event_age": number,
            "has_events": _NO,
        }

    def _place(self, context: Context | None, inputs: _Inputs) -> _Inputs:
        encoder = self._network.context
        assert encoder is not None
        assert self._context_table is not None
        known = context.ids[0][context.ids[0] >= 0] if context is not None else np.empty(0, np.int64)
        place = self._context_table[known].sum(axis=0, keepdims=True)
        if encoder.past is None:
            return {"place": place, "place_known": _YES if len(known) else _NO}
        past = _mean_past(inputs, encoder.dim)
        return {"place": place, "past": past, "place_known": _YES if len(known) or past.any() else _NO}


def _mean_past(inputs: _Inputs, context_dim: int) -> Float32[np.ndarray, "1 dim"]:
    """Do as `mean_past_context`: average the trailing dimensions of the known past products, zero without any."""
    products = inputs["event_product"][inputs["event_product_known"][:, 0]]
    context = products[:, products.shape[1] - context_dim :]
    mean: np.ndarray = context.sum(axis=0, keepdims=True) / np.float32(max(1, len(context)))
    return mean


def _array(weight: Tensor) -> np.ndarray:
    """Return an array over the same memory."""
    array: np.ndarray = weight.detach().numpy()
    return array
