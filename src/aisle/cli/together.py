"""Commands that start themselves again, in several processes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import typer

__all__ = ["launch", "options_again"]


def launch(arguments: Sequence[str], *, number: int) -> NoReturn:
    """Run a command of ours in several processes, and leave as the first of them does.

    Raises:
        TrainingError: If another one than the first ended before its time.
        Exit: Always, else.
    """
    from aisle.pipelines.launching import run_together

    raise typer.Exit(run_together([sys.executable, "-m", "aisle.cli", *arguments], number=number))


def options_again(workspace: Path, recipe: Path | None, overrides: Sequence[str] | None, *, as_json: bool) -> list[str]:
    """Write the options that commands share as they were given.

    >>> options_again(Path("shop"), None, ["seed=1"], as_json=True)
    ['--workspace', 'shop', '--set', 'seed=1', '--json']
    """
    return [
        *("--workspace", str(workspace)),
        *(("--recipe", str(recipe)) if recipe is not None else ()),
        *(word for override in overrides or () for word in ("--set", override)),
        *(("--json",) if as_json else ()),
    ]
