"""A trained model for tools that expect a `SentenceTransformer`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from aisle.adapters.documents import Document, documents_table
from aisle.adapters.options import EncodeOptions, check_options
from aisle.core.errors import UsageError
from aisle.core.progress import Advance, progress_bar
from aisle.retrieval import SearchEncoder
from aisle.towers import TwoTower
from aisle.towers.hub import fetch_model

__all__ = ["SentenceEncoder"]

_TEXTS_AT_ONCE = 16_384
"""Texts whose features are in memory at a time."""

_SIDES = {"query": "query", "document": "document", "passage": "document", "corpus": "document"}

Vectors = Float32[np.ndarray, "texts dim"] | Float[Tensor, "texts dim"] | list[Tensor]
"""What encoding gives, by its options; of a single text one vector, [dim]."""


class SentenceEncoder:
    """The methods of sentence-transformers' `SentenceTransformer` over a two-tower model.

    Queries and documents have encoders of their own: use `encode_query` and `encode_document`, or `encode` with
    `prompt_name`. A query is encoded as `aisle search` does for somebody unknown, with what it led to in the log; a
    document by its words and fields alone, as a new product is.

    Args:
        model: The model.
        encoder: Gives it what it reads of a query.
    """

    similarity_fn_name: Literal["dot"] = "dot"
    """Scores are inner products."""

    def __init__(self, model: TwoTower, encoder: SearchEncoder) -> None:
        self._model, self._encoder = model, encoder
        self.model_card_data = CardData()

    @classmethod
    def from_pretrained(cls, name: str | Path, *, revision: str | None = None, **options: Any) -> SentenceEncoder:
        """Read a model from the Hugging Face Hub or from a folder; see `TwoTower.from_pretrained`."""
        folder = fetch_model(name, revision=revision, **options)
        model = TwoTower.load(folder)
        return cls(model, SearchEncoder.load(model, folder, product_ids=[]))

    @property
    def device(self) -> torch.device:
        """Where the model's weights are."""
        return next(self._model.network.parameters()).device

    def to(self, device: str | torch.device) -> SentenceEncoder:
        """Move the weights, and return this encoder."""
        self._model.network.to(device)
        return self

    def get_embedding_dimension(self) -> int:
        """Return the dimensions of a vector."""
        return self._model.embedding_dim

    def get_sentence_embedding_dimension(self) -> int:
        """Return the dimensions of a vector, under the name of sentence-transformers before version 6."""
        return self._model.embedding_dim

    def encode_query(self, inputs: str | Sequence[str], **options: Unpack[EncodeOptions]) -> Vectors:
        """Encode queries; see `EncodeOptions`.

        Raises:
            UsageError: If an option is unknown or cannot be kept.
        """
        return self._encoded(inputs, self._encoder.encode_queries, dict(options))

    def encode_document(self, inputs: Document | Sequence[Document], **options: Unpack[EncodeOptions]) -> Vectors:
        """Encode products: texts, or mappings of columns of the products table; see `EncodeOptions`.

        Raises:
            UsageError: If an option is unknown or cannot be kept, or a document is none.
        """
        return self._encoded(inputs, self._encode_documents, dict(options))

    def encode(self, inputs: Document | Sequence[Document], **options: Unpack[EncodeOptions]) -> Vectors:
        """Encode the side that `prompt_name` says, documents by default.

        Raises:
            UsageError: If the side or an option is unknown, or a document is none.
        """
        name = options.get("prompt_name") or "document"
        if name not in _SIDES:
            raise UsageError(
                f"prompt_name must be one of {', '.join(_SIDES)}",
                received={"prompt_name": name},
                remedy="Name the side, or call encode_query or encode_document.",
            )
        encode = self._encoder.encode_queries if _SIDES[name] == "query" else self._encode_documents
        return self._encoded(inputs, encode, dict(options))

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Float[Tensor, "left right"]:
        """Return the scores of all pairs of vectors [n, dim], or of single vectors [dim]."""
        return _tensor(embeddings1) @ _tensor(embeddings2).T

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Float[Tensor, " pairs"]:
        """Return the scores of vectors [n, dim] of the same row."""
        return (_tensor(embeddings1) * _tensor(embeddings2)).sum(1)

    def _encode_documents(self, documents: Sequence[Document]) -> Float32[np.ndarray, "documents dim"]:
        return self._model.encode_products(documents_table(documents))

    def _encoded(
        self, inputs: Any, encode: Callable[[Any], Float32[np.ndarray, "texts dim"]], options: dict[str, Any]
    ) -> Vectors:
        check_options({name: value for name, value in options.items() if name != "device" or value != str(self.device)})
        is_single = isinstance(inputs, str | Mapping)
        texts = [inputs] if is_single else list(inputs)
        blocks = [np.empty((0, self._model.embedding_dim), np.float32)]
        with _bar(len(texts), shown=bool(options.get("show_progress_bar"))) as advance:
            for start in range(0, len(texts), _TEXTS_AT_ONCE):
                blocks.append(encode(texts[start : start + _TEXTS_AT_ONCE]))
                advance(len(blocks[-1]))
        vectors = np.concatenate(blocks)
        if options.get("normalize_embeddings"):
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return _shaped(vectors, options, is_single=is_single)


class CardData:
    """Where evaluators of sentence-transformers leave what they measured."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}

    def set_evaluation_metrics(self, evaluator: object, metrics: Mapping[str, float], *_: object) -> None:
        """Keep the measures of an evaluator, by name; those of the same name are replaced."""
        self.metrics |= metrics


def _bar(num_texts: int, *, shown: bool) -> AbstractContextManager[Advance]:
    if shown:
        return progress_bar("Encoding", total=num_texts, unit="texts")
    return nullcontext(lambda num_done, note="", *, total=None: None)


def _shaped(vectors: Float32[np.ndarray, "texts dim"], options: dict[str, Any], *, is_single: bool) -> Any:
    if options.get("convert_to_tensor"):
        found = torch.from_numpy(vectors)
        return found[0] if is_single else found
    if not options.get("convert_to_numpy", True):
        tensors = list(torch.from_numpy(vectors))
        return tensors[0] if is_single else tensors
    return vectors[0] if is_single else vectors


def _tensor(vectors: Any) -> Float[Tensor, "rows dim"]:
    """Lay vectors out as rows, also a list of them or a single one."""
    if isinstance(vectors, list):
        vectors = torch.stack([torch.as_tensor(vector) for vector in vectors])
    tensor = torch.as_tensor(vectors)
    return tensor.reshape(-1, tensor.shape[-1])
