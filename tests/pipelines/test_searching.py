import datetime
import shutil

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.core.ranking import QueryBatch
from aisle.core.shopper import Shopper
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.importing import import_tables
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.mining import load_mined
from aisle.pipelines.searching import SYSTEMS, load_engine, load_retrievers, load_shoppers
from aisle.pipelines.training import load_encoder, load_model, train_model
from aisle.sources import SourceTables
from aisle.workspace import Workspace


def test_systems_come_in_their_order_and_answer(built_shop):
    systems = load_retrievers(built_shop, ["hybrid", "lexical", "semantic"])
    assert tuple(systems) == SYSTEMS
    for name, system in systems.items():
        assert system.name == name
        assert system.retrieve(QueryBatch(["lamp"]), k=3).product_index.shape == (1, 3)


def test_only_what_was_asked_for_is_loaded(shop):
    assert list(load_retrievers(shop, ["semantic"])) == ["semantic"]
    assert list(load_retrievers(shop, ["lexical"])) == ["lexical"]


@pytest.mark.parametrize("names", [["lexical", "bm25"], []])
def test_unknown_systems_are_refused(built_shop, names):
    with pytest.raises(UsageError, match="among lexical, semantic, hybrid"):
        load_retrievers(built_shop, names)


def test_the_engine_finds_a_product_by_its_title(built_shop, simulated):
    engine = load_engine(built_shop)
    assert (engine.modes, engine.default_mode, engine.num_products) == (SYSTEMS, "hybrid", 300)
    row = simulated.products.slice(17, 1).to_pylist()[0]
    for mode in ("lexical", "hybrid"):
        found = {hit.product_id: hit.product["title"] for hit in engine.search(row["title"], k=20, mode=mode)}
        assert found[row["product_id"]] == row["title"]
    assert len(engine.search(row["title"], k=7, mode="semantic")) == 7


def test_an_index_of_other_products_is_refused(shop, import_shop, simulated):
    import_shop(shop.path, products=simulated.products.slice(1), judgments=None)
    with pytest.raises(WorkspaceError, match=r"changed_since=\['products'\].*`aisle index`"):
        load_engine(shop)


def test_an_index_of_another_model_is_refused(shop, tiny_recipe):
    train_model(shop, tiny_recipe(seed=5))
    with pytest.raises(WorkspaceError, match=r"changed_since=\['model'\]"):
        load_engine(shop)


def test_other_judgments_leave_the_index_as_it_is(shop, import_shop, simulated):
    import_shop(shop.path, products=None, judgments=simulated.judgments.slice(10))
    assert load_engine(shop).num_products == 300


def test_without_an_index_it_is_told(import_shop, tmp_path):
    with pytest.raises(WorkspaceError, match=r"must hold 'index'.*`aisle index`"):
        load_engine(import_shop(tmp_path / "shop"))


def test_what_the_log_knows_of_shoppers_is_loaded_where_the_model_reads_it(learnt_shop, built_shop):
    shoppers = load_shoppers(learnt_shop)
    assert shoppers.is_unknown(["u3", "c0", "stranger"]).tolist() == [False, False, True]
    last = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC) + 239 * datetime.timedelta(hours=1)
    assert shoppers.now_us == int(last.timestamp()) * 1_000_000 + 1
    asked = shoppers.search("lamp", Shopper("u1"))
    assert (asked.locations, len(asked.past.queries)) == (["fr"], 22)
    assert not load_shoppers(built_shop).search("lamp", Shopper("u1")).is_personal


def test_a_live_search_is_the_one_that_is_measured(learnt_shop):
    """One code path: the vectors of the test searches are those of live ones at the same time."""
    found = logged_searches(learnt_shop, labels="log", split="test", max_searches=100, seed=0)
    examples = load_mined(learnt_shop).table("examples", "test")
    actors = load_mined(learnt_shop).table("actors").column("actor_id").take(examples.column("actor_index"))
    live = load_shoppers(learnt_shop).batch(
        found.texts,
        actor_ids=actors.to_pylist(),
        user_ids=actors.to_pylist(),
        locations=[None] * len(found),
        searched_us=found.at,
    )
    assert live.locations == list(found.locations)
    encoder = load_encoder(learnt_shop, load_model(learnt_shop), read_products(learnt_shop))
    measured = encoder.encode(QueryBatch(found.texts, found.locations, found.past))
    np.testing.assert_allclose(encoder.encode(live), measured, atol=1e-6)
    assert not np.allclose(measured, encoder.encode_queries(found.texts), atol=1e-3)


def test_a_log_that_was_imported_but_not_mined_is_told(learnt_shop, tmp_path):
    shutil.copytree(learnt_shop.path, tmp_path / "shop")
    workspace = Workspace.open(tmp_path / "shop")
    users = pa.table({"user_id": ["u1"], "location": ["gb"]})
    import_tables(workspace, SourceTables({"users": users}, {}, {}))
    with pytest.raises(WorkspaceError, match=r"present tables.*users.*aisle mine"):
        load_engine(workspace)
