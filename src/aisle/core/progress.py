"""Progress bars on stderr: rate and time left for people, silence for machines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Advance", "progress_bar"]


class Advance(Protocol):
    """Called with the number of units done since the last call, and a short note such as the loss."""

    def __call__(self, num_done: int, note: str = "", *, total: int | None = None) -> None:
        """Move the bar on by `num_done` units; `total` corrects the number of units of the whole."""


@contextmanager
def progress_bar(title: str, *, total: int | None, unit: str) -> Iterator[Advance]:
    """Show a bar with rate and time left; draws nothing when stderr is not a terminal.

    Of several processes that were launched together, the first draws.

    Args:
        title: What is being done.
        total: Number of units of the whole; None where it is not known.
        unit: Name of one unit, plural ("pairs").

    Yields:
        A function to report progress with.
    """
    if not sys.stderr.isatty() or os.environ.get("RANK", "0") != "0":
        yield lambda num_done, note="", *, total=None: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Task as ProgressTask
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: ProgressTask) -> Text:
            return Text(f"{task.speed:,.0f} {unit}/s" if task.speed else f"– {unit}/s")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, note="")
        yield lambda num_done, note="", *, total=None: bar.update(task, advance=num_done, note=note, total=total)
