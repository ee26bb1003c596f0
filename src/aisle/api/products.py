"""A product as it is put."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import MaxLen
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from aisle.api.fields import VISIBLE, Id, Name, Price, ShortText, Time, printable
from aisle.api.limits import (
    MAX_ATTRIBUTES,
    MAX_CATEGORY_LEVELS,
    MAX_EXTRAS,
    MAX_ID_CHARS,
    MAX_TEXT_CHARS,
    MAX_TITLE_CHARS,
)

__all__ = ["ProductDocument"]

_LARGEST_INTEGER = 2**63 - 1
_LARGEST_NUMBER = 1.7976931348623157e308


class ProductDocument(BaseModel):
    """A product, whole: what is not said is not known afterwards. Fields beyond these are kept."""

    model_config = ConfigDict(
        extra="allow",
        strict=True,
        json_schema_extra={
            "additionalProperties": {
                "anyOf": [
                    {"type": "string", "maxLength": MAX_TITLE_CHARS},
                    {"type": ["number", "boolean", "null"]},
                    {
                        "type": "array",
                        "maxItems": MAX_ATTRIBUTES,
                        "items": {"type": "string", "maxLength": MAX_TITLE_CHARS},
                    },
                ]
            },
            "examples": [
                {
                    "title": "Silent wireless mouse, 1600 dpi",
                    "description": "Three buttons, USB-C receiver, 18 months on one battery.",
                    "category": ["Computers", "Mice"],
                    "brand": "Northwind",
                    "price": 24.9,
                    "currency": "EUR",
                    "attributes": {"colour": "black"},
                    "in_stock": True,
                    "updated_at": "2026-05-17T09:30:00Z",
                }
            ],
        },
    )

    product_id: Id | None = Field(default=None, description="The shop's own id; in a path it may be left out here.")
    title: ShortText = Field(
        description="What the product is called.", json_schema_extra={"minLength": 1, "pattern": VISIBLE}
    )
    description: Annotated[str, MaxLen(MAX_TEXT_CHARS)] | None = None
    category: Annotated[list[Name], MaxLen(MAX_CATEGORY_LEVELS)] | None = Field(
        default=None, description="Path from root to leaf."
    )
    brand: Name | None = None
    shop_id: Name | None = None
    price: Price | None = Field(default=None, description="In units of `currency`.")
    currency: Name | None = Field(default=None, description="ISO 4217 code.")
    attributes: Annotated[dict[Name, ShortText], MaxLen(MAX_ATTRIBUTES)] | None = None
    location: Name | None = Field(default=None, description="Country or region code.")
    locale: Name | None = None
    in_stock: bool | None = None
    group_id: Name | None = Field(default=None, description="Variants of one product share it.")
    created_at: Time | None = None
    removed_at: Time | None = Field(default=None, description="From then on the product is not on sale.")
    updated_at: Time | None = Field(
        default=None, description="When this was true: the newest one of a product wins. Left out, it is now."
    )

    @model_validator(mode="after")
    def _fits(self) -> ProductDocument:
        printable(self.title.replace("\n", " ").replace("\t", " "))
        extras = self.model_extra or {}
        if len(extras) > MAX_EXTRAS:
            raise PydanticCustomError("too_many_fields", "A product must hold at most 100 fields of its own")
        wrong = next((name for name, value in extras.items() if not _is_plain(name, value)), None)
        if wrong is not None:
            raise PydanticCustomError(
                "extra_value",
                "A field of the shop's own must be text, a number, true, false, null or a list of texts: {name}",
                {"name": repr(wrong[:MAX_ID_CHARS])},
            )
        return self


def _is_plain(name: str, value: Any) -> bool:
    if len(name) > MAX_ID_CHARS or not name.strip():
        return False
    if name.startswith("quality_"):
        return value is None or _is_number(value)
    if isinstance(value, list):
        return len(value) <= MAX_ATTRIBUTES and all(isinstance(one, str) and _is_short(one) for one in value)
    return (
        value is None or isinstance(value, bool) or _is_number(value) or (isinstance(value, str) and _is_short(value))
    )


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return abs(value) <= _LARGEST_INTEGER
    return isinstance(value, float) and abs(value) <= _LARGEST_NUMBER  # false for NaN and the infinities


def _is_short(text: str) -> bool:
    return len(text) <= MAX_TITLE_CHARS
