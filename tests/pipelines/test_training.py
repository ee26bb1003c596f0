import dataclasses
import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.core.errors import ConfigError, ModelError, WorkspaceError
from aisle.features import read_features
from aisle.pipelines import training
from aisle.pipelines.training import RUNS, help_train, load_model, train_model
from aisle.towers import TowerNetwork, TwoTower, feature_batch
from aisle.training.processes import Processes
from aisle.workspace import file_sha256


def weights_hash(workspace):
    return file_sha256(workspace.folder("model") / "model.safetensors")


def test_a_trained_model_is_kept_with_all_it_needs(built_shop):
    folder = built_shop.folder("model")
    names = {path.name for path in folder.iterdir()}
    needed = {"model.safetensors", "query.onnx", "config.json", "idf.npy", "tokenizer.json", "training.json"}
    assert needed | {"README.md"} <= names
    assert "query.onnx" in built_shop.manifest("model").files
    assert not [name for name in names if name.startswith("checkpoint")]
    summary = built_shop.manifest("model").summary
    assert summary["query_graph"] is True
    assert 0 <= summary["validation_recall"] <= 1
    assert summary["steps"] == json.loads((folder / "training.json").read_text())["steps"] > 0
    card = (folder / "README.md").read_text()
    assert "term (16 dimensions), text (16 dimensions); fusion: post" in card
    assert "600 pairs over 300 products, seed 0" in card
    assert built_shop.manifest("features").content in card
    assert "<svg" in (folder / "training.html").read_text()
    assert summary["validation"]["R@100"] == summary["validation_recall"]


def test_a_loaded_model_encodes_queries_and_products_into_one_space(built_shop, simulated):
    model = load_model(built_shop)
    products, queries = model.encode_products(simulated.products.slice(0, 3)), model.encode_queries(["red lamp", ""])
    assert (products.shape, queries.shape, queries.dtype) == ((3, 32), (2, 32), np.float32)
    assert np.isfinite(queries).all()


def test_training_is_skipped_until_something_changes(shop, tiny_recipe):
    before = weights_hash(shop)
    assert train_model(shop, tiny_recipe()).skipped
    assert not train_model(shop, tiny_recipe(seed=1)).skipped
    assert weights_hash(shop) != before
    assert not train_model(shop, tiny_recipe()).skipped
    assert weights_hash(shop) == before


def test_other_weights_of_a_checkpoint_train_another_model(import_shop, tiny_recipe, checkpoint, tmp_path):
    workspace = import_shop(tmp_path / "shop")
    folder = checkpoint(seed=1)
    train_model(workspace, tiny_recipe(text__init=folder))
    before = weights_hash(workspace)
    assert train_model(workspace, tiny_recipe(text__init=folder)).skipped
    checkpoint(folder, seed=2)
    assert not train_model(workspace, tiny_recipe(text__init=folder)).skipped
    assert weights_hash(workspace) != before
    assert load_model(workspace).encode_queries(["lamp"]).shape == (1, 32)


@pytest.mark.parametrize("part", ["term", "text"])
def test_one_part_alone_trains(import_shop, tiny_recipe, part, tmp_path):
    workspace = import_shop(tmp_path / "shop")
    other = {"term": "text", "text": "term"}[part]
    train_model(workspace, tiny_recipe(**{f"{other}__enabled": "false"}))
    assert f"Parts: {part} (32 dimensions)" in (workspace.folder("model") / "README.md").read_text()


@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_queries_may_do_without_the_transformer(import_shop, tiny_recipe, simulated, fusion, tmp_path):
    workspace = import_shop(tmp_path / "shop")
    train_model(workspace, tiny_recipe(text__queries="false", fusion=fusion))
    assert read_features(workspace.folder("features") / "queries").tokens is None
    model = load_model(workspace)
    assert model.featuriser.queries(pa.array(["red lamp"])).tokens is None
    one, two = model.encode_queries(["red lamp"]), model.encode_queries(["red lamp", "sofa"])
    np.testing.assert_allclose(one[0], two[0], atol=1e-5)
    # The text part of products is still there, and a query says something to it from its terms.
    text = model.explain(two, model.encode_products(simulated.products.slice(0, 2)))
    assert list(text) == (["term", "text"] if fusion == "post" else ["all"])
    assert np.abs(two[:, 16:]).max() > 0.01


def test_what_stands_for_the_text_of_queries_starts_from_the_terms(import_shop, tiny_recipe, tmp_path, monkeypatch):
    """At the start a query that is a product's own title points to that product's text."""
    found = {}

    def look(model, data, config, **more):
        features = data.product_features
        batch = feature_batch(features, torch.device("cpu"))
        with torch.no_grad():
            model.network.eval()
            words = model.network.words(batch)
            query = model.network.fusion.query({"term": words["term"]})
            head = torch.nn.functional.normalize(query[:, 16:], dim=1)
        centred = words["text"] - words["text"].mean(0)
        scores = head @ centred.T
        found["rank"] = (scores > scores.diagonal()[:, None]).sum(1).float().mean().item()
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", look)
    with pytest.raises(KeyboardInterrupt):
        train_model(import_shop(tmp_path / "shop"), tiny_recipe(text__queries="false"))
    # By chance half of the 300 others would stand before it.
    assert found["rank"] < 100


