import dataclasses
import shutil

import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.encoders import PretrainedTransformer
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.featurising import featurise
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.text_vectors import TEXT_VECTORS, pool_texts
from aisle.pipelines.training import load_model, train_model
from aisle.towers import TwoTower
from aisle.training import TrainingData
from aisle.training.checkpoint import Checkpoint
from aisle.training.trainer import Trainer
from aisle.workspace import Workspace

LOGGED = ["embedding_dim=24", "features.term.num_buckets=1024", "train.batch_size=16", "train.epochs=1"]
LOGGED += ["train.num_uniform=8", "history.dim=8", "train.min_steps=1", "train.bf16=false"]


@pytest.fixture
def encoded(monkeypatch):
    """Note how many texts pass through a Hugging Face encoder."""
    rows, original = [], PretrainedTransformer.in_context

    def counting(self, vectors, real):
        rows.append(len(real))
        return original(self, vectors, real)

    monkeypatch.setattr(PretrainedTransformer, "in_context", counting)
    return rows


@pytest.fixture
def unwritten(monkeypatch):
    """Leave out the graph for ONNX Runtime, which takes seconds to trace."""
    monkeypatch.setattr("aisle.towers.two_tower.write_query_graph", lambda *_, **__: False)


@pytest.fixture
def frozen_recipe(tiny_recipe, checkpoint):
    folder = checkpoint(seed=1)
    return lambda **more: tiny_recipe(text__init=folder, text__frozen="true", **more)


