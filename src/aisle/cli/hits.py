"""Results of a search as a table for people, with what their scores are made of where that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aisle.retrieval import Hit

__all__ = ["print_hits"]


def print_hits(title: str, hits: Sequence[Hit]) -> None:
    """Print one line a hit; of an explained one also the parts of its semantic score and both sides of a hybrid."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    explained = [_columns(hit.explanation) for hit in hits if hit.explanation is not None]
    names = list(dict.fromkeys(name for columns in explained for name in columns))
    look: dict[str, Any] = {"box": box.SIMPLE_HEAD, "padding": (0, 1, 0, 0)} if names else {}
    table = Table(title=Text(title), title_justify="left", **look)
    for heading in ("", "score", *names):
        # A figure that is cut off tells nothing: on a narrow screen titles give way.
        width = max([len(heading), *(len(columns.get(heading, "")) for columns in explained)])
        table.add_column(heading, justify="right", no_wrap=True, min_width=width)
    table.add_column("product", no_wrap=True, min_width=max([0, *(min(len(hit.product_id), 20) for hit in hits)]))
    table.add_column("title", no_wrap=bool(names))
    if not names:
        table.add_column("price", justify="right")
    for hit in hits:
        price = hit.product.get("price")
        told = _columns(hit.explanation or {})
        cells = [hit.product_id, str(hit.product.get("title") or "")]
        if not names:
            cells.append(f"{price:,.2f}" if price is not None else "")
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
