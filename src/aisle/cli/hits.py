"""Results of a search as a table for people, with what their scores are made of where that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aisle.retrieval import Hit

__all__ = ["print_hits"]


def print_hits(title: str, hits: Sequence[Hit]) -> None:
    """Print one line a hit; of an explained one also the parts of its semantic score and both sides of a hybrid."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    explained = [_columns(hit.explanation) for hit in hits if hit.explanation is not None]
    names = list(dict.fromkeys(name for columns in explained for name in columns))
    table = Table(title=Text(title), title_justify="left")
    for heading in ("", "score", *names):
        table.add_column(heading, justify="right")
    for heading in ("product", "title", "price"):
        table.add_column(heading, justify="right" if heading == "price" else "left")
    for hit in hits:
        price = hit.product.get("price")
        told = _columns(hit.explanation or {})
        cells = (hit.product_id, str(hit.product.get("title") or ""), f"{price:,.2f}" if price is not None else "")
        parts = (told.get(name, "") for name in names)
        table.add_row(str(hit.rank), f"{hit.score:.3f}", *map(Text, (*parts, *cells)))
    Console().print(table)


def _columns(explanation: Mapping[str, Any]) -> dict[str, str]:
    """Return what each side of a hybrid adds to the score, with its place there; then the semantic score's parts."""
    sides = {
        f"+{name}": f"{side['adds']:.3f} (#{side['rank']})" if side["rank"] else "0"
        for name, side in explanation.get("sides", {}).items()
    }
    parts = {name: f"{value:+.3f}" for name, value in explanation.get("parts", {}).items()}
    return sides | parts
