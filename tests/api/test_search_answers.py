from aisle.api import HitView, SearchResponse


def test_the_published_example_fits_the_model():
    (example,) = SearchResponse.model_json_schema()["examples"]
    answer = SearchResponse.model_validate(example)
    assert answer.hits[0].product.title == "Silent wireless mouse, 1600 dpi"
    assert answer.facets["brand"][0].count == 81


def test_a_product_may_carry_more_than_the_page_shows():
    hit = HitView.model_validate({"rank": 1, "product_id": "a", "score": None, "product": {"colour": "red"}})
    assert hit.product.model_extra == {"colour": "red"}
    assert hit.product.title is None


def test_an_older_service_tells_less():
    answer = SearchResponse.model_validate({"query": "usb", "mode": "hybrid", "took_ms": 1, "hits": []})
    assert (answer.version, answer.matching, answer.facets) == (None, None, {})
