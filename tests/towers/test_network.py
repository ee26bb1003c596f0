import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.core.errors import ConfigError, ModelError
from aisle.encoders import TermEncoderConfig, TextEncoderConfig
from aisle.features import FeatureConfig, Featuriser, TermConfig, TokenConfig, read_features, write_features
from aisle.towers import ConcatFusion, PostFusion, TowerConfig, TowerNetwork, feature_batch

CPU = torch.device("cpu")
PRODUCTS = pa.table({"title": ["red shoe", "blue dress with sleeves", "!", "hat", "red hat"]})
CONFIG = FeatureConfig(
    term=TermConfig(num_buckets=300), tokens=TokenConfig(max_query_tokens=6, max_product_tokens=8, vocabulary_size=300)
)


def featuriser(term=True, text=True):
    return Featuriser.fit(PRODUCTS, CONFIG, term=term, text=text)


def config(term=True, text=True, **settings):
    return TowerConfig(
        embedding_dim=12,
        term=TermEncoderConfig(enabled=term),
        text=TextEncoderConfig(enabled=text, hidden_dim=16, num_layers=1, num_heads=2),
        **settings,
    )


def network(term=True, text=True, **settings):
    torch.manual_seed(0)
    return TowerNetwork.build(config(term, text, **settings), featuriser(term, text)).eval()


@torch.no_grad()
@pytest.mark.parametrize(("term", "text"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_parts_that_are_off_give_their_dimensions_to_the_others(term, text, fusion):
    towers = network(term, text, fusion=fusion)
    assert isinstance(towers.fusion, PostFusion if fusion == "post" else ConcatFusion)
    assert (towers.term is not None, towers.text is not None) == (term, text)
    batch = feature_batch(featuriser(term, text).products(PRODUCTS), CPU)
    parts = towers.parts(batch)
    assert sum(part.shape[1] for part in parts.values()) == 12
    assert {name: part.shape[1] for name, part in parts.items()} == config(term, text).part_dims()
    for part in parts.values():
        torch.testing.assert_close(part.norm(dim=1), torch.ones(5))
    assert towers.product(batch).shape == towers.query(batch).shape == (5, 12)


@torch.no_grad()
def test_query_and_product_share_their_parts():
    towers = network()
    made = featuriser()
    queries = towers.parts(feature_batch(made.queries(pa.array(["red hat"])), CPU))
    products = towers.parts(feature_batch(made.products(PRODUCTS.slice(4, 1)), CPU))
    for name in ("term", "text"):
        torch.testing.assert_close(queries[name], products[name])


def test_a_batch_of_features_keeps_their_rows():
    features = featuriser().products(PRODUCTS)
    batch = feature_batch(features, CPU)
    assert batch.terms.offsets.tolist() == features.terms.offsets.tolist()
    assert batch.tokens.real.sum(1).tolist() == features.tokens.length.tolist()
    assert feature_batch(featuriser(text=False).products(PRODUCTS), CPU).tokens is None
    assert feature_batch(featuriser(term=False).products(PRODUCTS), CPU).terms is None


@torch.no_grad()
def test_features_that_are_mapped_from_disk_are_encoded_alike(tmp_path):
    features, towers = featuriser().products(PRODUCTS), network()
    write_features(features, tmp_path)
    mapped = read_features(tmp_path)
    rows = np.array([4, 1])
    expected = towers.product(feature_batch(features, CPU))
    torch.testing.assert_close(towers.product(feature_batch(mapped, CPU)), expected)
    torch.testing.assert_close(towers.product(feature_batch(mapped.take(rows), CPU)), expected[rows])


def test_every_part_learns_from_a_score():
    towers, made = network(), featuriser()
    query = towers.query(feature_batch(made.queries(pa.array(["red shoe", ""])), CPU))
    product = towers.product(feature_batch(made.products(PRODUCTS.slice(1, 2)), CPU))
    (query * product).sum().backward()
    for name, parameter in towers.named_parameters():
        assert parameter.grad is not None, name


@pytest.mark.parametrize(("term", "text"), [(True, False), (False, True)])
def test_a_part_without_features_is_refused(term, text):
    with pytest.raises(ModelError, match=r"must have its features\. Received: parts=\['term', 'text'\], features=\['"):
        TowerNetwork.build(config(), featuriser(term, text))


def test_features_of_a_part_that_is_off_are_left_alone():
    towers = TowerNetwork.build(config(text=False), featuriser())
    assert list(towers.parts(feature_batch(featuriser().products(PRODUCTS), CPU))) == ["term"]


def test_settings_that_do_not_hold_are_refused():
    with pytest.raises(ConfigError, match="At least one part"):
        TowerNetwork.build(config(term=False, text=False), featuriser())
    heads = TowerConfig(text=TextEncoderConfig(enabled=True, hidden_dim=16, num_heads=3))
    with pytest.raises(ConfigError, match="multiple of"):
        TowerNetwork.build(heads, featuriser())
