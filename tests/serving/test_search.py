import asyncio
import threading
from dataclasses import dataclass
from decimal import Decimal

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from aisle.core.errors import ModelError
from aisle.core.shopper import NOBODY, Shopper
from aisle.serving import create_app
from aisle.serving.schemas import SearchResponse


@dataclass(frozen=True)
class Hit:
    rank: object
    product_id: str
    score: object
    product: dict


class Backend:
    """Answers with what it is given, or raises it."""

    modes = ("only",)
    default_mode = "only"

    def __init__(self, answer):
        self._answer = answer

    def search(self, query, *, k=24, mode=None, shopper=NOBODY, explain=False):
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def search_through(answer):
    client = TestClient(create_app(Backend(answer), info={}), raise_server_exceptions=False)
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
    assert backend.asked == [("usb", 24, "hybrid")]


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
    operation = client.get("/openapi.json").json()["paths"]["/v1/search"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["mode"]["enum"] == ["lexical", "semantic", "hybrid", None]


def test_searches_share_one_thread_which_is_not_the_servers(client, backend):
    for _ in range(3):
        client.post("/v1/search", json={"query": "usb"})
    assert len(backend.threads) == 1
    assert backend.threads.pop().startswith("aisle-search")


def test_health_is_answered_while_a_search_runs():
    started, finish = threading.Event(), threading.Event()

    class SlowBackend(Backend):
        def search(self, query, *, k=24, mode=None, shopper=NOBODY, explain=False):
            started.set()
            assert finish.wait(timeout=30)
            return []

    async def ask():
        transport = httpx.ASGITransport(create_app(SlowBackend([]), info={}))
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
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
    assert backend.shoppers == [Shopper(**fields), NOBODY]


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
