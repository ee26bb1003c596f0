"""`aisle train` and `aisle index`."""

from __future__ import annotations

from pathlib import Path

from aisle.cli.options import JsonOption, RecipeOption, SetOption, WorkspaceOption
from aisle.cli.output import print_step

__all__ = ["index", "train"]


def train(
    workspace: WorkspaceOption = Path("workspace"),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make training pairs and features, and train the towers.

    Trains on the log where one was mined (`aisle mine`), else on judged pairs where there are some with stages
    (`aisle import --grades`) and on pseudo-queries from the catalogue, else on those alone. Skipped when nothing
    changed; a killed run resumes.

    Example: `aisle train --workspace shop --set train.max_minutes=10 --set fusion=concat`
    """
    from aisle.pipelines.recipe import load_recipe
    from aisle.pipelines.training import train_model
    from aisle.workspace import Workspace

    result = train_model(Workspace.open(workspace), load_recipe(recipe, overrides or []))
    print_step("train", result.manifest.summary, skipped=result.skipped, as_json=as_json)


def index(
    workspace: WorkspaceOption = Path("workspace"),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Encode the catalogue and build the indexes: HNSW, with its measured `ann_recall`, and BM25.

    Example: `aisle index --workspace shop --set index.kind=exact`
    """
    from aisle.pipelines.indexing import build_indexes
    from aisle.pipelines.recipe import load_recipe
    from aisle.workspace import Workspace

    result = build_indexes(Workspace.open(workspace), load_recipe(recipe, overrides or []))
    print_step("index", result.manifest.summary, skipped=result.skipped, as_json=as_json)
