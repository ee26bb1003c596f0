import aisle.api
from aisle.api import limits
from aisle.core.ranking import MAX_K


def test_bounds_nest():
    assert limits.MAX_BODY_BYTES < limits.MAX_LINE_BYTES < limits.MAX_BULK_BYTES
    assert 1 <= limits.DEFAULT_K <= MAX_K


def test_the_largest_search_fits_into_its_body():
    filters = {"brands": ["x" * limits.MAX_ID_CHARS] * limits.MAX_FILTER_VALUES}
    request = aisle.api.SearchRequest(query="x" * limits.MAX_QUERY_CHARS, filters=filters)
    assert len(request.model_dump_json()) < limits.MAX_BODY_BYTES


def test_the_largest_description_fits_into_a_line():
    product = aisle.api.ProductDocument(title="x", description="ж" * limits.MAX_TEXT_CHARS)
    assert len(product.model_dump_json().encode()) < limits.MAX_LINE_BYTES
