"""The Hugging Face folder that pre-training begins from and ends in: tokenizer, config, weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Int64

from aisle.core.errors import ConfigError, ModelError
from aisle.encoders import PretrainedTransformer, TextEncoderConfig
from aisle.features import TokenConfig, TokenFeaturiser
from aisle.features.tokens import VOCABULARY_HASH

__all__ = ["ShopTokens", "fit_tokens", "small_transformer", "take_tokens", "write_transformer"]

_SPECIAL = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "pad", "cls", "sep", "mask")}


@dataclass(frozen=True, eq=False)
class ShopTokens:
    """A tokenizer that was written into a folder, as training will read it from there.

    Attributes:
        featuriser: Makes tokens.
        mask_id: Token for hidden ones.
        special_ids: Tokens that are no part of a text.
    """

    featuriser: TokenFeaturiser
    mask_id: int
    special_ids: Int64[np.ndarray, " special"]


def fit_tokens(texts: pa.Array, config: TokenConfig, folder: Path) -> ShopTokens:
    """Learn a vocabulary from a shop's own texts and write the tokenizer into a folder.

    Args:
        texts: What the vocabulary is learnt from.
        config: Size of the vocabulary, lengths of texts.
        folder: Where it is written.
    """
    from transformers import PreTrainedTokenizerFast

    learnt = TokenFeaturiser.fit(texts, config)
    PreTrainedTokenizerFast(tokenizer_object=learnt.tokenizer, **_SPECIAL).save_pretrained(folder)
    return _read(folder, config)


def take_tokens(checkpoint: str, config: TokenConfig, folder: Path) -> ShopTokens:
    """Write the tokenizer of a checkpoint into a folder.

    Args:
        checkpoint: A Hugging Face folder or a hub name.
        config: Lengths of texts.
        folder: Where it is written.

    Raises:
        ModelError: If it has no fast tokenizer, or no token for hidden ones.
    """
    from transformers import AutoTokenizer

    TokenFeaturiser.from_checkpoint(checkpoint, config)  # refuses what cannot be read, in the same words as training
    AutoTokenizer.from_pretrained(checkpoint, use_fast=True, trust_remote_code=False).save_pretrained(folder)
    return _read(folder, config)


def _read(folder: Path, config: TokenConfig) -> ShopTokens:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False)
    if tokenizer.mask_token_id is None:
        raise ModelError(
            "The tokenizer of pretrain.init must name a token that stands for hidden ones",
            received={"special_tokens": list(map(str, tokenizer.all_special_tokens))},
            remedy="Give a checkpoint of a masked language model, or add mask_token to its tokenizer_config.json.",
        )
    special = np.array(sorted(tokenizer.all_special_ids), np.int64)
    return ShopTokens(TokenFeaturiser.from_checkpoint(str(folder), config), int(tokenizer.mask_token_id), special)


def small_transformer(config: TextEncoderConfig, *, vocabulary_size: int, max_tokens: int) -> PretrainedTransformer:
    """Build a small encoder with random weights, of an architecture that Hugging Face knows (BERT).

    Args:
        config: Its sizes.
        vocabulary_size: Distinct token ids.
        max_tokens: Longest text, in tokens.

    Raises:
        ConfigError: If the heads do not divide the width.
    """
    from transformers import AutoModel, BertConfig

    if config.hidden_dim % config.num_heads:
        raise ConfigError(
            "text.hidden_dim must be a multiple of text.num_heads",
            received={"text.hidden_dim": config.hidden_dim, "text.num_heads": config.num_heads},
            remedy="Change one of them.",
        )
    shape = BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=config.hidden_dim,
        num_hidden_layers=config.num_layers,
        num_attention_heads=config.num_heads,
        intermediate_size=4 * config.hidden_dim,
        max_position_embeddings=max_tokens,
        hidden_dropout_prob=config.dropout,
        attention_probs_dropout_prob=config.dropout,
    )
    return PretrainedTransformer(AutoModel.from_config(shape, attn_implementation="eager"))


def write_transformer(transformer: PretrainedTransformer, folder: Path, *, vocabulary_hash: str) -> None:
    """Write config and weights beside the tokenizer.

    The config holds the hash of the vocabulary, so that the folder tells, wherever it is copied to, whether its
    tokenizer is still the one whose tokens the weights know.

    Args:
        transformer: The encoder.
        folder: Where they are written.
        vocabulary_hash: Of the tokenizer.
    """
    from safetensors.torch import save_model

    model = transformer.model
    save_model(model, str(folder / "model.safetensors"), metadata={"format": "pt"})
    transformer.save_config(folder)
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config[VOCABULARY_HASH] = vocabulary_hash
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")
