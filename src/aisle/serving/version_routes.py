"""Routes of versions: which there are, building one, serving another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from aisle.api import VersionChoice, VersionDocument, VersionList
from aisle.api.limits import MAX_BODY_BYTES
from aisle.serving.backend import ShopBackend
from aisle.serving.bodies import body_described, read_document
from aisle.serving.collection import resettle
from aisle.serving.problems import describe_problems
from aisle.serving.workers import Workers

__all__ = ["version_router"]


def version_router(backend: ShopBackend, workers: Workers) -> APIRouter:
    """Return the routes that look at, build and switch versions."""
    router = APIRouter(prefix="/v1/versions", tags=["versions"])

    @router.get("", summary="List versions", response_model=VersionList, responses=describe_problems(503))
    async def list_versions() -> Response:
        """Return all versions, the oldest first, then what is being built or failed."""
        views = await workers.watch.run(backend.versions)
        return _json({"versions": [asdict(view) for view in views]})

    @router.post(
        "",
        summary="Build a version",
        status_code=HTTPStatus.ACCEPTED,
        response_model=VersionDocument,
        responses=describe_problems(422, 503),
    )
    async def build_version() -> Response:
        """Begin to build a version from the model and index that the workspace holds now.

        It goes on in the background, and searches and writes go on beside it: look at `GET /v1/versions` until its
        state is `ready`, then switch to it.
        """
        view = await workers.manage.run(backend.build_version)
        return _json(asdict(view), status=HTTPStatus.ACCEPTED)

    @router.put(
        "/current",
        summary="Switch to a version, or back",
        response_model=VersionDocument,
        responses=describe_problems(400, 413, 415, 422, 503),
        openapi_extra=body_described(VersionChoice),
    )
    async def switch_version(request: Request) -> Response:
        """Serve another version from now on, whole: no search is answered by parts of two."""
        choice = await read_document(request, VersionChoice, most_bytes=MAX_BODY_BYTES)
        view = await workers.manage.run(backend.switch_version, choice.id)
        await workers.manage.run(resettle)
        return _json(asdict(view))

    return router


def _json(document: Mapping[str, Any], *, status: int = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(document, default=str), status_code=status, media_type="application/json")
