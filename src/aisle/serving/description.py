"""The OpenAPI document: FastAPI's, with the models of bodies that the routes read themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from aisle.api import EventDocument, ProductDocument, SearchRequest, VersionChoice
from aisle.serving.settings import ServiceSettings

__all__ = ["describe"]

_BODIES = (SearchRequest, ProductDocument, EventDocument, VersionChoice)
_REFERENCE = "#/components/schemas/{model}"


def describe(app: FastAPI, settings: ServiceSettings, *, modes: Sequence[str]) -> None:
    """Complete an app's own description with the models of bodies, the modes and the key."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            _, schemas = models_json_schema([(model, "validation") for model in _BODIES], ref_template=_REFERENCE)
            components = document.setdefault("components", {})
            components.setdefault("schemas", {}).update(schemas["$defs"])
            components["schemas"]["SearchRequest"]["properties"]["mode"]["enum"] = [*modes, None]
            if settings.keys is not None:
                components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
                document["security"] = [{"key": []}]
                document["paths"]["/healthz"]["get"]["security"] = []
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
