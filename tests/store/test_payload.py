import datetime
import decimal

import orjson
import pyarrow as pa
import pytest

from aisle.core.errors import UsageError
from aisle.store.payload import FIELDS, PayloadSchema, pair_key, path_keys


def test_paths_keep_names_apart_whatever_they_hold():
    assert path_keys(("A > B",)) != path_keys(("A", "B"))
    assert path_keys(("A", "B"))[0] == path_keys(("A",))[0]
    assert path_keys((None, 'q"')) == ('[""]', '["","q\\""]')
    assert pair_key("a", "b c") != pair_key("a b", "c")


def test_the_most_frequent_attributes_get_keys_of_their_own(shelf):
    assert PayloadSchema.of_catalogue(shelf, most=2).attribute_names == ("colour", "size.cm")
    assert PayloadSchema.of_catalogue(shelf, most=0).attribute_names == ()
    assert PayloadSchema.of_catalogue(shelf.drop_columns(["attributes"]), most=3).attribute_names == ()


def test_a_payload_holds_the_fields_and_what_finds_them(shelf):
    schema = PayloadSchema(("colour",))
    chair = schema.payloads(shelf)[0]
    assert chair[FIELDS]["attributes"] == {"colour": "red", "size.cm": "90"}
    find = chair["find"]
    assert find["category"] == ['["Home"]', '["Home","Seats"]']
    assert (find["a0"], find["other"], find["in_stock"]) == (["red"], ['["size.cm","90"]'], "true")
    assert schema.payloads(shelf)[4] == {
        FIELDS: {"product_id": "lamp2", "title": "", "created_at": "2020-01-01T00:00:00.000000Z"},
        "find": {},
    }


def test_any_column_becomes_json():
    day = datetime.date(2024, 2, 29)
    table = pa.table(
        {
            "product_id": ["p"],
            "day": [day],
            "weights": [[1.0, float("nan")]],
            "price": pa.array([decimal.Decimal("1.20")]),
            "label": pa.array(["x"]).dictionary_encode(),
            "raw": [b"\xff"],
            "whole": [2**62],
            "attributes": pa.array([[("a", "1"), ("a", "2")]], pa.map_(pa.string(), pa.string())),
        }
    )
    fields = PayloadSchema().payloads(table)[0][FIELDS]
    assert orjson.loads(orjson.dumps(fields)) == fields
    assert fields["day"] == "2024-02-29"
    assert fields["weights"] == [1.0, None]
    assert (fields["price"], fields["label"], fields["whole"]) == ("1.20", "x", 2**62)
    assert fields["attributes"] == {"a": "2"}


def test_facets_are_found_under_their_keys_and_shown_by_their_names():
    schema = PayloadSchema(("colour",))
    assert schema.facet_key("brand") in schema.keyword_keys
    assert schema.facet_key("attributes.colour") != schema.facet_key("attributes.size")
    assert schema.is_shared(schema.facet_key("attributes.size"))
    assert schema.facet_label("category", '["Home","Bar"]') == "Home > Bar"
    assert schema.facet_label("attributes.size", pair_key("size", "9")) == "9"
    assert schema.facet_label("attributes.size", pair_key("other", "9")) is None
    assert schema.facet_label("attributes.colour", "red") == "red"
    with pytest.raises(UsageError, match=r"attributes\.NAME"):
        schema.facet_key("title")
