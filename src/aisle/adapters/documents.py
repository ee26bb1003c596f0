"""Products as other tools have them: plain texts, or mappings of fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from aisle.core.errors import UsageError
from aisle.tables import PRODUCTS

__all__ = ["Document", "documents_table"]

Document = str | Mapping[str, Any]
"""A product: its text, or columns of the products table by name."""


def documents_table(documents: Sequence[Document]) -> pa.Table:
    """Lay documents out as a products table.

    A plain text is a title. A mapping holds columns of the products table, `title` among them; `text` (as BEIR and mteb
    have it) is the description, or the title where there is none.

    Raises:
        UsageError: If a mapping has no title, other columns, or a value of another type.

    >>> documents_table(["red lamp", {"title": "Chair", "text": "soft"}]).to_pylist()[1]["description"]
    'soft'
    """
    rows = [_row(document) for document in documents]
    names = list(dict.fromkeys(("title", *(name for row in rows for name in row))))
    unknown = sorted(name for name in names if PRODUCTS.column(name) is None)
    if unknown:
        raise UsageError(
            "A document must be a text, or hold columns of the products table",
            received={"columns": unknown},
            remedy=f"Known are text, {', '.join(PRODUCTS.names)} and quality_….",
        )
    columns: dict[str, pa.Array] = {}
    for name in names:
        column = PRODUCTS.column(name)
        assert column is not None
        try:
            columns[name] = pa.array([row.get(name) for row in rows], column.type)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise UsageError(
                f"Values of {name} must be {column.type}",
                received={"column": name, "problem": str(error).splitlines()[0]},
                remedy="Convert them first.",
            ) from error
    return pa.table(columns)


def _row(document: Document) -> dict[str, Any]:
    if isinstance(document, str):
        return {"title": document}
    if not isinstance(document, Mapping):
        raise UsageError("A document must be a text or a mapping", received={"type": type(document).__name__})
    row = {name: value for name, value in document.items() if name != "text"}
    text = document.get("text")
    if not row.get("title"):
        row["title"] = text
    elif text:
        row["description"] = text
    if row["title"] is None:
        raise UsageError(
            "A document must have a title or a text",
            received={"columns": sorted(document)},
            remedy="Give one of them.",
        )
    return row
