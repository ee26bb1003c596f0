import pytest
from pydantic import ValidationError

from aisle.api import ProductDocument
from aisle.api.limits import MAX_EXTRAS
from aisle.tables import SCHEMAS


def kinds(**fields):
    with pytest.raises(ValidationError) as caught:
        ProductDocument.model_validate({"title": "Mouse"} | fields)
    return [error["type"] for error in caught.value.errors()]


def test_it_has_the_columns_of_the_data_contract():
    assert tuple(ProductDocument.model_fields) == SCHEMAS["products"].names


def test_what_is_not_said_is_not_made_up():
    product = ProductDocument.model_validate({"title": "Mouse", "price": 5, "updated_at": "2026-05-17"})
    assert product.model_dump(mode="json", exclude_unset=True) == {
        "title": "Mouse",
        "price": 5.0,
        "updated_at": "2026-05-17T00:00:00.000000Z",
    }


def test_fields_of_the_shops_own_are_kept():
    own = {"image": "/a.png", "weight": 1.5, "is_new": True, "tags": ["a", "b"], "quality_stars": 4, "note": None}
    assert ProductDocument.model_validate({"title": "Mouse"} | own).model_extra == own


@pytest.mark.parametrize("value", [{"a": 1}, [1], [["a"]], float("nan"), float("inf"), 10**30, "x" * 2001, ["x"] * 101])
def test_a_field_of_its_own_must_be_plain(value):
    assert kinds(mine=value) == ["extra_value"]


def test_quality_is_a_number():
    assert kinds(quality_stars="4") == ["extra_value"]
    assert kinds(quality_stars=True) == ["extra_value"]


def test_fields_have_an_end():
    assert kinds(**{f"x{number}": 1 for number in range(MAX_EXTRAS + 1)}) == ["too_many_fields"]
    assert kinds(**{"x" * 257: 1}) == ["extra_value"]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"title": " "}, "blank"),
        ({"title": "a\x00b"}, "control"),
        ({"title": 7}, "string_type"),
        ({"price": "5"}, "float_type"),
        ({"price": -1}, "greater_than_equal"),
        ({"in_stock": 1}, "bool_type"),
        ({"category": "Mice"}, "list_type"),
        ({"attributes": {"colour": 7}}, "string_type"),
        ({"attributes": [["colour", "red"]]}, "dict_type"),
        ({"updated_at": 1_700_000_000}, "time_type"),
        ({"product_id": ""}, "blank"),
    ],
)
def test_what_does_not_fit_is_refused(fields, kind):
    assert kinds(**fields) == [kind]


def test_a_title_may_have_lines():
    assert ProductDocument.model_validate({"title": "a\n\tb"}).title == "a\n\tb"


def test_the_published_example_fits():
    for example in ProductDocument.model_json_schema()["examples"]:
        assert ProductDocument.model_validate(example).title == example["title"]
