"""How the service is guarded: who may ask, under which name, and how long anything may take."""

from __future__ import annotations

from dataclasses import dataclass

from aisle.serving.keys import KeyRing

__all__ = ["LOOPBACK_NAMES", "ServiceSettings"]

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names under which only this machine reaches itself."""


@dataclass(frozen=True)
class ServiceSettings:
    """What guards the service, and its bounds on work.

    Attributes:
        hosts: Names that the Host header may carry, without port: a page elsewhere that points its own name at this
            machine (DNS rebinding) carries another. None: any, for a service behind a key or a proxy.
        keys: Who asks must know one of these; None: nobody is asked.
        log_queries: Write what was searched, and by whom, into the log.
        search_timeout_s: Longest wait for a search, in seconds.
        write_timeout_s: Longest wait for a write, in seconds; in a list, for each block of lines.
        manage_timeout_s: Longest wait for a switch of versions and the like, in seconds.
        body_timeout_s: Longest silence within a body, in seconds.
        most_searches: Searches that may wait or run at once.
        most_writes: Writes that may wait or run at once.
        search_threads: Searches that run at once: one where they fill a core, more where they wait for a cluster.
    """

    hosts: frozenset[str] | None = LOOPBACK_NAMES
    keys: KeyRing | None = None
    log_queries: bool = False
    search_timeout_s: float = 10.0
    write_timeout_s: float = 60.0
    manage_timeout_s: float = 120.0
    body_timeout_s: float = 30.0
    most_searches: int = 128
    most_writes: int = 64
    search_threads: int = 1
