"""Versions of a shop: what there is, and what is served."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aisle.api.fields import Id

__all__ = ["VersionChoice", "VersionDocument", "VersionList"]


class VersionDocument(BaseModel):
    """One version of the shop: a model, its vectors, and a store that was built with them."""

    id: str
    state: Literal["current", "ready", "building", "failed"] = Field(
        description="`ready` ones can be switched to; `details` tell why one failed."
    )
    created_at: str = Field(description="Time of building, UTC, ISO 8601.")
    num_products: int
    applied_offset: int = Field(description="Place in the journal up to which it has every change.")
    details: dict[str, Any] = Field(default={}, description="Hashes of model and index, kind of the store.")


class VersionList(BaseModel):
    """All versions, the oldest first, then what is being built or failed."""

    versions: list[VersionDocument]


class VersionChoice(BaseModel):
    """Which version to serve."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"id": "20260517-093000-1f3a"}]}
    )

    id: Id = Field(description="A version whose state is `ready`, an older one to roll back.")
