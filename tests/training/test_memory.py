import pyarrow as pa
import pytest

from aisle.core.errors import ConfigError
from aisle.encoders import (
    ContextEncoderConfig,
    GraphEncoderConfig,
    HistoryEncoderConfig,
    TermEncoderConfig,
    TextEncoderConfig,
)
from aisle.features import ContextFeaturiser, FeatureConfig, Featuriser, TermConfig, TokenConfig
from aisle.towers import LOG_CHANNELS, TowerConfig, TowerNetwork
from aisle.training.memory import MemoryNeed, check_memory, memory_needs

SHOP = pa.table({"title": ["red shoe", "hat"], "brand": ["Acme", "Belmora"]})
KNOWN = (70, 50)


def featuriser(num_buckets=5000):
    config = FeatureConfig(term=TermConfig(num_buckets=num_buckets), tokens=TokenConfig(vocabulary_size=300))
    return Featuriser.fit(SHOP, config, context=ContextFeaturiser.fit(SHOP, config.context))


def towers(text=None, **graph):
    text = TextEncoderConfig(enabled=True, hidden_dim=32, num_heads=2) if text is None else text
    graph = GraphEncoderConfig(**graph)
    return TowerConfig(embedding_dim=48, text=text, graph=graph, history=HistoryEncoderConfig(dim=8))


def needs(config, made=None, **more):
    found = memory_needs(config, made or featuriser(), **{"num_known": KNOWN, "num_products": 50, **more})
    return {need.name: need.num_bytes for need in found}


def test_tables_are_counted_as_they_are_built():
    """Weights, two moments and the best weights of a table; gradients too of dense layers; float is 4 bytes."""
    config, made = towers(vectors="trained").with_data(LOG_CHANNELS), featuriser()
    found = needs(config, made)
    network = TowerNetwork.build(config, made, num_known=KNOWN)
    rows = [network.graph.learnt_rows(side).numel() for side in ("query", "product")]
    assert found["term table"] == 16 * network.term.table.weight.numel()
    assert found["context table"] == 16 * network.context.table.weight.numel()
    assert found["graph rows"] == 16 * sum(rows)
    assert found["text encoder"] == pytest.approx(
        20 * sum(parameter.numel() for parameter in network.text.transformer.parameters()), rel=0.1
    )
    # Two tables of two bytes per number: queries have term and text, products context too.
    dims = config.part_dims()
    words = dims["term"] + dims["text"]
    assert found["vector tables"] == 4 * (70 * words + 50 * (words + dims["context"]))
    assert found["catalogue vectors"] == 4 * 50 * 48


def test_the_rest_of_the_network_is_small_beside_them():
    config = TowerConfig().with_data(LOG_CHANNELS)
    made = featuriser(FeatureConfig().term.num_buckets)
    network = TowerNetwork.build(config, made)
    everything = 20 * sum(parameter.numel() for parameter in network.parameters())
    assert 0.75 * everything < sum(needs(config, made).values()) < 1.1 * everything


def test_only_what_is_on_is_counted():
    alone = TowerConfig(embedding_dim=48, term=TermEncoderConfig(enabled=False), text=towers().text)
    assert set(needs(alone)) == {"catalogue vectors", "text encoder"}
    assert set(needs(TowerConfig(embedding_dim=48))) == {"catalogue vectors", "term table"}
    frozen = towers().with_data(["graph"])
    assert set(needs(frozen)) == {"catalogue vectors", "term table", "text encoder", "vector tables"}


def test_a_checkpoint_is_counted_by_its_files(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"x" * 1000)
    found = needs(TowerConfig(text=TextEncoderConfig(init=str(tmp_path))))
    assert found["text encoder"] == 5000
    assert needs(TowerConfig(text=TextEncoderConfig(init="a/name-on-the-hub")))["text encoder"] == 0


def test_a_million_queries_and_products_by_hand():
    config = TowerConfig(
        graph=GraphEncoderConfig(share=0.5, vectors="trained"), context=ContextEncoderConfig(share=0.5)
    ).with_data(LOG_CHANNELS)
    found = needs(config, num_known=(10**6, 10**6), num_products=10**6)
    # 64 of 256 dimensions, 16 bytes each: 1 GB a side.
    assert found["graph rows"] == 2 * 10**6 * 64 * 16
    assert found["vector tables"] == 4 * 10**6 * (128 + 192)


NEEDS = [
    MemoryNeed("vector tables", 30 * 10**9, "lower embedding_dim"),
    MemoryNeed("term table", 69 * 10**9, "lower features.term.num_buckets"),
    MemoryNeed("context table", 10**9, "lower features.context.max_values"),
]


def test_what_does_not_fit_is_refused_with_what_takes_most_and_the_settings():
    with pytest.raises(ConfigError) as caught:
        check_memory(NEEDS, 20 * 10**9)
    assert str(caught.value) == (
        "A training must fit into memory. Received: needed_gb=100.0, available_gb=20.0, term_table_gb=69.0, "
        "vector_tables_gb=30.0. To need less, lower features.term.num_buckets, lower embedding_dim; or train where "
        "there is more."
    )


@pytest.mark.parametrize("available", [None, 100 * 10**9, 10**15])
def test_what_fits_and_what_is_not_known_passes(available):
    check_memory(NEEDS, available)
