import asyncio
import logging
import threading
from decimal import Decimal

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from aisle.api import SearchRequest, SearchResponse
from aisle.core.errors import ModelError
from aisle.core.shopper import NOBODY, Shopper
from aisle.live import LiveAnswer, LiveSearch
from aisle.retrieval import Hit
from aisle.serving import ServiceSettings, create_app
from aisle.serving.search import live_search
from aisle.store import FACET_FIELDS, NO_FILTER, ProductFilter

HERE = "http://127.0.0.1:8000"


class Backend:
    """Answers with what it is given, or raises it."""

    modes = ("only",)
    default_mode = "only"

    def __init__(self, answer):
        self._answer = answer

    def search(self, asked):
        if isinstance(self._answer, Exception):
            raise self._answer
        return LiveAnswer(hits=self._answer, mode="only", version="v1")


def search_through(answer):
    client = TestClient(create_app(Backend(answer), info={}), base_url=HERE, raise_server_exceptions=False)
    return client.post("/v1/search", json={"query": "usb"})


def test_a_search_returns_its_hits_in_order(client):
    answer = client.post("/v1/search", json={"query": "usb hub", "k": 2, "mode": "lexical"}).json()
    assert answer.pop("took_ms") >= 0
    assert answer["query"] == "usb hub"
    assert answer["mode"] == "lexical"
    assert [(hit["rank"], hit["product_id"], hit["score"]) for hit in answer["hits"]] == [
        (1, "hub", 1.0),
        (2, "hostile", 0.5),
    ]
    assert answer["hits"][0]["product"] == {
        "title": "USB hub, 4 ports",
        "brand": "Northwind",
        "price": 24.9,
        "currency": "EUR",
    }


def test_the_answer_fits_the_published_model(client):
    body = client.post("/v1/search", json={"query": "usb hub"}).json()
    assert [hit.rank for hit in SearchResponse.model_validate(body).hits] == [1, 2, 3]


@pytest.mark.parametrize("mode", [{}, {"mode": None}])
def test_a_search_without_mode_takes_the_default(client, backend, mode):
    assert client.post("/v1/search", json={"query": "usb"} | mode).json()["mode"] == "hybrid"
    assert backend.asked == [LiveSearch("usb")]


def test_no_match_is_an_empty_list(client):
    response = client.post("/v1/search", json={"query": "nothing"})
    assert (response.status_code, response.json()["hits"]) == (200, [])


def test_text_of_any_script_comes_back_unchanged(client):
    query = '红色 «ÉTÉ» 👟 \\ " </script>'
    assert client.post("/v1/search", json={"query": query}).json()["query"] == query


def test_numbers_of_numpy_and_decimals_are_written():
    hit = Hit(np.int64(1), "a", np.float32(0.5), {"price": Decimal("9.90"), "weight": np.float64(1.5)})
    answer = search_through([hit]).json()["hits"][0]
    assert answer == {"rank": 1, "product_id": "a", "score": 0.5, "product": {"price": "9.90", "weight": 1.5}}


def test_a_score_that_is_no_number_is_null():
    assert search_through([Hit(1, "a", float("nan"), {})]).json()["hits"][0]["score"] is None


@pytest.mark.parametrize("query", ["", " \t", "\u3000"])
def test_a_blank_query_does_not_reach_the_backend(client, backend, query):
    response = client.post("/v1/search", json={"query": query})
    assert response.status_code == 422
    assert "query: A query must hold more than spaces. Received: '" in response.json()["detail"]
    assert backend.asked == []


def test_what_the_backend_refuses_is_told_with_its_remedy(client):
    response = client.post("/v1/search", json={"query": "usb", "mode": "psychic"})
    assert response.status_code == 422
    assert response.json()["detail"] == (
        "mode must be known. Received: mode='psychic'. Use one of ('lexical', 'semantic', 'hybrid')."
    )


@pytest.mark.parametrize("error", [ValueError("secret"), ModelError("secret must hold")])
def test_a_failing_backend_gives_500_and_no_inner_detail(error):
    response = search_through(error)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "secret" not in response.text


def test_the_openapi_document_names_the_modes_of_the_backend(client):
    schema = client.get("/openapi.json").json()["components"]["schemas"]["SearchRequest"]
    assert schema["properties"]["mode"]["enum"] == ["lexical", "semantic", "hybrid", None]


def test_searches_share_one_thread_which_is_not_the_servers(client, backend):
    for _ in range(3):
        client.post("/v1/search", json={"query": "usb"})
    assert len(backend.threads) == 1
    assert backend.threads.pop().startswith("aisle-search")


def test_health_is_answered_while_a_search_runs():
    started, finish = threading.Event(), threading.Event()

    class SlowBackend(Backend):
        def search(self, asked):
            started.set()
            assert finish.wait(timeout=30)
            return super().search(asked)

    async def ask():
        transport = httpx.ASGITransport(create_app(SlowBackend([]), info={}))
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            searching = asyncio.create_task(client.post("/v1/search", json={"query": "usb"}))
            await asyncio.to_thread(started.wait, 30)
            health = await client.get("/healthz")
            was_searching = not searching.done()
            finish.set()
            return health.status_code, was_searching, (await searching).status_code

    assert asyncio.run(ask()) == (200, True, 200)


