"""`aisle report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import print_json, say

__all__ = ["report"]


def report(
    workspace: WorkspaceOption = Path("workspace"),
    out: Annotated[Path | None, typer.Option(help="The HTML file; without it `report.html` in the workspace.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="Test queries of each band that are shown with answers.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Write one HTML page of all that the workspace holds: data, training, quality, ablation, A/B tests, index.

    The page needs no network and no script. What is missing is named with the command that makes it.

    Example: `aisle report --workspace shop --out shop.html`
    """
    from aisle.pipelines.reporting import write_report
    from aisle.workspace import Workspace

    outcome = write_report(Workspace.open(workspace), out=out, examples=examples)
    if as_json:
        print_json(outcome.as_dict())
        return
    typer.echo(str(outcome.path))
    for artefact, names in outcome.changed.items():
        say(f"{artefact} was made before {', '.join(names)} changed: run it again.")
    for key, command in outcome.missing.items():
        say(f"Without {key}: `{command}` makes it.")
