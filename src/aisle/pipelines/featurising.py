"""Training pairs and all features, made once: the artefact `features`."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import UsageError
from aisle.core.ids import IdMap
from aisle.core.rng import generator
from aisle.features import FeatureConfig, Featuriser, ProductText, product_text
from aisle.features.context import ContextFeaturiser
from aisle.features.featuriser import SPEC_VERSION
from aisle.measures import Qrels
from aisle.mining import MinedLog
from aisle.pipelines.catalogue import (
    STAGE_GRADE,
    judgment_hashes,
    read_judgments,
    read_products,
    validation_queries,
    with_known_quality,
)
from aisle.pipelines.checkpoints import init_hash, with_own_checkpoint
from aisle.pipelines.mining import load_mined
from aisle.pipelines.recipe import Recipe
from aisle.pipelines.warm_start import WarmStart
from aisle.towers import LOG_CHANNELS
from aisle.training import TrainingData, TrainingPairs, judged_pairs, pseudo_query_pairs, split_queries
from aisle.training.log_data import LOG_FORMAT, Limits
from aisle.training.logged import logged_pairs, logged_validation, searched_pairs, searched_validation
from aisle.training.pairs import NO_PAIRS, join_pairs
from aisle.training.validation_sets import qrels_of_matches, qrels_of_pairs, spread
from aisle.workspace import StepResult, Workspace, fingerprint

__all__ = ["CHECKPOINT", "START", "features_key", "featurise", "load_featuriser", "takes_searches"]

CHECKPOINT = "text.init"
"""Name of a Hugging Face checkpoint among the inputs of `features`."""

START = "from"
"""Name of the model that a training goes on from, among inputs."""

_FEATURISER = "featuriser"
_TABLES, _WINDOWS = ("examples", "outcomes"), ("train", "validation")


def featurise(workspace: Workspace, recipe: Recipe, *, start: WarmStart | None = None) -> StepResult:
    """Make training pairs and features; skipped when catalogue, training judgments and settings are unchanged.

    Test judgments are not an input: changing them changes nothing here.

    Args:
        workspace: Where the tables are.
        recipe: Settings.
        start: A model whose vocabularies are kept; of its own features what is unchanged is taken over.
    """
    inputs, config = _made_from(workspace, recipe)
    if start is not None:
        inputs[START] = start.manifest.content

    def build(folder: Path) -> dict[str, Any]:
        return _build(workspace, recipe, folder, start)

    return workspace.run_step("features", build, inputs=inputs, config=config, seed=recipe.seed)


def features_key(workspace: Workspace, recipe: Recipe) -> str:
    """Return a hash that two recipes share exactly where the same features serve both."""
    inputs, config = _made_from(workspace, recipe)
    return fingerprint({"inputs": inputs, "config": config, "seed": recipe.seed})


def _made_from(workspace: Workspace, recipe: Recipe) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the content hashes and the settings that features are made from."""
    config = {
        "spec_version": SPEC_VERSION,
        "features": config_to_dict(recipe.features),
        "pairs": config_to_dict(recipe.pairs),
        "max_validation_queries": recipe.train.max_validation_queries,
        "term": recipe.term.enabled,
        "text": recipe.text.is_on,
        "text_queries": recipe.text.queries,
        CHECKPOINT: recipe.text.init if recipe.text.is_on else None,
    }
    by_search = takes_searches(workspace, recipe)
    if by_search:
        limits = _limits(recipe)
        config |= {"context": _has_context(recipe), "neighbours": limits.neighbours, "events": limits.events}
        config["log_format"] = LOG_FORMAT
    inputs = {"products": workspace.manifest("products").content, **judgment_hashes(workspace, ("train", "validation"))}
    if recipe.pairs.source in {"auto", "log"} and workspace.has("mined"):
        inputs |= {
            f"mined/{name}": digest
            for name, digest in workspace.manifest("mined").files.items()
            if _trains(name) or (by_search and _is_read(name))
        }
    if config[CHECKPOINT]:
        inputs[CHECKPOINT] = init_hash(workspace, recipe.text)
    return inputs, config


def _trains(name: str) -> bool:
    """Tell whether training reads a file of the mined log: nothing of the test window is an input."""
    return name in {"queries.parquet", *(f"{table}/{split}.parquet" for table in _TABLES for split in _WINDOWS)}


def _is_read(name: str) -> bool:
    """Tell whether learning search by search reads a file beside those."""
    return name in {"histories.parquet", "windows.json"} or name.startswith(("neighbours_", "statistics/"))


def takes_searches(workspace: Workspace, recipe: Recipe) -> bool:
    """Tell whether training learns a mined log search by search, so that the channels of a log have data."""
    return recipe.pairs.by_search and _takes_log(workspace, recipe)


def _limits(recipe: Recipe) -> Limits:
    return Limits(neighbours=recipe.graph.neighbours, events=recipe.history.events)


