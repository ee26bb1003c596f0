"""Starting the service on what was indexed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import UsageError
from aisle.pipelines.catalogue import read_judgments
from aisle.store import Journal
from aisle.tables import read_parquet
from aisle.workspace import Workspace

if TYPE_CHECKING:
    from aisle.live import LiveSettings, LiveShop
    from aisle.serving import ServiceSettings
    from aisle.store import StoreConfig, StoreKind

__all__ = ["ServiceOptions", "check_serving", "example_queries", "open_live_shop", "serve"]

_EXAMPLES = 6

_ASKED_BY = 5
"""Different shoppers who must have asked a query before everybody is shown it: what one person types is private."""

_CLUSTER_THREADS = 16
"""Searches at once where they wait for a cluster; in this process one keeps a core busy by itself."""


@dataclass(frozen=True)
class ServiceOptions:
    """Where the service listens, and who may ask.

    Attributes:
        host: A loopback address, or any address where there is a key.
        port: 0 picks a free one.
        key_file: Holds the key that may do everything; None: the environment's `AISLE_API_KEY`, if there is one.
        read_key_file: Holds the key that may search and look; None: the environment's `AISLE_READ_KEY`.
        allowed_hosts: Further names under which the service may be asked.
        log_queries: Write what was searched, and by whom, into the log.
        accept_loss: Go on with a journal that lacks what was acknowledged.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    key_file: Path | None = None
    read_key_file: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    log_queries: bool = False
    accept_loss: bool = False


def check_serving(options: ServiceOptions) -> None:
    """Refuse what `serve` would refuse, before the work that comes first.

    Raises:
        UsageError: As `serve` does.
    """
    settings = _settings(options)
    with _needed_packages():
        from aisle.serving import check_port
    check_port(options.host, options.port, has_key=settings.keys is not None)


def _settings(options: ServiceOptions, *, search_threads: int = 1) -> ServiceSettings:
    with _needed_packages():
        from aisle.serving import LOOPBACK_NAMES, ServiceSettings, load_keys
    keys = load_keys(options.key_file, options.read_key_file, os.environ)
    allowed = frozenset(name.lower() for name in options.allowed_hosts)
    here = LOOPBACK_NAMES | {f"[{options.host}]" if ":" in options.host else options.host.lower()}
    # Behind a key any name is heard, unless some are named: it is the key that a foreign page does not have.
    hosts = None if keys is not None and not allowed else here | allowed
    return ServiceSettings(hosts=hosts, keys=keys, log_queries=options.log_queries, search_threads=search_threads)


@contextmanager
def _needed_packages() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            "Serving needs the packages of aisle[serve]",
            received={"missing": error.name},
            remedy="Run `pip install 'aisle[serve]'`.",
        ) from error


def serve(
    workspace: Workspace,
    options: ServiceOptions,
    *,
    on_ready: Callable[[str], None],
    store: StoreKind = "qdrant-edge",
    store_config: StoreConfig | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve HTTP and the search page until interrupted.

    Args:
        workspace: Where systems were indexed.
        options: Where the service listens, and who may ask.
        on_ready: Called with the address once requests are answered.
        store: Kind of the product store.
        store_config: How the store is built and searched, and where a cluster answers.
        warn: Told what a person should know.

    Raises:
        UsageError: If the service's packages are not installed, the port is in use, or the host is not loopback and
            there is no key.
        WorkspaceError: As `open_live_shop` does.
        ServiceError: If the cluster does not answer.
    """
    check_serving(options)
    with _needed_packages():
        from aisle.serving import create_app, run
    if options.accept_loss:
        Journal.open(workspace.path / "journal", accept_loss=True).close()
    shop = open_live_shop(workspace, store=store, store_config=store_config, warn=warn)
    threads = _CLUSTER_THREADS if store == "qdrant-cluster" else 1
    try:
        info = {"name": workspace.path.resolve().name, "examples": example_queries(workspace)}
        app = create_app(shop, info=info, settings=_settings(options, search_threads=threads))
        run(app, host=options.host, port=options.port, on_ready=on_ready)
    finally:
        shop.close()


def open_live_shop(
    workspace: Workspace,
    *,
    store: StoreKind = "qdrant-edge",
    store_config: StoreConfig | None = None,
    settings: LiveSettings | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> LiveShop:
    """Open a workspace for searches, writes and events; a version is built first where its artefacts are newer.

    Args:
        workspace: Where systems were indexed.
        store: Kind of the product store: "qdrant-edge", "qdrant-cluster", or "faiss" for a snapshot that cannot be
            written to.
        store_config: How the store is built and searched, and where a cluster answers.
        settings: How it is run.
        warn: Told what a person should know.

    Raises:
        UsageError: If the packages of the service are not installed, or the kind of store is unknown.
        WorkspaceError: If nothing was indexed, or another process serves this workspace.
        ServiceError: If the cluster does not answer.
    """
    with _needed_packages():
        from aisle.live import FillApart, LiveShop
        from aisle.pipelines.versions import WorkspaceSource
    source = WorkspaceSource(workspace, store=store, config=store_config)
    return LiveShop(workspace.path, source, settings=settings, fill=FillApart(), warn=warn)


def example_queries(workspace: Workspace) -> list[str]:
    """Return a few queries of this shop to start from: judged ones, else what many different shoppers searched."""
    for split in ("validation", "test", "train"):
        judgments = read_judgments(workspace, split)
        if judgments is not None:
            queries = pc.unique(judgments.column("query").combine_chunks())
            rows = np.linspace(0, len(queries) - 1, min(len(queries), _EXAMPLES)).astype(np.int64)
            return list(queries.take(pa.array(rows)).to_pylist())
    return _asked_by_many(workspace) if workspace.has("mined") else []


def _asked_by_many(workspace: Workspace) -> list[str]:
    """Return the queries of the training window that the most different shoppers asked, the most asked first."""
    mined = workspace.folder("mined")
    searches = read_parquet(mined / "examples" / "train.parquet", columns=["query_index", "actor_index"])
    known = searches.filter(pc.greater_equal(searches["actor_index"], 0))
    asked = known.group_by("query_index").aggregate([("actor_index", "count_distinct")])
    many = asked.filter(pc.greater_equal(asked["actor_index_count_distinct"], _ASKED_BY))
    most = many.sort_by([("actor_index_count_distinct", "descending"), ("query_index", "ascending")])[:_EXAMPLES]
    texts = read_parquet(mined / "queries.parquet", columns=["text"])["text"]
    return [text for text in texts.take(most["query_index"]).to_pylist() if text]
