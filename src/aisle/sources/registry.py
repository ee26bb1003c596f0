"""The data sets that Aisle knows by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from aisle.core.errors import UsageError
from aisle.sources.icecat import download_icecat, has_icecat, load_icecat
from aisle.sources.source_tables import SourceTables
from aisle.tables import did_you_mean

__all__ = ["SOURCES", "Loader", "load_source"]


@dataclass(frozen=True)
class Loader:
    """How one data set is read and, where that is allowed, downloaded."""

    load: Callable[[Path], SourceTables]
    """Reads a folder (or a file) in the data set's own format."""
    is_there: Callable[[Path], bool] = Path.exists
    """Says whether a folder holds the data set."""
    download: Callable[[Path], None] | None = None
    """Fetches the data set into a folder; None where it cannot be downloaded freely."""


SOURCES: Mapping[str, Loader] = MappingProxyType({"icecat": Loader(load_icecat, has_icecat, download_icecat)})
"""Loaders by name."""


def load_source(
    name: str, *, path: Path | None, cache_dir: Path, sources: Mapping[str, Loader] = SOURCES
) -> SourceTables:
    """Read a known data set.

    Args:
        name: Its name in `sources`.
        path: Folder that holds it; None to use the cache, and to download it there on first use.
        cache_dir: Folder for downloads; each data set has a folder of its own in it.
        sources: The known data sets.

    Raises:
        UsageError: If the name is unknown, or the data set cannot be downloaded and no path is given.
        SourceError: If the data cannot be downloaded or read.
    """
    loader = sources.get(name)
    if loader is None:
        guess = did_you_mean(name, sources)
        hint = f" Did you mean {guess}?" if guess else ""
        raise UsageError(
            f"A source must be one of {', '.join(sorted(sources))}",
            received={"from": name},
            remedy="Use one of these, or import your own files with --products, --judgments and so on." + hint,
        )
    if path is not None:
        return loader.load(path)
    folder = cache_dir / name
    if not loader.is_there(folder):
        if loader.download is None:
            raise UsageError(
                f"Source {name} must be given as a local copy: it cannot be downloaded by a program",
                received={"path": None},
                remedy="Download it by hand and name its folder with --path.",
            )
        loader.download(folder)
    return loader.load(folder)
