import pyarrow as pa
import pytest

from aisle.core.errors import ModelError
from aisle.encoders import ContextEncoderConfig, GraphEncoderConfig, HistoryEncoderConfig
from aisle.features import ContextConfig, ContextFeaturiser, FeatureConfig, Featuriser, TermConfig
from aisle.towers import TowerConfig
from aisle.towers.channels import Channels, table_dims

PRODUCTS = pa.table({"title": ["red shoe", "blue dress"], "brand": ["Acme", "Acme"]})
FEATURISER = Featuriser.fit(
    PRODUCTS,
    FeatureConfig(term=TermConfig(num_buckets=50)),
    text=False,
    context=ContextFeaturiser.fit(PRODUCTS, ContextConfig()),
)


def channels(*, graph=True, context=True, history=True, pooling="mean", vectors="frozen", **known):
    config = TowerConfig(
        embedding_dim=16,
        graph=GraphEncoderConfig(
            enabled=graph, share=0.5, pooling=pooling, vectors=vectors, dropout=0.3, row_dropout=0.2
        ),
        context=ContextEncoderConfig(enabled=context, share=0.5),
        history=HistoryEncoderConfig(enabled=history, dim=6),
    )
    return Channels.build(config, FEATURISER, **known), config.part_dims()


@pytest.mark.parametrize("on", [{"graph": True}, {"context": True}, {"history": True}, {}])
def test_only_what_is_on_is_built(on):
    built, dims = channels(**({"graph": False, "context": False, "history": False} | on))
    assert {name for name, encoder in vars(built).items() if encoder is not None} == set(on)
    assert list(dims) == ["term", *(name for name in on if name != "history")]


def test_settings_reach_the_encoders():
    built, dims = channels(pooling="attention")
    assert dims == {"term": 8, "graph": 4, "context": 4}
    assert (built.graph.dim, built.context.dim, built.history.dim) == (4, 4, 6)
    assert (built.graph.dropout, built.graph.row_dropout) == (0.3, 0.2)
    assert built.graph.attention is not None
    assert channels()[0].graph.attention is None
    assert built.context.table.num_embeddings == FEATURISER.context.num_rows
    assert (built.history.query.in_features, built.history.product.in_features) == (8, 12)
    assert (built.graph.projection.in_features, built.graph.context.in_features) == (8, 4)


def test_without_context_queries_and_products_have_rows_alike():
    graph = GraphEncoderConfig(enabled=True, share=1.0)
    assert table_dims(TowerConfig(embedding_dim=6, graph=graph)) == (3, 3)
    assert channels(context=False)[0].graph.context is None


def test_rows_are_learnt_where_the_recipe_says_so():
    built, _ = channels(vectors="trained", num_known=(7, 3))
    assert [len(built.graph.learnt_rows(side)) for side in ("query", "product")] == [7, 3]
    assert channels(num_known=(7, 3))[0].graph.learnt_rows("query") is None
    with pytest.raises(ModelError, match=r"must be told of how many queries and products\..*num_known=None"):
        channels(vectors="trained")
    assert channels(graph=False, vectors="trained")[0].graph is None