def cosines(one, other):
    return (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def data_of(workspace):
    return TrainingData.read(workspace.folder("features"), pooled=workspace.folder(TEXT_VECTORS))


def test_nothing_is_stored_unless_the_transformer_is_frozen(import_shop, tiny_recipe, checkpoint, tmp_path):
    workspace = import_shop(tmp_path / "shop")
    for settings in ({}, {"text__init": checkpoint(seed=1)}):
        recipe = tiny_recipe(**settings)
        featurise(workspace, recipe)
        assert pool_texts(workspace, recipe) is None
    assert not workspace.has(TEXT_VECTORS)


def test_every_text_passes_the_transformer_once_and_again_only_with_other_texts_or_weights(
    import_shop, frozen_recipe, checkpoint, tmp_path, encoded
):
    workspace = import_shop(tmp_path / "shop")
    featurise(workspace, frozen_recipe())
    made = pool_texts(workspace, frozen_recipe()).manifest
    data = data_of(workspace)
    features = (data.product_features, data.query_features, data.validation.query_features)
    assert made.summary["texts"] == sum(map(len, features))
    assert sum(encoded) == made.summary["distinct_texts"] < made.summary["texts"]
    assert {part.pooled.shape[1] for part in features} == {16}
    # Other n-grams: the features are made anew, with the same tokens.
    ngrams = frozen_recipe(features__term__max_query_ngrams=20)
    assert not featurise(workspace, ngrams).skipped
    assert pool_texts(workspace, ngrams).skipped
    more = frozen_recipe(pairs__pseudo_per_product=3)
    featurise(workspace, more)
    assert not pool_texts(workspace, more).skipped
    checkpoint(frozen_recipe().text.init, seed=2)
    featurise(workspace, more)
    assert not pool_texts(workspace, more).skipped


@pytest.mark.parametrize("bf16", ["true", "false"])
@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_texts_are_served_as_they_were_trained(import_shop, frozen_recipe, tmp_path, unwritten, bf16, fusion):
    workspace, recipe = import_shop(tmp_path / "shop"), frozen_recipe(train__bf16=bf16, fusion=fusion)
    train_model(workspace, recipe)
    model, data = load_model(workspace), data_of(workspace)
    queries = data.pairs.queries.slice(0, 50)
    stored = model.encode_query_features(data.query_features.take(np.arange(50)))
    assert cosines(stored, model.encode_queries(queries.to_pylist())).min() > 0.9995
    stored = model.encode_product_features(data.product_features)
    assert cosines(stored, model.encode_products(read_products(workspace))).min() > 0.9995


def test_the_transformer_is_saved_as_it_was_and_not_used_in_training(
    import_shop, frozen_recipe, tmp_path, unwritten, encoded
):
    workspace = import_shop(tmp_path / "shop")
    train_model(workspace, frozen_recipe())
    assert sum(encoded) == workspace.manifest(TEXT_VECTORS).summary["distinct_texts"]
    given = PretrainedTransformer.from_checkpoint(frozen_recipe().text.init).state_dict()
    text = load_model(workspace).network.text
    assert text.frozen
    for name, value in text.transformer.state_dict().items():
        assert torch.equal(value, given[name]), name
    assert workspace.manifest("model").summary["steps"] > 0
    assert train_model(workspace, frozen_recipe()).skipped


def test_a_killed_run_goes_on_to_the_same_weights_from_checkpoints_without_the_transformer(
    import_shop, frozen_recipe, tmp_path, unwritten
):
    class KilledError(Exception):
        pass

    broken, whole = (import_shop(tmp_path / name) for name in ("broken", "whole"))
    original = Trainer.step

    def step(self, batch):
        if self.progress.step == 5:
            raise KilledError
        return original(self, batch)

    often = {"train__checkpoint_minutes": 1e-9, "train__epochs": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "step", step)
        with pytest.raises(KilledError):
            train_model(broken, frozen_recipe(**often))
    [folder] = broken.path.glob(".partial/model-*")
    saved = Checkpoint.read(folder)
    assert "text.projection.weight" in saved.network
    assert not [name for name in (*saved.network, *saved.best) if name.startswith("text.transformer.")]
    train_model(broken, frozen_recipe(**often))
    train_model(whole, frozen_recipe(**often))
    states = [load_model(workspace).network.state_dict() for workspace in (broken, whole)]
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_a_catalogue_is_indexed_from_stored_vectors_unless_they_must_be_exact(
    import_shop, frozen_recipe, tmp_path, unwritten, encoded
):
    workspace = import_shop(tmp_path / "shop")
    train_model(workspace, frozen_recipe())
    encoded.clear()
    build_indexes(workspace, frozen_recipe())
    queries = sum(encoded)
    assert queries < 300
    encoded.clear()
    build_indexes(workspace, frozen_recipe(encode__precision="fp32"))
    # A few of the 300 products have the same tokens as another one of their batch, and are encoded once.
    assert 290 < sum(encoded) - queries <= 300


@pytest.mark.slow
def test_a_log_is_learnt_search_by_search_and_served_alike(learnt_shop, checkpoint, tmp_path, encoded):
    shutil.copytree(learnt_shop.path, tmp_path / "shop")
    workspace = Workspace.open(tmp_path / "shop")
    words = ["thing", "that", "is", "new", *(f"word{number}" for number in range(30))]
    init = checkpoint(seed=1, words=words)
    train_model(workspace, load_recipe(None, [*LOGGED, f"text.init={init}", "text.frozen=true"]))
    # What traces the graph for ONNX Runtime encodes one text more.
    assert sum(encoded) - workspace.manifest(TEXT_VECTORS).summary["distinct_texts"] in (0, 1)
    model, data = load_model(workspace), data_of(workspace)
    searches = dataclasses.replace(data.query_features, context=None, neighbours=None, history=None)
    stored = model.encode_query_features(searches)
    texts = data.pairs.queries.to_pylist()
    assert cosines(stored, model.encode_queries(texts)).min() > 0.9995
    # One at a time they go through ONNX Runtime.
    one = np.concatenate([model.encode_queries([text]) for text in texts[:5]])
    assert cosines(stored[:5], one).min() > 0.9995
    # One row of stored vectors, for which that graph has no input.
    assert cosines(model.encode_query_features(searches.take(np.array([3]))), stored[[3]])[0] > 0.9999
    rows = model.tables.queries.vectors
    model.query_rows(["thing word7 new"])
    assert model.tables.queries.rows_of(["thing word7 new"]).tolist() == [len(rows)]
    words_alone = model.encode_words(model.featuriser.queries(pa.array(texts, pa.string())))
    assert cosines(words_alone, model.tables.queries.vectors[: len(texts)].float().numpy()).min() > 0.9995


def test_a_frozen_model_is_loaded_alone(import_shop, frozen_recipe, tmp_path, unwritten):
    workspace = import_shop(tmp_path / "shop")
    train_model(workspace, frozen_recipe())
    before = load_model(workspace).encode_queries(["red lamp", "desk"])
    shutil.copytree(workspace.folder("model"), tmp_path / "alone")
    shutil.rmtree(frozen_recipe().text.init)
    shutil.rmtree(workspace.path)
    np.testing.assert_array_equal(TwoTower.load(tmp_path / "alone").encode_queries(["red lamp", "desk"]), before)
