import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from safetensors.numpy import load_file

from aisle.core.errors import ConfigError, ModelError, UsageError
from aisle.mining import MinedLog
from aisle.pipelines import pretraining, training
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.pretraining import pretrain
from aisle.pipelines.training import load_model, train_model
from aisle.pretraining import Pretrainer
from aisle.workspace import Workspace, file_sha256

_SETTINGS = {
    "pretrain.max_steps": 4,
    "pretrain.validation_steps": 2,
    "pretrain.batch_size": 16,
    "pretrain.held_out_share": 0.2,
    "pretrain.bf16": "false",
}


@pytest.fixture(scope="session")
def pretrain_recipe(tiny_recipe):
    """Settings of seconds; others by name, with `__` for the dot."""
    return lambda **more: tiny_recipe(**{name.replace(".", "__"): value for name, value in _SETTINGS.items()}, **more)


@pytest.fixture(scope="session")
def _pretrained_shop(tmp_path_factory, import_shop, pretrain_recipe):
    workspace = import_shop(tmp_path_factory.mktemp("pretrained") / "shop")
    pretrain(workspace, pretrain_recipe())
    return workspace


@pytest.fixture
def pretrained_shop(_pretrained_shop, tmp_path):
    """A copy of a small catalogue with its pre-trained encoder."""
    shutil.copytree(_pretrained_shop.path, tmp_path / "shop")
    return Workspace.open(tmp_path / "shop")


@pytest.fixture
def unwritten(monkeypatch):
    """Leave out the graph for ONNX Runtime, which takes seconds to trace."""
    monkeypatch.setattr("aisle.towers.two_tower.write_query_graph", lambda *_, **__: False)


def weights_of(workspace):
    return file_sha256(workspace.folder("pretrained") / "model.safetensors")


@pytest.fixture
def masked_checkpoint(checkpoint, tmp_path):
    """A checkpoint whose tokenizer names its mask."""
    folder = checkpoint(tmp_path / "masked", seed=1)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"mask_token": "[MASK]"}))
    return folder


def test_a_catalogue_alone_gives_a_checkpoint_with_its_figures(pretrained_shop, pretrain_recipe):
    folder = pretrained_shop.verified("pretrained")
    manifest = pretrained_shop.manifest("pretrained")
    files = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert set(manifest.files) == files | {"pretraining.json", "pretraining.html"}
    assert manifest.inputs == {"products": pretrained_shop.manifest("products").content}
    summary = manifest.summary
    assert (summary["steps"], summary["products"], summary["purchases"]) == (4, 300, 0)
    assert summary["pairs_from"] == "titles and the rest of their product's text"
    assert summary["before"].keys() == summary["held_out"].keys() == {"masked_accuracy", "contrastive_recall"}
    assert json.loads((folder / "pretraining.json").read_text())["steps"] == 4
    assert "<svg" in (folder / "pretraining.html").read_text()
    assert pretrain(pretrained_shop, pretrain_recipe()).skipped
    # Sizes of the catalogue's towers are no business of pre-training; those of the transformer are.
    assert pretrain(pretrained_shop, pretrain_recipe(embedding_dim=64)).skipped
    assert not pretrain(pretrained_shop, pretrain_recipe(text__num_layers=2)).skipped


def test_training_starts_from_what_was_pretrained(pretrained_shop, pretrain_recipe, monkeypatch):
    begun = {}

    def look(model, *_, **__):
        begun.update(model.network.text.transformer.model.state_dict())
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", look)
    with pytest.raises(KeyboardInterrupt):
        train_model(pretrained_shop, pretrain_recipe(text__init="pretrained"))
    saved = load_file(pretrained_shop.folder("pretrained") / "model.safetensors")
    assert begun.keys() == saved.keys()
    for name, value in begun.items():
        np.testing.assert_array_equal(value.numpy(), saved[name])


def test_a_model_that_began_from_it_is_whole_without_it(pretrained_shop, pretrain_recipe, tmp_path):
    recipe = pretrain_recipe(text__init="pretrained")
    train_model(pretrained_shop, recipe)
    assert train_model(pretrained_shop, recipe).skipped
    before = load_model(pretrained_shop).encode_queries(["red lamp"])
    # The workspace may be moved, as no folder is written down in it.
    moved = Workspace.open(Path(shutil.move(pretrained_shop.path, tmp_path / "moved")))
    assert train_model(moved, recipe).skipped
    shutil.rmtree(moved.folder("pretrained"))
    np.testing.assert_array_equal(load_model(moved).encode_queries(["red lamp"]), before)


def test_another_pre_training_trains_another_model(pretrained_shop, pretrain_recipe, unwritten):
    train_model(pretrained_shop, pretrain_recipe(text__init="pretrained"))
    pretrain(pretrained_shop, pretrain_recipe(pretrain__mask_share=0.3))
    assert not train_model(pretrained_shop, pretrain_recipe(text__init="pretrained")).skipped


def test_a_frozen_transformer_may_be_the_own_one(pretrained_shop, pretrain_recipe, unwritten):
    train_model(pretrained_shop, pretrain_recipe(text__init="pretrained", text__frozen="true"))
    assert pretrained_shop.manifest("text_vectors").summary["texts"] > 300


def test_the_log_is_read_as_far_as_the_training_window_goes(own_learnt_shop, pretrain_recipe):
    recipe = pretrain_recipe(pretrain__sequence_weight=1)
    summary = pretrain(own_learnt_shop, recipe).manifest.summary
    searches = own_learnt_shop.manifest("mined").summary["splits"]["train"]["searches"]
    assert summary["pairs_from"] == "queries and products of the log"
    assert 0 < summary["purchases"] <= searches
    assert (summary["products"], summary["products_later"]) == (31, 1)
    assert set(summary["held_out"]) == {"masked_accuracy", "contrastive_recall", "sequence_accuracy"}
    read = {name for name in own_learnt_shop.manifest("pretrained").inputs if name.startswith("mined/")}
    assert not [name for name in read if "test" in name or "validation" in name]


