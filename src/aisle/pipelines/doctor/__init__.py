"""`aisle doctor`: is everything there and whole, and if not, what mends it?"""

from aisle.pipelines.doctor.examination import Examination, examine
from aisle.pipelines.doctor.finding import Finding, State

__all__ = ["Examination", "Finding", "State", "examine"]
