"""A service whose products are in a Qdrant cluster, as far as the client's imitation of one goes."""

import pytest
from fastapi.testclient import TestClient

from aisle.pipelines.catalogue import read_products
from aisle.pipelines.serving import open_live_shop
from aisle.serving import create_app
from aisle.store import StoreConfig

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")


@pytest.fixture
def live_shop(own_learnt_shop):
    shop = open_live_shop(own_learnt_shop, store="qdrant-cluster", store_config=StoreConfig(url="local"))
    yield shop
    shop.close()


@pytest.fixture
def client(live_shop):
    with TestClient(create_app(live_shop, info={}), base_url="http://127.0.0.1:8000") as opened:
        yield opened


@pytest.fixture
def found(client):
    def search(query, **asked):
        answer = client.post("/v1/search", json={"query": query, **asked})
        assert answer.status_code == 200, answer.text
        return [hit["product_id"] for hit in answer.json()["hits"]]

    return search


def scores(client, query, mode):
    """Score of every product that is found; ties come in any order."""
    hits = client.post("/v1/search", json={"query": query, "mode": mode, "k": 100}).json()["hits"]
    return {hit["product_id"]: hit["score"] for hit in hits}


def test_the_cluster_answers_as_the_engine_in_this_process_does(own_learnt_shop, client, live_shop):
    title = read_products(own_learnt_shop)["title"][0].as_py()
    modes = ("lexical", "semantic", "hybrid")
    of_cluster = [scores(client, title, mode) for mode in modes]
    live_shop.close()
    here = open_live_shop(own_learnt_shop)
    with TestClient(create_app(here, info={}), base_url="http://127.0.0.1:8000") as other:
        for mode, found in zip(modes, of_cluster, strict=True):
            assert scores(other, title, mode) == pytest.approx(found, abs=2e-3)
            assert found
    here.close()


def test_writes_and_versions(client, found, live_shop):
    put = client.put("/v1/products/flumph", json={"title": "zorblax lamp", "price": 3.0})
    assert put.status_code == 200, put.text
    assert found("zorblax", mode="lexical") == ["flumph"]
    assert found("zorblax", mode="lexical", filters={"price_max": 2}) == []
    first = live_shop.state().version
    built = live_shop.build_version().id
    live_shop._builds.wait()
    assert client.put("/v1/versions/current", json={"id": built}).status_code == 200
    assert client.delete("/v1/products/flumph").status_code == 200
    assert found("zorblax", mode="lexical") == []
    assert client.put("/v1/versions/current", json={"id": first}).status_code == 200
    assert found("zorblax", mode="lexical") == []


def test_a_cluster_that_falls_silent_is_told_and_no_acknowledged_write_is_lost(client, found, live_shop, monkeypatch):
    engine = live_shop._serving.loaded.store._engine

    def silent(*_, **__):
        raise OSError("no route to host")

    with monkeypatch.context() as broken:
        for name in ("query_batch_points", "upsert"):
            broken.setattr(engine._client, name, silent)
        searched = client.post("/v1/search", json={"query": "lamp"})
        written = client.put("/v1/products/late", json={"title": "flumph lamp"})
        lines = client.put(
            "/v1/products",
            content='{"product_id": "later", "title": "flumph chair"}\n',
            headers={"content-type": "application/x-ndjson"},
        )
    assert (searched.status_code, written.status_code) == (503, 503)
    assert "store must answer" in searched.json()["detail"]
    assert "no route" not in searched.text
    assert "store must answer" in lines.text
    client.put("/v1/products/now", json={"title": "flumph rug"})
    assert set(found("flumph", mode="lexical")) == {"late", "later", "now"}
