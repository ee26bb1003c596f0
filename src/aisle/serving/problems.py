"""Every error of the service as a problem document (RFC 9457), readable by people and programs alike."""

from __future__ import annotations

import json
import logging
import reprlib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from aisle.api import PROBLEM_JSON, Problem
from aisle.core.errors import ServiceError, UsageError

__all__ = [
    "FAILED",
    "NOT_DURABLE",
    "NO_STORE",
    "describe_problems",
    "install_problem_handlers",
    "problem_response",
    "tell_faults",
]

FAILED = "The service failed on this request. Its log has the cause."
"""What a client learns of a fault of ours: nothing about our insides."""

NOT_DURABLE = (
    "The change must be made durable. Received: a journal that cannot be written, so nothing was acknowledged. "
    "Try again later; `aisle doctor` tells what to mend."
)
"""What a client learns where disk or journal fail; the log has the cause."""

NO_STORE = (
    "The product store must answer. Received: no answer from its cluster. Try again later; a write that was made "
    "durable is applied then."
)
"""What a client learns where a cluster does not answer; the log has the cause."""

_MOST_TOLD = 20
"""Faults of one document that are told."""

_MOST_NAMED = 256
"""Characters of a name of a field that are sent back."""

_SAYS_ALL = frozenset({"extra_value", "too_many_fields", "nobody", "price_order"})
"""Faults of a whole document: to repeat it would tell nothing."""

_ADVICE = {
    HTTPStatus.NOT_FOUND: "Nothing is served at this path. /openapi.json lists what is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This path does not take this method. /openapi.json lists those that it takes.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body must be JSON. Send it with the header Content-Type: application/json.",
}


def problem_response(
    status: int,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a response that carries one problem document."""
    document: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        document["errors"] = [dict(error) for error in errors]
    # The standard library writes it: the name of an unknown field may hold half a surrogate pair, which orjson refuses.
    return Response(json.dumps(document), status_code=status, headers=headers, media_type=PROBLEM_JSON)


def describe_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe error responses for the OpenAPI document of a route."""
    # Given as a schema and not as FastAPI's `model`, which would file it under application/json.
    content = {PROBLEM_JSON: {"schema": Problem.model_json_schema()}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def install_problem_handlers(app: FastAPI) -> None:
    """Make an app answer every error with a problem document."""
    app.add_exception_handler(UsageError, _on_usage_error)
    app.add_exception_handler(ServiceError, _on_unanswered)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)


async def _on_usage_error(_request: Request, error: Exception) -> Response:
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


async def _on_unanswered(_request: Request, error: Exception) -> Response:
    logging.getLogger(__name__).error("%s", error)
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, NO_STORE, headers={"Retry-After": "1"})


async def _on_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # Starlette's own detail of a 404 or 405 only repeats the title.
    is_bare = error.detail == HTTPStatus(error.status_code).phrase
    detail = _ADVICE.get(HTTPStatus(error.status_code), error.detail) if is_bare else error.detail
    return problem_response(error.status_code, detail, headers=error.headers)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        reasons = "; ".join(str(fault["ctx"]["error"]) for fault in faults)
        return problem_response(
            HTTPStatus.BAD_REQUEST, f"The body must be JSON. Received: {reasons}. Check its syntax."
        )
    if any(fault["loc"][0] == "body" for fault in faults) and _is_foreign_media_type(request):
        return problem_response(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            _ADVICE[HTTPStatus.UNSUPPORTED_MEDIA_TYPE],
            headers={"Accept": "application/json"},
        )
    errors = [{"pointer": _pointer(fault["loc"]), "detail": _sentence(fault)} for fault in faults[:_MOST_TOLD]]
    listed = tell_faults(faults, skip=1)
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, f"{listed} See /openapi.json.", errors=errors)


def tell_faults(faults: Sequence[Mapping[str, Any]], *, skip: int = 0) -> str:
    """Say what is wrong with a document, field by field.

    Args:
        faults: As pydantic gives them.
        skip: Steps of each location that are no part of the document.
    """
    told = " ".join(f"{_name(fault['loc'][skip:])}: {_sentence(fault)}" for fault in faults[:_MOST_TOLD])
    return f"{told} And {len(faults) - _MOST_TOLD} more." if len(faults) > _MOST_TOLD else told


def _is_foreign_media_type(request: Request) -> bool:
    essence = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return not (essence == "application/json" or essence.endswith("+json"))


def _pointer(location: Sequence[int | str]) -> str:
    keys = (str(key)[:_MOST_NAMED].replace("~", "~0").replace("/", "~1") for key in location[1:])
    return "#" + "".join(f"/{key}" for key in keys)


def _name(location: Sequence[int | str]) -> str:
    return ".".join(str(key)[:_MOST_NAMED] for key in location) or "body"


def _sentence(fault: Mapping[str, Any]) -> str:
    """Say one fault in the project's grammar; long values are shortened by `reprlib`."""
    if fault["type"] == "extra_forbidden":
        return "This field is not known. Leave it out."
    if fault["type"] == "missing":
        return "This field is required."
    if fault["type"] in _SAYS_ALL:
        return f"{fault['msg']}."
    return f"{fault['msg']}. Received: {reprlib.repr(fault['input'])}."
