"""A marketplace with known truth: its catalogue, its search log and its truth as artefacts of a workspace."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from aisle.core.config import config_to_dict
from aisle.core.errors import WorkspaceError
from aisle.core.progress import progress_bar
from aisle.retrieval import LexicalRetriever
from aisle.simulation import (
    LoggingPolicy,
    Marketplace,
    MarketplaceConfig,
    World,
    complete_catalogue,
    draw_shoppers,
    draw_world,
    list_world,
    world_of_catalogue,
    write_log,
)
from aisle.sources import read_table
from aisle.tables import SCHEMAS, validate
from aisle.workspace import StepResult, Workspace, file_sha256

__all__ = ["SIMULATED", "SIMULATED_TABLES", "build_marketplace", "refuse_own_tables", "simulate_marketplace"]

SIMULATED_TABLES: Mapping[str, tuple[str, ...]] = {
    "products": ("products",),
    "users": ("users",),
    "searches": ("searches",),
    "impressions": ("impressions",),
    "events": ("events",),
    "truth": ("truth", "intents"),
}
"""Artefacts and their files. Only evaluation may read `truth`."""

_STEP = "simulation"

SIMULATED = "simulated"
"""Source that the provenance of a generated catalogue names."""


@dataclass(frozen=True)
class _Built:
    market: Marketplace
    lexical: LexicalRetriever
    world_s: float
    index_s: float


def simulate_marketplace(
    workspace: Workspace, config: MarketplaceConfig, *, catalogue: Path | None = None
) -> StepResult:
    """Simulate a marketplace into `SIMULATED_TABLES`; skipped when config and catalogue are unchanged.

    The log is streamed into one artefact, whose files the tables then share (hard links): they appear together.

    Args:
        workspace: Where to.
        config: Sizes and seed.
        catalogue: File of a products table to sell; None for a generated catalogue.

    Raises:
        WorkspaceError: If the workspace holds tables from elsewhere.
    """
    refuse_own_tables(workspace)

    def build(folder: Path) -> dict[str, Any]:
        for left in folder.iterdir():  # of a run that was killed
            left.unlink()
        made = _build(config, catalogue)
        policy = LoggingPolicy(made.market.stock, made.lexical, seed=config.seed)
        with progress_bar("simulate", total=config.searches, unit="searches") as advance:
            summary = write_log(made.market, policy, folder, num_searches=config.searches, advance=advance)
        return {**asdict(summary), "world_s": made.world_s, "bm25_build_s": made.index_s}

    inputs = {"catalogue": file_sha256(catalogue)} if catalogue is not None else {}
    result = workspace.run_step(_STEP, build, inputs=inputs, config=config_to_dict(config), seed=config.seed)
    for name, files in SIMULATED_TABLES.items():
        workspace.run_step(name, _share(workspace, files), inputs=[_STEP], config={"source": _STEP})
    return result


def refuse_own_tables(workspace: Workspace) -> None:
    """Refuse a workspace that holds tables from elsewhere: a simulation would replace them.

    Raises:
        WorkspaceError: If any table was not simulated.
    """
    own = [name for name in (*SCHEMAS, "truth") if workspace.has(name) and not _is_simulated(workspace, name)]
    if own:
        raise WorkspaceError(
            "A simulated shop must have a workspace of its own",
            received={"workspace": str(workspace.path), "imported": own},
            remedy="Name another --workspace.",
        )


def _is_simulated(workspace: Workspace, name: str) -> bool:
    manifest = workspace.manifest(name)
    provenance = manifest.config.get("provenance")
    told = provenance.get("source") if isinstance(provenance, Mapping) else manifest.config.get("source")
    return told in {_STEP, SIMULATED}


def build_marketplace(config: MarketplaceConfig, *, catalogue: Path | None = None) -> Marketplace:
    """Draw the marketplace of a config again, without its log: truth and behaviour for oracles and experiments."""
    return _draw(config, catalogue)


def _build(config: MarketplaceConfig, catalogue: Path | None) -> _Built:
    started = time.perf_counter()
    market = _draw(config, catalogue)
    drawn = time.perf_counter()
    lexical = LexicalRetriever.build(market.products)
    return _Built(market, lexical, drawn - started, time.perf_counter() - drawn)


def _draw(config: MarketplaceConfig, catalogue: Path | None) -> Marketplace:
    world, products = _world(config, catalogue)
    shoppers = draw_shoppers(world, config.users, seed=config.seed)
    return Marketplace(world, products, shoppers, days=config.days, seed=config.seed)


def _world(config: MarketplaceConfig, catalogue: Path | None) -> tuple[World, pa.Table]:
    if catalogue is None:
        world = draw_world(config.products, seed=config.seed, log_days=config.days)
        return world, list_world(world, seed=config.seed)
    given, _ = read_table(catalogue, schema=SCHEMAS["products"])
    products = validate(given, SCHEMAS["products"]).table
    world = world_of_catalogue(products, seed=config.seed, log_days=config.days)
    return world, complete_catalogue(world, products, seed=config.seed)


def _share(workspace: Workspace, files: tuple[str, ...]) -> Any:
    def build(folder: Path) -> dict[str, Any]:
        source = workspace.verified(_STEP)
        for name in files:
            target = folder / f"{name}.parquet"
            target.unlink(missing_ok=True)
            try:
                os.link(source / target.name, target)
            except OSError:  # a file system without hard links
                shutil.copyfile(source / target.name, target)
        return {}

    return build
