"""Every error of the service as a problem document (RFC 9457), readable by people and programs alike."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from aisle.core.errors import UsageError

__all__ = ["PROBLEM_JSON", "Problem", "describe_problems", "install_problem_handlers", "problem_response"]

PROBLEM_JSON = "application/problem+json"
"""Media type of a problem document."""

_ADVICE = {
    HTTPStatus.NOT_FOUND: "Nothing is served at this path. /openapi.json lists what is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This path does not take this method. /openapi.json lists those that it takes.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body must be JSON. Send it with the header Content-Type: application/json.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The service failed on this request. Its log has the cause.",
}


class Problem(BaseModel):
    """A problem document. Source: RFC 9457, section 3; `errors` follows its first example of an extension."""

    type: str = Field(default="about:blank", description="Always about:blank: the status says it all.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What must hold, what was received, what to do.")
    errors: list[dict[str, str]] | None = Field(
        default=None, description="One entry per wrong field of the body: `pointer` (RFC 6901) and `detail`."
    )


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
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_failure)


async def _on_usage_error(_request: Request, error: Exception) -> Response:
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


async def _on_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # Starlette's own detail of a 404 or 405 only repeats the title.
    is_bare = error.detail == HTTPStatus(error.status_code).phrase
    detail = _ADVICE.get(HTTPStatus(error.status_code), error.detail) if is_bare else error.detail
    return problem_response(error.status_code, detail, headers=error.headers)


async def _on_failure(_request: Request, _error: Exception) -> Response:
    # The server logs the traceback; a client learns nothing about our insides.
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, _ADVICE[HTTPStatus.INTERNAL_SERVER_ERROR])


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        reasons = "; ".join(str(fault["ctx"]["error"]) for fault in faults)
        return problem_response(
            HTTPStatus.BAD_REQUEST, f"The body must be JSON. Received: {reasons}. Check its syntax."
        )
    if _is_foreign_media_type(request):
        return problem_response(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            _ADVICE[HTTPStatus.UNSUPPORTED_MEDIA_TYPE],
            headers={"Accept": "application/json"},
        )
    errors = [{"pointer": _pointer(fault["loc"]), "detail": _sentence(fault)} for fault in faults]
    listed = " ".join(f"{_name(fault['loc'])}: {_sentence(fault)}" for fault in faults)
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, f"{listed} See /openapi.json.", errors=errors)


def _is_foreign_media_type(request: Request) -> bool:
    essence = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return not (essence == "application/json" or essence.endswith("+json"))


def _pointer(location: Sequence[int | str]) -> str:
    keys = (str(key).replace("~", "~0").replace("/", "~1") for key in location[1:])
    return "#" + "".join(f"/{key}" for key in keys)


def _name(location: Sequence[int | str]) -> str:
    return ".".join(map(str, location[1:])) or "body"


def _sentence(fault: Mapping[str, Any]) -> str:
    """Say one fault in the project's grammar; long values are shortened by `reprlib`."""
    if fault["type"] == "extra_forbidden":
        return "This field is not known. Leave it out."
    if fault["type"] == "missing":
        return "This field is required."
    return f"{fault['msg']}. Received: {reprlib.repr(fault['input'])}."
