"""What a journal is given and what it gives back."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from aisle.core.errors import UsageError

__all__ = [
    "Compacted",
    "JournalEvent",
    "JournalledChange",
    "JournalledEvent",
    "ProductChange",
    "as_json",
    "checksum",
    "from_micros",
    "to_micros",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True)
class ProductChange:
    """A product as it is from now on, or that it is gone.

    Attributes:
        product_id: Of the product.
        product: Its fields, by column of the products table; None: it is deleted.
        updated_at: Time at which this was true; None: now, and newer than all that is known of the product.
    """

    product_id: str
    product: Mapping[str, Any] | None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class JournalledChange:
    """A product change as the journal holds it.

    Attributes:
        offset: Its place in the journal; later ones are larger.
        product_id: Of the product.
        product: Its fields as JSON gives them back: times are ISO 8601 text. None: it is deleted.
        updated_at: Time at which this was true; that of journalling where the change named none.
    """

    offset: int
    product_id: str
    product: dict[str, Any] | None
    updated_at: datetime


@dataclass(frozen=True)
class JournalEvent:
    """Something that a shopper did.

    Attributes:
        at: When.
        action: What, in the words of `tables.ACTION_STAGES` or any other.
        event_id: The sender's id: the same event sent twice is kept once.
        user_id: Of somebody signed in.
        client_id: Of a device or browser.
        session_id: Of one visit.
        product_id: What it was done to.
        query: Of the search that it belongs to, as typed.
        search_id: Of the search that it belongs to.
    """

    at: datetime
    action: str
    event_id: str | None = None
    user_id: str | None = None
    client_id: str | None = None
    session_id: str | None = None
    product_id: str | None = None
    query: str | None = None
    search_id: str | None = None


@dataclass(frozen=True)
class JournalledEvent:
    """An event and its place in the journal."""

    offset: int
    event: JournalEvent


@dataclass(frozen=True)
class Compacted:
    """What a compaction took out.

    Attributes:
        product_changes: Changes that a newer one of the same product, or the catalogue, had made worthless.
        events: Events older than the retention.
        bytes_freed: By which the journal's files shrank.
    """

    product_changes: int
    events: int
    bytes_freed: int


def to_micros(at: datetime) -> int:
    """Return microseconds since 1970.

    Raises:
        UsageError: If the time has no zone.

    >>> to_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    if at.tzinfo is None:
        raise UsageError("A time must have a zone", received={"at": at.isoformat()}, remedy="Give UTC.")
    return (at - _EPOCH) // _MICRO


def from_micros(micros: int) -> datetime:
    """Return the UTC time of microseconds since 1970."""
    return _EPOCH + micros * _MICRO


def as_json(product_id: str, product: Mapping[str, Any]) -> bytes:
    """Write a product's fields as JSON; times become ISO 8601 text, NaN null, attributes an object.

    Raises:
        UsageError: If a value is none that JSON can hold.
    """
    fields = dict(product)
    if isinstance(fields.get("attributes"), list):  # as Arrow gives a map back: pairs
        fields["attributes"] = dict(fields["attributes"])
    try:
        return orjson.dumps(fields, option=orjson.OPT_NAIVE_UTC | orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        raise UsageError(
            "A product's fields must be numbers, texts, times, lists and maps",
            received={"product_id": product_id, "problem": str(error)},
            remedy="Leave the field out, or write it as text.",
        ) from error


def checksum(*fields: int | str | bytes | None) -> int:
    """Return a CRC-32 over fields that tells them apart: a row that changed on disk is found when it is read.

    SQLite checks the pages of its log, not those of its database file.
    """
    total = 0
    for field in fields:
        data = field if isinstance(field, bytes) else b"" if field is None else str(field).encode()
        total = zlib.crc32(f"{type(field).__name__}{len(data)}:".encode(), total)
        total = zlib.crc32(data, total)
    return total
