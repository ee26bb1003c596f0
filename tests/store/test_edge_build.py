import numpy as np
import pytest

from aisle.core.errors import WorkspaceError
from aisle.store import StoreConfig
from aisle.store.edge_build import build_in_this_process
from aisle.store.folder import StoreFolder


@pytest.fixture
def always_elsewhere(monkeypatch):
    """Let no catalogue be small enough to be built in this process."""
    monkeypatch.setattr("aisle.store.edge_build._FEW", -1)


def test_another_process_builds_what_this_one_does(
    make_store, shelf, random_vectors, always_elsewhere, place, monkeypatch
):
    vectors, index, told = random_vectors(7, seed=1), np.array([9, 8, 7, 6, 5, 4, 3]), []
    store = make_store("qdrant-edge", shelf, vectors, path=place, product_index=index, progress=told.append)
    assert sum(told) == 6
    assert sorted(path.name for path in place.iterdir()) == ["data", "lock", "state.json", "store.json"]
    monkeypatch.setattr("aisle.store.edge_build._FEW", 100)
    here = make_store("qdrant-edge", shelf, vectors, product_index=index)
    queries = random_vectors(3, seed=2)
    np.testing.assert_array_equal(store.search(queries, k=6).product_index, here.search(queries, k=6).product_index)
    np.testing.assert_allclose(store.search_words(["oak"], k=3).score, here.search_words(["oak"], k=3).score)
    assert store.products(index) == here.products(index)


def test_a_build_that_fails_elsewhere_says_why(make_store, shelf, random_vectors, always_elsewhere, place, monkeypatch):
    monkeypatch.setattr("aisle.store.edge_build._COMMAND", ("/bin/sh", "-c", "echo no room >&2; exit 3"))
    with pytest.raises(WorkspaceError, match="no room"):
        make_store("qdrant-edge", shelf, random_vectors(7, seed=1), path=place)
    assert not place.exists()


def test_the_other_process_needs_its_input(tmp_path, monkeypatch):
    niced = []
    monkeypatch.setattr("os.nice", niced.append)
    StoreFolder.create(tmp_path / "store").release()
    with pytest.raises(FileNotFoundError):
        build_in_this_process(tmp_path / "store")
    assert niced == [5]
    StoreFolder(tmp_path / "store").release()


@pytest.mark.slow
def test_a_graph_finds_what_reading_all_finds(make_store, random_vectors, simulated):
    # Enough products for a graph, in a filter that is not answered by reading all.
    rows = np.arange(3000) % simulated.products.num_rows
    vectors = random_vectors(3000, seed=1)
    config = StoreConfig(num_attribute_indexes=1, exact_below=50)
    store = make_store("qdrant-edge", simulated.products.take(rows), vectors, config=config)
    queries = random_vectors(50, seed=2)
    exact = queries @ vectors.T
    found = store.search(queries, k=24).product_index
    wanted = np.argpartition(-exact, 24, axis=1)[:, :24]
    assert np.mean([len(set(a) & set(b)) / 24 for a, b in zip(found, wanted, strict=True)]) > 0.95