def test_no_byte_hangs_on_what_is_held_out(own_learnt_shop, pretrain_recipe, monkeypatch):
    """Without the examples that validate and test, and with another text of a product that came late."""
    pretrain(own_learnt_shop, pretrain_recipe())
    before = weights_of(own_learnt_shop)
    mined = own_learnt_shop.folder("mined")
    for split, name in itertools.product(("validation", "test"), ("examples", "outcomes")):
        (mined / name / f"{split}.parquet").unlink()
    products = read_products(own_learnt_shop)
    late = pc.is_valid(products.column("created_at"))
    title = pc.if_else(late, "something else altogether", products.column("title"))
    assert title != products.column("title")
    changed = products.set_column(products.column_names.index("title"), "title", title)
    monkeypatch.setattr(pretraining, "read_products", lambda _: changed)
    monkeypatch.setattr(pretraining, "load_mined", lambda _: MinedLog(mined))
    shutil.rmtree(own_learnt_shop.folder("pretrained"))
    pretrain(own_learnt_shop, pretrain_recipe())
    assert weights_of(own_learnt_shop) == before


def test_a_killed_run_goes_on_and_ends_as_an_unbroken_one(
    import_shop, pretrain_recipe, pretrained_shop, tmp_path, monkeypatch
):
    workspace = import_shop(tmp_path / "killed")
    original, done = Pretrainer.step, []

    def killed(self):
        done.append(self.progress.step)
        if len(done) == 4:
            raise KeyboardInterrupt
        return original(self)

    monkeypatch.setattr(Pretrainer, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        pretrain(workspace, pretrain_recipe())
    assert not workspace.has("pretrained")
    pretrain(workspace, pretrain_recipe())
    # A checkpoint stands behind step 2, with the validation.
    assert done == [0, 1, 2, 3, 2, 3]
    assert weights_of(workspace) == weights_of(pretrained_shop)
    assert not [path for path in workspace.folder("pretrained").iterdir() if "checkpoint" in path.name]


def test_a_checkpoint_is_pretrained_further_with_its_own_tokens(
    import_shop, pretrain_recipe, masked_checkpoint, tmp_path, unwritten
):
    workspace = import_shop(tmp_path / "shop")
    recipe = pretrain_recipe(pretrain__init=masked_checkpoint)
    pretrain(workspace, recipe)
    vocabulary = json.loads((masked_checkpoint / "tokenizer.json").read_text())["model"]["vocab"]
    assert json.loads((workspace.folder("pretrained") / "tokenizer.json").read_text())["model"]["vocab"] == vocabulary
    assert weights_of(workspace) != file_sha256(masked_checkpoint / "model.safetensors")
    # Sizes of the small transformer are not used, but other weights are another input.
    assert pretrain(workspace, pretrain_recipe(pretrain__init=masked_checkpoint, text__hidden_dim=32)).skipped
    train_model(workspace, pretrain_recipe(text__init="pretrained"))
    assert load_model(workspace).encode_queries(["lamp"]).shape == (1, 32)


def test_a_vocabulary_larger_than_the_table_is_refused(
    import_shop, pretrain_recipe, checkpoint, masked_checkpoint, tmp_path
):
    workspace = import_shop(tmp_path / "shop")
    other = checkpoint(tmp_path / "larger", seed=1, words=[f"word{number}" for number in range(5000)])
    shutil.copy(other / "tokenizer.json", masked_checkpoint)
    match = r"must have a row for every token of its tokenizer\. Received: checkpoint='.*', tokens=5005, rows=\d+\."
    with pytest.raises(ModelError, match=match):
        pretrain(workspace, pretrain_recipe(pretrain__init=masked_checkpoint))
    with pytest.raises(ModelError, match=match):
        train_model(workspace, pretrain_recipe(text__init=masked_checkpoint))
    assert not workspace.has("pretrained")


def test_a_tokenizer_without_a_mask_is_refused(import_shop, pretrain_recipe, checkpoint, tmp_path):
    with pytest.raises(ModelError, match="must name a token that stands for hidden ones"):
        pretrain(import_shop(tmp_path / "shop"), pretrain_recipe(pretrain__init=checkpoint(seed=1)))


def test_texts_longer_than_the_checkpoint_can_read_are_refused(
    import_shop, pretrain_recipe, masked_checkpoint, tmp_path
):
    recipe = pretrain_recipe(pretrain__init=masked_checkpoint, features__tokens__max_product_tokens=65)
    with pytest.raises(ConfigError, match=r"longest of the checkpoint'?=?.*64"):
        pretrain(import_shop(tmp_path / "shop"), recipe)


def test_a_shop_without_purchases_cannot_learn_from_them(import_shop, pretrain_recipe, tmp_path):
    match = r"sequence_weight needs at least 2 purchases.*Import orders and run `aisle mine`"
    with pytest.raises(UsageError, match=match):
        pretrain(import_shop(tmp_path / "shop"), pretrain_recipe(pretrain__sequence_weight=1))


def test_products_without_texts_are_refused(import_shop, pretrain_recipe, tmp_path):
    products = pa.table({"product_id": ["a", "b"], "title": ["!", " "]})
    workspace = import_shop(tmp_path / "shop", products=products, judgments=None)
    with pytest.raises(UsageError, match=r"masked_weight needs at least 2 texts.*texts_learnt=[01]"):
        pretrain(workspace, pretrain_recipe(pretrain__contrastive_weight=0))
