import pytest

from aisle.adapters.documents import documents_table
from aisle.core.errors import UsageError


def test_texts_and_fields_become_one_table():
    table = documents_table(
        ["red lamp", {"title": "Chair", "text": "soft", "brand": "Acme", "price": 3}, {"text": "x"}]
    )
    assert table.to_pylist() == [
        {"title": "red lamp", "description": None, "brand": None, "price": None},
        {"title": "Chair", "description": "soft", "brand": "Acme", "price": 3.0},
        {"title": "x", "description": None, "brand": None, "price": None},
    ]


def test_lists_and_maps_keep_their_types():
    table = documents_table([{"title": "a", "category": ["Home", "Lamps"], "attributes": {"colour": "red"}}])
    assert table.to_pylist()[0]["category"] == ["Home", "Lamps"]
    assert dict(table.to_pylist()[0]["attributes"]) == {"colour": "red"}


def test_no_documents_are_an_empty_table():
    assert documents_table([]).num_rows == 0


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"name": "a", "title": "b"}, r"columns=\['name'\]"),
        ({"brand": "a"}, "must have a title or a text"),
        ({"title": "a", "price": "cheap"}, "Values of price must be double"),
        (7, "must be a text or a mapping"),
    ],
)
def test_what_is_no_document_is_refused(document, message):
    with pytest.raises(UsageError, match=message):
        documents_table([document])
