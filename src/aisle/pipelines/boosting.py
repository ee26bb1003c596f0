"""`aisle boost`: weights of quality, found on validation orders, kept where they earn something."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from aisle.boosting import (
    MEASURES,
    CandidatePool,
    FoundWeights,
    QualityFeatures,
    boosted_queries,
    find_weights,
    with_boost,
)
from aisle.boosting.search import num_trials
from aisle.core.config import config_from_dict
from aisle.core.errors import UsageError, WorkspaceError
from aisle.core.progress import progress_bar
from aisle.core.ranking import QueryBatch, Ranking
from aisle.evaluation import EvaluatedSearches, OnSale, retrieve_all
from aisle.index import IndexConfig, VectorIndex, build_index, load_index
from aisle.pipelines.boost_features import quality_features
from aisle.pipelines.boost_gain import boost_gains, gain_values
from aisle.pipelines.boosted import BOOST, has_boost
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.mining import load_mined
from aisle.pipelines.searching import check_current
from aisle.pipelines.training import load_encoder, load_served_model
from aisle.retrieval.loading import load_hybrid, load_lexical, load_speller
from aisle.tables import Stage
from aisle.workspace import StepResult, Workspace

__all__ = ["BOOST_VALUES", "BoostConfig", "apply_boost", "boost_workspace", "stored_boost", "take_boost_away"]

_DEPTH = 1000
_SAMPLE_QUERIES = 500
_AT_ONCE = 512
BOOST_VALUES = "boost.npy"
"""File of the artefact that holds the boost of every product."""

_SUM = "sum"


@dataclass(frozen=True)
class BoostConfig:
    """How weights are looked for."""

    trials: int = 200
    """Trials of Optuna on each half of the validation queries, and on all of them. More find better weights slowly."""

    max_searches: int = 4000
    """Most searches of either window, drawn evenly. More give narrower intervals."""

    seed: int = 0
    """Seed of trials, draws and resamples."""


def boost_workspace(workspace: Workspace, config: BoostConfig) -> StepResult:
    """Find a boost and keep it where validation orders gain beyond their interval; skipped when nothing changed.

    Args:
        workspace: Where a log was mined, and systems trained on it and indexed.
        config: How to look.

    Raises:
        UsageError: If the validation window has no orders, or nothing can be measured on the test window.
        WorkspaceError: If there is no index, or it is of other products or of another model.
    """
    if config.trials < 1 or config.max_searches < 1:
        raise UsageError("Trials and searches must be at least 1", received=asdict(config), remedy="Leave them out.")
    check_current(workspace)

    def build(folder: Path) -> dict[str, Any]:
        return _Boosting(workspace, config).build(folder)

    return workspace.run_step(BOOST, build, inputs=_inputs(workspace), config=asdict(config), seed=config.seed)


def take_boost_away(workspace: Workspace) -> StepResult:
    """Search without a boost from now on: the index itself was never changed."""
    summary = {"kept": False, "off": True, "reason": "taken away"}
    return workspace.run_step(BOOST, lambda _: summary, config={"off": True})


def stored_boost(workspace: Workspace) -> Float32[np.ndarray, " products"] | None:
    """Return the boost of every product; None where none is kept.

    Raises:
        WorkspaceError: If it was found for other products or for another model, or its file is not as written.
    """
    if not has_boost(workspace):
        return None
    found_for = workspace.manifest(BOOST).inputs
    stale = [name for name in ("products", "model") if found_for[name] != workspace.manifest(name).content]
    if stale:
        raise WorkspaceError(
            "The boost must be of the workspace's present products and model",
            received={"changed_since": stale, "workspace": str(workspace.path)},
            remedy="Run `aisle boost` again, or take it away with `aisle boost --off`.",
        )
    boost: np.ndarray = np.load(workspace.verified(BOOST) / BOOST_VALUES, allow_pickle=False)
    return boost


def apply_boost(workspace: Workspace) -> StepResult | None:
    """Put the boost that was found into an index that was built anew; None where none is kept.

    The index must hold the vectors of the same model: weights are not looked for again.
    """
    boost = stored_boost(workspace)
    if boost is None:
        return None
    found = workspace.manifest(BOOST)

    def build(folder: Path) -> dict[str, Any]:
        np.save(folder / BOOST_VALUES, boost, allow_pickle=False)
        boosting = _Boosting(workspace, config_from_dict(BoostConfig, found.config))
        _, report = boosting.index(boost, folder, boosting.searches.texts)
        return {**found.summary, "index": report}

    return workspace.run_step(BOOST, build, inputs=_inputs(workspace), config=found.config, seed=found.seed)


def _inputs(workspace: Workspace) -> dict[str, str]:
    return {name: workspace.manifest(name).content for name in ("products", "mined", "model", "index")}


@dataclass(frozen=True)
class _Answered:
    """A retriever whose answers are there already."""

    name: str
    ranking: Ranking

    def retrieve(self, queries: QueryBatch, *, k: int) -> Ranking:
        """Return the answers, which are those of these queries to this depth."""
        assert self.ranking.product_index.shape == (len(queries), k)
        return self.ranking


class _Boosting:
    """What every part of the step reads."""

    def __init__(self, workspace: Workspace, config: BoostConfig) -> None:
        self.workspace, self.config = workspace, config
        self.products = read_products(workspace)
        index = workspace.verified("index")
        self.speller, model = load_speller(index), load_served_model(workspace)
        self.encoder = load_encoder(workspace, model, self.products, speller=self.speller)
        self.bare = load_index(index / "semantic")
        self.on_sale = OnSale.of_products(self.products)
        self.searches = self._validation()

    def _validation(self) -> EvaluatedSearches:
        try:
            return logged_searches(
                self.workspace,
                labels="log",
                split="validation",
                max_searches=self.config.max_searches,
                seed=self.config.seed,
                stage=Stage.ORDERED,
            )
        except UsageError as error:
            raise UsageError(
                "A boost is found on the orders of the validation window",
                received=error.received,
                remedy="Mine a longer log, or search without a boost.",
            ) from error

    def build(self, folder: Path) -> dict[str, Any]:
        """Find the weights, measure them on the test window, and keep or drop them."""
        features = quality_features(self.products, load_mined(self.workspace))
        found = self._find(features)
        boost = features.boost(found.weights, limit=found.limit)
        index, report = self.index(boost, folder, self.searches.texts)
        test = self._test(index) if found.gain is not None and found.weights.any() else None
        if found.is_kept:
            np.save(folder / BOOST_VALUES, boost, allow_pickle=False)
        else:
            shutil.rmtree(folder / "semantic")
        return {
            "kept": found.is_kept,
            "off": False,
            "reason": found.reason,
            "weights": dict(zip(features.names, found.weights.tolist(), strict=True)),
            "limit": found.limit,
            "boost": {"lowest": float(boost.min()), "highest": float(boost.max())},
            "validation": {"searches": found.searches, "gain": _validation_gain(found)},
            "test": test,
            "simulated": self.workspace.has("truth"),
            "index": report if found.is_kept else None,
        }

    def _find(self, features: QualityFeatures) -> FoundWeights:
        found = self.bare.search(self._encoded(_asked(self.searches)), k=_DEPTH)
        ranking = self.on_sale.keep(found, self.searches.at)
        pool = CandidatePool.of_ranking(ranking, self.searches.wanted)
        counted = np.flatnonzero(self.searches.wanted.num_relevant(float(np.finfo(np.float64).tiny)))
        queries = [self.searches.texts[row] for row in counted.tolist()]
        trials, seed = self.config.trials, self.config.seed
        with progress_bar("Finding weights", total=num_trials(trials), unit="trials") as advance:
            return find_weights(pool, features, queries=queries, trials=trials, seed=seed, advance=advance)

    def index(self, boost: np.ndarray, folder: Path, texts: Sequence[str]) -> tuple[VectorIndex, dict[str, Any]]:
        """Build the index of the same kind over the stored vectors with their boost."""
        config = config_from_dict(IndexConfig, self.workspace.manifest("index").config["index"])
        stored = self.bare.vectors(np.arange(self.bare.num_products, dtype=np.int64))
        rows = np.linspace(0, len(texts) - 1, min(len(texts), _SAMPLE_QUERIES)).astype(np.int64)
        sample = self.encoder.encode_queries([texts[row] for row in rows.tolist()])
        index, report = build_index(with_boost(stored, boost), config, sample_queries=boosted_queries(sample))
        index.save(folder / "semantic")
        return index, report.to_dict()

    def _encoded(self, asked: QueryBatch) -> Float32[np.ndarray, "searches dim"]:
        """Encode searches once for all that is measured on them."""
        parts = [np.empty((0, self.bare.dim), np.float32)]
        with progress_bar("Encoding searches", total=len(asked), unit="searches") as advance:
            for start in range(0, len(asked), _AT_ONCE):
                parts.append(self.encoder.encode(asked.between(start, start + _AT_ONCE)))
                advance(len(parts[-1]))
        return np.concatenate(parts)

    def _test(self, index: VectorIndex) -> dict[str, Any]:
        folder = self.workspace.folder("index")
        lexical = load_lexical(folder, self.speller)
        depth = load_hybrid(folder, lexical, lexical, least_depth=_DEPTH).depth

        def rank(searches: EvaluatedSearches) -> dict[str, tuple[Ranking, Ranking]]:
            asked = _asked(searches)
            vectors = self._encoded(asked)
            by_words = _Answered("lexical", retrieve_all(lexical, asked, k=depth))
            found = (self.bare.search(vectors, k=depth), index.search(boosted_queries(vectors), k=depth))
            fused = [
                load_hybrid(folder, by_words, _Answered("semantic", one), least_depth=depth).retrieve(asked, k=_DEPTH)
                for one in found
            ]
            kept = [self.on_sale.keep(one, searches.at) for one in (*found, *fused)]
            return {"semantic": (kept[0], kept[1]), "hybrid": (kept[2], kept[3])}

        return boost_gains(self.workspace, rank, max_searches=self.config.max_searches, seed=self.config.seed)


def _asked(searches: EvaluatedSearches) -> QueryBatch:
    return QueryBatch(searches.texts, searches.locations, searches.past)


def _validation_gain(found: FoundWeights) -> Mapping[str, Any] | None:
    if found.gain is None:
        return None
    return {name: gain_values(found.gain, column) for column, name in enumerate((*MEASURES, _SUM))}
