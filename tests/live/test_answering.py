import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.live import LiveSearch
from aisle.live.answering import check_options
from aisle.store import ProductFilter


@pytest.fixture(scope="module")
def title(simulated):
    return simulated.products["title"][17].as_py()


def ids(answer):
    return [hit.product_id for hit in answer.hits]


def test_an_answer_says_what_it_is(shop, title):
    answer = shop.search(LiveSearch(title, k=7))
    assert (len(answer.hits), answer.mode, answer.gated, answer.matching) == (7, "hybrid", False, None)
    assert answer.version == shop.state().version
    assert set(answer.stage_ms) == {"encode", "search", "words", "fuse", "fetch"}
    assert all(spent >= 0 for spent in answer.stage_ms.values())
    assert [hit.rank for hit in answer.hits] == list(range(1, 8))
    assert set(answer.hits[0].product) == {"title", "brand", "description", "category", "price", "currency", "image"}
    assert set(shop.search(LiveSearch(title, mode="lexical")).stage_ms) == {"words", "rank", "fetch"}


def test_what_a_score_is_made_of_adds_up(shop, title):
    for mode in ("semantic", "hybrid"):
        for hit in shop.search(LiveSearch(title, k=5, mode=mode, explain=True)).hits:
            told = hit.explanation
            if mode == "semantic":
                assert sum(told["parts"].values()) == pytest.approx(hit.score, abs=1e-2)
            else:
                assert sum(side["adds"] for side in told["sides"].values()) == pytest.approx(hit.score, abs=1e-5)
    assert shop.search(LiveSearch(title, mode="lexical", explain=True)).hits[0].explanation is None


def test_one_product_of_each_group_as_deep_as_it_takes(shop):
    shop.put([{"product_id": f"v{n}", "title": "zorblax", "group_id": "g"} for n in range(30)])
    shop.put([{"product_id": name, "title": "zorblax and more words"} for name in ("a", "b")])
    assert len(ids(shop.search(LiveSearch("zorblax", k=3, mode="lexical")))) == 3
    found = ids(shop.search(LiveSearch("zorblax", k=3, mode="lexical", collapse=True)))
    assert {"a", "b"} < set(found)
    assert len(found) == 3
    assert len(ids(shop.search(LiveSearch("zorblax", k=9, mode="lexical", collapse=True)))) == 3, "there is no more"


def test_pinned_products_stand_first_where_they_may(shop, title, simulated):
    rows = simulated.products.select(["product_id", "brand"]).to_pylist()
    brand = next(row["brand"] for row in rows if row["brand"])
    own = next(row["product_id"] for row in rows if row["brand"] == brand)
    other = next(row["product_id"] for row in rows if row["brand"] not in (None, brand))
    pinned = (own, "never", other, own)
    answer = shop.search(LiveSearch(title, k=4, mode="lexical", pinned=pinned))
    assert ids(answer)[:2] == [own, other]
    assert len(set(ids(answer))) == len(answer.hits)
    assert ids(shop.search(LiveSearch(title, pinned=pinned, where=ProductFilter(brands=(brand,)))))[0] == own
    filtered = ids(shop.search(LiveSearch(title, pinned=pinned, where=ProductFilter(brands=(brand,), blocked=(own,)))))
    assert not {own, other} & set(filtered)


def test_blocked_products_are_replaced_by_the_next(shop, title):
    best = ids(shop.search(LiveSearch(title, k=6, mode="semantic")))
    answer = shop.search(LiveSearch(title, k=4, mode="semantic", where=ProductFilter(blocked=tuple(best[:2]))))
    assert (ids(answer), answer.matching) == (best[2:6], 298)


def test_a_cut_off_and_an_order(shop, title):
    whole = shop.search(LiveSearch(title, k=20, mode="semantic"))
    cut = whole.hits[4].score
    short = shop.search(LiveSearch(title, k=20, mode="semantic", min_score=cut))
    assert ids(short) == ids(whole)[:5]
    dear = shop.search(LiveSearch(title, k=5, mode="semantic", sort="price_desc"))
    assert set(ids(dear)) == set(ids(whole)[:5])
    prices = [hit.product["price"] for hit in dear.hits if hit.product["price"] is not None]
    assert prices == sorted(prices, reverse=True)


def test_equal_searches_are_encoded_once(shop):
    for query in ("Red  Lamp", "red lamp", "blue lamp"):
        shop.search(LiveSearch(query, mode="semantic"))
    shop.search(LiveSearch("red lamp", mode="lexical"))
    state = shop.state()
    assert (state.cache_hits, state.cache_misses) == (1, 2)


def test_a_filter_that_nothing_passes_has_no_results(shop, title):
    answer = shop.search(LiveSearch(title, where=ProductFilter(brands=("never",)), facets=("brand",)))
    assert (answer.hits, answer.matching, answer.facets) == ([], 0, {"brand": []})


def test_options_that_there_are_not(shop):
    assert check_options(LiveSearch("x")) == "hybrid"
    with pytest.raises(UsageError, match="facet must be"):
        shop.search(LiveSearch("lamp", facets=("title",)))


def test_a_product_that_goes_while_it_is_found_is_left_out(shop, title, monkeypatch):
    loaded = shop._serving.loaded
    products = loaded.store.products

    def without_first(index):
        return [None if place == 0 else one for place, one in enumerate(products(index))]

    monkeypatch.setattr(type(loaded.store), "products", lambda _, index: without_first(np.asarray(index)))
    assert len(shop.search(LiveSearch(title, k=5, mode="semantic")).hits) == 4
