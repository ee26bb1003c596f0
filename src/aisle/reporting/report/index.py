"""The index that serves: how much of the exact result it finds, and the points that tuning tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aisle.reporting.report.section import Made, Section, table

__all__ = ["index_section"]


def index_section(summary: Mapping[str, Any] | None, *, made: Sequence[Made]) -> Section:
    """Tell of the index.

    Args:
        summary: Summary of the artefact `index`; None where there is none.
        made: Where it comes from.
    """
    key, title = "index", "Index"
    if summary is None:
        return Section(key, title, missing="Nothing was indexed.", command="aisle index")
    index, hybrid = summary["index"], summary["hybrid"]
    rows = [
        ("kind", index["kind"]),
        ("parameters", ", ".join(f"{name} {value}" for name, value in index["parameters"].items()) or "none"),
        ("products", f"{index['num_products']:,} vectors of {index['dim']} dimensions"),
        (
            "ann_recall",
            f"{index['ann_recall']:.4f} of the exact first {index['recall_k']}, on {index['num_queries']:,} queries",
        ),
        ("memory", f"{index['bytes_per_product']:,.0f} bytes per product"),
        ("build", f"{index['build_s']:.1f} s"),
        ("hybrid", f"{hybrid['fusion']}, semantic weight {hybrid['semantic_weight']:g} ({hybrid['weight_from']})"),
    ]
    body = table(("what", "value"), rows, caption="The index that serves", numbers_from=2)
    finding = (
        f"The index ({index['kind']}) finds {100 * index['ann_recall']:.1f} % of what exact search finds among "
        f"the first {index['recall_k']}."
    )
    return Section(key, title, body, (finding,), tuple(made))
