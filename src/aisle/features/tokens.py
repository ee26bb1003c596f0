"""Token features for the transformer, through `tokenizers`; a vocabulary of the shop's own, or a checkpoint's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int32, Int64
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from aisle.core.errors import ModelError
from aisle.features.config import TokenConfig
from aisle.workspace import fingerprint

__all__ = ["VOCABULARY_HASH", "TokenFeaturiser", "Tokens"]

VOCABULARY_HASH = "aisle_vocabulary_sha256"
"""Name, in a checkpoint's config.json, of the hash of the vocabulary that its weights know."""

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

    def first_places(self) -> Int64[np.ndarray, " rows"]:
        """Return, for every row, the first row that has the same tokens: its own number where it is the first itself.

        >>> Tokens(np.array([[7, 8], [7, 0], [7, 8]], np.int32), np.array([2, 1, 2])).first_places().tolist()
        [0, 1, 0]
        """
        ids = np.require(self.ids, np.int32, requirements="C")
        rows = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(ids.itemsize * ids.shape[1]), len(ids), [None, pa.py_buffer(ids)]
        )
        number = rows.dictionary_encode().indices.to_numpy()
        _, first = np.unique(number, return_index=True)
        places: np.ndarray = first[number]
        return places


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
        # One each: setting the limit at every call would let queries and products that are encoded at the same time
        # disturb each other, and the saved tokenizer would depend on which was encoded last.
        self._query_tokenizer = _truncating(tokenizer, config.max_query_tokens)
        self._product_tokenizer = _truncating(tokenizer, config.max_product_tokens)

    @classmethod
    def fit(cls, texts: pa.Array, config: TokenConfig) -> TokenFeaturiser:
        """Learn a WordPiece vocabulary from the shop's own texts (Etsy trains its encoder's on its own too).

        The same texts give the same vocabulary in whatever process. Every character of the texts is in it, even where
        that makes it larger than the setting.
        """
        tokenizer = _wordpiece(_learnt_vocabulary(pc.fill_null(texts, "").to_pylist(), config.vocabulary_size))
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
            ModelError: If it has no fast tokenizer, cannot be loaded, or the vocabulary is not the one that the
                checkpoint was pre-trained with here.
        """
        from transformers import AutoTokenizer

        try:
            loaded = AutoTokenizer.from_pretrained(checkpoint, use_fast=True, trust_remote_code=False)
            found = cls(Tokenizer.from_str(loaded.backend_tokenizer.to_str()), config)
        except (OSError, ValueError, AttributeError, KeyError) as error:
            raise ModelError(
                "text.init and pretrain.init must name a Hugging Face checkpoint with a fast tokenizer",
                received={"checkpoint": checkpoint, "problem": str(error).partition("\n")[0]},
                remedy="Give a local folder that holds tokenizer.json, or a hub name while online.",
            ) from error
        _check_vocabulary(Path(checkpoint), found.vocabulary_hash)
        return found

    @property
    def vocabulary_size(self) -> int:
        """Number of distinct token ids."""
        return int(self.tokenizer.get_vocab_size())

    @property
    def vocabulary_hash(self) -> str:
        """Hash of the tokens and their ids."""
        return fingerprint(self.tokenizer.get_vocab())

    def queries(self, texts: pa.Array) -> Tokens:
        """Tokenise query texts."""
        return _encode(self._query_tokenizer, texts, self.config.max_query_tokens)

    def products(self, texts: pa.Array) -> Tokens:
        """Tokenise product texts."""
        return _encode(self._product_tokenizer, texts, self.config.max_product_tokens)

    def save(self, path: Path) -> None:
        """Write the tokenizer as `tokenizer.json`."""
        self.tokenizer.save(str(path))

    @classmethod
    def load(cls, path: Path, config: TokenConfig) -> TokenFeaturiser:
        """Read what `save` wrote.

        Raises:
            ModelError: If the file is missing or is no tokenizer.
        """
        try:
            return cls(Tokenizer.from_str(path.read_text(encoding="utf-8")), config)
        except Exception as error:  # the library raises bare exceptions
            raise ModelError(
                "A model must hold its tokenizer",
                received={"path": str(path), "problem": str(error)},
                remedy="Train the model again.",
            ) from error


def _check_vocabulary(checkpoint: Path, vocabulary_hash: str) -> None:
    """Refuse a checkpoint whose config names another vocabulary: its rows would stand for other tokens."""
    path = checkpoint / "config.json"
    known = json.loads(path.read_text(encoding="utf-8")).get(VOCABULARY_HASH) if path.is_file() else None
    if known is not None and known != vocabulary_hash:
        raise ModelError(
            "A checkpoint must have the tokenizer that it was pre-trained with",
            received={"checkpoint": str(checkpoint), "vocabulary": vocabulary_hash[:12], "pretrained": known[:12]},
            remedy="Copy the folder again, or run `aisle pretrain`.",
        )


_ROWS_AT_ONCE = 20_000
"""Texts whose tokens the library holds at once, at about 4 kB each."""


def _wordpiece(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=_SPECIAL[1]))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.BertNormalizer(strip_accents=False)])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _learnt_vocabulary(texts: list[str], size: int) -> dict[str, int]:
    """Learn word pieces, the same ones in every process.

    The library numbers characters in the order of a randomly seeded hash map and breaks ties between pairs by these
    numbers. So a first pass finds the characters, and the second is given them in fixed order, as special tokens.
    """
    characters = sorted(_trained(texts, 0, _SPECIAL).keys() - set(_SPECIAL))
    return _trained(texts, size, [*_SPECIAL, *characters])


def _trained(texts: list[str], size: int, special_tokens: list[str]) -> dict[str, int]:
    learner = _wordpiece({})
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=special_tokens, min_frequency=2, show_progress=False
    )
    learner.train_from_iterator(texts, trainer)
    return dict(learner.get_vocab())


def _truncating(tokenizer: Tokenizer, most: int) -> Tokenizer:
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.enable_truncation(most)
    return copy


def _encode(tokenizer: Tokenizer, texts: pa.Array, most: int) -> Tokens:
    ids = np.zeros((len(texts), most), np.int32)
    length = np.zeros(len(texts), np.int64)
    filled = pc.fill_null(texts, "") if texts.null_count else texts
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        encoded = tokenizer.encode_batch_fast(filled.slice(start, _ROWS_AT_ONCE).to_pylist())
        # The library hands back one object per text; this is the only loop over rows, and it only reads them out.
        rows = [row.ids for row in encoded]
        block = slice(start, start + len(rows))
        length[block] = list(map(len, rows))
        ids[block][np.arange(most) < length[block, None]] = list(chain.from_iterable(rows))
    return Tokens(ids, np.maximum(length, 1))
