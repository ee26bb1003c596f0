"""Pre-training of the text part's transformer on a shop's own texts and log, before the towers are trained."""

from aisle.pretraining.config import PretrainConfig
from aisle.pretraining.data import PretrainData
from aisle.pretraining.network import PretrainNetwork
from aisle.pretraining.pretrainer import Pretrainer, PretrainResult
from aisle.pretraining.texts import PretrainTexts, catalogue_texts, logged_texts

__all__ = [
    "PretrainConfig",
    "PretrainData",
    "PretrainNetwork",
    "PretrainResult",
    "PretrainTexts",
    "Pretrainer",
    "catalogue_texts",
    "logged_texts",
]
