"""From tables to the arrays that encoders read: terms, tokens, context; one code path for training and serving."""

from aisle.features.analyser import Analyser
from aisle.features.config import ContextConfig, FeatureConfig, TermConfig, TokenConfig
from aisle.features.context import Context, ContextFeaturiser
from aisle.features.featuriser import Features, Featuriser
from aisle.features.histories import EventLog, Histories
from aisle.features.neighbours import Neighbours
from aisle.features.product_text import ProductText, product_text
from aisle.features.storage import read_features, write_features
from aisle.features.terms import TermFeaturiser, Terms
from aisle.features.tokens import TokenFeaturiser, Tokens

__all__ = [
    "Analyser",
    "Context",
    "ContextConfig",
    "ContextFeaturiser",
    "EventLog",
    "FeatureConfig",
    "Features",
    "Featuriser",
    "Histories",
    "Neighbours",
    "ProductText",
    "TermConfig",
    "TermFeaturiser",
    "Terms",
    "TokenConfig",
    "TokenFeaturiser",
    "Tokens",
    "product_text",
    "read_features",
    "write_features",
]
