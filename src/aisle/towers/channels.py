"""The encoders that read more than a row's own words: graph, context and history, as a recipe has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aisle.encoders import ContextEncoder, GraphEncoder, HistoryEncoder
from aisle.features import Featuriser
from aisle.towers.config import TowerConfig

__all__ = ["Channels", "table_dims"]

_WORDS = ("term", "text")


@dataclass(frozen=True)
class Channels:
    """Encoders beside term and text; None where one is off."""

    graph: GraphEncoder | None = None
    context: ContextEncoder | None = None
    history: HistoryEncoder | None = None

    @classmethod
    def build(cls, config: TowerConfig, featuriser: Featuriser) -> Channels:
        """Build what is on in a recipe."""
        dims = config.part_dims()
        query_dim, product_dim = table_dims(dims)
        graph = context = history = None
        if "graph" in dims:
            graph = GraphEncoder(
                word_dim=query_dim,
                context_dim=product_dim - query_dim,
                dim=dims["graph"],
                pooling=config.graph.pooling,
                dropout=config.graph.dropout,
                row_dropout=config.graph.row_dropout,
            )
        if "context" in dims and featuriser.context is not None:
            context = ContextEncoder(
                featuriser.context.num_rows,
                dims["context"],
                hidden_dim=config.context.hidden_dim,
                reads_past=bool(config.history.enabled),
            )
        if config.history.enabled:
            history = HistoryEncoder(
                query_dim=query_dim,
                product_dim=product_dim,
                own_dim=query_dim,
                dim=config.history.dim,
                num_heads=config.history.num_heads,
                dropout=config.history.dropout,
            )
        return cls(graph, context, history)


def table_dims(part_dims: Mapping[str, int]) -> tuple[int, int]:
    """Return the dimensions of a query's and of a product's row of the vector tables.

    >>> table_dims({"term": 4, "text": 3, "graph": 2, "context": 1})
    (7, 8)
    """
    words = sum(part_dims.get(name, 0) for name in _WORDS)
    return words, words + part_dims.get("context", 0)
