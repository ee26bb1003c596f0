"""From a model to what is searched: vectors, index, BM25 and the hybrid's weight; the artefact `index`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from aisle.core.config import config_to_dict
from aisle.evaluation import tune_semantic_weight
from aisle.index import build_index
from aisle.pipelines.catalogue import judgment_hashes, read_products, validation_queries
from aisle.pipelines.recipe import Recipe
from aisle.pipelines.training import load_model
from aisle.retrieval import DEFAULT_SEMANTIC_WEIGHT, LexicalRetriever, SemanticRetriever
from aisle.training import TrainingData
from aisle.workspace import StepResult, Workspace

__all__ = ["build_indexes"]

_SAMPLE_QUERIES = 500
_LEAST_TUNING_QUERIES = 20
"""Fewer validation queries than this tell less about the weight than the fixed default does."""


def build_indexes(workspace: Workspace, recipe: Recipe) -> StepResult:
    """Encode the catalogue and build its indexes; skipped when model, catalogue and settings are unchanged."""
    config = {name: config_to_dict(getattr(recipe, name)) for name in ("index", "lexical", "hybrid")}
    inputs = {name: workspace.manifest(name).content for name in ("products", "features", "model")}
    inputs |= judgment_hashes(workspace, ("validation",))

    def build(folder: Path) -> dict[str, Any]:
        return _build(workspace, recipe, folder)

    return workspace.run_step("index", build, inputs=inputs, config=config, seed=recipe.seed)


def _build(workspace: Workspace, recipe: Recipe, folder: Path) -> dict[str, Any]:
    products, model = read_products(workspace), load_model(workspace)
    data = TrainingData.read(workspace.verified("features"))
    vectors = model.encode_product_features(data.product_features)
    rows = np.arange(min(len(data.validation.query_features), _SAMPLE_QUERIES))
    queries = model.encode_query_features(data.validation.query_features.take(rows))
    index, report = build_index(vectors, recipe.index, sample_queries=queries)
    index.save(folder / "semantic")
    lexical = LexicalRetriever.build(products, fields=recipe.lexical.fields, stemmer=recipe.lexical.stemmer)
    lexical.save(folder / "lexical")
    hybrid = _hybrid(workspace, recipe, lexical, SemanticRetriever(model.encode_queries, index))
    (folder / "hybrid.json").write_text(json.dumps(hybrid), encoding="utf-8")
    return {"index": report.to_dict(), "hybrid": hybrid}


def _hybrid(
    workspace: Workspace, recipe: Recipe, lexical: LexicalRetriever, semantic: SemanticRetriever
) -> dict[str, Any]:
    """Settle the semantic side's weight: as set, tuned on validation judgments, or the fixed default."""
    settings = {"fusion": recipe.hybrid.fusion, "depth": recipe.hybrid.depth}
    if recipe.hybrid.semantic_weight is not None:
        return {**settings, "semantic_weight": recipe.hybrid.semantic_weight, "weight_from": "recipe"}
    judged = validation_queries(workspace)
    if judged is None or len(judged.texts) < _LEAST_TUNING_QUERIES:
        return {**settings, "semantic_weight": DEFAULT_SEMANTIC_WEIGHT, "weight_from": "fixed default"}
    weight = tune_semantic_weight(
        lexical, semantic, judged.texts, judged.qrels, fusion=recipe.hybrid.fusion, depth=recipe.hybrid.depth
    )
    return {**settings, "semantic_weight": weight, "weight_from": f"{len(judged.texts)} validation queries"}
