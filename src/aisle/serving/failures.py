"""What the log tells: our own faults by their place in the code, and searches only where that was asked for."""

from __future__ import annotations

import logging
import traceback
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aisle.serving.problems import FAILED, problem_response

__all__ = ["LOGGER", "Failures", "log_failure"]

LOGGER = logging.getLogger("aisle.serving")
"""Where the service writes. At level INFO it tells of searches and of the messages of errors; else of neither."""


class Failures:
    """Answer an error that nobody expected with 500, and log where it came from.

    The message of an error may quote a query or an id, so it is only logged where those may be.

    Args:
        app: What comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, catching what comes back."""
        has_begun = False

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:
            if scope["type"] != "http":
                raise
            log_failure(LOGGER, error)
            if not has_begun:
                await problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, FAILED)(scope, receive, send)


def log_failure(logger: logging.Logger, error: BaseException) -> None:
    """Log where an error came from, and its message where the logger is to tell of queries (level INFO)."""
    if logger.isEnabledFor(logging.INFO):
        told = "".join(traceback.format_exception(error))
    else:
        places = "".join(traceback.format_tb(error.__traceback__))
        told = f"{places}{type(error).__qualname__} (its message may hold a query; --log-queries shows it)"
    logger.error("A request failed.\n%s", told)
