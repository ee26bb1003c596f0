"""Starting the service on what was indexed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import UsageError
from aisle.pipelines.catalogue import read_judgments
from aisle.pipelines.searching import load_engine
from aisle.workspace import Workspace

if TYPE_CHECKING:
    from aisle.live import LiveSettings, LiveShop
    from aisle.store import StoreKind

__all__ = ["check_serving", "example_queries", "open_live_shop", "serve"]

_EXAMPLES = 6


def check_serving(*, host: str, port: int) -> None:
    """Refuse what `serve` would refuse, before the work that comes first.

    Raises:
        UsageError: As `serve` does.
    """
    with _needed_packages():
        from aisle.serving import check_port
    check_port(host, port)


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


def serve(workspace: Workspace, *, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve HTTP and the search page until interrupted.

    Args:
        workspace: Where systems were indexed.
        host: A loopback address.
        port: 0 picks a free one.
        on_ready: Called with the address once requests are answered.

    Raises:
        UsageError: If the service's packages are not installed, the port is in use or the host is not loopback.
    """
    with _needed_packages():
        from aisle.serving import create_app, run
    engine = load_engine(workspace)
    info = {
        "name": workspace.path.resolve().name,
        "products": engine.num_products,
        "examples": example_queries(workspace),
    }
    run(create_app(engine, info=info), host=host, port=port, on_ready=on_ready)


def open_live_shop(
    workspace: Workspace,
    *,
    store: StoreKind = "qdrant-edge",
    settings: LiveSettings | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> LiveShop:
    """Open a workspace for searches, writes and events; a version is built first where its artefacts are newer.

    Args:
        workspace: Where systems were indexed.
        store: Kind of the product store: "qdrant-edge", or "faiss" for a snapshot that cannot be written to.
        settings: How it is run.
        warn: Told what a person should know.

    Raises:
        UsageError: If the packages of the service are not installed, or the kind of store is unknown.
        WorkspaceError: If nothing was indexed, or another process serves this workspace.
    """
    with _needed_packages():
        from aisle.live import FillApart, LiveShop
        from aisle.pipelines.versions import WorkspaceSource
    source = WorkspaceSource(workspace, store=store)
    return LiveShop(workspace.path, source, settings=settings, fill=FillApart(), warn=warn)


def example_queries(workspace: Workspace) -> list[str]:
    """Return a few queries of this shop to start from: judged ones where there are some."""
    for split in ("validation", "test", "train"):
        judgments = read_judgments(workspace, split)
        if judgments is not None:
            queries = pc.unique(judgments.column("query").combine_chunks())
            rows = np.linspace(0, len(queries) - 1, min(len(queries), _EXAMPLES)).astype(np.int64)
            return list(queries.take(pa.array(rows)).to_pylist())
    return []
