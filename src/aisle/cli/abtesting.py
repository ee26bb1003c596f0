"""`aisle abtest`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import print_json, say

__all__ = ["abtest"]


def abtest(
    a: Annotated[str, typer.Argument(help="lexical, semantic or hybrid, or PATH:system of another workspace.")],
    b: Annotated[str | None, typer.Argument(help="The system that is to beat A; left out only with --aa.")] = None,
    workspace: WorkspaceOption = Path("workspace"),
    searches: Annotated[int, typer.Option(min=100, help="Simulated searches of both arms together.")] = 200_000,
    split: Annotated[float, typer.Option(help="Share of the shoppers that meet B.")] = 0.5,
    k: Annotated[int, typer.Option(min=1, help="Candidates that a system hands to the fixed ranker.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another split, other visits and other needs.")] = 0,
    power: Annotated[bool, typer.Option("--power", help="Only tell what a test of this size could see.")] = False,
    aa: Annotated[
        int, typer.Option(min=0, help="Split a recorded run of A this many times and test it on itself.")
    ] = 0,
    paired: Annotated[
        bool, typer.Option("--paired", help="All shoppers meet both systems too, with the same needs: narrower.")
    ] = False,
    catalogue: Annotated[
        Path | None, typer.Option(help="The file that was given to `aisle simulate --catalogue`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Try two retrieval systems on the shoppers of a simulated marketplace, behind one fixed ranker.

    Example: `aisle abtest lexical hybrid --workspace shop --searches 200000 --aa 200`
    """
    from aisle.pipelines.abtesting import ABTestConfig, ab_test, estimate_power, read_result
    from aisle.workspace import Workspace

    opened = Workspace.open(workspace)
    config = ABTestConfig(searches=searches, split=split, k=k, seed=seed, paired=paired, aa_runs=aa)
    if power:
        result = estimate_power(opened, a, config=config, catalogue=catalogue)
    else:
        result = read_result(opened, ab_test(opened, a, b, config=config, catalogue=catalogue))
    if as_json:
        print_json(result)
        return
    _print(result)


def _print(result: Mapping[str, Any]) -> None:
    from rich.console import Console

    from aisle.experiments.trial_table import days_table, funnel_table, lift_table, power_lines

    for line in power_lines(result["power"], searches=result["config"]["searches"]):
        say(line)
    console = Console()
    if "purchase_rate_lift" in result:
        title = f"Simulated A/B test, {result['searches']:,} searches, split by shopper"
        console.print(lift_table(result, title=title), days_table(result), funnel_table(result))
        if result["searches"] < result["config"]["searches"]:
            say("These are all searches that the shoppers make within the days: simulate more shoppers for more.")
        speed = ", ".join(f"{result[side]} {result['searches_per_second'][side]:,.0f}" for side in "ab")
        say(f"Searches answered in a second: {speed}.")
    if "paired" in result:
        arms = {"a": result["a"], "b": result["b"]}
        title = "Simulated: the same shoppers, with the same needs, meet both"
        console.print(lift_table({**arms, **result["paired"]}, title=title))
    if "aa_runs" in result:
        recorded = f"{result['aa_searches']:,} recorded searches"
        say(f"A/A: {result['aa_rejections']} of {result['aa_runs']} splits of {recorded} differ at the level of 0.05.")
    say("Simulated shoppers: their lifts say what would happen in this marketplace, not in a shop.")