def _has_context(recipe: Recipe) -> bool:
    return bool(recipe.towers(LOG_CHANNELS).context.enabled)


def load_featuriser(folder: Path) -> Featuriser:
    """Read the featuriser of a `features` artefact."""
    spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
    return Featuriser.load(folder / _FEATURISER, spec, config_from_dict(FeatureConfig, spec["config"]))


def _build(workspace: Workspace, recipe: Recipe, folder: Path, start: WarmStart | None) -> dict[str, Any]:
    products = read_products(workspace)
    texts = product_text(products)
    by_search = takes_searches(workspace, recipe)
    mined = load_mined(workspace) if by_search else None
    if mined is not None:
        products = with_known_quality(products, before_us=mined.windows.snapshot_times[0])
    ids = IdMap(products.column("product_id"))
    found = _from_log(workspace, recipe, texts, ids) if _takes_log(workspace, recipe) else None
    found = found or _without_log(workspace, recipe, texts, ids)
    featuriser, known = start.model.featuriser if start is not None else None, None
    if featuriser is None:
        checkpoint = with_own_checkpoint(workspace, recipe.text).init if recipe.text.is_on else None
        featuriser = _fit(products, recipe, mined, queries=found.trained_queries(), checkpoint=checkpoint)
    elif start is not None and start.manifest.inputs["features"] == _present_features(workspace):
        known = TrainingData.read_known(workspace.verified("features"))
    (folder / _FEATURISER).mkdir(exist_ok=True)
    featuriser.save(folder / _FEATURISER)
    (folder / "spec.json").write_text(json.dumps(featuriser.spec(), indent=1), encoding="utf-8")
    TrainingData.write(
        folder,
        featuriser=featuriser,
        products=products,
        texts=texts,
        pairs=found.pairs,
        validation_queries=found.validation_queries,
        validation_qrels=found.validation_qrels,
        log=(mined, _limits(recipe)) if mined is not None else None,
        judged=found.judged,
        pseudo=found.pseudo,
        known=known,
    )
    return {
        "products": len(texts),
        "pairs": len(found.pairs) + len(found.judged) + len(found.pseudo),
        **found.counts,
        "validation_queries": len(found.validation_queries),
        "validation_from": found.validation_from,
    }


def _present_features(workspace: Workspace) -> str | None:
    return workspace.manifest("features").content if workspace.has("features") else None


@dataclass(frozen=True)
class _Pairs:
    """What is trained on, and what decides when to stop."""

    pairs: TrainingPairs
    counts: dict[str, int]
    validation_queries: pa.Array
    validation_qrels: Qrels
    validation_from: str
    judged: TrainingPairs = NO_PAIRS
    pseudo: TrainingPairs = NO_PAIRS

    def trained_queries(self) -> pa.Array:
        """Return the queries that have a pair: others may stand among the pairs' queries for their number alone."""
        every = (self.pairs, self.judged, self.pseudo)
        return pa.concat_arrays([pairs.queries.take(pa.array(np.unique(pairs.query_index))) for pairs in every])


def _takes_log(workspace: Workspace, recipe: Recipe) -> bool:
    if recipe.pairs.source == "log" and not workspace.has("mined"):
        raise UsageError(
            "pairs.source=log needs a mined log",
            received={"workspace": str(workspace.path), "holds": workspace.names()},
            remedy="Run `aisle mine` after importing searches and impressions, or set pairs.source=auto.",
        )
    return recipe.pairs.source == "log" or (recipe.pairs.source == "auto" and workspace.has("mined"))


def _from_log(workspace: Workspace, recipe: Recipe, texts: ProductText, ids: IdMap) -> _Pairs | None:
    """Take the mined log; None where it has nothing to learn from, unless it was asked for by name."""
    mined = load_mined(workspace)
    most, by_search = recipe.train.max_validation_queries, takes_searches(workspace, recipe)
    logged = searched_pairs(mined) if by_search else logged_pairs(mined)
    queries, qrels, told = (searched_validation if by_search else logged_validation)(mined, most=most)
    if not (len(logged) and len(queries)):
        if by_search or recipe.pairs.source == "log":
            raise UsageError(
                "pairs.source=log needs clicks or orders in the training and in the validation window",
                received={"training_pairs": len(logged), "validation_queries": len(queries)},
                remedy="Mine a longer log, or set pairs.source=catalogue.",
            )
        return None
    judged, pseudo = _beside_log(workspace, recipe, texts, ids)
    counts = {"logged_pairs": len(logged)} | ({"judged_pairs": len(judged)} if len(judged) else {})
    if by_search:
        return _Pairs(logged, counts, queries, qrels, told, judged, pseudo)
    beside = [one for one in (judged, pseudo) if len(one)]
    return _Pairs(functools.reduce(join_pairs, beside, logged), counts, queries, qrels, told)


