"""`POST /v1/search`: the backend that it needs, and the route."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Protocol

import orjson
from fastapi import APIRouter, Response

from aisle.core.shopper import Shopper
from aisle.serving.problems import describe_problems
from aisle.serving.schemas import SearchRequest, SearchResponse

__all__ = ["SearchBackend", "SearchHit", "search_router"]


class SearchHit(Protocol):
    """One result, as the service reads it."""

    @property
    def rank(self) -> int:
        """Place in the list, from 1."""
        ...

    @property
    def product_id(self) -> str:
        """The product's outside id."""
        ...

    @property
    def score(self) -> float:
        """Higher is better."""
        ...

    @property
    def product(self) -> Mapping[str, object]:
        """Display fields: title, brand, description, category, price, currency, image."""
        ...

    @property
    def explanation(self) -> Mapping[str, object] | None:
        """What the score is made of, as `ExplanationView` has it; None where that was not asked for or is not known."""
        ...


class SearchBackend(Protocol):
    """What answers the service's searches. It is called by one thread at a time."""

    @property
    def modes(self) -> tuple[str, ...]:
        """Ways of searching, in the order in which a page shows them."""
        ...

    @property
    def default_mode(self) -> str:
        """The mode of a search that names none."""
        ...

    def search(
        self, query: str, *, k: int = ..., mode: str | None = ..., shopper: Shopper = ..., explain: bool = ...
    ) -> Sequence[SearchHit]:
        """Return at most k results, best first, for the one who searches; explained where that is asked for.

        Raises:
            UsageError: If the query is blank, k is out of range or the mode is unknown.
        """
        ...


def search_router(backend: SearchBackend) -> APIRouter:
    """Return the routes that search."""
    router = APIRouter(prefix="/v1", tags=["search"])
    # The handler is async, but the search is CPU work of milliseconds, so it runs in one thread of its own. Called
    # directly it would hold up health checks and the page's files; in the framework's pool of forty threads searches
    # would compete for the cores that each of them already fills (BLAS, torch), and torch would start a team of
    # threads for every caller. One worker also spares backends from having to be thread-safe; the hop costs 0.04 ms.
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aisle-search")
    known_modes = {"properties": {"mode": {"enum": [*backend.modes, None]}}}

    @router.post(
        "/search",
        summary="Search the catalogue",
        response_model=SearchResponse,
        responses=describe_problems(400, 413, 415, 422, 500),
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": known_modes}}}},
    )
    async def search(request: SearchRequest) -> Response:
        """Return the best products for a query, best first."""
        body = await asyncio.get_running_loop().run_in_executor(worker, _answer, backend, request)
        return Response(body, media_type="application/json")

    return router


def _answer(backend: SearchBackend, request: SearchRequest) -> bytes:
    """Search and write the answer as JSON; validating our own answer against its model would cost more than writing."""
    mode = request.mode if request.mode is not None else backend.default_mode
    started = perf_counter()
    hits = backend.search(request.query, k=request.k, mode=mode, shopper=request.shopper, explain=request.explain)
    took_ms = (perf_counter() - started) * 1e3
    answer = {
        "query": request.query,
        "mode": mode,
        "took_ms": round(took_ms, 3),
        "hits": [_view(hit, explain=request.explain) for hit in hits],
    }
    return orjson.dumps(answer, default=str, option=orjson.OPT_SERIALIZE_NUMPY)


def _view(hit: SearchHit, *, explain: bool) -> dict[str, object]:
    view = {"rank": hit.rank, "product_id": hit.product_id, "score": hit.score, "product": dict(hit.product)}
    return {**view, "explanation": hit.explanation} if explain else view
