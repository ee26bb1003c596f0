"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["JsonOption", "ProcessesOption", "RecipeOption", "SetOption", "WorkspaceOption"]

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", envvar="AISLE_WORKSPACE", help="Folder that holds a shop's artefacts.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")]
ProcessesOption = Annotated[
    int,
    typer.Option(
        "--processes",
        min=1,
        help="Processes of this machine that work together: one for each GPU. `accelerate launch` starts more.",
    ),
]
RecipeOption = Annotated[
    Path | None, typer.Option("--recipe", help="TOML file of settings; the rest keep their defaults.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Override one setting; may be repeated.")
]
