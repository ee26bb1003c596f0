"""Answers of the service read, and what they become when they are no."""

from __future__ import annotations

from http import HTTPStatus

import httpx
from pydantic import ValidationError

from aisle.api import PROBLEM_JSON, Problem
from aisle.core.errors import ServiceError

__all__ = ["ProblemError", "UnreachableError", "check_answer", "unreachable"]

_MOST_SHOWN = 200


class ProblemError(ServiceError):
    """The service said no.

    Attributes:
        problem: Its problem document (RFC 9457).
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"The service must take the request: {problem.detail}", received={"status": problem.status})
        self.problem = problem


class UnreachableError(ServiceError):
    """The service did not answer, or what answered is not the service."""


def check_answer(response: httpx.Response) -> bytes:
    """Return the body of an answer that is a yes.

    Raises:
        ProblemError: If it is a no.
        UnreachableError: If it is no answer of this service, such as a proxy's page.
    """
    if response.is_success:
        return response.content
    problem = _problem_of(response)
    if problem is not None:
        raise ProblemError(problem)
    raise UnreachableError(
        "The address must be that of an Aisle service",
        received={"status": response.status_code, "body": response.text[:_MOST_SHOWN]},
        remedy=f"Check the address, and what stands before the service ({_phrase(response.status_code)}).",
    )


def _problem_of(response: httpx.Response) -> Problem | None:
    """Read the problem document; None where there is none of the service's form: something else answered."""
    if response.headers.get("content-type", "").partition(";")[0] != PROBLEM_JSON:
        return None
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        return None


def unreachable(error: httpx.TransportError, url: str) -> UnreachableError:
    """Return what a failed connection becomes."""
    return UnreachableError(
        f"The service must answer ({type(error).__name__}: {error})",
        received={"url": url},
        remedy="Check that it runs and that the address is right.",
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no known status"
