"""Encoder and heads together, and the three objectives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from aisle.encoders import PretrainedTransformer, TextEncoder, token_batch
from aisle.features import Tokens
from aisle.losses import sampled_softmax_loss
from aisle.negatives import mask_copies, mask_known_positives
from aisle.pretraining.data import PairTokens, PretrainData
from aisle.pretraining.heads import QueryWriter, TokenGuesser, next_tokens
from aisle.pretraining.masking import hide_tokens

__all__ = ["Guessed", "PretrainNetwork"]


@dataclass(frozen=True)
class Guessed:
    """Tokens that were guessed.

    Attributes:
        loss: Negative log-probability of each right token, in nats.
        right: Whether the likeliest one was it.
    """

    loss: Float[Tensor, " tokens"]
    right: Bool[Tensor, " tokens"]


class PretrainNetwork(nn.Module):
    """The encoder with what is learnt beside it.

    Args:
        encoder: Is kept; its projection is not read.
        writer: Writes queries; None where the objective is off.
    """

    def __init__(self, encoder: TextEncoder, *, writer: QueryWriter | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        width, rows = self.table.shape[1], self.table.shape[0]
        self.guesser = TokenGuesser(encoder.transformer.hidden_dim, table_dim=width, vocabulary_size=rows)
        self.writer = writer

    @property
    def transformer(self) -> PretrainedTransformer:
        """The Hugging Face encoder."""
        assert isinstance(self.encoder.transformer, PretrainedTransformer)
        return self.encoder.transformer

    @property
    def table(self) -> Float[Tensor, "vocabulary table"]:
        """The encoder's table of tokens."""
        weight: Tensor = self.transformer.model.get_input_embeddings().weight  # type: ignore[operator]
        return weight

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.table.device

    def guess_hidden(self, tokens: Tokens, data: PretrainData, *, share: float, rng: np.random.Generator) -> Guessed:
        """Hide tokens of texts and guess them.

        Args:
            tokens: The texts.
            data: Knows the mask and the special tokens.
            share: Share that is hidden.
            rng: Source of randomness.
        """
        hidden, chosen = hide_tokens(
            tokens,
            share=share,
            mask_id=data.mask_id,
            special_ids=data.special_ids,
            vocabulary_size=data.vocabulary_size,
            rng=rng,
        )
        ids, real = self._padded(hidden)
        states = self.transformer(ids, real)
        place = torch.from_numpy(chosen).to(self.device)
        right = torch.from_numpy(tokens.ids[chosen].astype(np.int64)).to(self.device)
        return self._guessed(states[place], right)

    def write_queries(self, queries: Tokens, products: Tokens) -> tuple[Guessed, Bool[Tensor, "rows written"]]:
        """Write each query from its product's text, each token after the right ones before it.

        Returns:
            The guesses, row by row, and where they stand in the rows.
        """
        assert self.writer is not None
        product_ids, product_real = self._padded(products)
        written, followed, right = next_tokens(*self._padded(queries))
        memory = self.transformer(product_ids, product_real)
        states = self.writer(self.transformer.token_vectors(written), followed, memory, product_real)
        return self._guessed(states[followed], right), followed

    def embed(self, tokens: Tokens) -> Float[Tensor, "rows hidden"]:
        """Encode texts into unit vectors by their mean token."""
        return nn.functional.normalize(self.encoder.pooled(token_batch(tokens, self.device)).float(), dim=1)

    def contrastive_loss(
        self, pairs: PairTokens, products: Tokens, rows: Int64[np.ndarray, " batch"], *, temperature: float
    ) -> Float[Tensor, " batch"]:
        """Return the loss of each row's product among those of the batch, its query's other ones left out.

        Args:
            pairs: The pairs.
            products: Tokens of all products.
            rows: Pairs of the batch.
            temperature: Divides similarities.
        """
        query_index, product_index = pairs.query_index[rows], pairs.product_index[rows]
        queries = self.embed(pairs.queries.take(query_index))
        columns, place = np.unique(product_index, return_inverse=True)
        vectors = self.embed(products.take(columns))
        candidates = torch.from_numpy(columns)
        masked = mask_copies(candidates, torch.from_numpy(product_index))
        masked |= mask_known_positives(candidates, torch.from_numpy(query_index), pairs.known)
        scores = queries @ vectors.T
        own = scores.gather(1, torch.from_numpy(place).to(self.device)[:, None])[:, 0]
        return sampled_softmax_loss(own, scores, temperature=temperature, masked=masked.to(self.device))

    def _guessed(self, states: Float[Tensor, "tokens hidden"], right: Int64[Tensor, " tokens"]) -> Guessed:
        scores = self.guesser(states, self.table).float()
        return Guessed(nn.functional.cross_entropy(scores, right, reduction="none"), scores.argmax(1) == right)

    def _padded(self, tokens: Tokens) -> tuple[Int64[Tensor, "rows tokens"], Bool[Tensor, "rows tokens"]]:
        ids = torch.from_numpy(np.asarray(tokens.ids, np.int64)).to(self.device)
        real = torch.from_numpy(np.arange(tokens.ids.shape[1]) < tokens.length[:, None]).to(self.device)
        return ids, real
