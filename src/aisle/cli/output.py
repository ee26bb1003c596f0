"""Printing: a table for people, one JSON object for machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import typer

from aisle.core.errors import WorkspaceError

__all__ = ["keep_for_report", "print_json", "print_step", "say"]


def print_json(values: Mapping[str, object]) -> None:
    """Print one JSON object on stdout; numbers of NumPy are plain numbers, undefined ones null."""
    import orjson

    # As bytes: JSON is UTF-8 whatever the terminal's encoding is.
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    typer.echo(orjson.dumps(values, option=options), nl=False)


def say(text: str) -> None:
    """Tell a person what is going on, on stderr, so that stdout stays for results."""
    typer.echo(text, err=True)


def keep_for_report(keep: Callable[[], Path]) -> None:
    """Keep an outcome that was printed; a workspace that cannot be written to is told, the figures stand all the same.

    Args:
        keep: Keeps it and returns where it lies.
    """
    try:
        say(f"Kept in {keep()} for `aisle report`.")
    except WorkspaceError as error:
        say(f"Not kept for `aisle report`: {error}")


def print_step(name: str, summary: Mapping[str, object], *, skipped: bool, as_json: bool) -> None:
    """Print what a step came to."""
    if as_json:
        print_json({"step": name, "skipped": skipped, **summary})
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    state = "unchanged: skipped" if skipped else "done"
    table = Table(title=f"{name} ({state})", show_header=False, title_justify="left")
    for key, value in _flat(summary):
        table.add_row(key, Text(_shown(value)))  # Rich would read a str's brackets as markup
    Console().print(table)


def _flat(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((prefix + name, value))
    return rows


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
