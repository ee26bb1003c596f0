"""From a model to what is searched: vectors, index, BM25 and the hybrid's weight; the artefact `index`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float32

from aisle.core.config import config_to_dict
from aisle.evaluation import JudgedQueries
from aisle.features import Features
from aisle.index import build_index
from aisle.pipelines.catalogue import judgment_hashes, read_products, validation_queries
from aisle.pipelines.hybrid_settings import settle_hybrid
from aisle.pipelines.quality_dates import QUALITY, QUALITY_PREFIX, quality_dates
from aisle.pipelines.recipe import Recipe
from aisle.pipelines.text_vectors import TEXT_VECTORS
from aisle.pipelines.training import load_encoder, load_model
from aisle.retrieval import LexicalRetriever, SemanticRetriever, Speller
from aisle.retrieval.loading import LEXICAL, SPELLING, load_lexical, load_speller
from aisle.tables import read_parquet
from aisle.towers import EncodeConfig, TwoTower
from aisle.towers.sharing import ALONE, Sharing
from aisle.training import TrainingData
from aisle.training.accelerating import training_device
from aisle.training.processes import ONE_PROCESS, Processes
from aisle.workspace import StepResult, Workspace, verify_files

__all__ = ["build_indexes", "encode_catalogue", "help_index", "sample_queries"]

_SAMPLE_QUERIES = 500
_ASKED = "queries.parquet"


def build_indexes(workspace: Workspace, recipe: Recipe, *, processes: Processes = ONE_PROCESS) -> StepResult:
    """Encode the catalogue and build its indexes; skipped when model, catalogue and settings are unchanged.

    Args:
        workspace: Holds products and model.
        recipe: All settings.
        processes: This one, the first of those that encode the catalogue together; the others call `help_index`.
    """
    config = {name: config_to_dict(getattr(recipe, name)) for name in ("encode", "index", "lexical", "hybrid")}
    inputs = {name: workspace.manifest(name).content for name in ("products", "model", "features")}
    inputs |= {**judgment_hashes(workspace, ("validation",)), **_asked_hash(workspace)}

    def build(folder: Path) -> dict[str, Any]:
        return _build(workspace, recipe, folder, processes)

    built = workspace.run_step("index", build, inputs=inputs, config=config, seed=recipe.seed)
    if built.skipped:
        processes.from_main(False)
    return built


def help_index(workspace: Workspace, recipe: Recipe, processes: Processes) -> None:
    """Encode the catalogue with the first process, which calls `build_indexes`.

    Raises:
        TrainingError: If another process has ended.
    """
    if processes.from_main(False):
        encode_catalogue(workspace, load_model(workspace), read_products(workspace), recipe.encode, sharing=processes)


def _build(workspace: Workspace, recipe: Recipe, folder: Path, processes: Processes) -> dict[str, Any]:
    products, model, judged = read_products(workspace), load_model(workspace), validation_queries(workspace)
    sample = sample_queries(TrainingData.read(workspace.verified("features")), judged)
    # The others have waited: what they read is there, and checked.
    processes.from_main(True)
    vectors, is_of_training = encode_catalogue(workspace, model, products, recipe.encode, sharing=processes)
    _build_lexical(workspace, recipe, products, folder)
    speller = load_speller(folder)
    encoder = load_encoder(workspace, model, products, speller=speller)
    index, report = build_index(vectors, recipe.index, sample_queries=encoder.encode_queries(sample))
    index.save(folder / "semantic")
    sides = load_lexical(folder, speller), SemanticRetriever(encoder.encode_queries, index)
    from_log = any(name.startswith("mined/") for name in workspace.manifest("features").inputs)
    hybrid = settle_hybrid(recipe, products, folder, sides=sides, judged=judged, from_log=from_log)
    # The features of training hold no quality values but old ones.
    quality = quality_dates(products, _quality_columns(model)) if not is_of_training else None
    return {"index": report.to_dict(), "hybrid": hybrid, QUALITY: quality}


def _build_lexical(workspace: Workspace, recipe: Recipe, products: pa.Table, folder: Path) -> None:
    fields, stemmer = recipe.lexical.fields, recipe.lexical.stemmer
    LexicalRetriever.build(products, fields=fields, stemmer=stemmer).save(folder / LEXICAL)
    if recipe.lexical.typos:
        asked = read_parquet(workspace.folder("mined") / _ASKED) if _asked_hash(workspace) else None
        Speller.build(products, fields=fields, stemmer=stemmer, asked=asked).save(folder / SPELLING)


def _asked_hash(workspace: Workspace) -> dict[str, str]:
    """Return the hash of what was asked in a log up to the end of its training window, if one was mined."""
    if not workspace.has("mined"):
        return {}
    verified = {_ASKED: workspace.manifest("mined").files[_ASKED]}
    verify_files(workspace.folder("mined"), verified)
    return {f"mined/{_ASKED}": verified[_ASKED]}


def encode_catalogue(
    workspace: Workspace,
    model: TwoTower,
    products: pa.Table,
    config: EncodeConfig,
    *,
    sharing: Sharing = ALONE,
) -> tuple[Float32[np.ndarray, "products dim"], bool]:
    """Encode all products as an index holds them; the model is left as it encodes queries that are served.

    Args:
        workspace: Holds the features of training.
        model: What encodes; on a GPU, where there is one.
        products: Products table.
        config: Settings.
        sharing: Who else encodes blocks of them; all of them get all vectors.

    Returns:
        The vectors, and whether they are made of the features of training.
    """
    model.serve(config.dim)
    model.use_bf16(config.precision == "auto")
    features = _features_of_training(workspace, stored=config.precision == "auto")
    model.network.to(training_device())
    model.sharing = sharing
    vectors = model.encode_products(products) if features is None else model.encode_product_features(features)
    model.sharing = ALONE
    model.network.to("cpu")
    model.use_bf16(False)
    return vectors, features is not None


def _quality_columns(model: TwoTower) -> tuple[str, ...]:
    context = model.featuriser.context
    return () if context is None else tuple(name for name in context.scalars if name.startswith(QUALITY_PREFIX))


def _features_of_training(workspace: Workspace, *, stored: bool) -> Features | None:
    """Return the products' features of training where they are of the present products and of this model, else None.

    They are not after another import without training, nor where a training was stopped before it gave a model: the
    model then makes the features anew, with what it learnt in its own training. What a frozen transformer made of them
    is taken where `stored` vectors, which are rounded, will do.
    """
    features = workspace.manifest("features")
    of_products = features.inputs["products"] == workspace.manifest("products").content
    trained_on = workspace.manifest("model").inputs
    of_model = features.content == trained_on["features"]
    if not (of_products and of_model):
        return None
    of_text = trained_on.get(TEXT_VECTORS)
    stored = stored and workspace.has(TEXT_VECTORS) and workspace.manifest(TEXT_VECTORS).content == of_text
    pooled = workspace.verified(TEXT_VECTORS) if stored else None
    return TrainingData.read(workspace.folder("features"), pooled=pooled).product_features


def sample_queries(data: TrainingData, judged: JudgedQueries | None) -> list[str]:
    """Return queries such as will be searched: judged ones, else those that were trained on."""
    texts = data.pairs.queries if judged is None else pa.array(judged.texts, pa.string())
    rows = np.linspace(0, len(texts) - 1, min(len(texts), _SAMPLE_QUERIES)).astype(np.int64)
    return list(texts.take(pa.array(rows)).to_pylist())
