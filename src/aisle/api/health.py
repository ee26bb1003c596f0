"""Is it alive, can it search, and how far is it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

__all__ = ["CatalogueState", "Liveness", "Readiness"]


class Liveness(BaseModel):
    """The process answers; nothing is said about what it has loaded."""

    status: Literal["alive"] = "alive"


class CatalogueState(BaseModel):
    """How far the shop is that is served now."""

    version: str = Field(description="Id of the version that answers.")
    num_products: int = Field(description="Products that can be found.")
    journal_head: int = Field(description="Place of the newest change in the journal.")
    applied_offset: int = Field(description="Place up to which changes are in the store for good.")
    store_kind: str = Field(description="Kind of the product store.")


class Readiness(BaseModel):
    """What a service that can answer searches has loaded."""

    status: Literal["ready"] = "ready"
    modes: list[str] = Field(description="Values that `mode` takes.")
    default_mode: str
    state: CatalogueState
    info: dict[str, Any] = Field(description="About the catalogue, such as its `name` and `examples` of queries.")
