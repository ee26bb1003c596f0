"""The boost that an index has, if any: what every system that is loaded takes its vectors from."""

from __future__ import annotations

from pathlib import Path

from aisle.boosting import boosted_queries, split_boosted
from aisle.core.errors import WorkspaceError
from aisle.index import VectorIndex
from aisle.retrieval import SearchEncoder, SemanticRetriever
from aisle.towers import TwoTower
from aisle.workspace import Workspace

__all__ = ["BOOST", "boosted_index", "has_boost", "semantic_retriever"]

BOOST = "boost"
"""Name of the artefact."""


def has_boost(workspace: Workspace) -> bool:
    """Tell whether a boost was found and kept."""
    return workspace.has(BOOST) and bool(workspace.manifest(BOOST).summary["kept"])


def boosted_index(workspace: Workspace) -> Path | None:
    """Return the folder of the index that holds the boost, its files checked; None where no boost is kept.

    Raises:
        WorkspaceError: If the index was built anew since, or a file is not as written.
    """
    if not has_boost(workspace):
        return None
    if workspace.manifest(BOOST).inputs["index"] != workspace.manifest("index").content:
        raise WorkspaceError(
            "The boost must be of the workspace's present index",
            received={"changed_since": "index", "workspace": str(workspace.path)},
            remedy="Run `aisle boost` again, or take it away with `aisle boost --off`.",
        )
    return workspace.verified(BOOST) / "semantic"


def semantic_retriever(
    model: TwoTower, encoder: SearchEncoder, index: VectorIndex, *, is_boosted: bool, name: str = "semantic"
) -> SemanticRetriever:
    """Return the retriever of a model's vectors, or of these with a boost."""
    if not is_boosted:
        return SemanticRetriever(
            encoder.encode_queries, index, encode_searches=encoder.encode, split_scores=model.explain, name=name
        )
    return SemanticRetriever(
        lambda texts: boosted_queries(encoder.encode_queries(texts)),
        index,
        encode_searches=lambda queries: boosted_queries(encoder.encode(queries)),
        split_scores=split_boosted(model.explain),
        name=name,
    )
