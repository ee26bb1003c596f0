import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.core.errors import ModelError
from aisle.encoders import TextEncoderConfig
from aisle.features import FeatureConfig, Featuriser, TermConfig, TokenConfig
from aisle.towers import TowerConfig, TowerNetwork, TwoTower
from aisle.towers.live_query import LiveQuery
from aisle.towers.query_graph import QUERY_GRAPH

PRODUCTS = pa.table({"title": ["red shoe", "blue dress", "hat"]})
FEATURES = FeatureConfig(term=TermConfig(num_buckets=100), tokens=TokenConfig(vocabulary_size=300))


def model_with(*, dim=12, text=True, seed=0):
    torch.manual_seed(seed)
    config = TowerConfig(
        embedding_dim=dim, text=TextEncoderConfig(enabled=text, hidden_dim=16, num_layers=1, num_heads=2)
    )
    featuriser = Featuriser.fit(PRODUCTS, FEATURES, text=text)
    return TwoTower(featuriser, TowerNetwork.build(config, featuriser), config)


MODEL = model_with()


def test_one_query_goes_through_the_graph_and_several_through_the_network(tmp_path):
    MODEL.save(tmp_path)
    loaded = TwoTower.load(tmp_path)
    with torch.no_grad():
        for parameter in loaded.network.fusion.parameters():
            parameter.add_(1)  # the graph keeps what was saved
    np.testing.assert_allclose(loaded.encode_queries(["hat"]), MODEL.encode_queries(["hat"]), atol=1e-6)
    assert np.abs(loaded.encode_queries(["hat", "shoe"]) - MODEL.encode_queries(["hat", "shoe"])).max() > 0.1


def test_a_folder_without_the_graph_is_encoded_by_the_network(tmp_path):
    MODEL.save(tmp_path)
    (tmp_path / QUERY_GRAPH).unlink()
    assert LiveQuery.load(tmp_path, MODEL.network) is None
    np.testing.assert_array_equal(TwoTower.load(tmp_path).encode_queries(["hat"]), MODEL.encode_queries(["hat"]))


def test_the_graph_reads_the_weights_beside_it_and_moves_with_them(tmp_path):
    MODEL.save(tmp_path)
    shutil.copytree(tmp_path, tmp_path / "moved")
    (tmp_path / "model.safetensors").unlink()
    loaded = TwoTower.load(tmp_path / "moved")
    np.testing.assert_allclose(loaded.encode_queries(["hat"]), MODEL.encode_queries(["hat"]), atol=1e-6)


@pytest.mark.parametrize("other", [{"dim": 14}, {"text": False}], ids=["width", "channels"])
def test_a_graph_of_another_network_is_refused(tmp_path, other):
    for name, model in (("a", MODEL), ("b", model_with(**other))):
        (tmp_path / name).mkdir()
        model.save(tmp_path / name)
    shutil.copy(tmp_path / "b" / QUERY_GRAPH, tmp_path / "a" / QUERY_GRAPH)
    with pytest.raises(ModelError, match=r"must be that of the model's network.*query\.onnx.*delete the file"):
        TwoTower.load(tmp_path / "a")


@pytest.mark.parametrize("damage", [lambda whole: whole[: len(whole) // 2], lambda _: b"", lambda _: b"\x80" * 999])
def test_a_damaged_graph_is_refused(tmp_path, damage):
    MODEL.save(tmp_path)
    path = tmp_path / QUERY_GRAPH
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match="must be that of the model's network"):
        TwoTower.load(tmp_path)


def test_several_threads_may_encode_at_once(tmp_path):
    MODEL.save(tmp_path)
    loaded = TwoTower.load(tmp_path)
    texts = ["hat", "a red shoe", "blue", "dress " * 8] * 20
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda text: loaded.encode_queries([text])[0], texts))
    np.testing.assert_allclose(np.stack(found), MODEL.encode_queries(texts), atol=1e-5)
