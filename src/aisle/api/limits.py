"""How much one request may hold. Each bound is far above honest use and far below what would hurt."""

from __future__ import annotations

__all__ = [
    "DEFAULT_K",
    "MAX_ATTRIBUTES",
    "MAX_BODY_BYTES",
    "MAX_BULK_BYTES",
    "MAX_BULK_LINES",
    "MAX_CATEGORY_LEVELS",
    "MAX_EXTRAS",
    "MAX_FACETS",
    "MAX_FILTER_VALUES",
    "MAX_ID_CHARS",
    "MAX_LINE_BYTES",
    "MAX_QUERY_CHARS",
    "MAX_TEXT_CHARS",
    "MAX_TITLE_CHARS",
]

DEFAULT_K = 24
"""Results of a search that names no k: a page of a shop."""

MAX_QUERY_CHARS = 512
"""Longest query text in characters. Longer texts are no queries, and encoding time grows with length."""

MAX_ID_CHARS = 256
"""Longest id, place, brand or name in characters."""

MAX_FILTER_VALUES = 100
"""Most values of one field of a filter, and most blocked or pinned products."""

MAX_ATTRIBUTES = 100
"""Most attributes of a product."""

MAX_FACETS = 20
"""Most facets of one search, and most attributes that one search filters by."""

MAX_CATEGORY_LEVELS = 20
"""Longest path of a category."""

MAX_TITLE_CHARS = 2_000
"""Longest title, and longest value of an attribute, in characters."""

MAX_TEXT_CHARS = 50_000
"""Longest description in characters."""

MAX_EXTRAS = 100
"""Most columns of a product that the data contract does not know."""

MAX_BODY_BYTES = 64 * 1024
"""Largest body of a search and of every request that is no product and no list."""

MAX_LINE_BYTES = 256 * 1024
"""Largest product or event: a body of its own, or one line of a list."""

MAX_BULK_LINES = 20_000
"""Most lines of one list of products or events."""

MAX_BULK_BYTES = 256 * 1024 * 1024
"""Largest list in bytes. It is read line by line, so this costs time and no memory."""
