import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import UsageError, WorkspaceError
from aisle.serving.line_writes import EventLines, ProductLines, refused
from aisle.serving.lines import Line


def lines_of(*documents):
    texts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in documents]
    return [Line(number, text) for number, text in enumerate(texts, start=1)]


def test_products_are_put_and_deleted_in_the_order_of_the_lines(backend):
    a = {"product_id": "a", "title": "A"}
    results = ProductLines(backend)(lines_of(a, {"product_id": "b", "title": "B"}, {"delete": "a"}, a, {"delete": "b"}))
    assert [(one.id, one.status) for one in results] == [(name, "written") for name in "abaab"]
    assert [(kind, name) for kind, name, _ in backend.written] == [
        *(("put", "a"), ("put", "b"), ("delete", "a"), ("put", "a"), ("delete", "b"))
    ]
    assert list(backend.put_products) == ["a"]


@pytest.mark.parametrize(
    ("line", "id_", "says"),
    [
        (b"{", None, "A line must be JSON in UTF-8. Received: EOF"),
        (b"\xff", None, "A line must be JSON in UTF-8."),
        (b'{"product_id": "a", "title": "\xc3("}', None, "A line must be JSON in UTF-8."),
        (b"[" * 100_000, None, "A line must be JSON in UTF-8. Received: recursion"),
        (b'{"product_id": "a", "title": "\\ud800"}', None, "A line must be JSON in UTF-8."),
        ([], None, "body: Input should be"),
        ("a", None, "body: Input should be"),
        (None, None, "body: Input should be"),
        ({"title": "A"}, None, "product_id: This field is required."),
        ({"product_id": None, "title": "A"}, None, "product_id: Input should be a valid string. Received: None."),
        ({"product_id": "a"}, "a", "title: This field is required."),
        ({"product_id": "a", "title": "A", "price": -1}, "a", "price: Input should be greater than or equal to 0"),
        (b'{"product_id": "a", "title": "A", "price": 1e999}', "a", "price: Input should be"),
        (b'{"product_id": "a", "title": "A", "price": ' + b"9" * 4000 + b"}", "a", "price: "),
        (b'{"product_id": "a", "title": "A", "mine": ' + b"9" * 400 + b"}", "a", "body: A field of the shop's own"),
        ({"delete": 5}, None, "delete: Input should be a valid string. Received: 5."),
        ({"delete": ""}, "", "delete: The text must hold more than spaces."),
        ({"delete": "a", "title": "A"}, "a", "product_id: This field is required."),
        ({"product_id": "x" * 5000, "title": "A"}, "x" * 256, "product_id: String should have at most 256 characters"),
    ],
)
def test_a_wrong_line_is_told_and_the_others_are_written(backend, line, id_, says):
    good = {"product_id": "good", "title": "Good"}
    results = ProductLines(backend)(lines_of(good, line, good))
    assert [one.status for one in results] == ["written", "refused", "written"]
    assert results[1].id == id_
    assert results[1].problem.startswith(says)
    assert len(results[1].problem) < 600
    assert len(backend.written) == 2


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (UsageError("It must be so"), "It must be so."),
        (WorkspaceError("The disk must have room"), "The change must be made durable."),
        (RuntimeError("secret"), "The service failed on this request."),
    ],
)
def test_rows_that_fail_together_are_each_told(backend, monkeypatch, caplog, error, says):
    def fail(rows):
        raise error

    monkeypatch.setattr(backend, "put", fail)
    first, second, third = ProductLines(backend)(
        lines_of({"product_id": "a", "title": "A"}, {"delete": "b"}, {"product_id": "c", "title": "C"})
    )
    assert (first.status, second.status, third.status) == ("refused", "written", "refused")
    assert (first.id, third.id) == ("a", "c")
    assert first.problem.startswith(says)
    assert "secret" not in caplog.text


def test_events_keep_their_places_among_wrong_ones(backend):
    def click(name):
        return {"action_name": "click", "user_id": "u", "event_id": name}

    results = EventLines(backend)(lines_of(click("e1"), {}, click("e2"), b"!", click("e3")))
    assert [one.id for one in results] == ["e1", None, "e2", None, "e3"]
    assert [one.status for one in results] == ["written", "refused", "written", "refused", "written"]
    assert EventLines(backend)([]) == []


def test_a_refusal_names_its_line():
    assert refused(3, "No.", of="a").line == 3


NOISE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ("product_id", "title", "price", "category", "attributes", "updated_at", "in_stock", "delete", "quality_x")
EVENT_FIELDS = ("action_name", "timestamp", "user_id", "event_attributes", "object_id", "user_query")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS + EVENT_FIELDS), NOISE, max_size=6), max_size=5), st.data())
def test_noise_in_lines_gives_clean_results(shared_backend, documents, data):
    texts = [json.dumps(one).encode() for one in documents]
    texts = [text[: data.draw(st.integers(0, len(text)))] if data.draw(st.booleans()) else text for text in texts]
    lines = [Line(number, text) for number, text in enumerate(texts, start=1)]
    for write in (ProductLines(shared_backend), EventLines(shared_backend)):
        results = write(lines)
        assert len(results) == len(lines)
        for result in results:
            json.dumps(result.problem)
            assert result.status in {"written", "stale", "refused"}
            assert "The service failed" not in (result.problem or "")
    shared_backend.put_products.clear()
