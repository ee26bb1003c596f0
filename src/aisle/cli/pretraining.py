"""`aisle pretrain`."""

from __future__ import annotations

from pathlib import Path

from aisle.cli.options import JsonOption, RecipeOption, SetOption, WorkspaceOption
from aisle.cli.output import print_step

__all__ = ["pretrain"]


def pretrain(
    workspace: WorkspaceOption = Path("workspace"),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pre-train the text part's transformer on the shop's own texts and log.

    Learns to guess hidden words and to tell which product a query led to; with pretrain.sequence_weight above 0 also to
    write the queries that led to purchases. From scratch, or from the Hugging Face encoder of pretrain.init. Reads the
    training window of the mined log where there is one, else the catalogue. The result is a Hugging Face folder,
    `pretrained` in the workspace, which `aisle train --set text.init=pretrained` starts from. Skipped when nothing
    changed; a killed run resumes.

    Example: `aisle pretrain --workspace shop --set pretrain.max_minutes=5`
    """
    from aisle.pipelines.pretraining import pretrain as pretrain_encoder
    from aisle.pipelines.recipe import load_recipe
    from aisle.workspace import Workspace

    result = pretrain_encoder(Workspace.open(workspace), load_recipe(recipe, overrides or []))
    print_step("pretrain", result.manifest.summary, skipped=result.skipped, as_json=as_json)
