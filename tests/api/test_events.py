import pytest
from pydantic import ValidationError

from aisle.api import EventDocument

PLAIN = {"action_name": "click", "client_id": "c1"}


def row_of(**fields):
    return EventDocument.model_validate(PLAIN | fields).row()


def test_ubi_fields_become_the_journals():
    event = {
        "action_name": "add_to_cart",
        "event_id": "e1",
        "user_id": "u1",
        "client_id": "c1",
        "session_id": "s1",
        "query_id": "q1",
        "user_query": "usb",
        "timestamp": "2026-05-17T11:30:00+02:00",
        "event_attributes": {"object": {"object_id": "B-1", "object_id_field": "sku"}, "position": {"ordinal": 2}},
        "message": "is not kept",
    }
    assert EventDocument.model_validate(event).row() == {
        "event_id": "e1",
        "user_id": "u1",
        "client_id": "c1",
        "session_id": "s1",
        "at": "2026-05-17T09:30:00.000000Z",
        "action": "add_to_cart",
        "product_id": "B-1",
        "query": "usb",
        "search_id": "q1",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"object_id": "B-1"},
        {"event_attributes": {"object": {"object_id": "B-1"}}},
        {"event_attributes.object.object_id": "B-1"},
    ],
)
def test_the_product_is_read_where_the_loader_reads_it(fields):
    assert row_of(**fields)["product_id"] == "B-1"


@pytest.mark.parametrize(
    "fields", [{"session_id": "s1"}, {"event_attributes": {"session_id": "s1"}}, {"event_attributes.session_id": "s1"}]
)
def test_so_is_the_session(fields):
    assert row_of(**fields)["session_id"] == "s1"


@pytest.mark.parametrize(("number", "digits"), [(1_700_000_000, "1700000000"), (1.7e12, "1700000000000")])
def test_an_epoch_number_stays_one(number, digits):
    assert row_of(timestamp=number)["at"] == digits


def test_a_fraction_of_a_second_is_kept():
    assert row_of(timestamp=1_700_000_000.25)["at"] == "1700000000.25"


def test_without_a_time_there_is_none():
    assert row_of()["at"] is None


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"client_id": "c1"}, "missing"),
        ({"action_name": "click"}, "nobody"),
        ({"action_name": "click", "user_id": " "}, "nobody"),
        ({"action_name": "", "user_id": "u"}, "blank"),
        (PLAIN | {"event_attributes": {"object": {"object_id": 7}}}, "string_type"),
        (PLAIN | {"event_attributes": []}, "dict_type"),
        ([], "model_type"),
    ],
)
def test_what_does_not_fit_is_refused(event, kind):
    with pytest.raises(ValidationError) as caught:
        EventDocument.model_validate(event)
    assert [error["type"] for error in caught.value.errors()] == [kind]


@pytest.mark.parametrize("time", [17, "soon", True, float("nan"), 1e300])
def test_what_is_no_time_is_refused(time):
    with pytest.raises(ValidationError, match="timestamp"):
        EventDocument.model_validate(PLAIN | {"timestamp": time})


def test_objects_that_are_none_are_no_failure():
    assert row_of(event_attributes={"object": "B-1"})["product_id"] is None


def test_the_published_example_fits():
    (example,) = EventDocument.model_json_schema()["examples"]
    assert EventDocument.model_validate(example).row()["product_id"] == "B-1042"
