"""Run the service on this machine: a port of our own before anything starts, and no query text in any log."""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import uvicorn
from fastapi import FastAPI

from aisle.core.errors import UsageError
from aisle.serving.collection import settled
from aisle.serving.failures import LOGGER
from aisle.serving.settings import ServiceSettings

__all__ = ["DEFAULT_HOST", "DEFAULT_PORT", "check_port", "run", "run_in_background"]

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000

_BACKLOG = 128
_DRAIN_S = 5
"""Seconds that requests under way get to finish when the service is stopped."""


def run(
    app: FastAPI,
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        app: The service.
        host: A loopback address or `localhost`; another one only where the app asks for a key.
        port: 0 picks a free port.
        on_ready: Called with the address, such as `http://127.0.0.1:8000/`, once requests are answered.

    Raises:
        UsageError: If the host is not loopback and the app asks for no key, or the port is taken or out of range.
    """
    with _listen(host, port, has_key=_has_key(app)) as listener, _logged(app), settled(), suppress(KeyboardInterrupt):
        _Server(app, on_ready=on_ready or _ignore).run(sockets=[listener])


def check_port(host: str, port: int, *, has_key: bool = False) -> None:
    """Refuse now what `run` would refuse later, for work that takes minutes before it serves.

    Args:
        host: As for `run`.
        port: As for `run`.
        has_key: Whether the service will ask for a key.

    Raises:
        UsageError: As `run` does.
    """
    _listen(host, port, has_key=has_key).close()


@contextmanager
def run_in_background(app: FastAPI, *, host: str = DEFAULT_HOST, port: int = 0) -> Iterator[str]:
    """Serve from a thread while the block runs; for tests, benchmarks and notebooks.

    Yields:
        The address, once requests are answered.

    Raises:
        UsageError: As in `run`.
    """
    ready = Event()
    with _listen(host, port, has_key=_has_key(app)) as listener:
        server = _Server(app, on_ready=lambda _address: ready.set())
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="aisle-serve", daemon=True)
        thread.start()
        try:
            ready.wait()
            yield _address(listener)
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """Uvicorn that says when it is ready, and keeps quiet about requests: their bodies and addresses hold queries."""

    def __init__(self, app: FastAPI, *, on_ready: Callable[[str], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=_DRAIN_S,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and sockets:
            self._on_ready(_address(sockets[0]))


def _listen(host: str, port: int, *, has_key: bool) -> socket.socket:
    """Take the port at once, so that a taken one is told before a model is served on it, without a race."""
    if not has_key:
        _check_loopback(host)
    if not 0 <= port <= 65535:
        raise UsageError(
            "The port must lie in 0..65535",
            received={"port": port},
            remedy="Choose another --port; 0 picks a free one.",
        )
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if os.name == "posix":
            # A restart need not wait for connections of the last run to time out. (On Windows the option would let
            # two servers share a port.)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        must = (
            "The port must be free"
            if error.errno == errno.EADDRINUSE
            else f"The port must be open to us ({error.strerror})"
        )
        raise UsageError(must, received={"host": host, "port": port}, remedy="Choose another --port.") from error
    return listener


def _check_loopback(host: str) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise UsageError(
            "The host must be a loopback address: others could search without a key",
            received={"host": host},
            remedy="Use --host 127.0.0.1, or give --api-key-file.",
        )


@contextmanager
def _logged(app: FastAPI) -> Iterator[None]:
    """Let searches reach standard error where that was asked for; faults reach it anyway."""
    settings = getattr(app.state, "settings", None)
    if not (isinstance(settings, ServiceSettings) and settings.log_queries):
        yield
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    level = LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)


def _has_key(app: FastAPI) -> bool:
    settings = getattr(app.state, "settings", None)
    return isinstance(settings, ServiceSettings) and settings.keys is not None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _ignore(_address: str) -> None:
    """Stand in for a caller who need not know."""
