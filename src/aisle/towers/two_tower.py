"""A trained model: features, network and the folder they are saved in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float, Float32, Int64
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import ConfigError, ModelError, ShapeError, UsageError
from aisle.core.text import normalise_texts
from aisle.features import FeatureConfig, Features, Featuriser, Neighbours
from aisle.features.featuriser import check_spec_version
from aisle.towers.channels import table_dims
from aisle.towers.config import TowerConfig
from aisle.towers.inputs import FeatureBatch, QueryContext, product_batch, query_batch
from aisle.towers.live_query import LiveQuery
from aisle.towers.network import TowerNetwork
from aisle.towers.prefix import prefix_dims, served_prefix
from aisle.towers.query_graph import write_query_graph
from aisle.towers.sharing import ALONE, Sharing
from aisle.towers.vector_tables import VectorTable, VectorTables

__all__ = ["TwoTower"]

_WEIGHTS, _CONFIG, _TRANSFORMER, _TABLES = "model.safetensors", "config.json", "transformer", "tables.safetensors"
_NOTHING_KNOWN = QueryContext()
_FORMAT = 1
_ROWS_AT_ONCE = 1024

_Encode = Callable[[FeatureBatch], torch.Tensor]
_MakeBatch = Callable[[Features, torch.device, VectorTables | None], FeatureBatch]


class TwoTower:
    """Encodes queries and products into one vector space; higher inner product is better.

    Args:
        featuriser: Makes the features.
        network: Reads them.
        config: Settings of the network.
        tables: Vectors of known queries and products, which graph and history look up; None until `fill_tables`.
        live: Encodes one query at a time, faster than the network; None leaves that to the network too.

    Attributes:
        sharing: Who else encodes blocks of what this model is given: all that do call it alike. Nobody, unless set.
    """

    def __init__(
        self,
        featuriser: Featuriser,
        network: TowerNetwork,
        config: TowerConfig,
        *,
        tables: VectorTables | None = None,
        live: LiveQuery | None = None,
    ) -> None:
        self.featuriser = featuriser
        self.network = network
        self.config = config
        self.tables = tables
        self._live = live
        self._folder: Path | None = None
        self.sharing: Sharing = ALONE
        self._served_dim: int | None = None

    @property
    def embedding_dim(self) -> int:
        """Served dimensions."""
        return self._served_dim or self.config.embedding_dim

    def serve(self, dim: int | None) -> None:
        """Encode queries and products with fewer dimensions from now on, each part with its first ones.

        Args:
            dim: Served dimensions; None for all.

        Raises:
            UsageError: If a part would get none, or the model has not so many.
        """
        if dim is not None:
            prefix_dims(self.network.fusion.served_dims, dim)
        self._served_dim = dim

    def use_bf16(self, enabled: bool) -> None:
        """Run the text part's transformer in bfloat16, where the device multiplies it fast, or in float32 again.

        For catalogues: it changes vectors a little (see `encode.precision`). A model that is loaded encodes in float32.
        """
        if self.network.text is not None:
            self.network.text.bf16 = enabled

    def encode_queries(
        self, texts: Sequence[str], *, context: QueryContext = _NOTHING_KNOWN
    ) -> Float32[np.ndarray, "queries dim"]:
        """Encode queries, any number of them.

        Args:
            texts: Query texts.
            context: What else is known of each; the model reads what it has a channel for.

        Raises:
            ShapeError: If the context has not one row per text.
            ModelError: If it has neighbours or histories and the model's vector tables are not filled.
        """
        return self.encode_query_features(self.query_features(texts, context=context))

    def encode_products(
        self, products: pa.Table, *, neighbours: Neighbours | None = None
    ) -> Float32[np.ndarray, "products dim"]:
        """Encode rows of a products table.

        Args:
            products: Products table.
            neighbours: Queries that led to each product, as rows of the queries' vector table; None: all are cold.

        Raises:
            ShapeError: If there is not one row of neighbours per product.
            ModelError: If there are neighbours and the model's vector tables are not filled.
        """
        return self.encode_product_features(self.product_features(products, neighbours=neighbours))

    def query_features(self, texts: Sequence[str], *, context: QueryContext = _NOTHING_KNOWN) -> Features:
        """Make the features that `encode_query_features` takes; see `encode_queries`."""
        features = self.featuriser.queries(
            pa.array(texts, pa.string()),
            locations=_values("locations", context.locations, len(texts)),
            devices=_values("devices", context.devices, len(texts)),
        )
        _check_rows("neighbours", context.neighbours, len(texts))
        _check_rows("history", context.history, len(texts))
        return replace(features, neighbours=context.neighbours, history=context.history)

    def product_features(self, products: pa.Table, *, neighbours: Neighbours | None = None) -> Features:
        """Make the features that `encode_product_features` takes; see `encode_products`."""
        _check_rows("neighbours", neighbours, products.num_rows)
        return replace(self.featuriser.products(products), neighbours=neighbours)

    def encode_query_features(self, features: Features) -> Float32[np.ndarray, "queries dim"]:
        """Encode queries whose features are made already."""
        features = self.readable(features)
        if self._live is not None and len(features) == 1 and features.pooled is None:
            return self._cut(self._live.encode(features, self.tables))
        return self._cut(self._encode(features, self.network.query, query_batch, self.config.embedding_dim))

    def encode_product_features(self, features: Features) -> Float32[np.ndarray, "products dim"]:
        """Encode products whose features are made already."""
        vectors = self._encode(self.readable(features), self.network.product, product_batch, self.config.embedding_dim)
        return self._cut(vectors)

    def encode_words(self, features: Features) -> Float32[np.ndarray, "rows query_dim"]:
        """Encode the words that queries and products share alone (term and text), joined."""
        dim, _ = table_dims(self.config)
        return self._rows(features, self.network.query_row, dim, torch.float32).numpy()

    def explain(
        self, queries: Float32[np.ndarray, "pairs dim"], products: Float32[np.ndarray, "pairs dim"]
    ) -> dict[str, Float32[np.ndarray, " pairs"]]:
        """Split the score of pairs of served vectors into signed contributions of the parts, which add up to it."""
        split = self.network.fusion.contributions(torch.from_numpy(queries), torch.from_numpy(products))
        return {name: contribution.numpy() for name, contribution in split.items()}

    def fill_tables(
        self,
        *,
        query_texts: pa.Array,
        query_features: Features,
        product_ids: pa.Array,
        product_features: Features,
        dtype: torch.dtype = torch.float16,
    ) -> None:
        """Encode all known queries and products into new vector tables, block by block; training does it now and then.

        Args:
            query_texts: Known queries, normalised and distinct, in the order of their index.
            query_features: Their features.
            product_ids: Known products, in the order of their index.
            product_features: Their features.
            dtype: Type of the vectors; float16 halves the memory of float32.
        """
        query_dim, product_dim = table_dims(self.config)
        queries = self._rows(query_features, self.network.query_row, query_dim, dtype)
        products = self._rows(product_features, self.network.product_row, product_dim, dtype)
        self.tables = VectorTables(VectorTable(query_texts, queries), VectorTable(product_ids, products))

    def put_products(self, products: pa.Table) -> Int64[np.ndarray, " products"]:
        """Write the rows of new or changed products into their vector table, and return where they stand."""
        tables, (_, dim) = self._filled_tables(), table_dims(self.config)
        rows = self._rows(self.featuriser.products(products), self.network.product_row, dim, torch.float32)
        return tables.products.put(products.column("product_id").to_pylist(), rows)

    def query_rows(self, texts: Sequence[str]) -> Int64[np.ndarray, " texts"]:
        """Find the rows of queries in their vector table; one that is not there is encoded, once, and stored."""
        tables, (dim, _) = self._filled_tables(), table_dims(self.config)
        keys = normalise_texts(pa.array(texts, pa.string())).to_pylist()
        rows = tables.queries.rows_of(keys)
        new = list(dict.fromkeys(keys[place] for place in np.flatnonzero(rows < 0)))
        if not new:
            return rows
        features = self.featuriser.queries(pa.array(new, pa.string()))
        tables.queries.put(new, self._rows(features, self.network.query_row, dim, torch.float32))
        return tables.queries.rows_of(keys)

    def save(self, folder: Path) -> bool:
        """Write a model into a folder.

        Weights and vector tables (safetensors), the query tower's graph (ONNX), `config.json`, tokenizer, feature spec.

        Returns:
            Whether the graph could be written; without it a loaded model encodes single queries by the network.

        Raises:
            ModelError: If the model reads vector tables and they are not filled.
        """
        weights = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        save_file(weights, str(folder / _WEIGHTS))
        self.featuriser.save(folder)
        if self.network.reads_tables:
            self._filled_tables().save(folder / _TABLES)
        if self.network.text is not None and self.config.text.init is not None:
            self.network.text.transformer.save_config(folder / _TRANSFORMER)  # type: ignore[operator]
        has_graph = write_query_graph(self.network.eval(), folder, weights=_WEIGHTS)
        config = {
            "format": _FORMAT,
            "towers": config_to_dict(self.config),
            "features": self.featuriser.spec(),
        }
        (folder / _CONFIG).write_text(json.dumps(config, indent=1), encoding="utf-8")
        return has_graph

    @classmethod
    def load(cls, folder: Path) -> TwoTower:
        """Read what `save` wrote.

        Raises:
            ModelError: If a file is missing, format or feature spec is of another version, or weights do not fit.
        """
        saved, weights = _read_config(folder), _read_weights(folder)
        try:
            spec = saved["features"]
            check_spec_version(spec, folder)
            featuriser = Featuriser.load(folder, spec, config_from_dict(FeatureConfig, spec["config"]))
            config = config_from_dict(TowerConfig, saved["towers"])
            architecture = folder / _TRANSFORMER if config.text.init is not None else None
            network = TowerNetwork.build(
                config, featuriser, saved_architecture=architecture, num_known=_num_learnt(weights)
            )
        except (KeyError, TypeError, AttributeError, ConfigError, UsageError) as error:
            raise ModelError(
                "The config.json of a model must be as it was saved",
                received={"model": str(folder), "problem": str(error)},
                remedy="Train the model again.",
            ) from error
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise _unfit(folder, error) from error
        tables = VectorTables.load(folder / _TABLES) if network.reads_tables else None
        model = cls(featuriser, network.eval(), config, tables=tables, live=LiveQuery.load(folder, network))
        model._folder = folder
        return model

    @classmethod
    def from_pretrained(cls, name: str | Path, *, revision: str | None = None, **options: Any) -> TwoTower:
        """Read a model from the Hugging Face Hub, or from a folder that `aisle train` wrote.

        Every file is checked against the SHA-256 of the model's manifest first; none is a pickle.

        Args:
            name: Repository `owner/name`, or a folder.
            revision: Branch, tag or commit of the repository.
            options: See `fetch_model`: `token`, `endpoint`, `cache_dir`, `local_files_only`.

        Raises:
            UsageError: If there is no such model, or the Hub cannot be reached.
            ModelError: If the model is not whole, or of another version.
        """
        # Only these two methods need the Hub's library, whose import takes a quarter of a second.
        from aisle.towers.hub import fetch_model

        return cls.load(fetch_model(name, revision=revision, **options))

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Upload the folder that this model was loaded from, as it is there, to the Hugging Face Hub.

        The folder of a model that learnt from a log holds the texts of the log's queries: the repository is private
        unless `private=False` is said.

        Args:
            repo_id: Repository `owner/name`; it is made where it is not there.
            options: See `push_model`: `private`, `revision`, `token`, `endpoint`, `message`.

        Returns:
            The commit's hash, for `from_pretrained(repo_id, revision=…)`.

        Raises:
            ModelError: If the model was not loaded from a folder that `aisle train` wrote.
            UsageError: If the Hub cannot be reached or refuses.
        """
        if self._folder is None:
            raise ModelError(
                "A model that is pushed must come from a folder",
                received={"folder": None},
                remedy="Load it with TwoTower.load or TwoTower.from_pretrained first.",
            )
        from aisle.towers.hub import push_model

        return push_model(self._folder, repo_id, **options)

    def _filled_tables(self) -> VectorTables:
        if self.tables is None:
            raise ModelError(
                "The vector tables of the model must be filled",
                received={"tables": None},
                remedy="Call fill_tables with the known queries and products first.",
            )
        return self.tables

    def readable(self, features: Features) -> Features:
        """Leave out what the model has no channel for, so that it is not looked up.

        Raises:
            ModelError: If neighbours or histories are left and the vector tables are not filled.
        """
        neighbours = features.neighbours if self.network.graph is not None else None
        history = features.history if self.network.history is not None else None
        if neighbours is not None or history is not None:
            self._filled_tables()
        return replace(features, neighbours=neighbours, history=history)

    def _cut(self, vectors: Float32[np.ndarray, "rows full"]) -> Float32[np.ndarray, "rows dim"]:
        if self._served_dim is None:
            return vectors
        cut: np.ndarray = served_prefix(
            torch.from_numpy(vectors), self.network.fusion.served_dims, self._served_dim
        ).numpy()
        return cut

    def _rows(
        self, features: Features, encode: _Encode, dim: int, dtype: torch.dtype
    ) -> Float[torch.Tensor, "rows dim"]:
        """Encode rows of a vector table, which never read neighbours or histories."""
        features = replace(features, neighbours=None, history=None)
        as_numpy = np.float16 if dtype == torch.float16 else np.float32
        return torch.from_numpy(self._encode(features, encode, product_batch, dim, as_numpy)).to(dtype)

    @torch.inference_mode()
    def _encode(
        self,
        features: Features,
        encode: _Encode,
        batch: _MakeBatch,
        dim: int,
        dtype: type[np.floating[Any]] = np.float32,
    ) -> np.ndarray:
        if self.network.training:  # eval() walks all modules, which takes longer than encoding one query
            self.network.eval()
        device = next(self.network.parameters()).device
        if len(features) == 1:  # one live query: nothing to sort or to gather
            return np.asarray(encode(batch(features, device, self.tables)).float().cpu().numpy(), dtype)
        vectors = np.zeros((len(features), dim), dtype)
        for rows in _blocks_by_length(features)[self.sharing.own]:
            vectors[rows] = encode(batch(features.take(rows), device, self.tables)).float().cpu().numpy()
        return self.sharing.whole(vectors)


