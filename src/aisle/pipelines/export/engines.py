"""A recipe for OpenSearch and for Elasticsearch: mapping, a bulk file to start from, and a hybrid query."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float32

__all__ = ["write_engine_recipes"]

_INDEX = "products"
_EXAMPLES = 50
_SIZE = 24
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "title": {"type": "text", "analyzer": "english"},
    "description": {"type": "text", "analyzer": "english"},
    "brand": {"type": "keyword"},
    "category": {"type": "keyword"},
    "shop_id": {"type": "keyword"},
    "location": {"type": "keyword"},
    "group_id": {"type": "keyword"},
    "price": {"type": "double"},
    "currency": {"type": "keyword"},
    "in_stock": {"type": "boolean"},
}


def write_engine_recipes(
    folder: Path,
    products: pa.Table,
    vectors: Float32[np.ndarray, "products dim"],
    *,
    query: tuple[str, Float32[np.ndarray, " dim"]],
    hybrid: Mapping[str, Any],
    fields: Sequence[str],
) -> None:
    """Write the folders `opensearch` and `elasticsearch`.

    Args:
        folder: Where to.
        products: Products table.
        vectors: One per product.
        query: A query, as text and as vector, for the example.
        hybrid: Settings of the index's hybrid.
        fields: Fields that are searched by words; those that are no texts here are left out.
    """
    dim, depth, weight = vectors.shape[1], int(hybrid["depth"]), float(hybrid["semantic_weight"])
    searched = [name for name in fields if _FIELDS.get(name, {}).get("type") == "text"] or ["title"]
    words = {"multi_match": {"query": query[0], "type": "cross_fields", "fields": searched}}
    files = {
        "opensearch/index.json": _opensearch_index(dim),
        "opensearch/pipeline.json": _opensearch_pipeline(weight),
        "opensearch/hybrid_query.json": _opensearch_query(words, query[1], depth=depth),
        "elasticsearch/index.json": _elasticsearch_index(dim),
        "elasticsearch/hybrid_query.json": _elasticsearch_query(words, query[1], depth=depth, weight=weight),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (folder / "bulk.ndjson").write_text(_bulk(products.slice(0, _EXAMPLES), vectors), encoding="utf-8")


def _opensearch_index(dim: int) -> dict[str, Any]:
    method = {
        "name": "hnsw",
        "engine": "faiss",
        "space_type": "innerproduct",
        "parameters": {"m": 16, "ef_construction": 200},
    }
    vector = {"type": "knn_vector", "dimension": dim, "method": method}
    return {"settings": {"index.knn": True}, "mappings": {"properties": {**_FIELDS, "vector": vector}}}


def _opensearch_pipeline(weight: float) -> dict[str, Any]:
    weights = [round(1 - weight, 4), round(weight, 4)]
    processor = {
        "normalization": {"technique": "min_max"},
        "combination": {"technique": "arithmetic_mean", "parameters": {"weights": weights}},
    }
    return {"phase_results_processors": [{"normalization-processor": processor}]}


def _opensearch_query(words: Mapping[str, Any], vector: Float32[np.ndarray, " dim"], *, depth: int) -> dict[str, Any]:
    near = {"knn": {"vector": {"vector": _numbers(vector), "k": depth}}}
    hybrid = {"pagination_depth": depth, "queries": [words, near]}
    return {"size": _SIZE, "_source": {"excludes": ["vector"]}, "query": {"hybrid": hybrid}}


def _elasticsearch_index(dim: int) -> dict[str, Any]:
    vector = {"type": "dense_vector", "dims": dim, "index": True, "similarity": "max_inner_product"}
    return {"mappings": {"properties": {**_FIELDS, "vector": vector}}}


def _elasticsearch_query(
    words: Mapping[str, Any], vector: Float32[np.ndarray, " dim"], *, depth: int, weight: float
) -> dict[str, Any]:
    near: dict[str, Any] = {
        "field": "vector",
        "query_vector": _numbers(vector),
        "k": depth,
        "num_candidates": 2 * depth,
    }
    sides: tuple[dict[str, Any], ...] = ({"standard": {"query": words}}, {"knn": near})
    retrievers: list[dict[str, Any]] = [
        {"retriever": side, "weight": round(share, 4), "normalizer": "minmax"}
        for side, share in zip(sides, (1 - weight, weight), strict=True)
    ]
    linear = {"retrievers": retrievers, "rank_window_size": depth}
    return {"size": _SIZE, "_source": {"excludes": ["vector"]}, "retriever": {"linear": linear}}


def _bulk(products: pa.Table, vectors: Float32[np.ndarray, "products dim"]) -> str:
    """Return an action and a document for each of some products; a category is every path above and with its own."""
    shown = [name for name in _FIELDS if name in products.column_names]
    lines: list[dict[str, Any]] = []
    for row, product in enumerate(products.select(["product_id", *shown]).to_pylist()):
        document = {name: product[name] for name in shown if product[name] is not None}
        if "category" in document:
            path = document["category"]
            document["category"] = [" > ".join(path[: depth + 1]) for depth in range(len(path))]
        lines += [{"index": {"_index": _INDEX, "_id": product["product_id"]}}]
        lines += [{**document, "vector": _numbers(vectors[row])}]
    return "".join(json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines)


def _numbers(vector: Float32[np.ndarray, " dim"]) -> list[float]:
    return [round(float(value), 7) for value in vector]
