"""Aisle: embedding-based retrieval for e-commerce search.

From a shop's catalogue and search log to a served result page. Import the part that you need
(`aisle.tables`, `aisle.towers`, `aisle.retrieval` …); this module stays light so that the command line starts fast.
"""

__version__ = "0.1.0"
