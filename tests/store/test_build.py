import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.store import build_store, open_store
from aisle.store.folder import StoreFolder, write_whole


def test_an_unknown_kind_is_refused(shelf, random_vectors, place):
    with pytest.raises(UsageError, match="qdrant-edge, qdrant-cluster, faiss"):
        build_store("lance", place, products=shelf, vectors=random_vectors(7, seed=1), applied_offset=0)
    assert not place.exists()


def test_a_folder_of_an_unknown_kind_is_refused(tmp_path):
    def write(folder):
        folder.describe("lance", {})

    write_whole(tmp_path / "store", write)
    with pytest.raises(WorkspaceError, match="its kind is lance"):
        open_store(tmp_path / "store")


def test_an_open_store_cannot_be_opened_again_until_it_is_closed(kind, make_store, shelf, random_vectors, place):
    store = make_store(kind, shelf, random_vectors(7, seed=1), path=place)
    with pytest.raises(WorkspaceError, match="open once only"):
        open_store(place)
    store.close()
    again = open_store(place)
    assert again.num_products == 6
    again.close()


def test_building_tells_how_far_it_is(kind, make_store, shelf, random_vectors):
    told = []
    make_store(kind, shelf, random_vectors(7, seed=1), progress=told.append)
    assert sum(told) == 6


def test_a_store_that_cannot_be_opened_lets_go_of_its_folder(make_store, shelf, random_vectors, place):
    make_store("faiss", shelf, random_vectors(7, seed=1), path=place).close()
    (place / "data" / "product_index.npy").unlink()
    for _ in range(2):
        with pytest.raises(WorkspaceError, match="is missing"):
            open_store(place)
    StoreFolder(place).release()
