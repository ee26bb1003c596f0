"""`aisle export`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import print_json, say

__all__ = ["export"]


def export(
    out: Annotated[Path, typer.Option(help="Folder to write; it must be new.")],
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Write vectors (Parquet), query tower (ONNX), features and recipes for OpenSearch and Elasticsearch into a folder.

    Example: `aisle export --workspace shop --out exported`
    """
    from aisle.pipelines.export.exporting import export_workspace
    from aisle.workspace import Workspace

    outcome = export_workspace(Workspace.open(workspace), out)
    if as_json:
        print_json({"step": "export", **asdict(outcome)})
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{outcome.products:,} products, {outcome.dim} dimensions", title_justify="left")
    table.add_column("file")
    table.add_column("bytes", justify="right")
    for name, size in outcome.files.items():
        table.add_row(Text(name), f"{size:,}")
    Console().print(table)
    say(f"Written to {outcome.out}; its README.md says what each file is.")
