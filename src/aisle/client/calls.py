"""Every route as a value: what to send, and how to read what comes back. Both clients send these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import orjson
from pydantic import BaseModel

from aisle.api import (
    ActorKind,
    ErasedDocument,
    EventDocument,
    Liveness,
    ProductDocument,
    Readiness,
    SearchRequest,
    SearchResponse,
    VersionChoice,
    VersionDocument,
    VersionList,
    WriteDocument,
)

__all__ = [
    "Call",
    "Deletion",
    "Product",
    "add_event",
    "add_events",
    "batches",
    "build_version",
    "delete_product",
    "erase_actor",
    "health",
    "list_versions",
    "metrics",
    "put_product",
    "put_products",
    "readiness",
    "search",
    "switch_version",
]

_Answer = TypeVar("_Answer", covariant=True)
_Model = TypeVar("_Model", bound=BaseModel)
_Item = TypeVar("_Item")

_JSON = "application/json"
_NDJSON = "application/x-ndjson"

Product = ProductDocument | Mapping[str, Any]
"""A product: its document, or its fields."""

Event = EventDocument | Mapping[str, Any]
"""An event: its document, or UBI's fields."""


@dataclass(frozen=True)
class Deletion:
    """Stands in a list of products for one that is to be taken out."""

    product_id: str


@dataclass(frozen=True)
class Call(Generic[_Answer]):
    """One request.

    Attributes:
        method: Of HTTP.
        path: Percent-encoded, from the root.
        read: Makes the answer of the body.
        body: What is sent; None: nothing.
        media_type: Of the body.
        is_idempotent: Whether sending it twice does what sending it once does.
    """

    method: str
    path: str
    read: Callable[[bytes], _Answer]
    body: bytes | None = None
    media_type: str = _JSON
    is_idempotent: bool = True

    @property
    def headers(self) -> dict[str, str]:
        """Headers that describe the body."""
        return {} if self.body is None else {"content-type": self.media_type}


def search(request: SearchRequest | str) -> Call[SearchResponse]:
    """Search."""
    asked = SearchRequest(query=request) if isinstance(request, str) else request
    body = asked.model_dump_json(exclude_unset=True).encode()
    return Call("POST", "/v1/search", _reader(SearchResponse), body)


def put_product(product_id: str, product: Product) -> Call[WriteDocument]:
    """Put one product."""
    return Call("PUT", f"/v1/products/{_segment(product_id)}", _reader(WriteDocument), _document(product))


def delete_product(product_id: str) -> Call[WriteDocument]:
    """Take one product out."""
    return Call("DELETE", f"/v1/products/{_segment(product_id)}", _reader(WriteDocument))


def put_products(products: Sequence[Product | Deletion]) -> Call[list[WriteDocument]]:
    """Put and delete products."""
    lines = (
        orjson.dumps({"delete": one.product_id}) if isinstance(one, Deletion) else _document(one) for one in products
    )
    return Call("PUT", "/v1/products", _read_results, b"\n".join(lines), _NDJSON)


def add_event(event: Event) -> Call[WriteDocument]:
    """Tell of one event; one with an id is kept once however often it comes."""
    body = _document(event)
    return Call("POST", "/v1/events", _reader(WriteDocument), body, is_idempotent=_has_id(event))


def add_events(events: Sequence[Event]) -> Call[list[WriteDocument]]:
    """Tell of events."""
    body = b"\n".join(map(_document, events))
    return Call("POST", "/v1/events", _read_results, body, _NDJSON, is_idempotent=all(map(_has_id, events)))


def erase_actor(kind: ActorKind, actor_id: str) -> Call[ErasedDocument]:
    """Erase an actor."""
    return Call("DELETE", f"/v1/actors/{kind}/{_segment(actor_id)}", _reader(ErasedDocument))


def list_versions() -> Call[list[VersionDocument]]:
    """List versions."""
    return Call("GET", "/v1/versions", lambda body: VersionList.model_validate_json(body).versions)


def build_version() -> Call[VersionDocument]:
    """Begin to build a version."""
    return Call("POST", "/v1/versions", _reader(VersionDocument), is_idempotent=False)


def switch_version(version_id: str) -> Call[VersionDocument]:
    """Serve a version."""
    body = VersionChoice(id=version_id).model_dump_json().encode()
    return Call("PUT", "/v1/versions/current", _reader(VersionDocument), body)


def health() -> Call[Liveness]:
    """Ask whether the process is alive."""
    return Call("GET", "/healthz", _reader(Liveness))


def readiness() -> Call[Readiness]:
    """Ask what is loaded."""
    return Call("GET", "/readyz", _reader(Readiness))


def metrics() -> Call[str]:
    """Ask for the measurements."""
    return Call("GET", "/metrics", bytes.decode)


def batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Cut any sequence into lists of at most `size`."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _segment(text: str) -> str:
    # "." and ".." would be taken for steps in the path, by clients and proxies alike.
    return quote(text, safe="").replace(".", "%2E")


def _document(item: ProductDocument | EventDocument | Mapping[str, Any]) -> bytes:
    if isinstance(item, BaseModel):
        return item.model_dump_json(exclude_unset=True).encode()
    return orjson.dumps(item)


def _has_id(event: Event) -> bool:
    found = event.event_id if isinstance(event, EventDocument) else event.get("event_id")
    return found is not None


def _reader(model: type[_Model]) -> Callable[[bytes], _Model]:
    return model.model_validate_json


def _read_results(body: bytes) -> list[WriteDocument]:
    return [WriteDocument.model_validate_json(line) for line in body.splitlines() if line]
