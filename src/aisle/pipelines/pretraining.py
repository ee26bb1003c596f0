"""From a shop's texts and log to a pre-trained encoder: the artefact `pretrained`, a Hugging Face folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from aisle.core.config import config_to_dict
from aisle.core.rng import stream_seed
from aisle.encoders import PretrainedTransformer, TextEncoder, TextEncoderConfig, build_text_encoder
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.checkpoints import PRETRAINED, checkpoint_hash
from aisle.pipelines.mining import load_mined
from aisle.pipelines.recipe import Recipe
from aisle.pretraining import (
    PretrainData,
    Pretrainer,
    PretrainNetwork,
    PretrainTexts,
    catalogue_texts,
    logged_texts,
)
from aisle.pretraining.folder import ShopTokens, fit_tokens, small_transformer, take_tokens, write_transformer
from aisle.pretraining.heads import QueryWriter
from aisle.reporting import Pretrained, pretraining_page
from aisle.training.checkpoint import Checkpoint
from aisle.workspace import StepResult, Workspace

__all__ = ["pretrain"]

_FORMAT = 1
_SIZES = ("num_layers", "hidden_dim", "num_heads", "dropout")
_READ = ("queries.parquet", "examples/train.parquet", "outcomes/train.parquet", "windows.json")
"""Files of the mined log that are read: nothing of what validates or tests."""


def pretrain(workspace: Workspace, recipe: Recipe) -> StepResult:
    """Pre-train the text part's transformer; skipped when texts and settings are unchanged, resumed when killed.

    Reads the training window of the mined log where there is one, else the catalogue alone.

    Raises:
        UsageError: If an objective that is on has nothing to learn from.
        ModelError: If the checkpoint to start from cannot be loaded, or its tokenizer does not fit it.
        ConfigError: If texts may be longer than the checkpoint can read.
        TrainingError: If a loss or a gradient is not finite.
    """
    config = recipe.pretrain
    inputs = {"products": workspace.manifest("products").content}
    if workspace.has("mined"):
        files = workspace.manifest("mined").files
        inputs |= {f"mined/{name}": files[name] for name in _READ}
    if config.init is not None:
        inputs["pretrain.init"] = checkpoint_hash(Path(config.init))
    settings = config_to_dict(recipe)
    # A checkpoint brings its own sizes and its own vocabulary.
    made_with = {
        "format": _FORMAT,
        "pretrain": settings["pretrain"],
        "tokens": settings["features"]["tokens"],
        "text": {name: settings["text"][name] for name in _SIZES} if config.init is None else None,
    }

    def build(folder: Path) -> dict[str, Any]:
        return _build(workspace, recipe, folder, inputs)

    return workspace.run_step(PRETRAINED, build, inputs=inputs, config=made_with, seed=recipe.seed)


def _build(workspace: Workspace, recipe: Recipe, folder: Path, inputs: dict[str, str]) -> dict[str, Any]:
    config = recipe.pretrain
    texts = _texts(workspace)
    torch.manual_seed(stream_seed(recipe.seed, "pretrain weights"))
    tokens = _tokens(texts, recipe, folder)
    data = PretrainData.of(texts, tokens.featuriser, config, mask_id=tokens.mask_id, special_ids=tokens.special_ids)
    network = _network(recipe, data)
    vocabulary = tokens.featuriser.vocabulary_hash
    trainer = Pretrainer(
        network, data, config, folder=folder, seed=recipe.seed, inputs={**inputs, "vocabulary": vocabulary}
    )
    result = trainer.run()
    write_transformer(network.transformer.cpu(), folder, vocabulary_hash=vocabulary)
    told = Pretrained(
        pretrain=config,
        result=result,
        seed=recipe.seed,
        parameters=sum(parameter.numel() for parameter in network.transformer.parameters()),
        vocabulary_size=data.vocabulary_size,
        texts=len(texts.texts),
        pairs=len(texts.pairs),
        pairs_from=texts.pairs_from,
        counts=texts.counts,
    )
    (folder / "pretraining.json").write_text(json.dumps(asdict(result), indent=1), encoding="utf-8")
    (folder / "pretraining.html").write_text(pretraining_page(told), encoding="utf-8")
    # Last: what is killed before it resumes at the end of pre-training, not at its beginning.
    Checkpoint.remove(folder)
    return told.summary()


def _texts(workspace: Workspace) -> PretrainTexts:
    products = read_products(workspace)
    return logged_texts(products, load_mined(workspace)) if workspace.has("mined") else catalogue_texts(products)


def _tokens(texts: PretrainTexts, recipe: Recipe, folder: Path) -> ShopTokens:
    config, init = recipe.features.tokens, recipe.pretrain.init
    return fit_tokens(texts.texts, config, folder) if init is None else take_tokens(init, config, folder)


def _network(recipe: Recipe, data: PretrainData) -> PretrainNetwork:
    config, lengths = recipe.pretrain, recipe.features.tokens
    max_tokens = max(lengths.max_query_tokens, lengths.max_product_tokens)
    if config.init is None:
        small = small_transformer(recipe.text, vocabulary_size=data.vocabulary_size, max_tokens=max_tokens)
        encoder = TextEncoder(small, 1)
    else:
        encoder = build_text_encoder(
            TextEncoderConfig(init=config.init), dim=1, vocabulary_size=data.vocabulary_size, max_tokens=max_tokens
        )
    network = PretrainNetwork(encoder)
    if config.sequence_weight:
        network.writer = QueryWriter(
            network.transformer.hidden_dim,
            table_dim=network.table.shape[1],
            num_layers=config.decoder_layers,
            num_heads=_num_heads(network.transformer),
            max_tokens=lengths.max_query_tokens,
            dropout=recipe.text.dropout,
        )
    return network


def _num_heads(transformer: PretrainedTransformer) -> int:
    """Return the heads of the encoder, which divide its width."""
    return int(transformer.model.config.num_attention_heads)  # type: ignore[union-attr, arg-type]
