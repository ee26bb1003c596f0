"""The `aisle` command. Heavy imports stand inside the commands, so that `--help` answers at once."""

from __future__ import annotations

import sys

import typer

from aisle import __version__
from aisle.cli import (
    ablating,
    abtesting,
    boosting,
    comparing,
    data,
    doctoring,
    evaluation,
    exporting,
    mining,
    models,
    pretraining,
    reporting,
    retrieving,
    serving,
    tuning,
)
from aisle.core.errors import AisleError, UsageError

__all__ = ["app", "main"]

_INTERRUPTED = 130

app = typer.Typer(
    name="aisle",
    help="Embedding-based retrieval for e-commerce search: import → mine → train → index → evaluate → serve.\n\n"
    "Example: `aisle demo` goes the whole way on a generated shop.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

app.command(name="demo", rich_help_panel="Start here")(serving.demo)
app.command(name="simulate", rich_help_panel="Data")(data.simulate)
app.command(name="import", rich_help_panel="Data")(data.import_)
app.command(name="mine", rich_help_panel="Data")(mining.mine)
app.command(name="pretrain", rich_help_panel="Model")(pretraining.pretrain)
app.command(name="train", rich_help_panel="Model")(models.train)
app.command(name="index", rich_help_panel="Model")(models.index)
app.command(name="boost", rich_help_panel="Model")(boosting.boost)
app.command(name="tune", rich_help_panel="Model")(tuning.tune)
app.command(name="evaluate", rich_help_panel="Quality")(evaluation.evaluate)
app.command(name="compare", rich_help_panel="Quality")(comparing.compare)
app.command(name="abtest", rich_help_panel="Quality")(abtesting.abtest)
app.command(name="ablate", rich_help_panel="Quality")(ablating.ablate)
app.command(name="report", rich_help_panel="Quality")(reporting.report)
app.command(name="search", rich_help_panel="Use")(serving.search)
app.command(name="retrieve", rich_help_panel="Use")(retrieving.retrieve)
app.command(name="serve", rich_help_panel="Use")(serving.serve)
app.command(name="export", rich_help_panel="Use")(exporting.export)
app.command(name="doctor", rich_help_panel="Use")(doctoring.doctor)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"aisle {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and leave."
    ),
) -> None: ...


def main() -> None:
    """Run the command line; a user's mistake is one clear line on stderr, never a traceback."""
    try:
        app(prog_name="aisle")
    except AisleError as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except SystemExit as stopped:
        if stopped.code == _INTERRUPTED:  # Typer makes this of Ctrl-C, without a word
            typer.secho("Interrupted; what was finished is kept.", fg="yellow", err=True)
        raise
