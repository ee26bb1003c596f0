"""`aisle retrieve`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import print_json, say

__all__ = ["retrieve"]


def retrieve(
    queries: Annotated[
        Path,
        typer.Option(
            help="CSV, TSV, JSONL or Parquet file with the column query, and perhaps query_id (or search_id), user_id, "
            "client_id, session_id, location and searched_at; or .txt, one query per line."
        ),
    ],
    out: Annotated[Path, typer.Option(help="File to write: .parquet, or .trec for a run in TREC's format.")],
    workspace: WorkspaceOption = Path("workspace"),
    k: Annotated[int, typer.Option(help="Results per query, at most.")] = 1000,
    system: Annotated[str, typer.Option(help="hybrid, semantic or lexical.")] = "hybrid",
    as_json: JsonOption = False,
) -> None:
    """Write the top products of every query of a file, with the parts of their scores: input of a shop's own ranker.

    Example: `aisle retrieve --workspace shop --queries queries.csv --k 1000 --out run.parquet`
    """
    from aisle.pipelines.retrieving import retrieve_file
    from aisle.workspace import Workspace

    outcome = retrieve_file(Workspace.open(workspace), queries, out, system=system, k=k)
    if as_json:
        print_json(asdict(outcome))
        return
    for problem in outcome.problems:
        say(f"Set aside: {problem}")
    if outcome.unknown_actors:
        say(f"{outcome.unknown_actors:,} queries name an actor whom the log does not know: they count as nobody's.")
    if outcome.without_results:
        say(f"{outcome.without_results:,} queries found nothing.")
    say(f"Wrote {outcome.rows:,} results of {outcome.queries:,} queries to {outcome.out}")
