"""The form of every error of the service."""

from __future__ import annotations

from pydantic import BaseModel, Field

__all__ = ["PROBLEM_JSON", "Problem"]

PROBLEM_JSON = "application/problem+json"
"""Media type of a problem document."""


class Problem(BaseModel):
    """A problem document. Source: RFC 9457, section 3; `errors` follows its first example of an extension."""

    type: str = Field(default="about:blank", description="Always about:blank: the status says it all.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What must hold, what was received, what to do.")
    errors: list[dict[str, str]] | None = Field(
        default=None, description="One entry per wrong field of the body: `pointer` (RFC 6901) and `detail`."
    )
