"""`aisle doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import print_json, say

if TYPE_CHECKING:
    from aisle.pipelines.doctor import Examination

__all__ = ["doctor"]

_MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "problem": ("problem", "red")}


def doctor(workspace: WorkspaceOption = Path("workspace"), as_json: JsonOption = False) -> None:
    """Look at the installation, the workspace, what is served and its journal, and say how to mend what is wrong.

    Every file is checked against the hash that was written with it. Exit code 1 where there is a problem.

    Example: `aisle doctor --workspace shop`
    """
    from aisle.pipelines.doctor import examine

    found = examine(workspace)
    if as_json:
        print_json(found.as_dict())
    else:
        _print(found)
    if found.num_problems:
        raise typer.Exit(1)


def _print(found: Examination) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    area = ""
    for one in found.findings:
        if one.area != area:
            area = one.area
            table.add_row("", Text(area, style="bold"), "")
        mark, colour = _MARKS[one.state]
        told = Text(one.told)  # not markup: a message may hold brackets
        if one.remedy:
            told.append(f"\n→ {one.remedy}", style="dim" if one.state == "ok" else "bold")
        table.add_row(Text(mark, style=colour), Text(f"  {one.name}"), told)
    Console().print(table)
    say(f"{found.num_problems} problems, {found.num_warnings} warnings.")
