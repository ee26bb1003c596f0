"""Token features for the transformer, through `tokenizers`; a vocabulary of the shop's own, or a checkpoint's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int32, Int64
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from aisle.core.errors import ModelError
from aisle.features.config import TokenConfig

__all__ = ["TokenFeaturiser", "Tokens"]

_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@dataclass(frozen=True)
class Tokens:
    """Padded rows of token ids.

    Attributes:
        ids: Token ids; what stands behind a row's length is padding.
        length: Tokens of each row, special ones included; at least 1.
    """

    ids: Int32[np.ndarray, "rows tokens"]
    length: Int64[np.ndarray, " rows"]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.length)

    def take(self, rows: Int64[np.ndarray, " wanted"]) -> Tokens:
        """Return these rows, cut to the longest among them."""
        length = np.asarray(self.length[rows])
        longest = int(length.max(initial=1))
        return Tokens(np.asarray(self.ids[rows, :longest]), length)


class TokenFeaturiser:
    """Turns texts into `Tokens`.

    Args:
        tokenizer: Holds its own normalisation and special tokens.
        config: Settings.
    """

    def __init__(self, tokenizer: Tokenizer, config: TokenConfig) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer = tokenizer
        self.config = config

    @classmethod
    def fit(cls, texts: pa.Array, config: TokenConfig) -> TokenFeaturiser:
        """Learn a WordPiece vocabulary from the shop's own texts (Etsy trains its encoder's on its own too)."""
        tokenizer = Tokenizer(models.WordPiece(unk_token=_SPECIAL[1]))
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFKC(), normalizers.BertNormalizer(strip_accents=False)]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=config.vocabulary_size, special_tokens=_SPECIAL, min_frequency=2, show_progress=False
        )
        tokenizer.train_from_iterator(pc.fill_null(texts, "").to_pylist(), trainer)
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
        )
        return cls(tokenizer, config)

    @classmethod
    def from_checkpoint(cls, checkpoint: str, config: TokenConfig) -> TokenFeaturiser:
        """Take the tokenizer of a Hugging Face checkpoint.

        Args:
            checkpoint: A local folder or a hub name.
            config: Settings.

        Raises:
            ModelError: If it has no fast tokenizer or cannot be loaded.
        """
        from transformers import AutoTokenizer

        try:
            loaded = AutoTokenizer.from_pretrained(checkpoint, use_fast=True)
            return cls(Tokenizer.from_str(loaded.backend_tokenizer.to_str()), config)
        except (OSError, ValueError, AttributeError, KeyError) as error:
            raise ModelError(
                "text.init must name a Hugging Face checkpoint with a fast tokenizer",
                received={"text.init": checkpoint, "problem": str(error).splitlines()[0]},
                remedy="Give a local folder that holds tokenizer.json, or a hub name while online.",
            ) from error

    @property
    def vocabulary_size(self) -> int:
        """Number of distinct token ids."""
        return int(self.tokenizer.get_vocab_size())

    def queries(self, texts: pa.Array) -> Tokens:
        """Tokenise query texts."""
        return self._encode(texts, self.config.max_query_tokens)

    def products(self, texts: pa.Array) -> Tokens:
        """Tokenise product texts."""
        return self._encode(texts, self.config.max_product_tokens)

    def save(self, path: Path) -> None:
        """Write the tokenizer as `tokenizer.json`."""
        self.tokenizer.save(str(path))

    @classmethod
    def load(cls, path: Path, config: TokenConfig) -> TokenFeaturiser:
        """Read what `save` wrote."""
        return cls(Tokenizer.from_file(str(path)), config)

    def _encode(self, texts: pa.Array, most: int) -> Tokens:
        self.tokenizer.enable_truncation(most)
        encoded = self.tokenizer.encode_batch_fast(pc.fill_null(texts, "").to_pylist())
        # The library hands back one object per text; this is the only loop over rows, and it only reads them out.
        rows = [row.ids for row in encoded]
        length = np.fromiter(map(len, rows), np.int64, len(rows))
        ids = np.zeros((len(rows), most), np.int32)
        ids[np.arange(most) < length[:, None]] = np.fromiter(
            (i for row in rows for i in row), np.int32, int(length.sum())
        )
        return Tokens(ids, np.maximum(length, 1))