def test_who_searches_reaches_the_backend(client, backend):
    fields = {"user_id": "u1", "client_id": "c1", "session_id": "s1", "location": "de"}
    client.post("/v1/search", json={"query": "usb", **fields})
    client.post("/v1/search", json={"query": "usb", "user_id": None})
    assert [asked.shopper for asked in backend.asked] == [Shopper(**fields), NOBODY]


def test_explanations_come_where_they_are_asked_for(client):
    def hits(mode, **more):
        return client.post("/v1/search", json={"query": "usb", "mode": mode, **more}).json()["hits"]

    assert all("explanation" not in hit for hit in hits("hybrid"))
    assert all(hit["explanation"] is None for hit in hits("lexical", explain=True))
    second = hits("hybrid", explain=True)[1]["explanation"]
    assert second["parts"] == {"term": 0.5, "history": -0.1}
    assert (second["sides"]["lexical"]["rank"], second["sides"]["semantic"]["rank"]) == (None, 2)
    answer = client.post("/v1/search", json={"query": "usb", "explain": True}).json()
    assert SearchResponse.model_validate(answer).hits[1].explanation.sides["semantic"].adds == 0.4


@pytest.mark.parametrize("wrong", [{"user_id": 7}, {"location": "x" * 257}, {"explain": "yes"}])
def test_fields_of_another_kind_are_refused(client, backend, wrong):
    response = client.post("/v1/search", json={"query": "usb", **wrong})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == f"#/{next(iter(wrong))}"
    assert backend.asked == []


def test_all_that_can_be_asked_reaches_the_shop():
    request = {
        "query": "usb",
        "k": 3,
        "mode": "semantic",
        "user_id": "u1",
        "location": "de",
        "personalise": False,
        "filters": {
            "category": ["Computers", "Docks"],
            "brands": ["a", "b"],
            "shop_ids": ["s"],
            "price_min": 1,
            "price_max": 2.5,
            "locations": ["de"],
            "in_stock": False,
            "attributes": {"colour": ["red", "blue"]},
            "blocked": ["x"],
        },
        "sort": "price_desc",
        "min_score": -0.5,
        "facets": ["brand", "attributes.colour"],
        "collapse": True,
        "pinned": ["p", "q"],
        "explain": True,
    }
    assert live_search(SearchRequest.model_validate(request)) == LiveSearch(
        query="usb",
        k=3,
        mode="semantic",
        shopper=Shopper(user_id="u1", location="de"),
        personalise=False,
        where=ProductFilter(
            category=("Computers", "Docks"),
            brands=("a", "b"),
            shop_ids=("s",),
            price_min=1,
            price_max=2.5,
            locations=("de",),
            in_stock=False,
            attributes={"colour": ("red", "blue")},
            blocked=("x",),
        ),
        sort="price_desc",
        min_score=-0.5,
        facets=("brand", "attributes.colour"),
        collapse=True,
        pinned=("p", "q"),
        explain=True,
    )


@pytest.mark.parametrize("filters", [{}, {"brands": []}, {"attributes": {}, "in_stock": None}])
def test_a_filter_that_asks_for_nothing_is_none(filters):
    assert live_search(SearchRequest.model_validate({"query": "usb", "filters": filters})).where.is_empty
    assert NO_FILTER.is_empty


def test_filters_and_facets_come_back_counted(client):
    asked = {"query": "usb", "mode": "semantic", "filters": {"price_max": 100}, "facets": ["brand"]}
    answer = client.post("/v1/search", json=asked).json()
    assert [hit["product_id"] for hit in answer["hits"]] == ["hub"]
    assert (answer["matching"], answer["version"], answer["gated"]) == (2, "v2", False)
    assert answer["facets"] == {"brand": [{"value": "Northwind", "count": 1}]}
    assert answer["stage_ms"] == {"encode": 0.5, "search": 1.25}


@pytest.mark.parametrize("name", [*FACET_FIELDS, "attributes.colour", "attributes.a b/c"])
def test_every_facet_of_the_store_can_be_asked_for(name):
    assert SearchRequest(query="usb", facets=[name]).facets == [name]


def test_searches_are_logged_only_where_that_is_asked_for(backend, caplog):
    asked = {"query": "very\nprivate", "user_id": "u17"}
    with caplog.at_level(logging.INFO, "aisle.serving"):
        for log_queries in (False, True):
            app = create_app(backend, info={}, settings=ServiceSettings(log_queries=log_queries))
            assert TestClient(app, base_url=HERE).post("/v1/search", json=asked).status_code == 200
    (record,) = caplog.records
    assert '"query":"very\\nprivate","user_id":"u17"' in record.getMessage()
    assert "\n" not in record.getMessage()
