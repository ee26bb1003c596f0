"""A trained model: features, network and the folder they are saved in."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float32
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import ConfigError, ModelError, UsageError
from aisle.features import FeatureConfig, Features, Featuriser
from aisle.features.featuriser import check_spec_version
from aisle.towers.config import TowerConfig
from aisle.towers.network import FeatureBatch, TowerNetwork, feature_batch

__all__ = ["TwoTower"]

_WEIGHTS, _CONFIG, _TRANSFORMER = "model.safetensors", "config.json", "transformer"
_FORMAT = 1
_ROWS_AT_ONCE = 1024


class TwoTower:
    """Encodes queries and products into one vector space; higher inner product is better.

    Args:
        featuriser: Makes the features.
        network: Reads them.
        config: Settings of the network.
    """

    def __init__(self, featuriser: Featuriser, network: TowerNetwork, config: TowerConfig) -> None:
        self.featuriser = featuriser
        self.network = network
        self.config = config

    @property
    def embedding_dim(self) -> int:
        """Served dimensions."""
        return self.config.embedding_dim

    def encode_queries(self, texts: Sequence[str]) -> Float32[np.ndarray, "queries dim"]:
        """Encode query texts, any number of them."""
        return self.encode_query_features(self.featuriser.queries(pa.array(texts, pa.string())))

    def encode_products(self, products: pa.Table) -> Float32[np.ndarray, "products dim"]:
        """Encode rows of a products table."""
        return self.encode_product_features(self.featuriser.products(products))

    def encode_query_features(self, features: Features) -> Float32[np.ndarray, "queries dim"]:
        """Encode queries whose features are made already."""
        return self._encode(features, self.network.query)

    def encode_product_features(self, features: Features) -> Float32[np.ndarray, "products dim"]:
        """Encode products whose features are made already."""
        return self._encode(features, self.network.product)

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), `config.json`, tokenizer and feature spec into an existing folder."""
        weights = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        save_file(weights, str(folder / _WEIGHTS))
        self.featuriser.save(folder)
        if self.network.text is not None and self.config.text.init is not None:
            self.network.text.transformer.save_config(folder / _TRANSFORMER)  # type: ignore[operator]
        config = {
            "format": _FORMAT,
            "towers": config_to_dict(self.config),
            "features": self.featuriser.spec(),
        }
        (folder / _CONFIG).write_text(json.dumps(config, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> TwoTower:
        """Read what `save` wrote.

        Raises:
            ModelError: If a file is missing, format or feature spec is of another version, or weights do not fit.
        """
        saved = _read_config(folder)
        try:
            spec = saved["features"]
            check_spec_version(spec, folder)
            featuriser = Featuriser.load(folder, spec, config_from_dict(FeatureConfig, spec["config"]))
            config = config_from_dict(TowerConfig, saved["towers"])
            architecture = folder / _TRANSFORMER if config.text.init is not None else None
            network = TowerNetwork.build(config, featuriser, saved_architecture=architecture)
        except (KeyError, TypeError, AttributeError, ConfigError, UsageError) as error:
            raise ModelError(
                "The config.json of a model must be as it was saved",
                received={"model": str(folder), "problem": str(error)},
                remedy="Train the model again.",
            ) from error
        try:
            network.load_state_dict(load_file(str(folder / _WEIGHTS)))
        except (RuntimeError, OSError, SafetensorError) as error:
            raise ModelError(
                "The weights must fit the model's config",
                received={"model": str(folder), "problem": str(error).partition("\n")[0]},
                remedy="Train the model again.",
            ) from error
        return cls(featuriser, network.eval(), config)

    @torch.inference_mode()
    def _encode(
        self, features: Features, encode: Callable[[FeatureBatch], torch.Tensor]
    ) -> Float32[np.ndarray, "rows dim"]:
        if self.network.training:  # eval() walks all modules, which takes longer than encoding one query
            self.network.eval()
        device = next(self.network.parameters()).device
        if len(features) == 1:  # one live query: nothing to sort or to gather
            return np.asarray(encode(feature_batch(features, device)).float().cpu().numpy())
        vectors = np.empty((len(features), self.embedding_dim), np.float32)
        for rows in _blocks_by_length(features):
            vectors[rows] = encode(feature_batch(features.take(rows), device)).float().cpu().numpy()
        return vectors


def _blocks_by_length(features: Features) -> list[np.ndarray]:
    """Group rows of like length, so that little padding is encoded."""
    length = features.tokens.length if features.tokens is not None else np.zeros(len(features), np.int64)
    order = np.argsort(length, kind="stable")
    return [order[start : start + _ROWS_AT_ONCE] for start in range(0, len(order), _ROWS_AT_ONCE)]


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / _CONFIG
    try:
        saved: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = saved["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            "A model folder must hold config.json",
            received={"model": str(folder), "problem": str(error)},
            remedy="Name the folder that `aisle train` wrote.",
        ) from error
    if version != _FORMAT:
        raise ModelError(
            f"The model must be of format {_FORMAT}",
            received={"format": version, "model": str(folder)},
            remedy="Train the model again with this version of Aisle.",
        )
    return saved
