"""Loading what was indexed: the retrieval systems, and the engine that `search` and `serve` call."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aisle.core.errors import UsageError, WorkspaceError
from aisle.core.ranking import Retriever
from aisle.index import load_index
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.training import load_encoder, load_model
from aisle.retrieval import HybridRetriever, LexicalRetriever, SearchEngine, SemanticRetriever
from aisle.workspace import Workspace

__all__ = ["SYSTEMS", "load_engine", "load_retrievers"]

SYSTEMS = ("lexical", "semantic", "hybrid")
"""Names of the retrieval systems, in the order in which they are compared."""


def load_retrievers(workspace: Workspace, names: Sequence[str] = SYSTEMS) -> dict[str, Retriever]:
    """Load retrieval systems, in the order of `SYSTEMS`.

    Args:
        workspace: Where they were indexed.
        names: Which ones.

    Raises:
        UsageError: If a name is unknown or none is given.
        WorkspaceError: If nothing was indexed, or the index is of other products or of another model.
    """
    unknown = sorted(set(names) - set(SYSTEMS))
    if unknown or not names:
        raise UsageError(
            f"Systems must be among {', '.join(SYSTEMS)}",
            received={"systems": list(names)},
            remedy="Name them as a list with commas.",
        )
    _check_current(workspace)
    folder = workspace.verified("index")
    lexical = LexicalRetriever.load(folder / "lexical")
    systems: dict[str, Retriever] = {"lexical": lexical}
    if set(names) != {"lexical"}:
        encoder = load_encoder(workspace, load_model(workspace), read_products(workspace))
        index = load_index(folder / "semantic")
        semantic = SemanticRetriever(encoder.encode_queries, index, encode_searches=encoder.encode)
        hybrid = json.loads((folder / "hybrid.json").read_text(encoding="utf-8"))
        systems["semantic"] = semantic
        systems["hybrid"] = HybridRetriever(
            lexical, semantic, weight=hybrid["semantic_weight"], fusion=hybrid["fusion"], depth=hybrid["depth"]
        )
    return {name: systems[name] for name in SYSTEMS if name in names}


def load_engine(workspace: Workspace) -> SearchEngine:
    """Load all systems with the catalogue, hybrid by default."""
    return SearchEngine(read_products(workspace), load_retrievers(workspace), default_mode="hybrid")


def _check_current(workspace: Workspace) -> None:
    """Refuse an index whose positions would name other products, or whose vectors another model made."""
    built_from = workspace.manifest("index").inputs
    stale = [name for name in ("products", "model") if built_from.get(name) != workspace.manifest(name).content]
    if stale:
        raise WorkspaceError(
            "The index must be built from the workspace's present products and model",
            received={"changed_since": stale, "workspace": str(workspace.path)},
            remedy="Run `aisle index` again, after `aisle train` if the model is to learn from new products.",
        )
