"""Pages and cards that tell people what was done; nothing reads them."""

from aisle.reporting.model_card import model_card
from aisle.reporting.pretrained import Pretrained
from aisle.reporting.pretraining_page import pretraining_page
from aisle.reporting.trained import Trained
from aisle.reporting.training_page import training_page

__all__ = ["Pretrained", "Trained", "model_card", "pretraining_page", "training_page"]
