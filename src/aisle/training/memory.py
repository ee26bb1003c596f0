"""What a training will take of memory, before anything of it is made: tables are refused that would not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from aisle.core.errors import ConfigError
from aisle.features import Featuriser
from aisle.towers import TowerConfig
from aisle.towers.channels import table_dims

__all__ = ["MemoryNeed", "check_memory", "memory_needs"]

_FLOAT, _HALF = 4, 2
_SPARSE_COPIES = 4
"""Of a table with sparse gradients: weights, two moments of the optimiser, best weights so far."""

_DENSE_COPIES = 5
"""Of dense layers: their gradients too."""

_GB = 1e9


@dataclass(frozen=True)
class MemoryNeed:
    """What one thing takes.

    Attributes:
        name: The thing.
        num_bytes: All copies that a training keeps of it.
        remedy: What to do for it to take less.
    """

    name: str
    num_bytes: int
    remedy: str


def memory_needs(
    config: TowerConfig, featuriser: Featuriser, *, num_known: tuple[int, int], num_products: int
) -> list[MemoryNeed]:
    """Estimate what a training takes beyond the program itself: all that grows with a setting or with the shop.

    Batches and the indexes of dynamic negatives are left out, and the features, which are mapped from disk.

    Args:
        config: Settings of the towers.
        featuriser: The features that they read.
        num_known: Queries and products of the vector tables.
        num_products: Products of the catalogue.
    """
    dims = config.part_dims()
    query_dim, product_dim = table_dims(config)
    queries, products = num_known
    needs = [
        # All products are encoded for a validation.
        MemoryNeed("catalogue vectors", _FLOAT * num_products * config.embedding_dim, "lower embedding_dim"),
    ]
    if "term" in dims:
        rows = _SPARSE_COPIES * _FLOAT * featuriser.config.term.num_buckets
        needs.append(MemoryNeed("term table", rows * dims["term"], "lower features.term.num_buckets"))
    if "text" in dims:
        needs.append(_text(config, featuriser))
    if "context" in dims and featuriser.context is not None:
        rows = _SPARSE_COPIES * _FLOAT * featuriser.context.num_rows
        needs.append(MemoryNeed("context table", rows * dims["context"], "lower features.context.max_values"))
    if "graph" in dims and config.graph.vectors == "trained":
        rows = _SPARSE_COPIES * _FLOAT * (queries + products)
        needs.append(MemoryNeed("graph rows", rows * dims["graph"], "set graph.vectors=frozen"))
    if "graph" in dims or config.history.enabled:
        # Old and new ones stand side by side while they are encoded anew.
        vectors = 2 * _HALF * (queries * query_dim + products * product_dim)
        needs.append(MemoryNeed("vector tables", vectors, "lower embedding_dim"))
    return needs


def check_memory(needs: Sequence[MemoryNeed], available: int | None) -> None:
    """Refuse what does not fit.

    Args:
        needs: What is taken.
        available: Bytes that there are; None where that is not known: nothing is refused then.

    Raises:
        ConfigError: If the sum is more than there is; it names the largest first, with the settings that lower them.
    """
    total = sum(need.num_bytes for need in needs)
    if available is None or total <= available:
        return
    largest = sorted(needs, key=lambda need: -need.num_bytes)
    before = accumulate((need.num_bytes for need in largest), initial=0)
    # What makes up nine tenths of it: lowering the rest would not help.
    named = [need for need, so_far in zip(largest, before, strict=False) if so_far < 0.9 * total]
    raise ConfigError(
        "A training must fit into memory",
        received={
            "needed_gb": _rounded(total),
            "available_gb": _rounded(available),
            **{f"{need.name.replace(' ', '_')}_gb": _rounded(need.num_bytes) for need in named},
        },
        remedy=f"To need less, {', '.join(need.remedy for need in named)}; or train where there is more.",
    )


def _rounded(num_bytes: int) -> float:
    return round(num_bytes / _GB, 2)


def _text(config: TowerConfig, featuriser: Featuriser) -> MemoryNeed:
    """Estimate the transformer: of a checkpoint by its files, of a small one by its matrices."""
    text, copies = config.text, _DENSE_COPIES * _FLOAT
    if text.init is not None:
        files = sum(path.stat().st_size for path in Path(text.init).glob("*.safetensors"))
        return MemoryNeed("text encoder", _DENSE_COPIES * files, "take a smaller text.init")
    tokens, width = featuriser.config.tokens, text.hidden_dim
    vocabulary = featuriser.tokens.vocabulary_size if featuriser.tokens is not None else 0
    rows = vocabulary + max(tokens.max_query_tokens, tokens.max_product_tokens) + 12 * width * text.num_layers
    return MemoryNeed("text encoder", copies * rows * width, "lower text.hidden_dim")
