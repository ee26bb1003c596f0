"""Systems that answer a query from the whole catalogue: by words (BM25), by vectors, and by both.

All follow `aisle.core.ranking.Retriever`. `SearchEngine` puts them behind one call that takes text and gives
products.
"""

from aisle.features.analyser import Analyser
from aisle.retrieval.engine import DISPLAY_FIELDS, Hit, SearchEngine
from aisle.retrieval.explanation import Explained, Side, SplitScores, retrieve_explained
from aisle.retrieval.fusion import fuse_normalised, fuse_reciprocal_rank
from aisle.retrieval.hybrid import DEFAULT_DEPTH, DEFAULT_SEMANTIC_WEIGHT, Fusion, HybridRetriever
from aisle.retrieval.lexical import LexicalRetriever
from aisle.retrieval.search_encoder import SearchEncoder, save_edges
from aisle.retrieval.semantic import SearchedVectors, SemanticRetriever
from aisle.retrieval.shoppers import ActorLog, Shoppers

__all__ = [
    "DEFAULT_DEPTH",
    "DEFAULT_SEMANTIC_WEIGHT",
    "DISPLAY_FIELDS",
    "ActorLog",
    "Analyser",
    "Explained",
    "Fusion",
    "Hit",
    "HybridRetriever",
    "LexicalRetriever",
    "SearchEncoder",
    "SearchEngine",
    "SearchedVectors",
    "SemanticRetriever",
    "Shoppers",
    "Side",
    "SplitScores",
    "fuse_normalised",
    "fuse_reciprocal_rank",
    "retrieve_explained",
    "save_edges",
]
