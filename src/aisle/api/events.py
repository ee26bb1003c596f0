"""An event as sites send it: User Behavior Insights (UBI), schema 1.x."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from aisle.api.fields import Id, Name, Time, to_utc_text
from aisle.api.limits import MAX_QUERY_CHARS

__all__ = ["EventDocument"]

_OBJECT_ID = ("event_attributes", "object", "object_id")
_SESSION_ID = ("event_attributes", "session_id")

Epoch = Annotated[float, Field(ge=1e8, le=7.26e18, allow_inf_nan=False)]
"""Seconds, milliseconds, microseconds or nanoseconds since 1970; told apart by their size, as everywhere in Aisle."""


class EventDocument(BaseModel):
    """What a shopper did: UBI's fields. Others may stand beside them and are not kept."""

    model_config = ConfigDict(
        extra="ignore",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "action_name": "add_to_cart",
                    "client_id": "c-81",
                    "query_id": "6d1e",
                    "user_query": "wireless mouse",
                    "timestamp": "2026-05-17T09:30:00Z",
                    "event_attributes": {"object": {"object_id": "B-1042", "object_id_field": "product_id"}},
                }
            ]
        },
    )

    action_name: Id = Field(description="Such as `click`, `add_to_cart`, `purchase`.")
    event_id: Id | None = Field(default=None, description="The shop's own id of the event.")
    user_id: Name | None = Field(default=None, description="Who acted, signed in.")
    client_id: Name | None = Field(default=None, description="Device or browser.")
    session_id: Name | None = Field(default=None, description="Visit; also as `event_attributes.session_id`.")
    query_id: Name | None = Field(default=None, description="The search that it belongs to.")
    user_query: Annotated[str, Field(max_length=MAX_QUERY_CHARS)] | None = Field(
        default=None, description="Text of that search."
    )
    timestamp: Time | Epoch | None = Field(default=None, description="When it happened. Left out, it is now.")
    object_id: Name | None = Field(
        default=None, description="The product; also as `event_attributes.object.object_id`."
    )
    event_attributes: dict[str, Any] | None = Field(
        default=None, description="`object.object_id` names the product, `session_id` the visit."
    )

    @model_validator(mode="before")
    @classmethod
    def _unfold(cls, document: Any) -> Any:
        """Bring what UBI keeps deeper, nested or with dots in its name, to the top."""
        if not isinstance(document, Mapping):
            return document
        found = {"object_id": _at(document, _OBJECT_ID), "session_id": _at(document, _SESSION_ID)}
        return {**{name: value for name, value in found.items() if value is not None}, **document}

    @model_validator(mode="after")
    def _names_somebody(self) -> EventDocument:
        ids = (self.user_id, self.client_id, self.session_id)
        if not any(name and name.strip() for name in ids):
            raise PydanticCustomError("nobody", "An event must name a user_id, client_id or session_id")
        return self

    def row(self) -> dict[str, Any]:
        """Return the event as a row of plain values; `at` is ISO 8601 text or the digits of an epoch number."""
        return {
            "event_id": self.event_id,
            "user_id": self.user_id,
            "client_id": self.client_id,
            "session_id": self.session_id,
            "at": self._at(),
            "action": self.action_name,
            "product_id": self.object_id,
            "query": self.user_query,
            "search_id": self.query_id,
        }

    def _at(self) -> str | None:
        if self.timestamp is None:
            return None
        if not isinstance(self.timestamp, float):
            return to_utc_text(self.timestamp)
        return str(int(self.timestamp)) if self.timestamp.is_integer() else repr(self.timestamp)


def _at(document: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    if ".".join(path) in document:
        return document[".".join(path)]
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
