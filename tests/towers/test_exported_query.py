import os
import shutil

import numpy as np
import onnxruntime
import pytest
import torch

from aisle.core.errors import ModelError
from aisle.pipelines.training import load_model
from aisle.towers.exported_query import export_query_graph
from aisle.towers.prefix import served_prefix


def names(path):
    return [one.name for one in onnxruntime.InferenceSession(path).get_inputs()]


def test_one_file_holds_weights_and_tables(learnt_shop, tmp_path):
    model, folder = load_model(learnt_shop), learnt_shop.folder("model")
    told = export_query_graph(model.network, folder, tmp_path / "query.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["query.onnx"]
    assert set(names(tmp_path / "query.onnx")) == set(told)
    assert {"ngrams", "ngram_weights", "has_ngrams", "place_fields", "has_place", "neighbours", "event_query"} <= set(
        told
    )
    assert not {"term", "place", "place_known"} & set(told)
    assert told["ngrams"] == "int64 [ngrams]: numbers of the query's distinct n-grams"


def test_a_model_that_a_version_holds_by_links_is_read_as_well(built_shop, tmp_path):
    model, folder, linked = load_model(built_shop), built_shop.folder("model"), tmp_path / "linked"
    shutil.copytree(folder, linked, copy_function=os.link)
    (tmp_path / "out").mkdir()
    export_query_graph(model.network, linked, tmp_path / "out" / "query.onnx")
    assert {"ngrams", "tokens"} <= set(names(tmp_path / "out" / "query.onnx"))


def test_the_boost_is_two_more_dimensions(built_shop, tmp_path):
    model, folder = load_model(built_shop), built_shop.folder("model")
    vectors = []
    for is_boosted in (False, True):
        export_query_graph(model.network, folder, tmp_path / "query.onnx", is_boosted=is_boosted)
        session = onnxruntime.InferenceSession(tmp_path / "query.onnx")
        inputs = {
            "ngrams": np.array([3, 5]),
            "ngram_weights": np.array([[1.0, 0.5]], np.float32),
            "has_ngrams": np.array([[True]]),
            "tokens": np.array([[1, 2]]),
        }
        vectors.append(session.run(None, inputs)[0])
    assert vectors[1].shape[1] == vectors[0].shape[1] + 2
    assert np.array_equal(vectors[1], np.concatenate([vectors[0], [[1.0, 0.0]]], axis=1).astype(np.float32))


def test_without_n_grams_what_stands_for_none_is_taken(built_shop, tmp_path):
    model = load_model(built_shop)
    export_query_graph(model.network, built_shop.folder("model"), tmp_path / "query.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "query.onnx")
    inputs = {
        "ngrams": np.array([7]),
        "ngram_weights": np.array([[9.0]], np.float32),
        "has_ngrams": np.array([[False]]),
        "tokens": np.array([[0]]),
    }
    first = session.run(None, inputs)[0]
    second = session.run(None, {**inputs, "ngrams": np.array([8])})[0]
    assert np.array_equal(first, second)


def test_a_model_without_a_graph_is_refused(built_shop, tmp_path):
    model = load_model(built_shop)
    with pytest.raises(ModelError, match=r"graph of its query tower.*cannot be written as ONNX"):
        export_query_graph(model.network, tmp_path, tmp_path / "query.onnx")


@pytest.mark.parametrize("is_boosted", [False, True])
def test_a_smaller_served_size_is_cut_within_the_file(built_shop, tmp_path, is_boosted):
    model = load_model(built_shop)
    inputs = {
        "ngrams": np.array([3, 5]),
        "ngram_weights": np.array([[1.0, 0.5]], np.float32),
        "has_ngrams": np.array([[True]]),
        "tokens": np.array([[1, 2]]),
    }
    vectors = []
    for dim in (None, 20):
        export_query_graph(
            model.network, built_shop.folder("model"), tmp_path / "query.onnx", dim=dim, is_boosted=is_boosted
        )
        vectors.append(onnxruntime.InferenceSession(tmp_path / "query.onnx").run(None, inputs)[0])
    ends = 2 if is_boosted else 0
    whole = torch.from_numpy(vectors[0][:, : vectors[0].shape[1] - ends])
    expected = served_prefix(whole, model.network.fusion.served_dims, 20).numpy()
    assert vectors[1].shape[1] == 20 + ends
    assert np.allclose(vectors[1][:, :20], expected, atol=1e-6)
