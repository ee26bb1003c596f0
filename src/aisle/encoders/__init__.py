"""Encoders: each turns one kind of feature into unit vectors; a part of the towers owns one."""

from aisle.encoders.batches import (
    HistoryBatch,
    NeighbourBatch,
    TermBatch,
    TokenBatch,
    context_batch,
    term_batch,
    token_batch,
)
from aisle.encoders.config import (
    ContextEncoderConfig,
    GraphEncoderConfig,
    HistoryEncoderConfig,
    TermEncoderConfig,
    TextEncoderConfig,
)
from aisle.encoders.context import ContextEncoder
from aisle.encoders.graph import GraphEncoder
from aisle.encoders.history import HistoryEncoder, age_buckets, mean_past_context
from aisle.encoders.latent import start_from_latent
from aisle.encoders.pretrained import PretrainedTransformer
from aisle.encoders.projection import fitted_map
from aisle.encoders.term import TermEncoder
from aisle.encoders.text import TextEncoder, build_text_encoder
from aisle.encoders.transformer import SmallTransformer

__all__ = [
    "ContextEncoder",
    "ContextEncoderConfig",
    "GraphEncoder",
    "GraphEncoderConfig",
    "HistoryBatch",
    "HistoryEncoder",
    "HistoryEncoderConfig",
    "NeighbourBatch",
    "PretrainedTransformer",
    "SmallTransformer",
    "TermBatch",
    "TermEncoder",
    "TermEncoderConfig",
    "TextEncoder",
    "TextEncoderConfig",
    "TokenBatch",
    "age_buckets",
    "build_text_encoder",
    "context_batch",
    "fitted_map",
    "mean_past_context",
    "start_from_latent",
    "term_batch",
    "token_batch",
]
