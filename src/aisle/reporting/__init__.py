"""Pages and cards that tell people what was done; nothing reads them."""

from aisle.reporting.model_card import model_card
from aisle.reporting.trained import Trained
from aisle.reporting.training_page import training_page

__all__ = ["Trained", "model_card", "training_page"]
