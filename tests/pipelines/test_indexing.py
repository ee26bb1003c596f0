import numpy as np
import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.index import load_index
from aisle.pipelines import indexing
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.featurising import featurise
from aisle.pipelines.indexing import build_indexes, encode_catalogue, help_index
from aisle.pipelines.searching import load_engine
from aisle.pipelines.training import load_model, load_served_model
from aisle.retrieval import DEFAULT_SEMANTIC_WEIGHT, LOG_SEMANTIC_WEIGHT
from aisle.towers import TwoTower
from aisle.workspace import Workspace


def nearest(workspace, texts, k=3):
    return (
        load_index(workspace.folder("index") / "semantic")
        .search(load_model(workspace).encode_queries(texts), k=k)
        .product_index
    )


def test_everything_is_built_and_measured(built_shop):
    summary = built_shop.manifest("index").summary
    assert summary["index"]["num_products"] == 300
    assert summary["index"]["dim"] == 32
    assert 0.9 < summary["index"]["ann_recall"] <= 1
    assert summary["index"]["num_queries"] == 30
    assert summary["hybrid"]["weight_from"] == "30 validation queries"
    assert {path.name for path in built_shop.folder("index").iterdir()} == {
        "semantic",
        "lexical",
        "spelling",
        "hybrid.json",
        "manifest.json",
    }


def test_indexing_is_skipped_until_something_changes(shop, tiny_recipe):
    assert build_indexes(shop, tiny_recipe()).skipped
    exact = build_indexes(shop, tiny_recipe(index__kind="exact"))
    assert not exact.skipped
    assert exact.manifest.summary["index"]["kind"] == "exact"
    assert exact.manifest.summary["index"]["ann_recall"] == 1.0


def test_the_catalogue_is_encoded_as_the_recipe_says_and_queries_in_float32(shop, tiny_recipe, monkeypatch):
    told = []
    monkeypatch.setattr(TwoTower, "use_bf16", lambda model, enabled: told.append(enabled))
    assert not build_indexes(shop, tiny_recipe(encode__precision="fp32")).skipped
    assert told == [False, False]
    assert not build_indexes(shop, tiny_recipe(encode__precision="auto", index__kind="exact")).skipped
    assert told[2:] == [True, False]


def test_a_weight_of_the_recipe_is_taken(shop, tiny_recipe):
    recipe = tiny_recipe(hybrid__semantic_weight=0.3, hybrid__fusion="reciprocal_rank", hybrid__depth=200)
    hybrid = build_indexes(shop, recipe).manifest.summary["hybrid"]
    assert hybrid.pop("gate") == {"on": False, "told": "off: 30 judged validation queries, 100 are needed"}
    assert hybrid == {"fusion": "reciprocal_rank", "depth": 200, "semantic_weight": 0.3, "weight_from": "recipe"}


def test_typing_errors_are_mended_unless_the_recipe_says_not_to(own_learnt_shop, tiny_recipe):
    assert load_engine(own_learnt_shop).corrected("thnig") == "thing"
    mended = load_engine(own_learnt_shop).search("thnig", mode="lexical", k=3)
    assert len(mended) == 3
    build_indexes(own_learnt_shop, tiny_recipe(lexical__typos="false"))
    assert load_engine(own_learnt_shop).corrected("thnig") is None
    assert load_engine(own_learnt_shop).search("thnig", mode="lexical", k=3) == []


def test_a_model_that_learnt_from_a_log_leans_on_vectors(learnt_shop):
    hybrid = learnt_shop.manifest("index").summary["hybrid"]
    assert hybrid["semantic_weight"] == LOG_SEMANTIC_WEIGHT
    assert "mined/queries.parquet" in learnt_shop.manifest("index").inputs


def test_without_judged_validation_queries_the_weight_is_the_default(shop, import_shop, simulated, tiny_recipe):
    import pyarrow.compute as pc

    test = simulated.judgments.filter(pc.equal(simulated.judgments.column("split"), "test"))
    import_shop(shop.path, products=None, judgments=test)
    summary = build_indexes(shop, tiny_recipe()).manifest.summary
    assert summary["hybrid"]["weight_from"] == "fixed default"
    assert summary["hybrid"]["semantic_weight"] == DEFAULT_SEMANTIC_WEIGHT
    assert summary["index"]["num_queries"] > 100


