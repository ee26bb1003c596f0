"""Doors to other tools: a trained model behind the methods that sentence-transformers and mteb expect."""

from aisle.adapters.mteb import MtebEncoder, mteb_model, mteb_task
from aisle.adapters.options import EncodeOptions
from aisle.adapters.sentences import SentenceEncoder

__all__ = ["EncodeOptions", "MtebEncoder", "SentenceEncoder", "mteb_model", "mteb_task"]
