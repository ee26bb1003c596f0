"""What the hybrid of an index is: its weight, and the gate before it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from aisle.core.ranking import Ranking, Retriever
from aisle.evaluation import GateChoice, JudgedQueries, retrieve_all, tune_gate, tune_semantic_weight
from aisle.features import product_text
from aisle.pipelines.recipe import Recipe
from aisle.retrieval import (
    DEFAULT_SEMANTIC_WEIGHT,
    LOG_SEMANTIC_WEIGHT,
    TitleTerms,
    fuse_normalised,
    fuse_reciprocal_rank,
)
from aisle.retrieval.loading import GATE, HYBRID

__all__ = ["settle_hybrid"]

_LEAST_TUNING_QUERIES = 20
"""Fewer validation queries than this tell less about the weight than the fixed default does."""

_LEAST_DEPTH = 100


@dataclass(frozen=True)
class _Answers:
    """What both sides find for the judged queries."""

    judged: JudgedQueries
    lexical: Ranking
    semantic: Ranking


def settle_hybrid(
    recipe: Recipe,
    products: pa.Table,
    folder: Path,
    *,
    sides: tuple[Retriever, Retriever],
    judged: JudgedQueries | None,
    from_log: bool,
) -> dict[str, Any]:
    """Settle the hybrid of an index and write it into the index's folder.

    The weight is that of the recipe, else tuned on validation judgments, else a fixed default: one for models that
    learnt from a log, one for those that did not. The clicks and orders of a log choose neither weight nor gate: they
    favour what the log's own search had shown, which is mostly what words find.

    Args:
        recipe: Settings.
        products: The catalogue.
        folder: Of the index.
        sides: The lexical and the semantic one.
        judged: Validation judgments, if there are any.
        from_log: Whether the model learnt from a log.

    Returns:
        The settings: `fusion`, `depth`, `semantic_weight`, `weight_from`, and what came of the `gate`.
    """
    answers = None
    if judged is not None and len(judged.texts) >= _LEAST_TUNING_QUERIES:
        depth = max(recipe.hybrid.depth, _LEAST_DEPTH)
        answers = _Answers(judged, *(retrieve_all(side, judged.texts, k=depth) for side in sides))
    settings: dict[str, Any] = {"fusion": recipe.hybrid.fusion, "depth": recipe.hybrid.depth}
    weight, weight_from = _weight(recipe, answers, from_log=from_log)
    choice = _gate(recipe, products, answers, weight=weight)
    if choice.gate is not None:
        choice.gate.save(folder / GATE)
    settings |= {"semantic_weight": weight, "weight_from": weight_from, "gate": choice.as_dict()}
    (folder / HYBRID).write_text(json.dumps(settings), encoding="utf-8")
    return settings


def _weight(recipe: Recipe, answers: _Answers | None, *, from_log: bool) -> tuple[float, str]:
    if recipe.hybrid.semantic_weight is not None:
        return recipe.hybrid.semantic_weight, "recipe"
    if answers is not None:
        judged = answers.judged
        weight = tune_semantic_weight(answers.lexical, answers.semantic, judged.qrels, fusion=recipe.hybrid.fusion)
        return weight, f"{len(judged.texts)} validation queries"
    if from_log:
        return LOG_SEMANTIC_WEIGHT, "fixed default for models that learnt from a log"
    return DEFAULT_SEMANTIC_WEIGHT, "fixed default"


def _gate(recipe: Recipe, products: pa.Table, answers: _Answers | None, *, weight: float) -> GateChoice:
    if not recipe.hybrid.gate:
        return GateChoice(None, "off: as the recipe says")
    if answers is None:
        return GateChoice(None, "off: without validation judgments nothing tells what it costs")
    fuse = fuse_normalised if recipe.hybrid.fusion == "normalised" else fuse_reciprocal_rank
    return tune_gate(
        TitleTerms.build(product_text(products).title, stemmer=recipe.lexical.stemmer),
        answers.judged.texts,
        lexical=answers.lexical,
        hybrid=fuse(answers.lexical, answers.semantic, weight=weight, k=_LEAST_DEPTH),
        qrels=answers.judged.qrels,
        seed=recipe.seed,
    )
