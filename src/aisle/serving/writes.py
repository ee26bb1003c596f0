"""Routes that change the shop: products, events, and the erasure of an actor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any, ParamSpec, TypeVar

import orjson
from fastapi import APIRouter, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from aisle.api import ActorKind, ErasedDocument, EventDocument, ProductDocument, WriteDocument
from aisle.api.fields import Id
from aisle.api.limits import MAX_LINE_BYTES
from aisle.core.errors import WorkspaceError
from aisle.live import WriteResult
from aisle.serving.backend import ShopBackend
from aisle.serving.bodies import NDJSON, body_described, is_ndjson, read_document
from aisle.serving.bulk import BulkResponse
from aisle.serving.failures import LOGGER
from aisle.serving.line_writes import EventLines, ProductLines
from aisle.serving.problems import NOT_DURABLE, describe_problems
from aisle.serving.workers import Worker, Workers

__all__ = ["write_router"]

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")

_PathId = Annotated[Id, Path(description="The shop's own id, percent-encoded; a slash may stand in it.")]
_ActorId = Annotated[Id, Path(description="The actor's id, percent-encoded.")]

_RESULTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What became of it; of a list, one result per line",
        "content": {NDJSON: {"schema": {"type": "string"}}},
    }
}


def write_router(backend: ShopBackend, workers: Workers) -> APIRouter:
    """Return the routes that write."""
    router = APIRouter(prefix="/v1", tags=["write"])
    _add_products(router, backend, workers.write)
    _add_shoppers(router, backend, workers.write)
    return router


def _add_products(router: APIRouter, backend: ShopBackend, worker: Worker) -> None:
    @router.put(
        "/products",
        summary="Put and delete many products",
        response_class=Response,
        responses={**_RESULTS, **describe_problems(413, 415, 503)},
        openapi_extra=body_described(lines='One product per line, with its `product_id`; or `{"delete": ID}`.'),
    )
    async def put_products(request: Request) -> Response:
        """Write a list line by line, in its order. What is answered as `written` is durable and found by searches."""
        _check_lines(request)
        return BulkResponse(worker, ProductLines(backend))

    @router.put(
        "/products/{product_id:path}",
        summary="Put a product",
        response_model=WriteDocument,
        responses=describe_problems(400, 404, 413, 415, 422, 503),
        openapi_extra=body_described(ProductDocument),
    )
    async def put_product(product_id: _PathId, request: Request) -> Response:
        """Add a product or replace it whole. When this answers, it is durable and the next search finds it."""
        product = await read_document(request, ProductDocument, most_bytes=MAX_LINE_BYTES)
        if product.product_id not in (None, product_id):
            raise _fault("product_id", "The id in the body must be that of the path", product.product_id)
        row = {**product.model_dump(mode="json", exclude_unset=True), "product_id": product_id}
        return _told((await _durably(worker, backend.put, [row]))[0])

    @router.delete(
        "/products/{product_id:path}",
        summary="Take a product out",
        response_model=WriteDocument,
        responses=describe_problems(404, 422, 503),
    )
    async def delete_product(product_id: _PathId) -> Response:
        """Take a product out of the shop; one that is not there is no error."""
        return _told((await _durably(worker, backend.delete, [product_id]))[0])


def _add_shoppers(router: APIRouter, backend: ShopBackend, worker: Worker) -> None:
    @router.post(
        "/events",
        summary="Tell what shoppers did",
        response_model=WriteDocument,
        responses={**_RESULTS, **describe_problems(400, 413, 415, 422, 503)},
        openapi_extra=body_described(EventDocument, lines="One event per line."),
    )
    async def add_events(request: Request) -> Response:
        """Take one event, or many as JSON lines; the actor's next search knows of them.

        JSON lines are answered by JSON lines, one result each.
        """
        if is_ndjson(request):
            return BulkResponse(worker, EventLines(backend))
        event = await read_document(request, EventDocument, most_bytes=MAX_LINE_BYTES)
        return _told((await _durably(worker, backend.add_events, [event.row()]))[0])

    @router.delete(
        "/actors/{kind}/{actor_id:path}",
        summary="Erase what is known of an actor",
        response_model=ErasedDocument,
        responses=describe_problems(404, 422, 503),
    )
    async def erase_actor(kind: ActorKind, actor_id: _ActorId) -> Response:
        """Erase all events that the journal and the memory of the service hold under this id."""
        erased = await _durably(worker, backend.erase_actor, kind, actor_id)
        return Response(orjson.dumps(asdict(erased)), media_type="application/json")


async def _durably(
    worker: Worker, function: Callable[_Asked, _Answer], *asked: _Asked.args, **options: _Asked.kwargs
) -> _Answer:
    try:
        return await worker.run(function, *asked, **options)
    except WorkspaceError as error:
        LOGGER.error("A change could not be made durable: %s", error)
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, NOT_DURABLE, headers={"Retry-After": "5"}) from error


def _check_lines(request: Request) -> None:
    if not is_ndjson(request):
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The body must be JSON lines. Send it with the header Content-Type: {NDJSON}.",
            headers={"Accept": NDJSON},
        )


def _told(result: WriteResult) -> Response:
    if result.status == "refused":
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, result.problem or "The request was refused.")
    return Response(orjson.dumps(asdict(result)), media_type="application/json")


def _fault(name: str, must: str, value: object) -> RequestValidationError:
    return RequestValidationError([{"type": "value", "loc": ("body", name), "msg": must, "input": value}])
