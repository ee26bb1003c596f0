"""The HTTP service and the search page.

`create_app` puts routes, guards and error documents around one live shop; `run` serves it. Each concern is a module of
its own: routes (`search`, `writes`, `version_routes`, `health`, `metrics`, `pages`), guards (`guards`, `keys`,
`middleware`), work (`workers`, `bulk`, `lines`, `line_writes`), and what errors become (`problems`, `failures`).
"""

from aisle.serving.app import create_app
from aisle.serving.backend import ShopBackend
from aisle.serving.keys import KeyRing, load_keys
from aisle.serving.server import DEFAULT_HOST, DEFAULT_PORT, check_port, run, run_in_background
from aisle.serving.settings import LOOPBACK_NAMES, ServiceSettings

__all__ = [
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "LOOPBACK_NAMES",
    "KeyRing",
    "ServiceSettings",
    "ShopBackend",
    "check_port",
    "create_app",
    "load_keys",
    "run",
    "run_in_background",
]
