"""`aisle boost`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import print_json, say

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["boost"]

_SHOWN_SLICES = ("all", "head", "torso", "tail", "unseen", "cold products")
_LABELS = {"log": "orders", "truth": "truth (simulated)"}


def boost(
    workspace: WorkspaceOption = Path("workspace"),
    trials: Annotated[
        int, typer.Option(min=1, help="Trials of Optuna, on each half of the validation queries and on all of them.")
    ] = 200,
    max_searches: Annotated[int, typer.Option(min=1, help="Most searches of either window, drawn evenly.")] = 4000,
    off: Annotated[bool, typer.Option("--off", help="Take the boost away.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of trials, draws and resamples.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Lift products by their quality, with weights found on validation orders; keeps none where that earns nothing.

    What is used is known at the end of training: dated quality values, freshness, popularity and rates of the log. The
    test window is measured once. `search`, `serve`, `retrieve` and `evaluate` use the boost that was kept.

    Example: `aisle boost --workspace shop --trials 200`
    """
    from aisle.pipelines.boosting import BoostConfig, boost_workspace, take_boost_away
    from aisle.workspace import Workspace

    opened = Workspace.open(workspace)
    config = BoostConfig(trials=trials, max_searches=max_searches, seed=seed)
    result = take_boost_away(opened) if off else boost_workspace(opened, config)
    summary = result.manifest.summary
    if as_json:
        print_json({"step": "boost", "skipped": result.skipped, **summary})
    else:
        _print(summary, skipped=result.skipped)


def _print(summary: Mapping[str, Any], *, skipped: bool) -> None:
    from rich.console import Console

    state = "unchanged: skipped" if skipped else "done"
    if summary["off"]:
        say(f"boost ({state}): taken away; the index is searched as it was built.")
        return
    console = Console()
    console.print(_weights(summary, state))
    for labels, told in (summary["test"] or {}).items():
        for system, slices in told["systems"].items():
            console.print(_gains(f"test window, {_LABELS[labels]}, {system}", slices))
    verdict = "Kept" if summary["kept"] else "Not kept: the boost is 0"
    say(f"{verdict}: {summary['reason']} ({summary['validation']['searches']:,} validation searches).")
    if summary["test"] and not summary["kept"]:
        say("The test figures are what it would have done; they decided nothing.")
    if summary["simulated"]:
        say("Of a simulated marketplace: these figures are simulated.")


def _weights(summary: Mapping[str, Any], state: str) -> Table:
    from rich.table import Table

    limit = summary["limit"]
    table = Table(
        title=f"boost ({state}): weights in the score's own unit, limit ±{limit:.3f}",
        title_justify="left",
    )
    table.add_column("feature")
    table.add_column("weight", justify="right")
    for name, weight in summary["weights"].items():
        table.add_row(name, f"{weight:+.4f}")
    for name, gain in (summary["validation"]["gain"] or {}).items():
        table.add_row(f"validation, {name}", _interval(gain))
    return table


def _gains(title: str, slices: Mapping[str, Any]) -> Table:
    from rich.table import Table

    measures = [name for name in slices["all"] if name != "searches"]
    table = Table(title=title, title_justify="left")
    for name in ("slice", "searches", *measures):
        table.add_column(name, justify="left" if name == "slice" else "right")
    for name in (one for one in _SHOWN_SLICES if one in slices):
        values = slices[name]
        cells = [
            f"{values[one]['without']:.3f} → {values[one]['with']:.3f}  {_interval(values[one])}" for one in measures
        ]
        table.add_row(name, f"{values['searches']:,}", *cells)
    return table


def _interval(gain: Mapping[str, Any]) -> str:
    if gain["low"] is None:
        return f"{gain['gain']:+.4f}"
    return f"{gain['gain']:+.4f} \\[{gain['low']:+.4f}, {gain['high']:+.4f}]"