def test_tables_larger_than_memory_are_refused_before_they_are_made(import_shop, tiny_recipe, tmp_path, monkeypatch):
    workspace = import_shop(tmp_path / "shop")
    monkeypatch.setattr(training, "available_memory", lambda: 10**6)
    monkeypatch.setattr(TowerNetwork, "build", lambda *_, **__: pytest.fail("was built"))
    with pytest.raises(ConfigError, match=r"must fit into memory\..*lower features\.term\.num_buckets"):
        train_model(workspace, tiny_recipe(features__term__num_buckets="500000"))
    assert not workspace.has("model")


def test_memory_that_is_not_known_refuses_nothing(import_shop, tiny_recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "available_memory", lambda: None)
    workspace = import_shop(tmp_path / "shop")
    train_model(workspace, tiny_recipe(text__enabled="false"))
    assert workspace.has("model")


def test_a_model_of_another_feature_spec_is_refused(shop):
    from aisle.workspace import Manifest

    folder = shop.folder("model")
    config = json.loads((folder / "config.json").read_text())
    config["features"]["version"] += 1
    (folder / "config.json").write_text(json.dumps(config))
    manifest = shop.manifest("model")
    Manifest.of_folder(
        folder, step="model", fingerprint=manifest.fingerprint, inputs=manifest.inputs, config=manifest.config, seed=0
    ).write(folder)
    with pytest.raises(ModelError, match="feature spec must be of version"):
        load_model(shop)


def test_damaged_weights_are_refused_before_they_are_read(shop):
    path = shop.folder("model") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(WorkspaceError, match=r"model\.safetensors.*changed"):
        load_model(shop)


def test_a_run_of_another_recipe_that_was_killed_is_not_gone_on_with(import_shop, tiny_recipe, tmp_path, monkeypatch):
    """The new recipe's model is the one that an untouched workspace gets, and nothing of the old run is left."""

    class KilledError(Exception):
        pass

    def killed(*_):
        raise KilledError

    broken, whole = (import_shop(tmp_path / name) for name in ("broken", "whole"))
    with monkeypatch.context() as patch:
        patch.setattr(TwoTower, "save", killed)
        with pytest.raises(KilledError):
            train_model(broken, tiny_recipe())
    [old] = broken.path.glob(".partial/model-*/checkpoint.pt")
    assert not train_model(broken, tiny_recipe(train__temperature=0.1)).skipped
    assert not old.exists()
    train_model(whole, tiny_recipe(train__temperature=0.1))
    assert weights_hash(broken) == weights_hash(whole)


def test_curves_lie_beside_the_artefact_and_train_nothing_again(import_shop, tiny_recipe, tmp_path):
    pytest.importorskip("tensorboard")
    workspace = import_shop(tmp_path / "shop")
    result = train_model(workspace, tiny_recipe(train__tensorboard="true"))
    [events] = workspace.path.glob(f"{RUNS}/model-*/events*")
    assert events.parent.name == f"model-{result.manifest.fingerprint[:16]}"
    assert workspace.names() == ["features", "judgments", "model", "products"]
    assert workspace.verified("model").exists()
    assert train_model(workspace, tiny_recipe()).skipped


@dataclasses.dataclass(frozen=True)
class Helper(Processes):
    """A process that the first one has told the folder of its run; nobody else is there."""

    rank: int = 1
    told: tuple[str, int | None] = ("", None)
    own = slice(None)

    def from_main(self, value):
        return self.told if isinstance(value, tuple) and value == ("", None) else value


def test_another_process_trains_with_the_first_and_writes_nothing(shop, tiny_recipe, tmp_path, monkeypatch):
    before, trained = weights_hash(shop), []
    original = training.train
    monkeypatch.setattr(training, "train", lambda *args, **others: trained.append(original(*args, **others)))
    assert help_train(shop, tiny_recipe(seed=1), Helper(told=(str(tmp_path), None))) is None
    assert trained[0].steps > 0
    assert list(tmp_path.glob("*.*")) == []
    assert weights_hash(shop) == before
    help_train(shop, tiny_recipe(), Helper())
    assert len(trained) == 1, "told of no folder: there is a model already"


def test_the_others_are_told_whether_there_is_something_to_train(shop, tiny_recipe, monkeypatch):
    told = []
    monkeypatch.setattr(Processes, "from_main", lambda self, value: told.append(value) or value)
    assert train_model(shop, tiny_recipe()).skipped
    assert told == [("", None)]
    assert not train_model(shop, tiny_recipe(seed=1)).skipped
    assert ".partial/model-" in told[1][0]


def test_memory_is_shared_by_the_processes_of_a_machine(shop, tiny_recipe, monkeypatch):
    monkeypatch.setattr(training, "available_memory", lambda: 4 * 10**6)
    with pytest.raises(ConfigError, match=r"available_gb=0\.0"):
        train_model(shop, tiny_recipe(seed=1), processes=Processes(number_here=1000))
