"""Generated shops with known truth: a catalogue as sellers write it, shoppers with hidden tastes, and their search log.

The vocabulary (what is sold, what it is called, by whom) lies in TOML files under `data/`; the modules hold only the
mechanism. Sellers and shoppers use different words for the same things on purpose: that gap is what learned retrieval
has to close, and it is measured on the hidden truth of the generator, not on text.
"""

from __future__ import annotations

from aisle.simulation.catalogue import SimulatedCatalogue, generate_catalogue
from aisle.simulation.catalogue_world import complete_catalogue, world_of_catalogue
from aisle.simulation.config import FROZEN_CONFIGS, MarketplaceConfig, frozen_config, frozen_figures
from aisle.simulation.environment import Environment, Outcome, RetrievalSetup
from aisle.simulation.loading import load_vocabulary
from aisle.simulation.marketplace import Marketplace
from aisle.simulation.need_grades import grade_by_needs
from aisle.simulation.policy import LoggingPolicy
from aisle.simulation.sessions import LogSummary, write_log
from aisle.simulation.shoppers import Shoppers, draw_shoppers
from aisle.simulation.truth_tables import read_needs
from aisle.simulation.vocabulary import Attribute, AttributeValue, ProductType, Vocabulary, Wording
from aisle.simulation.world import World, draw_world
from aisle.simulation.world_listing import list_world

__all__ = [
    "FROZEN_CONFIGS",
    "Attribute",
    "AttributeValue",
    "Environment",
    "LogSummary",
    "LoggingPolicy",
    "Marketplace",
    "MarketplaceConfig",
    "Outcome",
    "ProductType",
    "RetrievalSetup",
    "Shoppers",
    "SimulatedCatalogue",
    "Vocabulary",
    "Wording",
    "World",
    "complete_catalogue",
    "draw_shoppers",
    "draw_world",
    "frozen_config",
    "frozen_figures",
    "generate_catalogue",
    "grade_by_needs",
    "list_world",
    "load_vocabulary",
    "read_needs",
    "world_of_catalogue",
    "write_log",
]
