"""What a search answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ExplanationView", "FacetValue", "HitView", "ProductView", "SearchResponse", "SideView"]


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


class FacetValue(BaseModel):
    """One value of a field and how many of the matching products have it."""

    value: str = Field(description='A category is its path, joined by " > ".')
    count: int


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
                    "version": "20260517-093000-1f3a",
                    "corrected": None,
                    "gated": False,
                    "matching": 214,
                    "facets": {"brand": [{"value": "Northwind", "count": 81}, {"value": "Contoso", "count": 40}]},
                    "stage_ms": {"encode": 0.6, "search": 1.4, "words": 0.7, "fuse": 0.2, "fetch": 0.3},
                }
            ]
        }
    )

    query: str = Field(description="The query as it was sent.")
    mode: str = Field(description="How it was searched.")
    took_ms: float = Field(description="Milliseconds of the search itself, without waiting and transfer.")
    hits: list[HitView] = Field(description="At most k results; fewer where the catalogue has no more.")
    version: str | None = Field(default=None, description="The version of the shop that answered.")
    corrected: str | None = Field(
        default=None, description="What the query was taken for; null where that is what was typed."
    )
    gated: bool = Field(default=False, description="Whether an easy query was left to words alone in mode hybrid.")
    matching: int | None = Field(
        default=None, description="Products that pass the filters; null where there are neither filters nor facets."
    )
    facets: dict[str, list[FacetValue]] = Field(default={}, description="By field, the most frequent values first.")
    stage_ms: dict[str, float] = Field(default={}, description="Milliseconds by stage of the search.")
