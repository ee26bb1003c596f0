"""What a search asks for."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from annotated_types import MaxLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from aisle.api.fields import VISIBLE, Id, Name, Number, Price, ShortText, Whole
from aisle.api.limits import (
    DEFAULT_K,
    MAX_CATEGORY_LEVELS,
    MAX_FACETS,
    MAX_FILTER_VALUES,
    MAX_ID_CHARS,
    MAX_QUERY_CHARS,
)
from aisle.core.ranking import MAX_K

__all__ = ["FACET_PATTERN", "SearchFilters", "SearchRequest", "SortOrder"]

SortOrder = Literal["relevance", "price_asc", "price_desc", "newest"]

FACET_PATTERN = r"^(category|brand|shop_id|location|in_stock|attributes\..+)$"
"""Fields whose values can be counted."""

_Names = Annotated[list[Name], MaxLen(MAX_FILTER_VALUES)]
_Ids = Annotated[list[Id], MaxLen(MAX_FILTER_VALUES)]
_Facet = Annotated[str, Field(pattern=FACET_PATTERN, max_length=MAX_ID_CHARS)]


def _not_blank(query: str) -> str:
    if not re.search(VISIBLE, query):
        raise PydanticCustomError("blank", "A query must hold more than spaces")
    return query


class SearchFilters(BaseModel):
    """Conditions that every result meets. A product whose field is not known does not meet a condition on it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    category: Annotated[list[Name], MaxLen(MAX_CATEGORY_LEVELS)] = Field(
        default=[], description="Path from the root: products in it or anywhere below it."
    )
    brands: _Names = Field(default=[], description="Any of these.")
    shop_ids: _Names = Field(default=[], description="Any of these.")
    price_min: Price | None = Field(default=None, description="Lowest price, inclusive.")
    price_max: Price | None = Field(default=None, description="Highest price, inclusive; not below the lowest.")
    locations: _Names = Field(default=[], description="Any of these countries or regions.")
    in_stock: bool | None = Field(default=None, description="Whether products must be in stock, or must not.")
    attributes: Annotated[dict[Name, Annotated[list[ShortText], MaxLen(MAX_FILTER_VALUES)]], MaxLen(MAX_FACETS)] = (
        Field(default={}, description="By name of the attribute, any of these values.")
    )
    blocked: _Ids = Field(default=[], description="Ids of products that must not be shown.")

    @model_validator(mode="after")
    def _ordered(self) -> SearchFilters:
        low, high = self.price_min, self.price_max
        if low is not None and high is not None and low > high:
            raise PydanticCustomError("price_order", "price_min must not be above price_max")
        return self


class SearchRequest(BaseModel):
    """A search. A field that this version does not honour is refused, never silently dropped."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"query": "wireless mouse"},
                {"query": "usb hub for macbook", "k": 10, "mode": "hybrid"},
                {"query": "desk lamp", "user_id": "u17", "location": "de", "explain": True},
                {
                    "query": "running shoes",
                    "filters": {
                        "category": ["Sports", "Shoes"],
                        "brands": ["Norvik"],
                        "price_max": 120,
                        "in_stock": True,
                        "attributes": {"colour": ["red", "blue"]},
                        "blocked": ["B-1042"],
                    },
                    "facets": ["brand", "attributes.colour"],
                    "sort": "price_asc",
                    "collapse": True,
                },
            ]
        },
    )

    query: Annotated[str, AfterValidator(_not_blank)] = Field(
        max_length=MAX_QUERY_CHARS,
        description="What the shopper typed. Case, width and spacing do not matter.",
        json_schema_extra={"minLength": 1, "pattern": VISIBLE},
    )
    k: Whole = Field(default=DEFAULT_K, ge=1, le=MAX_K, description="Most results to return.")
    mode: str | None = Field(
        default=None,
        description="How to search. `null` takes the default that `/readyz` names.",
    )
    user_id: Name | None = Field(default=None, description="Who searches, signed in. What is known of the past counts.")
    client_id: Name | None = Field(
        default=None, description="Device or browser; names the shopper where there is no user_id."
    )
    session_id: Name | None = Field(
        default=None, description="Visit; names the shopper where there is no client_id either."
    )
    location: Name | None = Field(default=None, description="Country or region that the search comes from.")
    personalise: bool = Field(default=True, description="Whether the shopper's past counts.")
    filters: SearchFilters = Field(default=SearchFilters(), description="What results must be like.")
    sort: SortOrder = Field(
        default="relevance",
        description="Order of the results; other than by relevance, that of the k most relevant products.",
    )
    min_score: Number | None = Field(default=None, description="Results of a lower score are left out.")
    facets: Annotated[list[_Facet], MaxLen(MAX_FACETS)] = Field(
        default=[],
        description="Fields whose values are counted among the products that pass the filters: `category`, `brand`, "
        "`shop_id`, `location`, `in_stock`, or `attributes.NAME`.",
    )
    collapse: bool = Field(
        default=False, description="Show one product only, the best, of those that share a `group_id`."
    )
    pinned: _Ids = Field(
        default=[], description="Products that stand first, in this order, where they are on sale and pass the filters."
    )
    explain: bool = Field(default=False, description="Tell what each score is made of.")
