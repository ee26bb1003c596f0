import asyncio
import json
import threading

import httpx
import pytest

from aisle.api.limits import MAX_BULK_LINES, MAX_LINE_BYTES
from aisle.serving import ServiceSettings, create_app
from aisle.serving.bodies import NDJSON
from aisle.serving.lines import BLOCK_LINES

HERE = "http://127.0.0.1:8000"
LINES = {"content-type": NDJSON}


def product(number):
    return json.dumps({"product_id": f"p{number}", "title": f"Product {number}"}).encode()


def put(client, body):
    response = client.put("/v1/products", content=body, headers=LINES)
    assert (response.status_code, response.headers["content-type"]) == (200, NDJSON)
    return [json.loads(line) for line in response.text.splitlines()]


def test_every_line_has_its_result(client, backend):
    results = put(client, b"\n".join([product(1), b"", b"{}", b'{"delete": "p1"}', product(2)]))
    assert [(one["line"], one["id"], one["status"], one["offset"]) for one in results] == [
        (1, "p1", "written", 1),
        (3, None, "refused", None),
        (4, "p1", "written", 2),
        (5, "p2", "written", 3),
    ]
    assert results[1]["problem"] == "product_id: This field is required. title: This field is required."


def test_a_list_without_lines_has_no_results(client):
    assert put(client, b"") == put(client, b"\n\n") == []


def test_long_lists_are_written_in_blocks(client, backend):
    num = BLOCK_LINES * 2 + 7
    results = put(client, b"\n".join(map(product, range(num))))
    assert [one["line"] for one in results] == list(range(1, num + 1))
    assert {one["status"] for one in results} == {"written"}
    assert [name for _, name, _ in backend.written] == [f"p{number}" for number in range(num)]
    assert backend.threads == {"aisle-write_0"}


def test_a_line_that_is_too_long_is_refused_and_the_next_is_written(client, backend):
    long = b'{"product_id": "long", "title": "' + b"x" * MAX_LINE_BYTES + b'"}'
    results = put(client, long + b"\n" + product(1))
    assert [(one["line"], one["status"]) for one in results] == [(1, "refused"), (2, "written")]
    assert results[0]["problem"].startswith(f"A line must hold at most {MAX_LINE_BYTES} bytes.")


def test_what_stands_past_the_last_line_is_not_written(client, backend):
    results = put(client, b"\n".join(b'{"delete": "x"}' for _ in range(MAX_BULK_LINES + 5)))
    assert len(results) == MAX_BULK_LINES + 1
    assert (results[-1]["line"], results[-1]["status"]) == (MAX_BULK_LINES + 1, "refused")
    assert "were not read; send them in another request." in results[-1]["problem"]
    assert len(backend.written) == MAX_BULK_LINES


def test_a_list_must_be_said_to_be_one(client, backend):
    response = client.put("/v1/products", content=product(1), headers={"content-type": "application/json"})
    assert (response.status_code, response.headers["accept"]) == (415, NDJSON)
    assert backend.written == []


def test_a_body_that_is_too_large_ends_with_a_result(client, backend, monkeypatch):
    monkeypatch.setattr("aisle.serving.middleware.MAX_BULK_BYTES", 500)

    def chunks():
        for number in range(BLOCK_LINES + 100):
            yield product(number) + b"\n"

    results = put(client, chunks())
    assert (results[-1]["status"], results[-1]["problem"]) == (
        "refused",
        "The body must hold at most 500 bytes. Received: more. Send less in one request.",
    )


def ask_beside(backend, settings, body, other):
    """Send a list, and another request while the list's first block is being written."""
    started, finish = threading.Event(), threading.Event()
    put_now = backend.put

    def put_slowly(rows):
        started.set()
        assert finish.wait(timeout=30)
        return put_now(rows)

    backend.put = put_slowly

    async def ask():
        transport = httpx.ASGITransport(create_app(backend, info={}, settings=settings))
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            writing = asyncio.create_task(client.put("/v1/products", content=body, headers=LINES))
            await asyncio.to_thread(started.wait, 30)
            answer = await other(client)
            was_writing = not writing.done()
            finish.set()
            return answer, was_writing, await writing

    return asyncio.run(ask())


def test_a_slow_list_does_not_hold_up_searches(backend):
    answer, was_writing, written = ask_beside(
        backend, ServiceSettings(), product(1), lambda client: client.post("/v1/search", json={"query": "usb"})
    )
    assert (answer.status_code, was_writing, written.status_code) == (200, True, 200)


def test_writes_that_would_wait_too_long_are_sent_away(backend):
    answer, _, written = ask_beside(
        backend, ServiceSettings(most_writes=1), product(1), lambda client: client.delete("/v1/products/a")
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert json.loads(written.text)["status"] == "written"


def test_a_block_that_is_late_is_told_as_such(backend):
    finish = threading.Event()
    backend.put = lambda rows: finish.wait(30) and []

    async def ask():
        transport = httpx.ASGITransport(create_app(backend, info={}, settings=ServiceSettings(write_timeout_s=0)))
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            return await client.put("/v1/products", content=product(1), headers=LINES)

    response = asyncio.run(ask())
    finish.set()
    result = json.loads(response.text)
    assert result["status"] == "refused"
    assert "a write may have been done all the same" in result["problem"]


@pytest.mark.parametrize("path", ["/v1/products", "/v1/events"])
@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"\x00" * 100, b"{" * 5000, b"\n".join([b"nul"] * 50), b'"' * 99])
def test_bytes_that_are_no_lines_are_refused_one_by_one(client, backend, path, body):
    response = client.request("PUT" if path == "/v1/products" else "POST", path, content=body, headers=LINES)
    results = [json.loads(line) for line in response.text.splitlines()]
    assert (response.status_code, {one["status"] for one in results}) == (200, {"refused"})
    assert backend.written == []
