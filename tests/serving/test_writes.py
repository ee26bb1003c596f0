import json
from urllib.parse import quote

import pytest

from aisle.api import WriteDocument
from aisle.core.errors import UsageError, WorkspaceError

CLICK = {"action_name": "click", "user_id": "u1", "event_id": "e1", "object_id": "hub"}


def test_a_product_that_was_put_is_found_by_the_next_search(client, backend):
    response = client.put("/v1/products/lamp", json={"title": "Lamp", "price": 5, "updated_at": "2026-05-17"})
    assert response.status_code == 200
    assert WriteDocument.model_validate(response.json()) == WriteDocument(line=1, id="lamp", status="written", offset=1)
    row = {"product_id": "lamp", "title": "Lamp", "price": 5.0, "updated_at": "2026-05-17T00:00:00.000000Z"}
    assert backend.written == [("put", "lamp", row)]
    hits = client.post("/v1/search", json={"query": "lamp"}).json()["hits"]
    assert [hit["product_id"] for hit in hits][-1] == "lamp"


def test_a_product_that_was_deleted_is_gone(client):
    client.put("/v1/products/lamp", json={"title": "Lamp"})
    assert client.delete("/v1/products/lamp").json()["status"] == "written"
    hits = client.post("/v1/search", json={"query": "lamp"}).json()["hits"]
    assert "lamp" not in [hit["product_id"] for hit in hits]


@pytest.mark.parametrize("product_id", ["a/b", "../../etc/passwd", "a b", "a?b#c", "100%", "红", ";", "a+b", "."])
def test_any_id_comes_through_whole(client, backend, product_id):
    path = f"/v1/products/{quote(product_id, safe='').replace('.', '%2E')}"
    assert client.put(path, json={"title": "A"}).json()["id"] == product_id
    assert client.delete(path).json()["id"] == product_id
    assert [name for _, name, _ in backend.written] == [product_id] * 2


@pytest.mark.parametrize(
    "path", ["/v1/products/", "/v1/products/%20", "/v1/products/a%00", "/v1/products/" + "x" * 257]
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_is_no_id_is_refused(client, backend, method, path):
    response = client.request(method, path, json={"title": "A"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "#/product_id"
    assert backend.written == []


def test_the_id_in_the_body_is_that_of_the_path(client, backend):
    assert client.put("/v1/products/a", json={"product_id": "a", "title": "A"}).status_code == 200
    response = client.put("/v1/products/a", json={"product_id": "b", "title": "A"})
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"pointer": "#/product_id", "detail": "The id in the body must be that of the path. Received: 'b'."}
    ]
    assert len(backend.written) == 1


def test_an_older_product_is_no_error(client):
    response = client.put("/v1/products/stale", json={"title": "A"})
    assert (response.status_code, response.json()["status"]) == (200, "stale")


def test_what_the_shop_refuses_is_told(client):
    response = client.put("/v1/products/unwanted", json={"title": "A"})
    assert (response.status_code, response.json()["detail"]) == (422, "No. Received: it.")


def test_an_event_reaches_the_journal_as_a_row(client, backend):
    assert client.post("/v1/events", json=CLICK).json()["status"] == "written"
    ((kind, name, row),) = backend.written
    assert (kind, name, row["product_id"], row["action"]) == ("event", "e1", "hub", "click")


def test_events_come_in_lists_too(client, backend):
    body = "\n".join(json.dumps(CLICK | {"event_id": f"e{number}"}) for number in range(3)) + '\n{"action_name": "x"}'
    response = client.post("/v1/events", content=body, headers={"content-type": "application/x-ndjson"})
    results = [json.loads(line) for line in response.text.splitlines()]
    assert [(one["line"], one["id"], one["status"]) for one in results] == [
        *((number + 1, f"e{number}", "written") for number in range(3)),
        (4, None, "refused"),
    ]
    assert len(backend.written) == 3


def test_an_actor_is_erased_by_kind_and_id(client, backend):
    response = client.delete("/v1/actors/client/a%2Fb")
    assert response.json() == {"kind": "client", "id": "a/b", "events": 3}
    assert backend.written == [("erase", "client", "a/b")]
    assert client.delete("/v1/actors/shop/a").status_code == 422


@pytest.mark.parametrize(("method", "path"), [("put", "/v1/products/a"), ("add_events", "/v1/events")])
def test_a_journal_that_fails_is_503_and_keeps_its_reasons_to_the_log(
    client, backend, monkeypatch, caplog, method, path
):
    def fail(rows):
        raise WorkspaceError("The disk must have room", received={"path": "/secret"})

    monkeypatch.setattr(backend, method, fail)
    body = CLICK if method == "add_events" else {"title": "A"}
    response = client.request("POST" if method == "add_events" else "PUT", path, json=body)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert response.json()["detail"].startswith("The change must be made durable.")
    assert "/secret" not in response.text
    assert "/secret" in caplog.text


def test_a_read_only_shop_says_so(client, backend, monkeypatch):
    def refuse(ids):
        raise UsageError("The store must be writable", received={"store": "faiss"}, remedy="Use another.")

    monkeypatch.setattr(backend, "delete", refuse)
    response = client.delete("/v1/products/a")
    assert (response.status_code, response.json()["detail"]) == (
        422,
        "The store must be writable. Received: store='faiss'. Use another.",
    )
