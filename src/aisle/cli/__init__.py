"""The command line: parses arguments, calls one pipeline, prints a table or JSON."""

from aisle.cli.app import main

__all__ = ["main"]
