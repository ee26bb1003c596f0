"""The client whose calls are coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Self, TypeVar

import httpx

from aisle.api import (
    ActorKind,
    ErasedDocument,
    EventDocument,
    Liveness,
    ProductDocument,
    Readiness,
    SearchRequest,
    SearchResponse,
    VersionDocument,
    WriteDocument,
)
from aisle.client import calls
from aisle.client.answers import check_answer, unreachable
from aisle.client.calls import Call, Deletion
from aisle.client.retries import Retries

__all__ = ["AsyncClient"]

_Answer = TypeVar("_Answer")

_LINES = 1_000


class AsyncClient:
    """Talks to one service, from one event loop.

    Args:
        url: Address of the service, such as `http://127.0.0.1:8000`.
        key: Its API key, where it asks for one.
        timeout_s: Longest wait for an answer, in seconds.
        retries: When a request is sent again.
        transport: Carries the requests; None: the network.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout_s: float = 30.0,
        retries: Retries = Retries(),  # noqa: B008 - frozen
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        headers = {"authorization": f"Bearer {key}"} if key is not None else {}
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout_s, transport=transport)
        self._retries = retries

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give connections back."""
        await self._http.aclose()

    async def search(self, request: SearchRequest | str) -> SearchResponse:
        """Return the best products, best first.

        Args:
            request: What is asked; a text alone is a search with all defaults.

        Raises:
            ProblemError: If the service refuses the search.
            UnreachableError: If it does not answer.
        """
        return await self._send(calls.search(request))

    async def put_product(self, product_id: str, product: ProductDocument | Mapping[str, Any]) -> WriteDocument:
        """Add a product or replace it whole; durable, and found by the next search, when this returns."""
        return await self._send(calls.put_product(product_id, product))

    async def delete_product(self, product_id: str) -> WriteDocument:
        """Take a product out; one that is not there is no error."""
        return await self._send(calls.delete_product(product_id))

    async def put_products(
        self, products: Iterable[ProductDocument | Mapping[str, Any] | Deletion]
    ) -> AsyncIterator[WriteDocument]:
        """Put and delete any number of products, request by request, in their order.

        Args:
            products: With their `product_id`; read as they are sent.

        Yields:
            What became of each; `line` counts from 1 over all of them.
        """
        for number, batch in enumerate(calls.batches(products, _LINES)):
            for result in await self._send(calls.put_products(batch)):
                yield result.model_copy(update={"line": result.line + number * _LINES})

    async def add_event(self, event: EventDocument | Mapping[str, Any]) -> WriteDocument:
        """Tell what a shopper did. Without `event_id` it is never sent twice."""
        return await self._send(calls.add_event(event))

    async def add_events(self, events: Iterable[EventDocument | Mapping[str, Any]]) -> AsyncIterator[WriteDocument]:
        """Tell of any number of events, request by request.

        Yields:
            What became of each; `line` counts from 1 over all of them.
        """
        for number, batch in enumerate(calls.batches(events, _LINES)):
            for result in await self._send(calls.add_events(batch)):
                yield result.model_copy(update={"line": result.line + number * _LINES})

    async def erase_actor(self, kind: ActorKind, actor_id: str) -> ErasedDocument:
        """Erase all events under an id."""
        return await self._send(calls.erase_actor(kind, actor_id))

    async def versions(self) -> list[VersionDocument]:
        """Return all versions, the oldest first."""
        return await self._send(calls.list_versions())

    async def build_version(self) -> VersionDocument:
        """Begin to build a version; look at `versions` until it is ready."""
        return await self._send(calls.build_version())

    async def switch_version(self, version_id: str) -> VersionDocument:
        """Serve another version from now on."""
        return await self._send(calls.switch_version(version_id))

    async def health(self) -> Liveness:
        """Ask whether the process is alive."""
        return await self._send(calls.health())

    async def readiness(self) -> Readiness:
        """Ask what is loaded, and how far it is."""
        return await self._send(calls.readiness())

    async def metrics(self) -> str:
        """Return the measurements in Prometheus' text form."""
        return await self._send(calls.metrics())

    async def _send(self, call: Call[_Answer]) -> _Answer:
        attempt = 0
        while True:
            got = await self._try(call)
            wait_s = self._retries.wait_s(call, attempt, got=got)
            if wait_s is None:
                break
            attempt += 1
            await asyncio.sleep(wait_s)
        if isinstance(got, httpx.TransportError):
            raise unreachable(got, str(self._http.base_url)) from got
        return call.read(check_answer(got))

    async def _try(self, call: Call[_Answer]) -> httpx.Response | httpx.TransportError:
        try:
            return await self._http.request(call.method, call.path, content=call.body, headers=call.headers)
        except httpx.TransportError as error:
            return error
