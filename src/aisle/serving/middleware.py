"""Guards around every request: a bound on bodies, and headers that keep a browser from doing more than the page needs.

Both are plain ASGI: Starlette's `BaseHTTPMiddleware` would put a task and a stream between server and handler.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MAX_BODY_BYTES", "SECURITY_HEADERS", "BodyLimit", "SecurityHeaders"]

MAX_BODY_BYTES = 64 * 1024
"""Largest request body in bytes: far above any search, far below what would hurt."""

SECURITY_HEADERS = {
    # Nothing inline and nothing foreign: text of a catalogue that turns out to be markup can run no script.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # The page's address holds the query: links to elsewhere must not carry it.
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Headers of every answer."""


class BodyLimit:
    """Refuse request bodies above a size with 413, after reading no more than that size.

    The bytes are counted as they arrive, so a wrong or missing Content-Length helps nobody.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting its body."""
        num_bytes = 0

        async def receive_bounded() -> Message:
            nonlocal num_bytes
            message = await receive()
            num_bytes += len(message.get("body", b""))
            if num_bytes > self._max_bytes:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"The body must hold at most {self._max_bytes} bytes. Received: more. Send less in one request.",
                )
            return message

        await self._app(scope, receive_bounded, send)


class SecurityHeaders:
    """Add `SECURITY_HEADERS` to every answer that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, completing the headers of its answer."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_guarded)
