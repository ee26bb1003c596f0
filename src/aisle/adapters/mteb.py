"""A trained model for mteb's retrieval evaluation, and a folder in BEIR's form as one of its tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from jaxtyping import Float, Float32
from torch import Tensor

from aisle.adapters.sentences import SentenceEncoder
from aisle.core.errors import UsageError
from aisle.sources import load_source

__all__ = ["MtebEncoder", "mteb_model", "mteb_task"]

_FRACTIONS = 100
_DATE = ("1970-01-01", "1970-01-01")
"""mteb wants to know when a set was collected; of a local folder nobody does."""


class MtebEncoder:
    """What mteb calls an encoder: a model of Aisle, unchanged, behind its `EncoderProtocol`.

    Titles and bodies of documents become titles and descriptions of products, as when a BEIR folder is imported.

    Args:
        model_name: Repository of the Hub, or a folder that `aisle train` wrote.
        revision: Branch, tag or commit of the repository.
        device: Where to run it; None for the processor.
        name: Name in results, `owner/name`; None for the repository's, or `aisle/` and that of the folder.

    Source: https://embeddings-benchmark.github.io/mteb/ (`mteb.models.EncoderProtocol`, version 2).
    """

    def __init__(
        self, model_name: str, revision: str | None = None, *, device: str | None = None, name: str | None = None
    ) -> None:
        self._encoder = SentenceEncoder.from_pretrained(model_name, revision=revision)
        if device is not None:
            self._encoder.to(device)
        folder = Path(model_name)
        self._name = name or (f"aisle/{folder.resolve().name}" if folder.is_dir() else model_name)
        self._revision = revision

    @cached_property
    def mteb_model_meta(self) -> Any:
        """What mteb writes beside results."""
        meta = _library().models.ModelMeta
        return meta.create_empty(
            overwrites={
                "name": self._name,
                "revision": self._revision,
                "embed_dim": self._encoder.get_embedding_dimension(),
                "similarity_fn_name": self._encoder.similarity_fn_name,
                "framework": ["PyTorch", "safetensors"],
            }
        )

    def encode(
        self, inputs: Iterable[Mapping[str, Any]], *, prompt_type: Any = None, **_: Any
    ) -> Float32[np.ndarray, "texts dim"]:
        """Encode batches of texts of one side.

        Args:
            inputs: Batches as mteb's loaders give them: `text`, and of documents `title` and `body` where they have.
            prompt_type: Side; `document` where it is not said.
        """
        rows = [row for batch in inputs for row in _rows(batch)]
        if getattr(prompt_type, "value", prompt_type) == "query":
            return np.asarray(self._encoder.encode_query([row["text"] for row in rows]))
        documents = [{"title": row["title"], "text": row["body"]} if row.get("title") else row["text"] for row in rows]
        return np.asarray(self._encoder.encode_document(documents))

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Float[Tensor, "left right"]:
        """Return the scores of all pairs of vectors."""
        return self._encoder.similarity(embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Float[Tensor, " pairs"]:
        """Return the scores of vectors of the same row."""
        return self._encoder.similarity_pairwise(embeddings1, embeddings2)


def mteb_model(model_name: str, *, revision: str | None = None, **options: Any) -> MtebEncoder:
    """Open a model for `mteb.evaluate`.

    Args:
        model_name: Repository of the Hub, or a folder that `aisle train` wrote.
        revision: Branch, tag or commit of the repository.
        options: See `MtebEncoder`.

    Raises:
        UsageError: If mteb is not installed, or there is no such model.
        ModelError: If the model is not whole.
    """
    _library()
    return MtebEncoder(model_name, revision, **options)


def mteb_task(folder: Path, *, name: str = "AisleRetrieval", split: str = "test") -> Any:
    """Make a retrieval task of a folder in BEIR's form, without the network.

    Queries are those with a relevant document, as in `aisle evaluate`.

    Args:
        folder: `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`, as `aisle import --from beir` reads them.
        name: Name of the task in results.
        split: Split that is measured.

    Returns:
        An `AbsTaskRetrieval` of mteb with its data loaded.

    Raises:
        UsageError: If mteb is not installed, or the folder has no judgments of the split.
        SourceError: If the folder is not in BEIR's form, or damaged.
    """
    library, datasets = _library(), import_module("datasets")
    source = load_source("beir", path=folder, cache_dir=folder)
    judgments = source.tables["judgments"]
    rows = _with_relevant(judgments.filter(pc.equal(judgments.column("split"), split)).to_pylist())
    if not rows:
        raise UsageError(
            "The folder must hold judgments of the split, of grade above 0",
            received={"path": str(folder), "split": split},
            remedy="Name a split that has a file in qrels.",
        )
    texts = {row["query_id"]: row["query"] for row in rows}
    relevant: dict[str, dict[str, int]] = {name: {} for name in texts}
    # mteb's grades are whole; nDCG with linear gain does not change with their unit.
    unit = 1 if all(float(row["grade"]).is_integer() for row in rows) else _FRACTIONS
    for row in rows:
        relevant[row["query_id"]][row["product_id"]] = round(row["grade"] * unit)
    products = source.tables["products"]
    corpus = {
        "id": products.column("product_id").to_pylist(),
        # A document without a title is its text alone; mteb joins both where there is a title.
        "title": products.column("title").to_pylist(),
        "text": [text or "" for text in products.column("description").to_pylist()],
    }
    task = type(name, (library.abstasks.AbsTaskRetrieval,), {"metadata": _metadata(library, name, split)})()
    task.dataset = {
        "default": {
            split: {
                "corpus": datasets.Dataset.from_dict(corpus),
                "queries": datasets.Dataset.from_dict({"id": list(texts), "text": list(texts.values())}),
                "relevant_docs": relevant,
                "top_ranked": None,
            }
        }
    }
    task.data_loaded = True
    return task


def _with_relevant(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out queries that nobody gave a relevant document: mteb would count each of them as missed."""
    answered = {row["query_id"] for row in rows if row["grade"] > 0}
    return [row for row in rows if row["query_id"] in answered]


def _metadata(library: Any, name: str, split: str) -> Any:
    return library.TaskMetadata(
        name=name,
        description="A folder in BEIR's form.",
        dataset={"path": "local/folder", "revision": "local"},
        type="Retrieval",
        category="t2t",
        modalities=["text"],
        eval_splits=[split],
        eval_langs=["eng-Latn"],
        main_score="ndcg_at_10",
        date=_DATE,
        reference=None,
        domains=None,
        task_subtypes=None,
        license=None,
        annotations_creators=None,
        dialect=None,
        sample_creation=None,
        bibtex_citation=None,
    )


def _rows(batch: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield the rows of a batch of columns."""
    names = [name for name in ("text", "title", "body") if name in batch]
    return (dict(zip(names, values, strict=True)) for values in zip(*(batch[name] for name in names), strict=True))


def _library() -> Any:
    try:
        return import_module("mteb")
    except ModuleNotFoundError as error:
        raise UsageError(
            "mteb must be installed",
            received={"missing": error.name},
            remedy="Install it with `pip install 'aisle[mteb]'`.",
        ) from error
