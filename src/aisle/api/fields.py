"""Types of single fields: ids, names, numbers and times, as strict as JSON allows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from aisle.api.limits import MAX_ID_CHARS, MAX_TITLE_CHARS

__all__ = ["VISIBLE", "Id", "Name", "Number", "Price", "ShortText", "Time", "Whole", "printable", "to_utc_text"]

VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f]"
"""Matches a character that is neither space nor control."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BLANK_OR_CONTROL = rf"^[^\x00-\x1f\x7f-\x9f]*{VISIBLE}[^\x00-\x1f\x7f-\x9f]*$"


def _whole(value: object) -> object:
    # JSON has one kind of number: 24.0 is an integer there, and some clients write it so.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def printable(text: str) -> str:
    """Refuse text that is blank or holds control characters.

    Raises:
        PydanticCustomError: If it is such a one.
    """
    # As a validator and not as pydantic's `pattern`, whose message shows the expression and not what to do.
    if not re.search(VISIBLE, text):
        raise PydanticCustomError("blank", "The text must hold more than spaces")
    if _CONTROL.search(text):
        raise PydanticCustomError("control", "The text must hold no control characters")
    return text


def _is_text(value: object) -> object:
    # A number would be taken for seconds or milliseconds by its size alone.
    if not isinstance(value, str):
        raise PydanticCustomError("time_type", "A time must be text in ISO 8601, such as 2026-05-17T09:30:00Z")
    return value


def _to_utc(time: datetime) -> datetime:
    try:
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("time_range", "A time must lie in the years 1 to 9999, as seen from UTC") from None


def to_utc_text(time: datetime) -> str:
    """Write a time of UTC as ISO 8601 text to the microsecond, as the tables read it.

    >>> to_utc_text(datetime(2026, 5, 17, 9, 30, tzinfo=UTC))
    '2026-05-17T09:30:00.000000Z'
    """
    return f"{time.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _published(pattern: str, shortest: int) -> dict[str, Any]:
    return {"minLength": shortest, "pattern": pattern}


Id = Annotated[
    str,
    Field(max_length=MAX_ID_CHARS, json_schema_extra=_published(_BLANK_OR_CONTROL, 1)),
    AfterValidator(printable),
]
"""An id of the shop's own: neither blank nor with control characters; any other character may stand in it."""

Name = Annotated[str, Field(max_length=MAX_ID_CHARS)]
"""A short text that may be anything."""

ShortText = Annotated[str, Field(max_length=MAX_TITLE_CHARS)]
"""A title or the value of an attribute."""

Whole = Annotated[int, BeforeValidator(_whole)]
"""An integer; 24.0 is one."""

Number = Annotated[float, Field(allow_inf_nan=False)]
"""A finite number."""

Price = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]
"""A price in the units of the product's currency."""

Time = Annotated[
    datetime,
    BeforeValidator(_is_text),
    AfterValidator(_to_utc),
    PlainSerializer(to_utc_text, return_type=str),
    Field(strict=False),
]
"""A time: ISO 8601 text; without a zone it is UTC."""
