"""SQL files of the loaders, one statement each."""

from __future__ import annotations

from importlib import resources

__all__ = ["statement"]


def statement(name: str) -> str:
    """Return one SQL statement: `ubi/02_events` is `aisle/sources/sql/ubi/02_events.sql`."""
    return (resources.files("aisle.sources") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
