import pytest
from pydantic import ValidationError

from aisle.core.ranking import MAX_K
from aisle.serving.schemas import DEFAULT_K, MAX_QUERY_CHARS, HitView, Readiness, SearchRequest, SearchResponse


def test_a_query_alone_is_a_search():
    assert SearchRequest.model_validate_json('{"query": "usb"}').model_dump() == {
        "query": "usb",
        "k": DEFAULT_K,
        "mode": None,
        "user_id": None,
        "client_id": None,
        "session_id": None,
        "location": None,
        "explain": False,
    }


@pytest.mark.parametrize(
    "body",
    [{"query": "x" * MAX_QUERY_CHARS}, {"query": "x", "k": 1}, {"query": "x", "k": MAX_K}, {"query": "x", "k": 24.0}],
)
def test_the_bounds_themselves_are_allowed(body):
    assert SearchRequest.model_validate(body).query == body["query"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, "missing"),
        ({"query": "x" * (MAX_QUERY_CHARS + 1)}, "string_too_long"),
        ({"query": 7}, "string_type"),
        ({"query": "x", "k": 0}, "greater_than_equal"),
        ({"query": "x", "k": MAX_K + 1}, "less_than_equal"),
        ({"query": "x", "k": "5"}, "int_type"),
        ({"query": "x", "k": True}, "int_type"),
        ({"query": "x", "k": 2.5}, "int_type"),
        ({"query": "x", "k": float("inf")}, "int_type"),
        ({"query": "x", "k": None}, "int_type"),
        ({"query": ""}, "blank"),
        ({"query": " \t\u00a0\u3000\x1c\x85\x00"}, "blank"),
        ({"query": "x", "mode": 1}, "string_type"),
        ({"query": "x", "filters": "u1"}, "extra_forbidden"),
    ],
)
def test_what_does_not_fit_is_refused(body, kind):
    with pytest.raises(ValidationError) as caught:
        SearchRequest.model_validate(body)
    assert [error["type"] for error in caught.value.errors()] == [kind]


@pytest.mark.parametrize("model", [SearchRequest, SearchResponse])
def test_the_published_examples_fit_their_model(model):
    examples = model.model_json_schema()["examples"]
    assert examples
    for example in examples:
        model.model_validate(example)


def test_a_product_may_carry_more_than_the_page_shows():
    hit = HitView.model_validate({"rank": 1, "product_id": "a", "score": None, "product": {"colour": "red"}})
    assert hit.product.model_extra == {"colour": "red"}
    assert hit.product.title is None


def test_readiness_says_so():
    assert Readiness(modes=["lexical"], default_mode="lexical", info={}).status == "ready"
