import threading

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

import aisle.serving
from aisle import __version__

HERE = {"Host": "127.0.0.1"}


def test_the_public_names_exist():
    assert all(hasattr(aisle.serving, name) for name in aisle.serving.__all__)


def test_the_service_describes_itself(client):
    document = client.get("/openapi.json").json()
    assert document["info"]["version"] == __version__
    assert sorted(document["paths"]) == [
        "/healthz",
        "/metrics",
        "/readyz",
        "/v1/actors/{kind}/{actor_id}",
        "/v1/events",
        "/v1/products",
        "/v1/products/{product_id}",
        "/v1/search",
        "/v1/versions",
        "/v1/versions/current",
    ]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_the_description_shows_examples_for_both_directions(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["SearchRequest"]["examples"][0] == {"query": "wireless mouse"}
    assert schemas["SearchResponse"]["examples"][0]["hits"]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_no_page_that_loads_from_elsewhere_is_served(client, path):
    assert client.get(path).status_code == 404


def test_apps_of_two_backends_do_not_share_anything(app, backend):
    other = aisle.serving.create_app(type(backend)(modes=("hybrid",)), info={})
    assert isinstance(other, FastAPI)
    enums = [
        one.openapi()["components"]["schemas"]["SearchRequest"]["properties"]["mode"]["enum"] for one in (app, other)
    ]
    assert enums == [["lexical", "semantic", "hybrid", None], ["hybrid", None]]


def test_a_service_that_ends_ends_its_threads(app):
    before = set(threading.enumerate())
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        assert client.post("/v1/search", json={"query": "usb"}).status_code == 200
        assert "aisle-search_0" in {thread.name for thread in set(threading.enumerate()) - before}
    assert not any(thread.name.startswith("aisle-") for thread in set(threading.enumerate()) - before)


@pytest.mark.parametrize(
    ("path", "method", "generation_mode"),
    [
        ("/v1/search", "POST", GenerationMode.POSITIVE),
        ("/v1/search", "POST", GenerationMode.NEGATIVE),
        ("/v1/products/{product_id}", "PUT", GenerationMode.POSITIVE),
        ("/v1/products/{product_id}", "PUT", GenerationMode.NEGATIVE),
        ("/v1/products/{product_id}", "DELETE", GenerationMode.POSITIVE),
        ("/v1/events", "POST", GenerationMode.POSITIVE),
        ("/v1/events", "POST", GenerationMode.NEGATIVE),
        ("/v1/actors/{kind}/{actor_id}", "DELETE", GenerationMode.POSITIVE),
        ("/v1/actors/{kind}/{actor_id}", "DELETE", GenerationMode.NEGATIVE),
        ("/v1/versions", "GET", GenerationMode.POSITIVE),
        ("/v1/versions", "POST", GenerationMode.POSITIVE),
        ("/v1/versions/current", "PUT", GenerationMode.NEGATIVE),
        ("/healthz", "GET", GenerationMode.POSITIVE),
        ("/readyz", "GET", GenerationMode.POSITIVE),
    ],
)
def test_the_service_does_what_its_description_says(shared_app, path, method, generation_mode):
    operation = schemathesis.openapi.from_asgi("/openapi.json", shared_app, headers=HERE)[path][method]

    @given(data=st.data())
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def check(data):
        case = data.draw(operation.as_strategy(generation_mode=generation_mode))
        response = case.call_and_validate(
            headers=HERE, excluded_checks=[positive_data_acceptance, negative_data_rejection]
        )
        # Rules between fields stand in no schema, and a body may be too large before it is wrong.
        expected = {200, 202, 422} if generation_mode == GenerationMode.POSITIVE else {400, 404, 405, 413, 415, 422}
        assert response.status_code in expected

    check()
