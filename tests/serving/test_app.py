import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

import aisle.serving
from aisle import __version__


def test_the_public_names_exist():
    assert all(hasattr(aisle.serving, name) for name in aisle.serving.__all__)


def test_the_service_describes_itself(client):
    document = client.get("/openapi.json").json()
    assert document["info"]["version"] == __version__
    assert sorted(document["paths"]) == ["/healthz", "/readyz", "/v1/search"]
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
        one.openapi()["paths"]["/v1/search"]["post"]["requestBody"]["content"]["application/json"]["schema"][
            "properties"
        ]
        for one in (app, other)
    ]
    assert [enum["mode"]["enum"] for enum in enums] == [["lexical", "semantic", "hybrid", None], ["hybrid", None]]


@pytest.mark.parametrize(
    ("path", "method", "generation_mode"),
    [
        ("/v1/search", "POST", GenerationMode.POSITIVE),
        ("/v1/search", "POST", GenerationMode.NEGATIVE),
        ("/healthz", "GET", GenerationMode.POSITIVE),
        ("/readyz", "GET", GenerationMode.POSITIVE),
    ],
)
def test_the_service_does_what_its_description_says(shared_app, path, method, generation_mode):
    operation = schemathesis.openapi.from_asgi("/openapi.json", shared_app)[path][method]

    @given(data=st.data())
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def check(data):
        case = data.draw(operation.as_strategy(generation_mode=generation_mode))
        case.call_and_validate()

    check()
