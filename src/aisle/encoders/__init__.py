"""Encoders: each turns one kind of feature into unit vectors; a part of the towers owns one."""

from aisle.encoders.batches import TermBatch, TokenBatch, term_batch, token_batch
from aisle.encoders.config import TermEncoderConfig, TextEncoderConfig
from aisle.encoders.latent import start_from_latent
from aisle.encoders.pretrained import PretrainedTransformer
from aisle.encoders.term import TermEncoder
from aisle.encoders.text import TextEncoder, build_text_encoder
from aisle.encoders.transformer import SmallTransformer

__all__ = [
    "PretrainedTransformer",
    "SmallTransformer",
    "TermBatch",
    "TermEncoder",
    "TermEncoderConfig",
    "TextEncoder",
    "TextEncoderConfig",
    "TokenBatch",
    "build_text_encoder",
    "start_from_latent",
    "term_batch",
    "token_batch",
]
