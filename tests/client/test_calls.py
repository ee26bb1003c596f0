import json

import pytest

from aisle.api import EventDocument, ProductDocument, SearchFilters, SearchRequest
from aisle.client import calls


def test_a_text_alone_is_a_search():
    call = calls.search("usb")
    assert (call.method, call.path, json.loads(call.body)) == ("POST", "/v1/search", {"query": "usb"})


def test_only_what_was_said_is_sent():
    request = SearchRequest(query="usb", k=5, filters=SearchFilters(brands=["a"]))
    assert json.loads(calls.search(request).body) == {"query": "usb", "k": 5, "filters": {"brands": ["a"]}}


@pytest.mark.parametrize(
    ("product_id", "segment"),
    [("a", "a"), ("a/b", "a%2Fb"), ("..", "%2E%2E"), ("100%", "100%25"), ("é?#", "%C3%A9%3F%23")],
)
def test_an_id_is_one_step_of_the_path(product_id, segment):
    assert calls.put_product(product_id, {"title": "A"}).path == f"/v1/products/{segment}"
    assert calls.delete_product(product_id).path == f"/v1/products/{segment}"
    assert calls.erase_actor("user", product_id).path == f"/v1/actors/user/{segment}"


def test_a_list_is_one_line_each():
    products = [ProductDocument(product_id="a", title="A"), {"product_id": "b", "title": "B\n"}, calls.Deletion("c")]
    call = calls.put_products(products)
    assert [json.loads(line) for line in call.body.split(b"\n")] == [
        {"product_id": "a", "title": "A"},
        {"product_id": "b", "title": "B\n"},
        {"delete": "c"},
    ]
    assert call.headers == {"content-type": "application/x-ndjson"}
    results = call.read(b'{"line":1,"id":"a","status":"written"}\n{"line":2,"id":null,"status":"refused"}\n')
    assert [(one.line, one.status) for one in results] == [(1, "written"), (2, "refused")]


def test_what_counts_twice_is_not_sent_twice():
    click = {"action_name": "click", "user_id": "u"}
    assert not calls.add_event(click).is_idempotent
    assert calls.add_event(click | {"event_id": "e"}).is_idempotent
    assert calls.add_event(EventDocument(**click, event_id="e")).is_idempotent
    assert not calls.add_events([click | {"event_id": "e"}, click]).is_idempotent
    assert not calls.build_version().is_idempotent
    assert calls.put_product("a", {}).is_idempotent
    assert calls.delete_product("a").headers == {}


def test_batches_are_full_but_for_the_last():
    assert list(calls.batches(iter(range(5)), 2)) == [[0, 1], [2, 3], [4]]
    assert list(calls.batches([], 2)) == []
