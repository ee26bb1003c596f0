"""What `aisle index` settled for search by words and for the hybrid, read back from the index's folder."""

from __future__ import annotations

import json
from pathlib import Path

from aisle.core.ranking import Retriever
from aisle.retrieval.gate import HybridGate
from aisle.retrieval.hybrid import HybridRetriever
from aisle.retrieval.lexical import LexicalRetriever
from aisle.retrieval.spelling import SpelledRetriever, Speller

__all__ = ["GATE", "HYBRID", "LEXICAL", "SPELLING", "load_gate", "load_hybrid", "load_lexical", "load_speller"]

LEXICAL, SPELLING, GATE, HYBRID = "lexical", "spelling", "gate", "hybrid.json"
"""Names in the index's folder."""


def load_lexical(folder: Path, speller: Speller | None) -> Retriever:
    """Read the lexical side.

    Args:
        folder: Of the index, its files checked.
        speller: Mends queries first, as `load_speller` gives it; None: nothing does.

    Raises:
        WorkspaceError: If a part is damaged.
    """
    lexical = LexicalRetriever.load(folder / LEXICAL)
    return SpelledRetriever(lexical, speller) if speller is not None else lexical


def load_speller(folder: Path) -> Speller | None:
    """Read what mends the typing errors of queries; None where they are searched as typed."""
    return Speller.load(folder / SPELLING) if (folder / SPELLING).is_dir() else None


def load_gate(folder: Path) -> HybridGate | None:
    """Read what leaves easy queries to words; None where the gate is off."""
    return HybridGate.load(folder / GATE) if (folder / GATE).is_dir() else None


def load_hybrid(folder: Path, lexical: Retriever, semantic: Retriever, *, least_depth: int = 1) -> HybridRetriever:
    """Fuse two sides as was settled for the index.

    Args:
        folder: Of the index, its files checked.
        lexical: One side.
        semantic: The other.
        least_depth: Candidates taken from each side at least.
    """
    settings = json.loads((folder / HYBRID).read_text(encoding="utf-8"))
    return HybridRetriever(
        lexical,
        semantic,
        weight=settings["semantic_weight"],
        fusion=settings["fusion"],
        depth=max(least_depth, settings["depth"]),
        gate=load_gate(folder),
    )
