"""A typed client of the HTTP service, for programs that search a shop or keep it up to date. Needs `aisle[client]`.

    from aisle.client import Client, SearchRequest

    with Client("http://127.0.0.1:8000") as client:
        client.put_product("B-1042", {"title": "Silent wireless mouse", "price": 24.9})
        answer = client.search(SearchRequest(query="wireless mouse", k=10))

`AsyncClient` has the same methods as coroutines. What goes wrong is a `ProblemError`, which carries the
service's problem document, or an `UnreachableError`.
"""

from aisle.api import (
    ErasedDocument,
    EventDocument,
    Problem,
    ProductDocument,
    Readiness,
    SearchFilters,
    SearchRequest,
    SearchResponse,
    VersionDocument,
    WriteDocument,
)
from aisle.client.answers import ProblemError, UnreachableError
from aisle.client.asynchronous import AsyncClient
from aisle.client.calls import Deletion
from aisle.client.retries import Retries
from aisle.client.synchronous import Client

__all__ = [
    "AsyncClient",
    "Client",
    "Deletion",
    "ErasedDocument",
    "EventDocument",
    "Problem",
    "ProblemError",
    "ProductDocument",
    "Readiness",
    "Retries",
    "SearchFilters",
    "SearchRequest",
    "SearchResponse",
    "UnreachableError",
    "VersionDocument",
    "WriteDocument",
]
