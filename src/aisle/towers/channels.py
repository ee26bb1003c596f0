"""The encoders that read more than a row's own words: graph, context and history, as a recipe has them."""

from __future__ import annotations

from dataclasses import dataclass

from aisle.core.errors import ModelError
from aisle.encoders import ContextEncoder, GraphEncoder, HistoryEncoder
from aisle.features import Featuriser
from aisle.towers.config import TowerConfig

__all__ = ["Channels", "table_dims"]

_STATIC = ("term", "text", "context")


@dataclass(frozen=True)
class Channels:
    """Encoders beside term and text; None where one is off."""

    graph: GraphEncoder | None = None
    context: ContextEncoder | None = None
    history: HistoryEncoder | None = None

    @classmethod
    def build(
        cls, config: TowerConfig, featuriser: Featuriser, *, num_known: tuple[int, int] | None = None
    ) -> Channels:
        """Build what is on in a recipe.

        Args:
            config: Settings.
            featuriser: The features that will be read.
            num_known: Queries and products of the vector tables, which have learnt rows where the recipe says so.

        Raises:
            ModelError: If rows are learnt and it is not told of how many.
        """
        dims = config.part_dims()
        query_dim, product_dim = table_dims(config)
        graph = context = history = None
        if "graph" in dims:
            graph = GraphEncoder(
                word_dim=query_dim,
                context_dim=product_dim - query_dim,
                dim=dims["graph"],
                pooling=config.graph.pooling,
                dropout=config.graph.dropout,
                row_dropout=config.graph.row_dropout,
                num_learnt=_num_learnt(config, num_known),
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


def _num_learnt(config: TowerConfig, num_known: tuple[int, int] | None) -> tuple[int, int] | None:
    if config.graph.vectors == "frozen":
        return None
    if num_known is None:
        raise ModelError(
            "A graph of learnt rows must be told of how many queries and products",
            received={"graph.vectors": config.graph.vectors, "num_known": None},
            remedy="Give num_known, or set graph.vectors=frozen.",
        )
    return num_known


def table_dims(config: TowerConfig) -> tuple[int, int]:
    """Return the dimensions of a query's and of a product's row of the vector tables.

    A query's has the parts that read queries; a product's begins with the same ones.

    >>> from aisle.encoders import TextEncoderConfig
    >>> table_dims(TowerConfig(8, text=TextEncoderConfig(enabled=True)))
    (8, 8)
    >>> table_dims(TowerConfig(8, text=TextEncoderConfig(enabled=True, queries=False)))
    (6, 8)
    """
    dims = config.part_dims()
    return sum(dims[name] for name in config.query_words), sum(dims.get(name, 0) for name in _STATIC)
