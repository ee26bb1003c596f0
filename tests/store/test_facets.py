from aisle.store.facets import facet_counts
from aisle.store.payload import PayloadSchema, pair_key


def engine_of(values, asked):
    def hits(key, limit):
        asked.append(limit)
        return sorted(values, key=lambda one: -one[1])[:limit]

    return hits


def test_counts_are_sorted_and_empty_values_left_out():
    asked = []
    found = facet_counts(("brand",), PayloadSchema(), engine_of([("b", 2), ("a", 2), ("c", 0)], asked), most=5)
    assert found == {"brand": [("a", 2), ("b", 2)]}
    assert len(asked) == 1


def test_a_tie_at_the_last_place_asks_for_all_values():
    values = [("z", 9), *((f"v{number:02}", 1) for number in reversed(range(50)))]
    asked = []
    assert facet_counts(("brand",), PayloadSchema(), engine_of(values, asked), most=3) == {
        "brand": [("z", 9), ("v00", 1), ("v01", 1)]
    }
    assert len(asked) == 2


def test_a_shared_key_gives_the_values_of_the_attribute_alone():
    values = [(pair_key("other", "x"), 5), (pair_key("size", "9"), 2), (pair_key("size", "8"), 3)]
    found = facet_counts(("attributes.size",), PayloadSchema(), engine_of(values, []), most=1)
    assert found == {"attributes.size": [("8", 3)]}
