import pytest

from aisle.core.errors import WorkspaceError
from aisle.store import StoreConfig, build_store, open_store

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")

_NOBODY = StoreConfig(url="http://127.0.0.1:9")


def test_a_cluster_that_does_not_answer_is_a_clean_error(shelf, random_vectors, place):
    with pytest.raises(WorkspaceError, match=r"cluster must answer.*127\.0\.0\.1:9.*AISLE_QDRANT_API_KEY"):
        build_store(
            "qdrant-cluster", place, products=shelf, vectors=random_vectors(7, seed=1), applied_offset=0, config=_NOBODY
        )
    assert not place.exists()


def test_the_key_is_written_nowhere(make_store, shelf, random_vectors, place, monkeypatch):
    monkeypatch.setenv("AISLE_QDRANT_API_KEY", "very-secret-key")
    make_store("qdrant-cluster", shelf, random_vectors(7, seed=1), path=place).close()
    files = [path for path in place.rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert not any(b"very-secret-key" in path.read_bytes() for path in files)


def test_a_store_whose_collection_is_gone_is_a_clean_error(make_store, shelf, random_vectors, place):
    store = make_store("qdrant-cluster", shelf, random_vectors(7, seed=1), path=place)
    store._engine.drop()
    store.close()
    with pytest.raises(WorkspaceError, match="built again"):
        open_store(place)
