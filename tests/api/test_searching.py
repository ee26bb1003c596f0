import pytest
from pydantic import ValidationError

from aisle.api import DEFAULT_K, MAX_FACETS, MAX_FILTER_VALUES, MAX_QUERY_CHARS, SearchFilters, SearchRequest
from aisle.core.ranking import MAX_K

NOT_SET = {"category": [], "brands": [], "shop_ids": [], "price_min": None, "price_max": None}
NOT_SET |= {"locations": [], "in_stock": None, "attributes": {}, "blocked": []}


def test_a_query_alone_is_a_search():
    assert SearchRequest.model_validate_json('{"query": "usb"}').model_dump() == {
        "query": "usb",
        "k": DEFAULT_K,
        "mode": None,
        "user_id": None,
        "client_id": None,
        "session_id": None,
        "location": None,
        "personalise": True,
        "filters": NOT_SET,
        "sort": "relevance",
        "min_score": None,
        "facets": [],
        "collapse": False,
        "pinned": [],
        "explain": False,
    }


@pytest.mark.parametrize(
    "body",
    [
        {"query": "x" * MAX_QUERY_CHARS},
        {"query": "x", "k": 1},
        {"query": "x", "k": MAX_K},
        {"query": "x", "k": 24.0},
        {"query": "x", "pinned": ["a"] * MAX_FILTER_VALUES, "facets": ["attributes.a b"] * MAX_FACETS},
        {"query": "x", "filters": {"price_min": 5, "price_max": 5.0, "brands": [""], "attributes": {"": []}}},
    ],
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
        ({"query": "x", "filter": {}}, "extra_forbidden"),
        ({"query": "x", "filters": "u1"}, "model_type"),
        ({"query": "x", "filters": {"brand": "b"}}, "extra_forbidden"),
        ({"query": "x", "filters": {"brands": "b"}}, "list_type"),
        ({"query": "x", "filters": {"brands": ["b"] * (MAX_FILTER_VALUES + 1)}}, "too_long"),
        ({"query": "x", "filters": {"price_min": -1}}, "greater_than_equal"),
        ({"query": "x", "filters": {"price_min": float("nan")}}, "finite_number"),
        ({"query": "x", "filters": {"price_min": 2, "price_max": 1}}, "price_order"),
        ({"query": "x", "filters": {"in_stock": "yes"}}, "bool_type"),
        ({"query": "x", "filters": {"blocked": [" "]}}, "blank"),
        ({"query": "x", "filters": {"blocked": ["a\x00"]}}, "control"),
        ({"query": "x", "filters": {"attributes": {"colour": "red"}}}, "list_type"),
        ({"query": "x", "facets": ["price"]}, "string_pattern_mismatch"),
        ({"query": "x", "facets": ["brand"] * (MAX_FACETS + 1)}, "too_long"),
        ({"query": "x", "sort": "cheapest"}, "literal_error"),
        ({"query": "x", "min_score": float("inf")}, "finite_number"),
        ({"query": "x", "collapse": 1}, "bool_type"),
    ],
)
def test_what_does_not_fit_is_refused(body, kind):
    with pytest.raises(ValidationError) as caught:
        SearchRequest.model_validate(body)
    assert [error["type"] for error in caught.value.errors()] == [kind]


def test_the_published_examples_fit_their_model():
    examples = SearchRequest.model_json_schema()["examples"]
    assert len(examples) == 4
    for example in examples:
        assert SearchRequest.model_validate(example).query == example["query"]


def test_filters_by_themselves_ask_for_nothing():
    assert SearchFilters().model_dump() == NOT_SET