def _values(name: str, values: Sequence[str | None] | None, num_rows: int) -> pa.Array | None:
    _check_rows(name, values, num_rows)
    return None if values is None else pa.array(values, pa.string())


def _check_rows(name: str, values: Sized | None, num_rows: int) -> None:
    if values is not None and len(values) != num_rows:
        raise ShapeError(
            "What is known must have one row per query or product",
            received={name: len(values), "rows": num_rows},
            remedy="Give None for a row of which nothing is known.",
        )


def _blocks_by_length(features: Features) -> list[np.ndarray]:
    """Group rows of like length, so that little padding is encoded."""
    length = features.tokens.length if features.tokens is not None else np.zeros(len(features), np.int64)
    order = np.argsort(length, kind="stable")
    return [order[start : start + _ROWS_AT_ONCE] for start in range(0, len(order), _ROWS_AT_ONCE)]


def _read_weights(folder: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(str(folder / _WEIGHTS))
    except (OSError, SafetensorError) as error:
        raise _unfit(folder, error) from error


def _unfit(folder: Path, error: Exception) -> ModelError:
    return ModelError(
        "The weights must fit the model's config",
        received={"model": str(folder), "problem": str(error).partition("\n")[0]},
        remedy="Train the model again.",
    )


def _num_learnt(weights: Mapping[str, torch.Tensor]) -> tuple[int, int] | None:
    """Tell from its weights how many queries and products of a model have learnt rows; None: it has no such rows."""
    query, product = (weights.get(f"graph.learnt.{side}.weight") for side in ("query", "product"))
    return None if query is None or product is None else (len(query), len(product))


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
