"""The HTTP service and the search page.

`create_app` puts routes, guards and error documents around one `SearchBackend`; `run` serves it on this machine. Each
concern is a module of its own (`search`, `health`, `pages`, `problems`, `middleware`), so that filters, events and
product updates join as further routers.
"""

from aisle.serving.app import create_app
from aisle.serving.search import SearchBackend, SearchHit
from aisle.serving.server import DEFAULT_HOST, DEFAULT_PORT, check_port, run, run_in_background

__all__ = [
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "SearchBackend",
    "SearchHit",
    "check_port",
    "create_app",
    "run",
    "run_in_background",
]
