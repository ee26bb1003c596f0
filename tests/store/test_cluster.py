import contextlib

import pytest
import qdrant_client

from aisle.core.errors import ServiceError, WorkspaceError
from aisle.store import StoreConfig, build_store, discard_store, open_store

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")

_NOBODY = StoreConfig(url="http://127.0.0.1:9")
_SHARED = StoreConfig(url="http://cluster.test:6333")


@pytest.fixture
def cluster(monkeypatch):
    """One cluster in memory, which every client reaches; `told` is how each of them asked for it."""
    memory = qdrant_client.QdrantClient(":memory:")
    memory.told, close = [], memory.close
    monkeypatch.setattr(memory, "close", lambda: None)
    monkeypatch.setattr(memory, "create_payload_index", lambda *_, **__: None)  # the imitation only warns
    monkeypatch.setattr(qdrant_client, "QdrantClient", lambda **told: memory.told.append(told) or memory)
    yield memory
    close()


@pytest.fixture
def build_at(place, shelf, random_vectors):
    def build():
        given = {"products": shelf, "vectors": random_vectors(7, seed=1), "applied_offset": 0, "config": _SHARED}
        return build_store("qdrant-cluster", place, **given)

    return build


def collections(cluster):
    return [one.name for one in cluster.get_collections().collections]


def test_a_cluster_that_does_not_answer_is_a_clean_error(shelf, random_vectors, place):
    with pytest.raises(ServiceError, match=r"cluster must answer.*127\.0\.0\.1:9.*AISLE_QDRANT_API_KEY"):
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


def test_a_cluster_that_falls_silent_is_told_apart_from_one_that_lost_its_products(build_at, cluster, place):
    build_at().close()
    with contextlib.suppress(KeyError):
        cluster.delete_collection(collections(cluster)[0])
    with pytest.raises(WorkspaceError, match=r"is not at http://cluster\.test"):
        open_store(place)


def test_the_cluster_is_asked_at_its_address_with_the_key_of_the_environment(build_at, cluster, monkeypatch):
    monkeypatch.setenv("AISLE_QDRANT_API_KEY", "a-key")
    build_at().close()
    assert {(one["url"], one["api_key"]) for one in cluster.told} == {("http://cluster.test:6333", "a-key")}


def test_building_again_deletes_the_old_collection(build_at, cluster):
    build_at().close()
    (first,) = collections(cluster)
    build_at().close()
    (second,) = collections(cluster)
    assert first != second


def test_a_build_that_fails_leaves_no_collection(build_at, cluster, place, monkeypatch):
    def fail(*_, **__):
        raise OSError("connection reset")

    monkeypatch.setattr(cluster, "upsert", fail)
    with pytest.raises(ServiceError, match="connection reset"):
        build_at()
    assert collections(cluster) == []
    assert not place.exists()


def test_a_store_that_goes_takes_its_collection_along(build_at, cluster, place):
    build_at().close()
    discard_store("qdrant-cluster", place)
    assert collections(cluster) == []
    discard_store("qdrant-cluster", place)  # gone already


def test_a_store_in_use_is_not_discarded(build_at, cluster, place):
    store = build_at()
    with pytest.raises(WorkspaceError, match="open once only"):
        discard_store("qdrant-cluster", place)
    assert len(collections(cluster)) == 1
    store.close()
