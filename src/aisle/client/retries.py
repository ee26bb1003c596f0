"""When a request is sent again, and how long to wait before."""

from __future__ import annotations

import random
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from aisle.client.calls import Call

__all__ = ["Retries"]

_BUSY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True)
class Retries:
    """Sends again what may be sent again: requests that end the same however often they arrive.

    Attributes:
        most: Most further attempts; 0: none.
        first_wait_s: Longest wait before the first of them, in seconds; doubles with each.
        most_wait_s: Longest wait of all, in seconds, also where the service asks for more.
    """

    most: int = 3
    first_wait_s: float = 0.2
    most_wait_s: float = 10.0

    def wait_s(self, call: Call[object], attempt: int, *, got: httpx.Response | httpx.TransportError) -> float | None:
        """Return how long to wait before sending a call again; None: what came is the answer.

        Args:
            call: What was sent.
            attempt: Which attempt it was, from 0.
            got: What came of it.
        """
        if attempt >= self.most or not call.is_idempotent:
            return None
        if isinstance(got, httpx.Response):
            if got.status_code not in _BUSY:
                return None
            asked = got.headers.get("retry-after", "")
            if asked.isdecimal():
                return min(float(asked), self.most_wait_s)
        # Drawn anew each time, so that many clients of a busy service do not come back together.
        return random.uniform(0, min(self.first_wait_s * 2**attempt, self.most_wait_s))  # noqa: S311 - no secret
