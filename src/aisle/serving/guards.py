"""Who may ask: the name by which the service was reached, the page that sent the request, and the key it carries."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from aisle.serving.keys import KeyRing
from aisle.serving.problems import problem_response

__all__ = ["HostGuard", "KeyGuard"]

_OPEN = frozenset({"/", "/healthz"})
"""Paths that are asked for no key: a supervisor's question, and the page, which holds nothing of the shop."""

_READING = frozenset({"GET", "HEAD"})


class HostGuard:
    """Refuse requests that were addressed to another name, and those that a page of another origin sent.

    The first keeps a page elsewhere from pointing its own name at this machine (DNS rebinding). The second keeps it
    from sending what a browser sends without asking first. No CORS header is ever given.

    Args:
        app: What comes next.
        hosts: Allowed names, lower case, without port; None: any.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str] | None) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._hosts is not None and _name_of(host) not in self._hosts:
            refusal = problem_response(
                HTTPStatus.MISDIRECTED_REQUEST,
                "The Host header must be a name of this service. Received: another one. "
                "Ask it by its own address, or start it with --allowed-host.",
            )
            await refusal(scope, receive, send)
            return
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            refusal = problem_response(
                HTTPStatus.FORBIDDEN,
                "A browser may only ask from the service's own page. Received: another Origin. "
                "Ask from a server instead.",
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _name_of(host: str) -> str:
    """Return the host without its port, lower case; an IPv6 address keeps its brackets.

    >>> _name_of("LocalHost:8000"), _name_of("[::1]:8000"), _name_of("[::1]")
    ('localhost', '[::1]', '[::1]')
    """
    name, colon, port = host.rpartition(":")
    is_port = bool(colon) and not port.endswith("]")
    return (name if is_port else host).lower()


class KeyGuard:
    """Ask for a key on every route but `/healthz` and the page's own files.

    Args:
        app: What comes next.
        keys: The keys.
    """

    def __init__(self, app: ASGIApp, *, keys: KeyRing) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or _is_open(scope):
            await self._app(scope, receive, send)
            return
        scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        access = self._keys.access(key.strip()) if scheme.lower() == "bearer" else "none"
        if access == "none":
            refusal = problem_response(
                HTTPStatus.UNAUTHORIZED,
                "The request must carry the service's key. Received: none, or another. "
                "Send the header Authorization: Bearer KEY.",
                headers={"WWW-Authenticate": 'Bearer realm="aisle"'},
            )
            await refusal(scope, receive, send)
        elif access == "read" and not _only_reads(scope):
            refusal = problem_response(
                HTTPStatus.FORBIDDEN,
                "The key must be one that may write. Received: the key for reading. Use the other key.",
            )
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_open(scope: Scope) -> bool:
    return scope["method"] in _READING and (scope["path"] in _OPEN or scope["path"].startswith("/static/"))


def _only_reads(scope: Scope) -> bool:
    return scope["method"] in _READING or (scope["method"] == "POST" and scope["path"] == "/v1/search")
