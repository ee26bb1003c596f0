"""From a search log to examples, histories, and snapshots of graph and statistics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from aisle.core.progress import Advance
from aisle.mining.config import MiningConfig
from aisle.mining.continuing import Carried, check_unchanged, write_before
from aisle.mining.database import exactly, open_database, run_sql
from aisle.mining.snapshots import write_snapshots
from aisle.mining.summary import summarise
from aisle.mining.texts import normalise_spellings
from aisle.mining.windows import FOREVER, Windows, find_windows
from aisle.tables import ACTION_STAGES, SCHEMAS, SPLITS, STAGE_GRADES, Stage

__all__ = ["LogFiles", "mine_log", "num_steps"]

_MINUTE_US = 60_000_000
_DAY_US = 24 * 60 * _MINUTE_US
_FIRST, _NUMBERED = "stage_inputs", ("number_searches", "shown", "actions", "assists", "outcomes")
_CONTINUED = ("number_searches", "since_acted", "actions", "assists", "since_shown", "outcomes", "since_outcomes")
_PAGE_VIEWS = ("view", "detail", "visit")
"""Outside a shown list, looking at a product means its own page: as much as a click."""
_WEIGHTED = ("clicked", "favorited", "carted", "ordered")
_EXPOSURE_COLUMNS = (("slot", pa.string()), ("exposed_by", pa.string()))


@dataclass(frozen=True)
class LogFiles:
    """Parquet files of validated tables.

    Attributes:
        products: A product's index is its row in this file.
        searches: At least `search_id, query, searched_at`.
        impressions: At least `search_id, product_id, position`.
        events: Behaviour outside shown lists; None: there is none.
        users: Locations of users; None: not known.
    """

    products: Path
    searches: Path
    impressions: Path
    events: Path | None = None
    users: Path | None = None


def num_steps(config: MiningConfig, carried: Carried | None = None) -> int:
    """Return how many steps `mine_log` reports."""
    numbered = len(_NUMBERED if carried is None else _CONTINUED)
    slices = config.num_slices if carried is None else carried.windows.num_slices
    return len((_FIRST, "histories")) + numbered + slices + len(SPLITS)


def mine_log(
    log: LogFiles,
    folder: Path,
    config: MiningConfig,
    *,
    advance: Advance,
    windows: Windows | None = None,
    carried: Carried | None = None,
) -> dict[str, Any]:
    """Mine a log.

    Args:
        log: The tables.
        folder: Existing folder for the result; `aisle.tables.MINED_SCHEMAS` says what its files hold.
        config: Settings.
        advance: Called after every step.
        windows: Boundaries that were found before; None finds them, or takes those of `carried`.
        carried: A shorter log that was mined with the same settings, whose snapshots and outcomes are taken over; None
            mines all of it. The files are the same either way.

    Returns:
        What was found, for the summary. What it tells of impressions is of searches that were labelled anew.

    Raises:
        TableError: If the log has no searches, or too few distinct times to cut between, or changes what the shorter
            log was mined from.
    """
    work = folder / "work"
    with open_database(work, memory_gb=config.memory_gb, threads=config.threads) as connection:
        parameters = {**_inputs(log, work), **_settings(config)}

        def step(name: str, more: Mapping[str, object] | None = None) -> None:
            run_sql(connection, name, {**parameters, **(more or {})})
            advance(1, name)

        step(_FIRST)
        windows = windows or (carried.windows if carried is not None else _find_windows(connection, config))
        parameters |= {
            **asdict(windows),
            **(carried.paths() if carried is not None else {}),
            "snapshot_times": list(windows.snapshot_times),
            "train_end": windows.train_end,
            "last_snapshot": windows.num_slices,
            "forever": FOREVER,
        }
        normalise_spellings(connection, max_chars=config.max_query_chars)
        for name in _NUMBERED if carried is None else _CONTINUED:
            step(name)
        if carried is not None:
            check_unchanged(connection, carried, parameters["impressions"])
        step("histories", {"histories": str(folder / "histories.parquet")})
        run_sql(connection, "signals", parameters)
        write_before(connection, windows, folder, parameters["impressions"])
        write_snapshots(connection, windows, folder, parameters, carried=carried, advance=advance)
        _write_examples(connection, folder, parameters, advance=advance)
        (folder / "windows.json").write_text(json.dumps(asdict(windows)), encoding="utf-8")
        return summarise(connection, windows, parameters, says_exposure=_says_exposure(log.impressions))


def _inputs(log: LogFiles, work: Path) -> dict[str, object]:
    """Return the path of every table, and of an empty file with all columns of its contract beside it."""
    paths: dict[str, object] = {"products": exactly(log.products)}
    tables = {"searches": log.searches, "impressions": log.impressions, "events": log.events, "users": log.users}
    for name, path in tables.items():
        fields = [(column.name, column.type) for column in SCHEMAS[name].columns]
        fields += _EXPOSURE_COLUMNS if name == "impressions" else ()
        empty = work / f"empty_{name}.parquet"
        pq.write_table(pa.schema(fields).empty_table(), empty)
        paths |= {name: exactly(path or empty), f"empty_{name}": exactly(empty)}
    return paths


def _settings(config: MiningConfig) -> dict[str, object]:
    graph, assist = config.graph, config.assist
    half_life = graph.half_life_days
    return {
        "max_skew_us": round(config.max_skew_minutes * _MINUTE_US),
        "max_delay_us": round(config.max_delay_days * _DAY_US),
        "session_gap_us": round(config.session_gap_minutes * _MINUTE_US),
        "assist_window_us": round(assist.window_minutes * _MINUTE_US),
        "max_searches": assist.max_searches if assist.enabled else 0,
        "max_actions": assist.max_actions,
        "discount": assist.discount,
        "skips_above": config.skips_above,
        "skips_below": config.skips_below,
        "history_size": config.history_size,
        "prior": config.prior_impressions,
        "max_chars": config.max_query_chars,
        "half_life_us": None if half_life is None else half_life * _DAY_US,
        "num_neighbours": graph.num_neighbours,
        "graph_assisted": graph.assisted,
        **{f"{stage}_weight": getattr(graph, f"{stage}_weight") for stage in _WEIGHTED},
        "stages": [int(stage) for stage in STAGE_GRADES],
        "grades": list(STAGE_GRADES.values()),
        "actions": [*ACTION_STAGES, *_PAGE_VIEWS],
        "action_stages": [*map(int, ACTION_STAGES.values()), *(int(Stage.CLICKED) for _ in _PAGE_VIEWS)],
    }


def _find_windows(connection: duckdb.DuckDBPyConnection, config: MiningConfig) -> Windows:
    columns = run_sql(connection, "search_times").fetchnumpy()
    return find_windows(
        columns["searched_us"],
        columns["split"],
        num_slices=config.num_slices,
        validation_share=config.validation_share,
        test_share=config.test_share,
    )


def _write_examples(
    connection: duckdb.DuckDBPyConnection, folder: Path, parameters: Mapping[str, object], *, advance: Advance
) -> None:
    """Write examples and outcomes of each split apart, so that what trains need not touch test rows."""
    run_sql(connection, "stage_grades", parameters)
    for name in ("examples", "outcomes"):
        (folder / name).mkdir(exist_ok=True)
    for split in SPLITS:
        paths = {name: str(folder / name / f"{split}.parquet") for name in ("examples", "outcomes")}
        run_sql(connection, "examples", {**parameters, **paths, "split": split})
        advance(1, split)
    paths = {name: str(folder / f"{name}.parquet") for name in ("queries", "actors")}
    run_sql(connection, "tables", {**parameters, **paths})


def _says_exposure(impressions: Path) -> bool:
    names = pq.read_schema(impressions).names
    return any(name in names for name, _ in _EXPOSURE_COLUMNS)
