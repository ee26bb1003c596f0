import numpy as np
import pyarrow as pa
import pytest

from aisle.core.errors import ModelError, UsageError, WorkspaceError
from aisle.pipelines.featurising import CHECKPOINT, features_key, featurise, load_featuriser
from aisle.training import TrainingData
from aisle.workspace import Workspace


@pytest.fixture
def judged(simulated):
    """The first 40 generated test judgments of grade 3, as rows of any split."""

    def rows(split):
        table = simulated.judgments
        table = table.filter(pa.compute.equal(table.column("grade"), 3)).slice(0, 40)
        return table.set_column(table.column_names.index("split"), "split", pa.array([split] * 40))

    return rows


def test_features_are_made_once(import_shop, tiny_recipe, tmp_path):
    workspace = import_shop(tmp_path / "shop")
    first, second = featurise(workspace, tiny_recipe()), featurise(workspace, tiny_recipe())
    assert (first.skipped, second.skipped) == (False, True)
    data = TrainingData.read(workspace.folder("features"))
    summary = first.manifest.summary
    assert (summary["products"], summary["pairs"]) == (len(data.product_features), len(data.pairs)) == (300, 600)
    assert summary["validation_from"] == "validation judgments"
    assert summary["validation_queries"] == len(data.validation.query_features)
    assert featurise(workspace, tiny_recipe(train__epochs=2)).skipped
    assert not featurise(workspace, tiny_recipe(pairs__pseudo_per_product=3)).skipped


def test_recipes_share_a_key_exactly_where_they_share_features(built_shop, tiny_recipe):
    def key(**changes):
        return features_key(built_shop, tiny_recipe(**changes))

    assert key() == key(train__epochs=2) == key(fusion="concat")
    assert len({key(), key(pairs__pseudo_per_product=3), key(seed=1), key(text__enabled="false")}) == 4


def test_the_saved_featuriser_makes_the_saved_features(built_shop, simulated):
    folder = built_shop.folder("features")
    made = load_featuriser(folder).products(simulated.products)
    saved = TrainingData.read(folder).product_features
    assert (made.tokens.ids == saved.tokens.ids).all()
    assert made.terms.take(np.arange(300)).bucket.tolist() == saved.terms.take(np.arange(300)).bucket.tolist()


def test_without_judgments_held_out_pseudo_queries_validate(import_shop, tiny_recipe, tmp_path):
    workspace = import_shop(tmp_path / "shop", judgments=None)
    summary = featurise(workspace, tiny_recipe(pairs__validation_share=0.25)).manifest.summary
    assert summary["validation_from"] == "pseudo-queries held out"
    assert summary["validation_queries"] > 0
    assert 300 < summary["pairs"] < 600


def test_judged_training_pairs_join_and_are_held_out_where_nothing_else_validates(
    import_shop, tiny_recipe, judged, tmp_path
):
    workspace = import_shop(tmp_path / "shop", judgments=judged("train"), grades="ordered=3")
    recipe = tiny_recipe(pairs__validation_share=0.5)
    summary = featurise(workspace, recipe).manifest.summary
    assert summary["judged_pairs"] == 40
    assert summary["validation_from"] == "training judgments held out"
    only = featurise(workspace, tiny_recipe(pairs__validation_share=0.5, pairs__source="judgments")).manifest.summary
    assert 0 < only["pairs"] < 40
    none = featurise(workspace, tiny_recipe(pairs__source="catalogue")).manifest.summary
    assert none["judged_pairs"] == 0


def test_judgments_without_stages_do_not_train(import_shop, tiny_recipe, judged, tmp_path):
    workspace = import_shop(tmp_path / "shop", judgments=judged("train"))
    assert featurise(workspace, tiny_recipe()).manifest.summary["judged_pairs"] == 0
    with pytest.raises(UsageError, match=r"pairs\.source=judgments needs.*train_judgments=40.*--grades"):
        featurise(workspace, tiny_recipe(pairs__source="judgments"))


def test_no_more_validation_queries_than_wanted(import_shop, tiny_recipe, tmp_path):
    workspace = import_shop(tmp_path / "shop", judgments=None)
    summary = featurise(workspace, tiny_recipe(train__max_validation_queries=5)).manifest.summary
    assert summary["validation_queries"] == 5


def test_no_products_no_features(tmp_path, tiny_recipe):
    with pytest.raises(WorkspaceError, match=r"must hold 'products'.*aisle import --products"):
        featurise(Workspace.open(tmp_path / "new", create=True), tiny_recipe())


def test_a_checkpoint_is_an_input_with_its_weights(import_shop, tiny_recipe, checkpoint, tmp_path):
    workspace = import_shop(tmp_path / "shop")
    first = featurise(workspace, tiny_recipe(text__init=checkpoint(seed=1))).manifest
    other = featurise(workspace, tiny_recipe(text__init=checkpoint(seed=2))).manifest
    assert first.inputs[CHECKPOINT] != other.inputs[CHECKPOINT]
    off = featurise(workspace, tiny_recipe(text__init="none", text__enabled="false")).manifest
    assert CHECKPOINT not in off.inputs


def test_a_checkpoint_that_is_not_there_leaves_nothing(import_shop, tiny_recipe, tmp_path):
    workspace = import_shop(tmp_path / "shop")
    for init in (tmp_path / "nowhere", ""):
        with pytest.raises(ModelError, match=r"text\.init and pretrain\.init must name"):
            featurise(workspace, tiny_recipe(text__init=init))
    assert not workspace.has("features")
