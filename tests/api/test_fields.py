from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from aisle.api.fields import Id, Number, Price, Time, Whole
from aisle.api.limits import MAX_ID_CHARS


def kinds(type_, value):
    class Model(BaseModel):
        model_config = ConfigDict(strict=True)
        field: type_

    with pytest.raises(ValidationError) as caught:
        Model(field=value)
    return [error["type"] for error in caught.value.errors()]


@pytest.mark.parametrize("value", ["a", "../../etc/passwd", "a/b c", "红", "x" * MAX_ID_CHARS, " a "])
def test_any_printable_text_is_an_id(value):
    assert TypeAdapter(Id).validate_python(value) == value


@pytest.mark.parametrize(
    ("value", "kind"),
    [("", "blank"), (" \u3000", "blank"), ("a\n", "control"), ("\x9fa", "control"), ("x" * 257, "string_too_long")],
)
def test_what_no_shop_would_call_a_product_is_no_id(value, kind):
    assert kinds(Id, value) == [kind]


def test_numbers_are_finite_and_of_their_kind():
    assert TypeAdapter(Whole).validate_python(24.0, strict=True) == 24
    assert TypeAdapter(Price).validate_python(0, strict=True) == 0
    assert kinds(Number, float("nan")) == ["finite_number"]
    assert kinds(Price, -0.01) == ["greater_than_equal"]
    assert kinds(Whole, 2.5) == ["int_type"]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-05-17T09:30:00Z", datetime(2026, 5, 17, 9, 30, tzinfo=UTC)),
        ("2026-05-17T11:30:00.25+02:00", datetime(2026, 5, 17, 9, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-05-17 09:30", datetime(2026, 5, 17, 9, 30, tzinfo=UTC)),
        ("2026-05-17", datetime(2026, 5, 17, tzinfo=UTC)),
    ],
)
def test_times_become_utc_and_are_written_as_the_tables_read_them(text, utc):
    adapter = TypeAdapter(Time)
    assert adapter.validate_python(text) == utc
    assert adapter.dump_python(adapter.validate_python(text)) == utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1_700_000_000, "time_type"),
        ("yesterday", "datetime_from_date_parsing"),
        ("2026-02-30T00:00:00Z", "datetime_from_date_parsing"),
        ("0001-01-01T00:00:00+14:00", "time_range"),
        (None, "time_type"),
    ],
)
def test_what_is_no_time_is_refused(value, kind):
    assert kinds(Time, value) == [kind]
