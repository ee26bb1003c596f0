"""A trained and indexed marketplace, which several benchmarks begin with."""

from __future__ import annotations

from pathlib import Path

from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.mining import mine
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.simulating import simulate_marketplace
from aisle.pipelines.training import train_model
from aisle.simulation import MarketplaceConfig, frozen_config
from aisle.workspace import Workspace

QUICK = MarketplaceConfig(products=600, searches=4_000, users=800, seed=1)


def trained_shop(folder: Path, name: str, *, quick: bool) -> Workspace:
    """Open a workspace; simulate, mine, train and index there what is missing.

    Args:
        folder: The workspace; made where it is not there.
        name: "small" or "default".
        quick: Take a shop of seconds instead.
    """
    workspace = Workspace.open(folder, create=True)
    simulate_marketplace(workspace, QUICK if quick else frozen_config(name))
    if not workspace.has("index"):
        recipe = load_recipe(None, ["train.epochs=1"] if quick else [])
        mine(workspace, recipe.mining)
        train_model(workspace, recipe)
        build_indexes(workspace, recipe)
    return workspace
