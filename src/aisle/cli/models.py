"""`aisle train` and `aisle index`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aisle.cli.options import JsonOption, ProcessesOption, RecipeOption, SetOption, WorkspaceOption
from aisle.cli.output import print_step, say
from aisle.cli.together import launch, options_again
from aisle.pipelines.launching import is_launched

if TYPE_CHECKING:
    from aisle.pipelines.recipe import Recipe
    from aisle.workspace import Workspace

__all__ = ["index", "train"]

_Start = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="FOLDER|model", help="Go on from a trained model: its folder, or the workspace's own."
    ),
]


def train(
    workspace: WorkspaceOption = Path("workspace"),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    start: _Start = None,
    processes: ProcessesOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Make training pairs and features, and train the towers.

    Trains on the log where one was mined (`aisle mine`), else on judged pairs where there are some with stages
    (`aisle import --grades`) and on pseudo-queries from the catalogue, else on those alone. Skipped when nothing
    changed; a killed run resumes. Settings are the defaults, --recipe and --set of this command: none is remembered
    from the last one, and those that differ from the present model's are told.

    With --from, training goes on from a model of the same settings, on the days since it learnt (`aisle mine --since`)
    and some of those before; train.warm holds its settings.

    Example: `aisle train --workspace shop --set train.max_minutes=10 --set fusion=concat`

    Example: `aisle train --workspace shop --from model --set train.max_minutes=5`
    """
    from aisle.pipelines.recipe import load_recipe
    from aisle.pipelines.training import help_train, train_model
    from aisle.training.processes import joined_processes
    from aisle.workspace import Workspace

    opened, settings = Workspace.open(workspace), load_recipe(recipe, overrides or [])
    if processes > 1 and not is_launched():
        again = options_again(workspace, recipe, overrides, as_json=as_json)
        launch(["train", *again, *(("--from", start) if start is not None else ())], number=processes)
    with joined_processes() as joined:
        if not joined.is_main:
            help_train(opened, settings, joined)
            return
        _tell_changes(opened, settings, "model")
        result = train_model(opened, settings, start=start, processes=joined)
    print_step("train", result.manifest.summary, skipped=result.skipped, as_json=as_json)


def index(
    workspace: WorkspaceOption = Path("workspace"),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    processes: ProcessesOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Encode the catalogue and build the indexes: HNSW, with its measured `ann_recall`, and BM25.

    The model is the one that was trained, with its own settings. Those of the index are the defaults, --recipe and
    --set of this command: none is remembered, and those that differ from the present index's are told.

    Example: `aisle index --workspace shop --set index.kind=exact`
    """
    from aisle.pipelines.indexing import build_indexes, help_index
    from aisle.pipelines.recipe import load_recipe
    from aisle.training.processes import joined_processes
    from aisle.workspace import Workspace

    opened, settings = Workspace.open(workspace), load_recipe(recipe, overrides or [])
    if processes > 1 and not is_launched():
        launch(["index", *options_again(workspace, recipe, overrides, as_json=as_json)], number=processes)
    with joined_processes() as joined:
        if not joined.is_main:
            help_index(opened, settings, joined)
            return
        _tell_changes(opened, settings, "index")
        result = build_indexes(opened, settings, processes=joined)
    print_step("index", result.manifest.summary, skipped=result.skipped, as_json=as_json)


def _tell_changes(workspace: Workspace, recipe: Recipe, artefact: Literal["model", "index"]) -> None:
    """Say what is set otherwise than for the artefact that is replaced, before minutes are spent."""
    from aisle.pipelines.changed_settings import changed_settings

    changes = changed_settings(workspace, recipe, artefact)
    if changes:
        say(f"Other settings than the present {artefact}'s: {'; '.join(changes)}.")
        say("Settings are not remembered: give --recipe or --set again where they should stay.")
