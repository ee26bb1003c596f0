"""`POST /v1/search`."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from types import MappingProxyType

import orjson
from fastapi import APIRouter, Request, Response

from aisle.api import SearchFilters, SearchRequest, SearchResponse
from aisle.api.limits import MAX_BODY_BYTES
from aisle.core.shopper import Shopper
from aisle.live import LiveAnswer, LiveSearch
from aisle.retrieval import Hit
from aisle.serving.backend import ShopBackend
from aisle.serving.bodies import body_described, read_document
from aisle.serving.failures import LOGGER
from aisle.serving.metrics import Meters
from aisle.serving.problems import describe_problems
from aisle.serving.settings import ServiceSettings
from aisle.serving.workers import Workers
from aisle.store import NO_FILTER, ProductFilter

__all__ = ["live_search", "search_router"]


def search_router(backend: ShopBackend, workers: Workers, *, meters: Meters, settings: ServiceSettings) -> APIRouter:
    """Return the routes that search."""
    router = APIRouter(prefix="/v1", tags=["search"])

    @router.post(
        "/search",
        summary="Search the catalogue",
        response_model=SearchResponse,
        responses=describe_problems(400, 413, 415, 422, 500, 503),
        openapi_extra=body_described(SearchRequest),
    )
    async def search(request: Request) -> Response:
        """Return the best products for a query, best first."""
        asked = await read_document(request, SearchRequest, most_bytes=MAX_BODY_BYTES)
        body, answer = await workers.search.run(_answer, backend, asked)
        meters.note_stages(answer.mode, answer.stage_ms)
        if settings.log_queries:
            _log(asked, answer)
        return Response(body, media_type="application/json")

    return router


def live_search(request: SearchRequest) -> LiveSearch:
    """Return what a request asks of the shop."""
    return LiveSearch(
        query=request.query,
        k=request.k,
        mode=request.mode,
        shopper=Shopper(request.user_id, request.client_id, request.session_id, request.location),
        where=_where(request.filters),
        sort=request.sort,
        min_score=request.min_score,
        facets=tuple(request.facets),
        collapse=request.collapse,
        pinned=tuple(request.pinned),
        explain=request.explain,
        personalise=request.personalise,
    )


def _where(filters: SearchFilters) -> ProductFilter:
    if not filters.model_fields_set:
        return NO_FILTER
    return ProductFilter(
        category=tuple(filters.category),
        brands=tuple(filters.brands),
        shop_ids=tuple(filters.shop_ids),
        price_min=filters.price_min,
        price_max=filters.price_max,
        locations=tuple(filters.locations),
        in_stock=filters.in_stock,
        # A mapping proxy, as the default has: the filter of a search that names none equals `NO_FILTER`.
        attributes=MappingProxyType({name: tuple(values) for name, values in filters.attributes.items()}),
        blocked=tuple(filters.blocked),
    )


def _answer(backend: ShopBackend, request: SearchRequest) -> tuple[bytes, LiveAnswer]:
    """Search and write the answer as JSON; validating our own answer against its model would cost more than writing."""
    started = perf_counter()
    answer = backend.search(live_search(request))
    took_ms = (perf_counter() - started) * 1e3
    document = {
        "query": request.query,
        "mode": answer.mode,
        "took_ms": round(took_ms, 3),
        "hits": [_view(hit, explain=request.explain) for hit in answer.hits],
        "version": answer.version,
        "corrected": answer.corrected,
        "gated": answer.gated,
        "matching": answer.matching,
        "facets": {
            name: [{"value": value, "count": count} for value, count in counts]
            for name, counts in answer.facets.items()
        },
        "stage_ms": {stage: round(ms, 3) for stage, ms in answer.stage_ms.items()},
    }
    return orjson.dumps(document, default=str, option=orjson.OPT_SERIALIZE_NUMPY), answer


def _view(hit: Hit, *, explain: bool) -> Mapping[str, object]:
    view = {"rank": hit.rank, "product_id": hit.product_id, "score": hit.score, "product": hit.product}
    return {**view, "explanation": hit.explanation} if explain else view


def _log(request: SearchRequest, answer: LiveAnswer) -> None:
    told = {
        "query": request.query,
        "user_id": request.user_id,
        "client_id": request.client_id,
        "session_id": request.session_id,
        "mode": answer.mode,
        "hits": len(answer.hits),
    }
    # As JSON: a query with a line break must not forge a line of the log.
    LOGGER.info("search %s", orjson.dumps(told).decode())
