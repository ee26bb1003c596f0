"""From the tables of a search log to the artefact `mined`."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import Any

from aisle.core.config import config_to_dict
from aisle.core.errors import WorkspaceError
from aisle.core.progress import progress_bar
from aisle.mining import Carried, LogFiles, MinedLog, MiningConfig, mine_log, num_steps
from aisle.pipelines.going_on import LAST, check_same_settings, go_on
from aisle.workspace import StepResult, Workspace

__all__ = ["load_mined", "mine"]

_REQUIRED = ("products", "searches", "impressions")
_OPTIONAL = ("events", "users")

_FORMAT = 2
"""Version of the files of a mined log: one of another version is mined anew."""


def mine(workspace: Workspace, config: MiningConfig, *, since: str | None = None) -> StepResult:
    """Mine the search log; skipped when its tables and the settings are unchanged.

    Args:
        workspace: Where the tables are.
        config: Settings.
        since: Go on from the log that was mined: the first day that it had not, as an ISO 8601 date or time (UTC), or
            "last" for whatever has come since. None mines all of it, with windows of its own.

    Raises:
        WorkspaceError: If products, searches or impressions were not imported, or nothing was mined to go on from.
        TableError: If the log has too few distinct times, or rows changed that were mined.
        UsageError: If the day was mined already or has no searches, or the settings are others.
    """
    names = (*_REQUIRED, *(name for name in _OPTIONAL if workspace.has(name)))
    # Memory and threads change no result.
    settings = {name: value for name, value in config_to_dict(config).items() if name not in {"memory_gb", "threads"}}
    settings["format"] = _FORMAT
    carried: Carried | None = None
    told: dict[str, Any] = {}
    if since is not None:
        manifest = workspace.manifest("mined")
        if since == LAST and all(manifest.inputs.get(name) == workspace.manifest(name).content for name in names):
            return StepResult(manifest, skipped=True)
        check_same_settings(manifest.config, settings)
        carried = go_on(workspace, config, since=since)
        told = {"continues": {"since": since, "mined": manifest.content, "snapshots": carried.num_snapshots}}

    def build(folder: Path) -> dict[str, Any]:
        files = {name: workspace.verified(name) / f"{name}.parquet" for name in names}
        started = time.perf_counter()
        with progress_bar("mining", total=num_steps(config, carried), unit="steps") as advance:
            summary = mine_log(LogFiles(**files), folder, config, advance=advance, carried=carried)
        seconds = time.perf_counter() - started
        return {**summary, **told, "seconds": round(seconds, 2), "peak_gb": round(_peak_bytes() / 1e9, 3)}

    return workspace.run_step("mined", build, inputs=names, config={**settings, **told})


def load_mined(workspace: Workspace) -> MinedLog:
    """Open the mined log, its files checked first.

    Raises:
        WorkspaceError: If the log was not mined, was mined from other tables than those that are there now, or a file
            is not as written.
    """
    mined_from = workspace.manifest("mined").inputs
    present = {name: workspace.manifest(name).content for name in (*_REQUIRED, *_OPTIONAL) if workspace.has(name)}
    stale = [name for name in (*_REQUIRED, *_OPTIONAL) if present.get(name) != mined_from.get(name)]
    if stale:
        raise WorkspaceError(
            "The mined log must be of the workspace's present tables",
            received={"changed_since": stale, "workspace": str(workspace.path)},
            remedy="Run `aisle mine` again.",
        )
    return MinedLog(workspace.verified("mined"))


def _peak_bytes() -> int:
    """Return the most memory that this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
