import numpy as np
import pytest

from aisle.encoders import PretrainedTransformer
from aisle.pipelines import text_vectors
from aisle.pipelines.ablation_shared import (
    FeaturesTask,
    clear_shared,
    link_features,
    linked_workspace,
    make_features,
    make_texts,
    texts_of,
)
from aisle.pipelines.text_vectors import TEXT_VECTORS, pool_texts
from aisle.workspace import Workspace


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
def made_features(import_shop, tiny_recipe, checkpoint, tmp_path):
    """Features of two settings with the same texts, and of a third one with more of them."""
    shop, folder = import_shop(tmp_path / "shop"), checkpoint(seed=1)
    changes = {"a": {}, "b": {"features__term__max_query_ngrams": 20}, "more": {"pairs__pseudo_per_product": 3}}
    recipes = {name: tiny_recipe(text__init=folder, text__frozen="true", **more) for name, more in changes.items()}
    tasks = [FeaturesTask(shop.path, name, recipe) for name, recipe in recipes.items()]
    for task in tasks:
        make_features(task)
    return tasks


def test_equal_texts_are_encoded_once_and_linked_beside_all_features_that_hold_them(made_features, encoded):
    texts = texts_of(made_features)
    assert [[one.key for one in task.features] for task in texts] == [["a", "b"], ["more"]]
    make_texts(texts[0])
    folders = [Workspace.open(task.folder) for task in made_features]
    made = folders[0].manifest(TEXT_VECTORS)
    assert sum(encoded) == made.summary["distinct_texts"] > 0
    assert folders[0].folder(TEXT_VECTORS).samefile(folders[1].folder(TEXT_VECTORS))
    assert not folders[2].has(TEXT_VECTORS)
    # A run of either finds them as its own, and so does an ablation that goes on.
    assert all(pool_texts(one, task.recipe).skipped for one, task in zip(folders[:2], made_features[:2], strict=True))
    make_texts(texts[0])
    assert sum(encoded) == made.summary["distinct_texts"]
    make_texts(texts[1])
    assert folders[2].manifest(TEXT_VECTORS).content != made.content


def test_texts_that_were_killed_are_encoded_again(made_features, monkeypatch):
    class KilledError(Exception):
        pass

    [task] = texts_of(made_features[:1])
    write = text_vectors.write_pooled

    def killed(*arguments, **named):
        write(*arguments, **named)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(text_vectors, "write_pooled", killed)
        with pytest.raises(KilledError):
            make_texts(task)
    folder = Workspace.open(made_features[0].folder)
    assert not folder.has(TEXT_VECTORS)
    make_texts(task)
    assert np.load(folder.verified(TEXT_VECTORS) / "products.npy").any(axis=1).all()


def test_a_run_reads_features_and_vectors_where_they_are_and_finds_them_after_they_were_made_anew(made_features):
    shop, [task] = made_features[0].workspace, texts_of(made_features[:1])
    make_texts(task)
    run = linked_workspace(shop, shop / "ablation-runs" / "run")
    link_features(shop, "a", run)
    assert run.names() == ["features", "judgments", "products", TEXT_VECTORS]
    assert run.folder(TEXT_VECTORS).samefile(task.folder / TEXT_VECTORS)
    clear_shared(made_features)
    assert run.names() == ["judgments", "products"]
    make_features(made_features[0])
    make_texts(task)
    link_features(shop, "a", run)
    assert run.has("features")
    assert run.has(TEXT_VECTORS)


def test_without_a_frozen_transformer_there_is_nothing_to_encode(import_shop, tiny_recipe, tmp_path):
    task = FeaturesTask(import_shop(tmp_path / "shop").path, "a", tiny_recipe())
    make_features(task)
    assert texts_of([task]) == []
