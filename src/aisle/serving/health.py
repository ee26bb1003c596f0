"""`/healthz` and `/readyz`: is the process alive, and what has it loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from aisle.serving.schemas import Readiness
from aisle.serving.search import SearchBackend

__all__ = ["health_router"]


class Liveness(BaseModel):
    """The process answers; nothing is said about what it has loaded."""

    status: Literal["alive"] = "alive"


def health_router(backend: SearchBackend, info: Mapping[str, object]) -> APIRouter:
    """Return the routes that a supervisor and the page ask first."""
    router = APIRouter(tags=["health"])
    readiness = Readiness(modes=list(backend.modes), default_mode=backend.default_mode, info=dict(info))

    @router.get("/healthz", summary="Is the process alive?")
    async def healthz() -> Liveness:
        """Answer as long as the process can answer."""
        return Liveness()

    @router.get("/readyz", summary="Can it search, and in what?")
    async def readyz() -> Readiness:
        """Tell the modes and what is known about catalogue and model."""
        return readiness

    return router
