import numpy as np
import pytest

from aisle.store import ProductFilter
from aisle.store.qdrant_store import QdrantStore


class Stranded:
    """An engine whose graph is cut up by filters: a walk meets one product, and reading all finds the others."""

    def __init__(self, engine):
        self._engine, self.filter_types = engine, engine.filter_types
        self.exact = []

    def nearest(self, queries, *, exact=False, **values):
        self.exact.append(exact)
        found = self._engine.nearest(queries, exact=True, **values)
        return found if exact else [(index[:1], score[:1]) for index, score in found]

    def __getattr__(self, name):
        return getattr(self._engine, name)


@pytest.fixture
def stranded(make_store, shelf, random_vectors, monkeypatch):
    store = make_store("qdrant-edge", shelf, random_vectors(7, seed=1))
    monkeypatch.setattr(store, "_engine", Stranded(store._engine))
    assert isinstance(store, QdrantStore)
    return store


def test_k_places_are_filled_by_reading_all_where_the_graph_strands_a_walk(stranded, random_vectors):
    ranking = stranded.search(random_vectors(2, seed=5), k=3, where=ProductFilter(category=("Home",)))
    assert (ranking.product_index >= 0).all()
    assert stranded._engine.exact == [False, True]


def test_nothing_is_read_again_where_no_more_products_pass(stranded, random_vectors):
    ranking = stranded.search(random_vectors(1, seed=5), k=3, where=ProductFilter(brands=('O"R',)))
    assert (ranking.product_index[0] >= 0).tolist() == [True, False, False]
    assert stranded._engine.exact == [False]


def test_what_passes_is_counted_once_and_kept_true_through_writes(make_store, shelf, random_vectors, monkeypatch):
    store, counted = make_store("qdrant-edge", shelf, random_vectors(7, seed=1)), []
    count = store._engine.count
    monkeypatch.setattr(store._engine, "count", lambda where: counted.append(where) or count(where))
    wheres = [
        ProductFilter(),
        ProductFilter(category=("Home", "Seats")),
        ProductFilter(brands=("Norvik", "Belmora")),
        ProductFilter(price_min=10.0, price_max=30.0, in_stock=True),
        ProductFilter(attributes={"colour": ("red",), "size.cm": ("90", "60")}, blocked=("stool",)),
        ProductFilter(shop_ids=("s1",), locations=("DE", "FR")),
    ]
    before = [store.count(where) for where in wheres]
    assert len(counted) == len(wheres)
    store.put(np.array([10, 2, 3]), shelf.slice(0, 3), random_vectors(3, seed=2))
    store.put(np.array([1, 11]), shelf.slice(5, 2), random_vectors(2, seed=3))  # the second is no longer on sale
    store.delete(np.array([0, 0, 77]))
    after = [store.count(where) for where in wheres]
    assert (len(counted), store.num_products) == (len(wheres), 6)
    assert after == [count(store._filter(where)) for where in wheres] != before


def test_products_wait_until_the_graph_takes_them_up(make_store, shelf, random_vectors, reopen):
    store = make_store("qdrant-edge", shelf, random_vectors(7, seed=1))
    store.put(np.array([10, 11]), shelf.slice(0, 2), random_vectors(2, seed=2))
    assert store.num_waiting == 2
    store.flush(5)
    again = reopen(store)
    assert again.num_waiting == 2
    again.maintain()
    assert (again.num_waiting, again.num_products) == (0, 8)


def test_closing_twice_is_closing_once(make_store, shelf, random_vectors):
    store = make_store("qdrant-edge", shelf, random_vectors(7, seed=1))
    store.close()
    store.close()
    assert (store.folder / "seal.json").exists()
