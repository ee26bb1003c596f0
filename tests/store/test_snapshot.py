import numpy as np
import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.store import ProductFilter, open_store


@pytest.fixture
def snapshot(make_store, shelf, random_vectors, place):
    return make_store("faiss", shelf, random_vectors(7, seed=1), path=place)


def test_a_snapshot_refuses_every_write_and_names_what_to_do(snapshot):
    with pytest.raises(UsageError, match="qdrant-edge"):
        snapshot.flush(9)
    with pytest.raises(UsageError, match="kind='faiss'"):
        snapshot.delete(np.array([1]))
    assert (snapshot.is_writable, snapshot.applied_offset) == (False, 3)


def test_loose_and_strict_filters_give_the_exact_answer(
    make_store, simulated, shop_vectors, random_vectors, monkeypatch
):
    store = make_store("faiss", simulated.products, shop_vectors)
    queries, prices = random_vectors(5, seed=3), np.asarray(simulated.products["price"])
    for share, least in ((0.02, 0.9), (0.5, 0.0), (0.9, 0.0)):
        monkeypatch.setattr("aisle.store.snapshot._STRICT", least)
        bound = float(np.quantile(prices, share))
        exact = np.where(prices <= bound, queries @ shop_vectors.T, -9)
        ranking = store.search(queries, k=5, where=ProductFilter(price_max=bound))
        np.testing.assert_allclose(ranking.score, -np.sort(-exact, axis=1)[:, :5], atol=2e-3)


@pytest.mark.parametrize("file", ["data/terms.npy", "data/products.arrow", "data/semantic/index.faiss", "seal.json"])
def test_a_snapshot_with_a_damaged_file_is_a_clean_error(snapshot, place, file):
    snapshot.close()
    content = bytearray((place / file).read_bytes())
    content[len(content) // 2] ^= 1
    (place / file).write_bytes(content)
    with pytest.raises(WorkspaceError, match="built again from catalogue and journal"):
        open_store(place)


def test_an_opened_snapshot_stays_sealed(snapshot, place):
    snapshot.close()
    for _ in range(2):
        again = open_store(place)
        assert again.num_products == 6
        again.close()
