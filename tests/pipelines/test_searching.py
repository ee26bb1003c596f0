import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.core.ranking import QueryBatch
from aisle.pipelines.searching import SYSTEMS, load_engine, load_retrievers
from aisle.pipelines.training import train_model


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