def _beside_log(
    workspace: Workspace, recipe: Recipe, texts: ProductText, ids: IdMap
) -> tuple[TrainingPairs, TrainingPairs]:
    """Return judged pairs and pseudo-query pairs that a recipe wants beside a log, either empty where it does not.

    Raises:
        UsageError: If judged pairs are asked for and there are none.
    """
    per_product = recipe.pairs.pseudo_beside_log
    pseudo = _pseudo(recipe, texts, per_product=per_product) if per_product else NO_PAIRS
    if not recipe.pairs.judged_beside_log:
        return NO_PAIRS, pseudo
    judged = _judged(workspace, ids)
    if not len(judged):
        raise UsageError(
            "pairs.judged_beside_log needs judged training pairs of a clicked stage or above",
            received={"judged_pairs": 0},
            remedy="Import judgments with split=train and --grades, or set pairs.judged_beside_log=false.",
        )
    return judged, pseudo


def _without_log(workspace: Workspace, recipe: Recipe, texts: ProductText, ids: IdMap) -> _Pairs:
    judged, pseudo = _pairs(workspace, recipe, texts, ids)
    queries, qrels, validation_from = _validation(workspace, recipe, texts, judged, pseudo)
    pairs = _training_pairs(judged, pseudo, recipe, holds_out=validation_from != "validation judgments")
    return _Pairs(pairs, {"judged_pairs": len(judged)}, queries, qrels, validation_from)


def _fit(
    products: pa.Table, recipe: Recipe, mined: MinedLog | None, *, queries: pa.Array, checkpoint: str | None
) -> Featuriser:
    context = None
    if mined is not None and _has_context(recipe):
        locations = mined.table("examples", "train").column("location").combine_chunks()
        context = ContextFeaturiser.fit(products, recipe.features.context, locations=locations)
    return Featuriser.fit(
        products,
        recipe.features,
        term=recipe.term.enabled,
        text=recipe.text.is_on,
        checkpoint=checkpoint,
        context=context,
        queries=queries,
        text_queries=recipe.text.queries,
    )


def _pairs(workspace: Workspace, recipe: Recipe, texts: ProductText, ids: IdMap) -> tuple[TrainingPairs, TrainingPairs]:
    """Return judged pairs and pseudo-query pairs, either empty where the recipe or the data leave it out."""
    judged = _judged(workspace, ids) if recipe.pairs.source != "catalogue" else NO_PAIRS
    if recipe.pairs.source == "judgments":
        if not len(judged):
            train = read_judgments(workspace, "train")
            raise UsageError(
                "pairs.source=judgments needs judged training pairs of a clicked stage or above",
                received={"train_judgments": 0 if train is None else train.num_rows, "pairs": 0},
                remedy="Import judgments with split=train and --grades, or set pairs.source=auto.",
            )
        return judged, NO_PAIRS
    return judged, _pseudo(recipe, texts, per_product=recipe.pairs.pseudo_per_product)


def _judged(workspace: Workspace, ids: IdMap) -> TrainingPairs:
    """Return the judged pairs of the training split; test judgments are never read here."""
    train = read_judgments(workspace, "train")
    if train is None or STAGE_GRADE not in train.column_names:
        return NO_PAIRS
    return judged_pairs(train, train.column(STAGE_GRADE).to_numpy(), ids)


def _pseudo(recipe: Recipe, texts: ProductText, *, per_product: int) -> TrainingPairs:
    return pseudo_query_pairs(
        texts,
        per_product=per_product,
        max_pairs=recipe.pairs.max_pseudo_pairs,
        max_words=recipe.pairs.max_words,
        rng=generator(recipe.seed, "pseudo-queries"),
    )


def _validation(
    workspace: Workspace, recipe: Recipe, texts: ProductText, judged: TrainingPairs, pseudo: TrainingPairs
) -> tuple[pa.Array, Qrels, str]:
    """Choose validation queries: judged ones of that split, else held-out judged ones, else held-out pseudo-queries."""
    most, share = recipe.train.max_validation_queries, recipe.pairs.validation_share
    given = validation_queries(workspace)
    if given is not None:
        return pa.array(given.texts, pa.string()), given.qrels, "validation judgments"
    if len(judged):
        chosen = spread(split_queries(judged.queries, validation_share=share), most=most)
        if len(chosen):
            return judged.queries.take(pa.array(chosen)), qrels_of_pairs(judged, chosen), "training judgments held out"
    chosen = spread(split_queries(pseudo.queries, validation_share=share), most=most)
    queries = pseudo.queries.take(pa.array(chosen))
    return queries, qrels_of_matches(queries, texts, stemmer=recipe.features.term.stemmer), "pseudo-queries held out"


def _training_pairs(judged: TrainingPairs, pseudo: TrainingPairs, recipe: Recipe, *, holds_out: bool) -> TrainingPairs:
    pairs = join_pairs(judged, pseudo)
    if not holds_out:
        return pairs
    return pairs.of_queries(~split_queries(pairs.queries, validation_share=recipe.pairs.validation_share))
