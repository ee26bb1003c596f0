"""What the HTTP interface takes and gives: the models that OpenAPI shows and that requests are checked against."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from aisle.core.ranking import MAX_K
from aisle.core.shopper import Shopper

__all__ = [
    "DEFAULT_K",
    "MAX_ID_CHARS",
    "MAX_QUERY_CHARS",
    "ExplanationView",
    "HitView",
    "ProductView",
    "Readiness",
    "SearchRequest",
    "SearchResponse",
    "SideView",
]

DEFAULT_K = 24
"""Results of a search that names no k: a page of a shop."""

MAX_QUERY_CHARS = 512
"""Longest query text in characters. Longer texts are no queries, and encoding time grows with length."""

MAX_ID_CHARS = 256
"""Longest id or place in characters."""

_VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f]"
"""Matches a character that is neither space nor control."""


def _whole(value: object) -> object:
    # JSON has one kind of number: 24.0 is an integer there, and some clients write it so.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _not_blank(query: str) -> str:
    # As a validator and not as pydantic's `pattern`, whose message shows the expression and not what to do.
    if not re.search(_VISIBLE, query):
        raise PydanticCustomError("blank", "A query must hold more than spaces")
    return query


_Id = Annotated[str | None, Field(max_length=MAX_ID_CHARS)]


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
            ]
        },
    )

    query: Annotated[str, AfterValidator(_not_blank)] = Field(
        max_length=MAX_QUERY_CHARS,
        description="What the shopper typed. Case, width and spacing do not matter.",
        json_schema_extra={"minLength": 1, "pattern": _VISIBLE},
    )
    k: Annotated[int, BeforeValidator(_whole)] = Field(
        default=DEFAULT_K, ge=1, le=MAX_K, description="Most results to return."
    )
    mode: str | None = Field(
        default=None,
        description="How to search. `null` takes the default that `/readyz` names.",
    )
    user_id: _Id = Field(default=None, description="Who searches, signed in. What the log knows of the past counts.")
    client_id: _Id = Field(default=None, description="Device or browser; names the shopper where there is no user_id.")
    session_id: _Id = Field(default=None, description="Visit; names the shopper where there is no client_id either.")
    location: _Id = Field(default=None, description="Country or region that the search comes from.")
    explain: bool = Field(default=False, description="Tell what each score is made of.")

    @property
    def shopper(self) -> Shopper:
        """Who searches, and from where."""
        return Shopper(self.user_id, self.client_id, self.session_id, self.location)


class ProductView(BaseModel):
    """What a result page shows of a product. Fields that the catalogue does not know are null or absent."""

    model_config = ConfigDict(extra="allow")

    title: str | None = None
    brand: str | None = None
    description: str | None = None
    category: list[str] | None = Field(default=None, description="Path from root to leaf.")
    price: float | None = Field(default=None, description="In units of `currency`.")
    currency: str | None = Field(default=None, description="ISO 4217 code.")
    image: str | None = Field(default=None, description="Address of a picture.")


class SideView(BaseModel):
    """How one list of a hybrid entered a score."""

    weight: float = Field(description="The list's share in this query.")
    rank: int | None = Field(description="Place in this list, from 1; null where the product is not in it.")
    score: float | None = Field(description="Score in this list; null where the product is not in it.")
    normalised: float = Field(description="What the list gives before its weight; 0 where the product is not in it.")
    adds: float = Field(description="Weight times normalised. Both sides add up to the score.")


class ExplanationView(BaseModel):
    """What a score is made of."""

    semantic_score: float | None = Field(description="Inner product of query and product; in mode semantic the score.")
    parts: dict[str, float] = Field(description="Signed contributions that add up to the semantic score.")
    sides: dict[str, SideView] = Field(description="`lexical` and `semantic` of a hybrid; empty in other modes.")


class HitView(BaseModel):
    """One result."""

    rank: int = Field(description="Place in the list, from 1.")
    product_id: str
    score: float | None = Field(description="Higher is better; comparable within one answer only.")
    product: ProductView
    explanation: ExplanationView | None = Field(
        default=None, description="Where `explain` asked for it; null where a score has no parts, as BM25's."
    )


class SearchResponse(BaseModel):
    """The best products for a query, best first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "query": "wireless mouse",
                    "mode": "hybrid",
                    "took_ms": 3.2,
                    "hits": [
                        {
                            "rank": 1,
                            "product_id": "B-1042",
                            "score": 0.93,
                            "product": {
                                "title": "Silent wireless mouse, 1600 dpi",
                                "brand": "Northwind",
                                "description": "Three buttons, USB-C receiver, 18 months on one battery.",
                                "category": ["Computers", "Mice"],
                                "price": 24.9,
                                "currency": "EUR",
                                "image": None,
                            },
                        }
                    ],
                }
            ]
        }
    )

    query: str = Field(description="The query as it was sent.")
    mode: str = Field(description="How it was searched.")
    took_ms: float = Field(description="Milliseconds of the search itself, without waiting and transfer.")
    hits: list[HitView] = Field(description="At most k results; fewer where the catalogue has no more.")


class Readiness(BaseModel):
    """What a service that can answer searches has loaded."""

    status: Literal["ready"] = "ready"
    modes: list[str] = Field(description="Values that `mode` takes.")
    default_mode: str
    info: dict[str, Any] = Field(description="About the catalogue and the model, such as `products` (their number).")
