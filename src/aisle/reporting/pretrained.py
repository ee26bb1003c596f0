"""What there is to tell of a pre-trained encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aisle.pretraining import PretrainConfig, PretrainResult

__all__ = ["Pretrained"]


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """One finished pre-training.

    Attributes:
        pretrain: Settings.
        result: What it came to.
        seed: Seed of the run.
        parameters: Numbers of the encoder that is kept.
        vocabulary_size: Tokens that it knows.
        texts: Distinct texts, held-out ones among them.
        pairs: Pairs, held-out ones among them.
        pairs_from: In words, what the pairs are.
        counts: Products, products that came too late, queries and purchases.
    """

    pretrain: PretrainConfig
    result: PretrainResult
    seed: int
    parameters: int
    vocabulary_size: int
    texts: int
    pairs: int
    pairs_from: str
    counts: Mapping[str, int]

    def summary(self) -> dict[str, Any]:
        """Return the figures that the step reports; `before` is measured before any step."""
        result = self.result
        first = result.history[0]
        return {
            "held_out": result.measures,
            "before": {name: first[name] for name in result.measures},
            "best_step": result.best_step,
            "steps": result.steps,
            "texts_s": result.texts_s,
            "minutes": result.minutes,
            "parameters": self.parameters,
            "vocabulary_size": self.vocabulary_size,
            "texts": self.texts,
            "pairs": self.pairs,
            "pairs_from": self.pairs_from,
            **self.counts,
        }

    def sources(self) -> list[tuple[str, str]]:
        """Return what was learnt from, as rows of name and value."""
        counts = self.counts
        return [
            ("products", f"{counts['products']:,}; {counts['products_later']:,} came later and were left out"),
            ("queries", f"{counts['queries']:,}"),
            ("distinct texts", f"{self.texts:,}"),
            ("pairs", f"{self.pairs:,}: {self.pairs_from}"),
            ("purchases", f"{counts['purchases']:,}"),
            ("vocabulary", f"{self.vocabulary_size:,} tokens"),
            ("seed", str(self.seed)),
        ]

    def figures(self) -> list[tuple[str, str]]:
        """Return what came of it, as rows of name and value."""
        result = self.result
        first = result.history[0]
        measures = [(name.replace("_", " "), first[name], value) for name, value in result.measures.items()]
        return [
            *((name, f"{value:.4f}; {before:.4f} before") for name, before, value in measures),
            ("steps", f"{result.steps:,} of {result.planned_steps:,} planned"),
            ("weights of step", f"{result.best_step:,}"),
            ("time", f"{result.minutes:.1f} minutes, {result.texts_s:,.0f} texts/s"),
            ("parameters", f"{self.parameters:,}"),
        ]