def test_vectors_are_of_the_products_that_were_imported_last(shop, import_shop, simulated, tiny_recipe):
    import_shop(shop.path, products=simulated.products.slice(100, 50), judgments=None)
    build_indexes(shop, tiny_recipe())
    engine = load_engine(shop)
    assert engine.num_products == 50
    expected = load_model(shop).encode_products(simulated.products.slice(100, 50))
    query = load_model(shop).encode_queries(["lamp"])
    best = np.argsort(-(query @ expected.T)[0], kind="stable")[:5]
    ids = simulated.products.column("product_id").to_pylist()[100:150]
    assert [hit.product_id for hit in engine.search("lamp", k=5, mode="semantic")] == [ids[row] for row in best]


def test_features_that_the_model_was_not_trained_on_are_not_indexed(shop, tiny_recipe):
    # As a training leaves it that was killed after its features were made.
    before = nearest(shop, ["lamp", "shoe"])
    featurise(shop, tiny_recipe(features__tokens__vocabulary_size=400, features__term__num_buckets=512))
    assert not build_indexes(shop, tiny_recipe()).skipped
    assert (nearest(shop, ["lamp", "shoe"]) == before).all()


def test_nothing_trained_nothing_indexed(import_shop, tiny_recipe, tmp_path):
    workspace = import_shop(tmp_path / "shop")
    with pytest.raises(WorkspaceError, match=r"must hold 'model'.*`aisle train`"):
        build_indexes(workspace, tiny_recipe())
    with pytest.raises(WorkspaceError, match=r"must hold 'products'.*`aisle import"):
        build_indexes(Workspace.open(tmp_path / "new", create=True), tiny_recipe())
    assert not workspace.has("index")


class Two:
    """Two processes, of which this is one; the other's blocks are left out."""

    def __init__(self, rank):
        self.is_main, self.own = rank == 0, slice(rank, None, 2)
        self.told = []

    def whole(self, part):
        return part

    def from_main(self, value):
        self.told.append(value)
        return True if value is False and not self.is_main else value


def test_the_catalogue_is_encoded_in_shares(shop, tiny_recipe, monkeypatch):
    """300 products are one block: it is the first process's."""
    workspace, model = shop, load_model(shop)
    products, config = read_products(workspace), tiny_recipe().encode
    whole, _ = encode_catalogue(workspace, model, products, config)
    first, other = (encode_catalogue(workspace, model, products, config, sharing=Two(rank))[0] for rank in (0, 1))
    assert np.array_equal(first, whole)
    assert whole.any(axis=1).all()
    assert not other.any()
    assert np.array_equal(encode_catalogue(workspace, model, products, config)[0], whole), "alone again"


def test_another_process_encodes_with_the_first(shop, tiny_recipe, monkeypatch):
    shared = []
    original = indexing.encode_catalogue

    def noting(*args, sharing):
        shared.append(sharing)
        return original(*args, sharing=sharing)

    monkeypatch.setattr(indexing, "encode_catalogue", noting)
    before = shop.manifest("index").content
    first, other = Two(0), Two(1)
    assert build_indexes(shop, tiny_recipe(), processes=first).skipped
    assert (first.told, shared) == ([False], [])
    assert not build_indexes(shop, tiny_recipe(index__kind="exact"), processes=first).skipped
    assert (first.told, shared) == ([False, True], [first])
    after = shop.manifest("index").content
    assert after != before
    help_index(shop, tiny_recipe(), other)
    assert (other.told, shared) == ([False], [first, other])
    assert shop.manifest("index").content == after


def test_a_smaller_size_of_the_same_model_is_served_from_then_on(shop, tiny_recipe):
    model = shop.manifest("model").content
    built = build_indexes(shop, tiny_recipe(encode__dim=20, index__kind="exact"))
    assert built.manifest.summary["index"]["dim"] == 20
    assert shop.manifest("model").content == model
    assert len(load_engine(shop).search("red dress", k=5, mode="semantic")) == 5
    assert load_served_model(shop).encode_queries(["word1", "word2"]).shape == (2, 20)
    assert load_served_model(shop).encode_queries(["word1"]).shape == (1, 20)
    assert load_model(shop).embedding_dim == 32


def test_a_size_that_the_model_does_not_have_is_refused(shop, tiny_recipe):
    with pytest.raises(UsageError, match=r"not be above the full size.*dim=33"):
        build_indexes(shop, tiny_recipe(encode__dim=33))
