"""The service: routes, guards and error documents put together around one backend."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI

from aisle import __version__
from aisle.serving.health import health_router
from aisle.serving.middleware import BodyLimit, SecurityHeaders
from aisle.serving.pages import install_page
from aisle.serving.problems import install_problem_handlers
from aisle.serving.search import SearchBackend, search_router

__all__ = ["create_app"]


def create_app(backend: SearchBackend, *, info: Mapping[str, object]) -> FastAPI:
    """Build the HTTP service of a search backend.

    Args:
        backend: Answers the searches; called by one thread at a time.
        info: What `/readyz` tells and the page shows, JSON values only. The page reads `products` (number of
            products), `name` (of the catalogue) and `examples` (a list of queries to start from).

    Returns:
        An app with `POST /v1/search`, `/healthz`, `/readyz`, `/openapi.json` and the search page at `/`.
    """
    app = FastAPI(
        title="Aisle",
        summary="Embedding-based retrieval for e-commerce search.",
        version=__version__,
        # FastAPI's own documentation pages load their scripts from a public CDN; the page links the document instead.
        docs_url=None,
        redoc_url=None,
    )
    install_problem_handlers(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    app.include_router(health_router(backend, info))
    app.include_router(search_router(backend))
    install_page(app)
    return app
