"""Around every request: bounds on bodies, and headers that keep a browser from doing more than the page needs.

Both are plain ASGI: Starlette's `BaseHTTPMiddleware` would put a task and a stream between server and handler.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aisle.api.limits import MAX_BODY_BYTES, MAX_BULK_BYTES, MAX_LINE_BYTES

__all__ = ["SECURITY_HEADERS", "BodyLimit", "SecurityHeaders"]

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

_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


class BodyLimit:
    """Refuse request bodies above a size with 413, after reading no more than that size; and those that stop coming.

    The bytes are counted as they arrive, so a wrong or missing Content-Length helps nobody. Lists of lines have a
    bound of their own, since they are not held in memory.

    Args:
        app: What comes next.
        timeout_s: Longest silence within a body, in seconds.
    """

    def __init__(self, app: ASGIApp, *, timeout_s: float) -> None:
        self._app = app
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes = _max_bytes(scope)
        num_bytes = 0
        is_whole = False

        async def receive_bounded() -> Message:
            nonlocal num_bytes, is_whole
            # After the body the server may wait as long as it likes for the client to leave.
            message = await receive() if is_whole else await self._receive_soon(receive)
            num_bytes += len(message.get("body", b""))
            is_whole = is_whole or not message.get("more_body", False)
            if num_bytes > max_bytes:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"The body must hold at most {max_bytes} bytes. Received: more. Send less in one request.",
                )
            return message

        await self._app(scope, receive_bounded, send)

    async def _receive_soon(self, receive: Receive) -> Message:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await receive()
        except TimeoutError:
            raise HTTPException(
                HTTPStatus.REQUEST_TIMEOUT,
                f"A body must go on within {self._timeout_s:g} s. Received: nothing more. Send it in one go.",
                headers={"Connection": "close"},
            ) from None


def _max_bytes(scope: Scope) -> int:
    path = scope["path"]
    if path == "/v1/products" or path == "/v1/events":
        return MAX_BULK_BYTES
    return MAX_LINE_BYTES if path.startswith("/v1/products/") else MAX_BODY_BYTES


class SecurityHeaders:
    """Add `SECURITY_HEADERS` to every answer that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, completing the headers of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                told = {name.lower() for name, _ in headers}
                message["headers"] = headers + [pair for pair in _RAW_HEADERS if pair[0] not in told]
            await send(message)

        await self._app(scope, receive, send_guarded)
