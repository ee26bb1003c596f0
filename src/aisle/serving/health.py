"""`/healthz` and `/readyz`: is the process alive, and what has it loaded."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from aisle.api import CatalogueState, Liveness, Readiness
from aisle.serving.backend import ShopBackend
from aisle.serving.problems import describe_problems
from aisle.serving.workers import Workers

__all__ = ["health_router"]


def health_router(backend: ShopBackend, workers: Workers, info: Mapping[str, object]) -> APIRouter:
    """Return the routes that a supervisor and the page ask first."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Is the process alive?")
    async def healthz() -> Liveness:
        """Answer as long as the process can answer."""
        return Liveness()

    @router.get("/readyz", summary="Can it search, and in what?", responses=describe_problems(503))
    async def readyz() -> Readiness:
        """Tell the modes, the version that answers, and how far it is."""
        state = await workers.watch.run(backend.state)
        return Readiness(
            modes=list(backend.modes),
            default_mode=backend.default_mode,
            state=CatalogueState(
                version=state.version,
                num_products=state.num_products,
                journal_head=state.journal_head,
                applied_offset=state.applied_offset,
                store_kind=state.store,
            ),
            info=dict(info),
        )

    return router
