"""Generated shops with known truth: a catalogue as sellers write it, and graded queries as shoppers ask them.

The vocabulary (what is sold, what it is called, by whom) lies in TOML files under `data/`; the modules hold only the
mechanism. Sellers and shoppers use different words for the same things on purpose: that gap is what learned retrieval
has to close, and it is measured on the hidden truth of the generator, not on text.
"""

from __future__ import annotations

from aisle.simulation.catalogue import SimulatedCatalogue, generate_catalogue
from aisle.simulation.loading import load_vocabulary
from aisle.simulation.vocabulary import Attribute, AttributeValue, ProductType, Vocabulary, Wording

__all__ = [
    "Attribute",
    "AttributeValue",
    "ProductType",
    "SimulatedCatalogue",
    "Vocabulary",
    "Wording",
    "generate_catalogue",
    "load_vocabulary",
]
