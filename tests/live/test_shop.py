import pytest

from aisle.core.errors import UsageError
from aisle.core.shopper import Shopper
from aisle.live import LiveSearch
from aisle.store import ProductFilter


def found(shop, query, **options):
    return [hit.product_id for hit in shop.search(LiveSearch(query, **options)).hits]


def test_a_product_is_found_at_once_and_gone_at_once(shop):
    before = shop.num_products
    [result] = shop.put([{"product_id": "new", "title": "zorblax flumph"}])
    assert (result.status, result.line, result.id) == ("written", 1, "new")
    assert result.offset == shop.state().journal_head
    assert shop.num_products == before + 1
    for mode in shop.modes:
        assert "new" in found(shop, "zorblax flumph", mode=mode, k=50)
    assert [one.status for one in shop.delete(["new", "never"])] == ["written", "absent"]
    assert "new" not in found(shop, "zorblax flumph", k=300)
    assert shop.num_products == before


def test_systems_answer_as_the_workspace_does(shop, built_shop, simulated):
    from aisle.pipelines.searching import load_engine

    engine, title = load_engine(built_shop), simulated.products["title"][17].as_py()
    for mode in ("lexical", "semantic", "hybrid"):
        live = shop.search(LiveSearch(title, k=10, mode=mode)).hits
        still = engine.search(title, k=10, mode=mode)
        assert [hit.score for hit in live] == pytest.approx([hit.score for hit in still], abs=2e-3)
        assert len({hit.product_id for hit in live} & {hit.product_id for hit in still}) >= 9


def test_what_cannot_be_asked_is_refused(shop):
    with pytest.raises(UsageError, match=r"mode must be one of lexical, semantic, hybrid.*mode='magic'"):
        shop.search(LiveSearch("lamp", mode="magic"))
    with pytest.raises(UsageError, match="must not be blank"):
        shop.search(LiveSearch("  "))
    with pytest.raises(UsageError, match="k must be between"):
        shop.search(LiveSearch("lamp", k=0))
    with pytest.raises(UsageError, match="sort must be one of"):
        shop.search(LiveSearch("lamp", sort="random"))


def test_a_filter_holds_in_every_mode(shop, simulated):
    title, brand = simulated.products["title"][17].as_py(), simulated.products["brand"][17].as_py()
    where = ProductFilter(brands=(brand,))
    for mode in shop.modes:
        answer = shop.search(LiveSearch(title, k=50, mode=mode, where=where, facets=("brand",)))
        assert {hit.product["brand"] for hit in answer.hits} == {brand}
        assert answer.facets["brand"] == [(brand, answer.matching)]


def test_what_a_shopper_did_changes_the_next_search(learnt):
    who = Shopper(user_id="stranger")
    before = learnt.search(LiveSearch("word3", k=20, mode="semantic", shopper=who)).hits
    events = [
        {"action": "purchase", "user_id": "stranger", "product_id": f"p{n}", "query": f"word{n}"} for n in (7, 8, 9)
    ]
    assert [one.status for one in learnt.add_events(events)] == ["written"] * 3
    after = learnt.search(LiveSearch("word3", k=20, mode="semantic", shopper=who)).hits
    assert [hit.score for hit in after] != [hit.score for hit in before]
    opted_out = learnt.search(LiveSearch("word3", k=20, mode="semantic", shopper=who, personalise=False)).hits
    assert [hit.score for hit in opted_out] == [hit.score for hit in before]
    assert learnt.erase_actor("user", "stranger").events == 3
    erased = learnt.search(LiveSearch("word3", k=20, mode="semantic", shopper=who)).hits
    assert [hit.score for hit in erased] == [hit.score for hit in before]


def test_writes_survive_a_restart(live_folder, open_shop):
    first = open_shop(live_folder)
    first.put([{"product_id": "new", "title": "zorblax flumph", "price": 3}])
    first.delete([first.search(LiveSearch("lamp")).hits[0].product_id])
    state = first.state()
    first.close()
    again = open_shop(live_folder)
    assert found(again, "zorblax flumph", mode="lexical") == ["new"]
    assert (again.state().journal_head, again.num_products) == (state.journal_head, state.num_products)
