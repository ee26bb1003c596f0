"""The service: routes, guards and error documents put together around one live shop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI

from aisle import __version__
from aisle.serving.backend import ShopBackend
from aisle.serving.description import describe
from aisle.serving.failures import Failures
from aisle.serving.guards import HostGuard, KeyGuard
from aisle.serving.health import health_router
from aisle.serving.metrics import Meters, RequestMeter, metrics_router
from aisle.serving.middleware import BodyLimit, SecurityHeaders
from aisle.serving.pages import install_page
from aisle.serving.problems import install_problem_handlers
from aisle.serving.search import search_router
from aisle.serving.settings import ServiceSettings
from aisle.serving.version_routes import version_router
from aisle.serving.workers import Workers
from aisle.serving.writes import write_router

__all__ = ["create_app"]

_OPEN_TO_THIS_MACHINE = ServiceSettings()


def create_app(
    backend: ShopBackend, *, info: Mapping[str, object], settings: ServiceSettings = _OPEN_TO_THIS_MACHINE
) -> FastAPI:
    """Build the HTTP service of a live shop.

    Args:
        backend: The shop; searches, writes and the rest are called by one thread each.
        info: What `/readyz` tells and the page shows, JSON values only. The page reads `name` (of the catalogue) and
            `examples` (a list of queries to start from).
        settings: Who may ask, and bounds.

    Returns:
        An app with the routes of `docs/http.md`, `/openapi.json` and the search page at `/`. `app.state.settings` holds
        the settings.
    """
    workers = Workers(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        workers.close()

    app = FastAPI(
        title="Aisle",
        summary="Embedding-based retrieval for e-commerce search.",
        version=__version__,
        # FastAPI's own documentation pages load their scripts from a public CDN; the page links the document instead.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.settings = settings
    meters = Meters(backend, workers)
    install_problem_handlers(app)
    # The last one added is the first one asked.
    app.add_middleware(BodyLimit, timeout_s=settings.body_timeout_s)
    if settings.keys is not None:
        app.add_middleware(KeyGuard, keys=settings.keys)
    app.add_middleware(HostGuard, hosts=settings.hosts)
    app.add_middleware(Failures)
    app.add_middleware(RequestMeter, meters=meters)
    app.add_middleware(SecurityHeaders)
    app.include_router(health_router(backend, workers, info))
    app.include_router(metrics_router(meters, workers))
    app.include_router(search_router(backend, workers, meters=meters, settings=settings))
    app.include_router(write_router(backend, workers))
    app.include_router(version_router(backend, workers))
    install_page(app)
    describe(app, settings, modes=backend.modes)
    return app
