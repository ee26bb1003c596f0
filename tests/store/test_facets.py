import pytest

from aisle.core.errors import UsageError
from aisle.store.facets import facet_counts
from aisle.store.payload import PayloadSchema, pair_key, path_keys


def counted(field, values, *, most=5):
    return facet_counts((field,), PayloadSchema(), lambda key: values, most=most)[field]


def test_counts_are_sorted_and_empty_values_left_out():
    assert counted("brand", [("b", 2), ("a", 2), ("c", 0), ("d", 9)]) == [("d", 9), ("a", 2), ("b", 2)]
    assert counted("brand", []) == []


def test_a_tie_at_the_last_place_is_settled_by_what_is_shown():
    deep, other = path_keys(("A", "B"))[-1], path_keys(("A A",))[-1]
    assert counted("category", [(other, 1), (deep, 1), (path_keys(("Z",))[0], 4)], most=2) == [("Z", 4), ("A > B", 1)]


def test_a_shared_key_gives_the_values_of_the_attribute_alone():
    values = [(pair_key("other", "x"), 5), (pair_key("size", "9"), 2), (pair_key("size", "8"), 3)]
    assert counted("attributes.size", values, most=1) == [("8", 3)]


def test_the_engine_is_asked_under_the_key_of_the_field():
    asked = []
    facet_counts(("brand", "attributes.c"), PayloadSchema(("c",)), lambda key: asked.append(key) or [], most=1)
    assert asked == ["product.brand", "find.a0"]
    with pytest.raises(UsageError, match="values can be counted"):
        counted("title", [])
