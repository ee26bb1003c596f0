import asyncio

import pytest
from starlette.exceptions import HTTPException

from aisle.api.limits import MAX_BODY_BYTES, MAX_LINE_BYTES
from aisle.serving.middleware import SECURITY_HEADERS, BodyLimit

JSON = {"content-type": "application/json"}


def body_of(num_bytes):
    frame = b'{"query": "usb"}'
    return frame + b" " * (num_bytes - len(frame))


def test_a_body_of_exactly_the_limit_passes(client):
    assert client.post("/v1/search", content=body_of(MAX_BODY_BYTES), headers=JSON).status_code == 200


def test_one_byte_more_is_413(client, backend):
    response = client.post("/v1/search", content=body_of(MAX_BODY_BYTES + 1), headers=JSON)
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert str(MAX_BODY_BYTES) in response.json()["detail"]
    assert backend.asked == []


def test_a_body_without_length_is_counted_as_it_arrives(client):
    def chunks():
        for _ in range(100):
            yield b" " * 1024

    assert client.post("/v1/search", content=chunks(), headers=JSON).status_code == 413


def test_a_product_may_be_larger_than_a_search(client, backend):
    def put(num_bytes):
        body = b'{"title": "usb"}'
        return client.put("/v1/products/a", content=body + b" " * (num_bytes - len(body)), headers=JSON).status_code

    assert (put(MAX_LINE_BYTES), put(MAX_LINE_BYTES + 1)) == (200, 413)
    assert len(backend.written) == 1


def test_a_body_that_stops_coming_is_given_up():
    caught = []

    async def app(scope, receive, send):
        try:
            await receive()
        except HTTPException as error:
            caught.append((error.status_code, error.detail))

    async def ask():
        never = asyncio.Event()
        scope = {"type": "http", "path": "/v1/search"}
        await BodyLimit(app, timeout_s=0)(scope, never.wait, None)

    asyncio.run(ask())
    assert caught == [(408, "A body must go on within 0 s. Received: nothing more. Send it in one go.")]


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/static/app.js", "/openapi.json"])
def test_every_answer_carries_the_guarding_headers(client, path):
    headers = client.get(path).headers
    assert {name: headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_scripts_may_only_come_from_files_of_the_service():
    policy = dict(rule.strip().split(" ", 1) for rule in SECURITY_HEADERS["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "unsafe" not in str(policy)
