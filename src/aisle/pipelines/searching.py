"""Loading what was indexed: the retrieval systems, and the engine that `search` and `serve` call."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.compute as pc

from aisle.core.config import config_from_dict
from aisle.core.errors import UsageError, WorkspaceError
from aisle.core.ids import IdMap
from aisle.core.ranking import Retriever
from aisle.index import load_index
from aisle.pipelines.boosted import boosted_index, semantic_retriever
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.mining import load_mined
from aisle.pipelines.training import load_encoder, load_served_model
from aisle.retrieval import ActorLog, SearchEngine, Shoppers
from aisle.retrieval.loading import load_hybrid, load_lexical, load_speller
from aisle.tables import read_parquet
from aisle.towers import TowerConfig
from aisle.workspace import Workspace

__all__ = ["SYSTEMS", "check_current", "load_engine", "load_retrievers", "load_shoppers"]

SYSTEMS = ("lexical", "semantic", "hybrid")
"""Names of the retrieval systems, in the order in which they are compared."""


def load_retrievers(workspace: Workspace, names: Sequence[str] = SYSTEMS) -> dict[str, Retriever]:
    """Load retrieval systems, in the order of `SYSTEMS`; those by vectors with the index's boost, if it has one.

    Args:
        workspace: Where they were indexed.
        names: Which ones.

    Raises:
        UsageError: If a name is unknown or none is given.
        WorkspaceError: If nothing was indexed, the index is of other products or of another model, or the boost is of
            another index.
    """
    unknown = sorted(set(names) - set(SYSTEMS))
    if unknown or not names:
        raise UsageError(
            f"Systems must be among {', '.join(SYSTEMS)}",
            received={"systems": list(names)},
            remedy="Name them as a list with commas.",
        )
    check_current(workspace)
    folder = workspace.verified("index")
    speller = load_speller(folder)
    lexical = load_lexical(folder, speller)
    systems: dict[str, Retriever] = {"lexical": lexical}
    if set(names) != {"lexical"}:
        model = load_served_model(workspace)
        encoder = load_encoder(workspace, model, read_products(workspace), speller=speller)
        boosted = boosted_index(workspace)
        index = load_index(boosted or folder / "semantic")
        semantic = semantic_retriever(model, encoder, index, is_boosted=boosted is not None)
        systems["semantic"] = semantic
        systems["hybrid"] = load_hybrid(folder, lexical, semantic)
    return {name: systems[name] for name in SYSTEMS if name in names}


def load_engine(workspace: Workspace) -> SearchEngine:
    """Load all systems with the catalogue, hybrid by default, and what the log knows of shoppers."""
    retrievers = load_retrievers(workspace)
    return SearchEngine(
        read_products(workspace),
        retrievers,
        default_mode="hybrid",
        shoppers=load_shoppers(workspace),
        speller=load_speller(workspace.folder("index")),
    )


def load_shoppers(workspace: Workspace) -> Shoppers:
    """Load what is known of those who search: their mined events, and the places of users.

    Where the model reads neither, nothing is loaded: such searches are all of nobody.

    Raises:
        WorkspaceError: If the model reads them and the log was imported anew without being mined.
    """
    towers = config_from_dict(TowerConfig, workspace.manifest("model").config["towers"])
    reads_past, reads_place = bool(towers.history.enabled), bool(towers.context.enabled)
    if not (reads_past or reads_place) or not workspace.has("mined"):
        return Shoppers(reads_places=reads_place)
    mined = load_mined(workspace)
    users = places = None
    if reads_place and workspace.has("users"):
        known = read_parquet(workspace.verified("users") / "users.parquet")
        if "location" in known.column_names:
            known = known.filter(pc.is_valid(known.column("location")))
            users, places = IdMap(known.column("user_id")), known.column("location").combine_chunks()
    log = ActorLog(mined) if reads_past else None
    return Shoppers(log, reads_places=reads_place, users=users, places=places, now_us=mined.end_us)


def check_current(workspace: Workspace) -> None:
    """Refuse an index whose positions would name other products, or whose vectors another model made.

    Raises:
        WorkspaceError: If nothing was indexed, or the index is such a one.
    """
    built_from = workspace.manifest("index").inputs
    stale = [name for name in ("products", "model") if built_from.get(name) != workspace.manifest(name).content]
    if stale:
        raise WorkspaceError(
            "The index must be built from the workspace's present products and model",
            received={"changed_since": stale, "workspace": str(workspace.path)},
            remedy="Run `aisle index` again, after `aisle train` if the model is to learn from new products.",
        )
