"""Best Buy's catalogue: XML files of `<product>` elements, as its API gave them in 2011."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, iterparse

import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.core.progress import progress_bar

__all__ = ["read_catalogue"]

_TEXTS = {
    "product_id": ("sku",),
    "title": ("name",),
    "description": ("longDescription", "shortDescription"),
    "brand": ("manufacturer",),
    "price": ("salePrice", "regularPrice"),
}
"""Elements that a column is taken from: the first that is not blank."""

_ATTRIBUTES = ("modelNumber", "color", "format", "genre", "class", "subclass", "department")
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in _TEXTS),
        ("category", pa.list_(pa.string())),
        ("attributes", pa.map_(pa.string(), pa.string())),
    ]
)


def read_catalogue(paths: Sequence[Path]) -> pa.Table:
    """Read the products of some XML files. The result is not validated yet.

    Raises:
        SourceError: If a file is damaged.
    """
    products: list[dict[str, Any]] = []
    with progress_bar("Best Buy's catalogue", total=len(paths), unit="files") as advance:
        for path in paths:
            products += _products(path)
            advance(1)
    return pa.Table.from_pylist(products, schema=_SCHEMA)


def _products(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the products of a file one by one: a tree of all of them takes ten times the file's size in memory."""
    try:
        # Expat 2.4.1 and later refuses entities that expand without end; external ones are never read.
        for _, element in iterparse(path):  # noqa: S314
            if element.tag == "product":
                yield _product(element)
                element.clear()
    except (ParseError, OSError) as error:
        raise SourceError(
            "A product file must be whole XML",
            received={"path": str(path), "reason": str(error)},
            remedy="Unpack or download it again.",
        ) from error


def _product(element: Element) -> dict[str, Any]:
    texts = {name: _first_text(element, tags) for name, tags in _TEXTS.items()}
    levels = [level.text for level in element.iterfind("categoryPath/category/name") if level.text]
    attributes = {tag: value for tag in _ATTRIBUTES if (value := _first_text(element, (tag,))) is not None}
    return {**texts, "category": levels or None, "attributes": list(attributes.items()) or None}


def _first_text(element: Element, tags: Sequence[str]) -> str | None:
    texts = (element.findtext(tag, default="").strip() for tag in tags)
    return next((text for text in texts if text), None)
