"""The README of an export: what each file is, and how another program makes what the graph reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["export_readme"]

_TEMPLATE = Path(__file__).with_suffix(".md")


def export_readme(*, products: int, dim: int, inputs: Mapping[str, str], query: str, boosted: bool) -> str:
    """Return the text.

    Args:
        products: Number of products.
        dim: Dimensions of a vector.
        inputs: Each input of the graph by name, in words.
        query: An example.
        boosted: Whether the vectors hold a boost.
    """
    rows = "\n".join(f"| `{name}` | {told} |" for name, told in inputs.items())
    boost = ", the last two of them for the boost" if boosted else ""
    text = _TEMPLATE.read_text(encoding="utf-8")
    return text.format(products=products, dim=dim, inputs=rows, query=query.replace('"', ""), boost=boost)
