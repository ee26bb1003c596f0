"""The data sets that Aisle knows by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import ConfigError, SourceError, UsageError
from aisle.sources.amazon import load_amazon
from aisle.sources.beir import load_beir
from aisle.sources.bestbuy import load_bestbuy
from aisle.sources.diginetica import load_diginetica
from aisle.sources.esci import EsciConfig, download_esci, has_esci, load_esci
from aisle.sources.icecat import download_icecat, has_icecat, load_icecat
from aisle.sources.jdsearch import load_jdsearch
from aisle.sources.kuaisearch import load_kuaisearch
from aisle.sources.multicpr import load_multicpr
from aisle.sources.source_tables import SourceTables
from aisle.sources.ubi import UbiConfig, load_ubi
from aisle.sources.wands import download_wands, has_wands, load_wands
from aisle.tables import did_you_mean

__all__ = ["SOURCES", "Loader", "load_source"]


@dataclass(frozen=True)
class Loader:
    """How one data set is read and, where that is allowed, downloaded."""

    load: Callable[..., SourceTables]
    """Reads a folder (or a file) in the data set's own format; takes its settings second, where it has some."""
    is_there: Callable[[Path], bool] = Path.exists
    """Says whether a folder holds the data set."""
    download: Callable[[Path], None] | None = None
    """Fetches the data set into a folder; None where it cannot be downloaded freely."""
    settings: type | None = None
    """Frozen dataclass of the loader's settings; None where it has none."""
    how_to_get: str = "Download it by hand and name its folder with --path."
    """What a user does to get a data set that no program may download."""


SOURCES: Mapping[str, Loader] = MappingProxyType(
    {
        "amazon": Loader(
            load_amazon,
            how_to_get="Clone github.com/QingyaoAi/Amazon-Product-Search-Datasets, put meta_….json.gz of the category "
            "beside its qrels and name that folder with --path.",
        ),
        "beir": Loader(load_beir, how_to_get="Download a BEIR data set, unpack it and name its folder with --path."),
        "bestbuy": Loader(
            load_bestbuy,
            how_to_get="Download train.csv and the product data of kaggle.com/c/acm-sf-chapter-hackathon-big, unpack "
            "them into one folder and name it with --path.",
        ),
        "diginetica": Loader(
            load_diginetica,
            how_to_get="Download the train files of competitions.codalab.org/competitions/11161 and name their folder "
            "with --path.",
        ),
        "esci": Loader(load_esci, has_esci, download_esci, settings=EsciConfig),
        "icecat": Loader(load_icecat, has_icecat, download_icecat),
        "jdsearch": Loader(
            load_jdsearch,
            how_to_get="Ask for it at github.com/rucliujn/JDsearch, unpack it and name its folder with --path.",
        ),
        "kuaisearch": Loader(
            load_kuaisearch,
            how_to_get="Download the release of github.com/benchen4395/KuaiSearch and name its folder with --path.",
        ),
        "multicpr": Loader(
            load_multicpr,
            how_to_get="Clone github.com/Alibaba-NLP/Multi-CPR, put corpus.tsv into data/ecom and name it with --path.",
        ),
        "ubi": Loader(
            load_ubi,
            settings=UbiConfig,
            how_to_get="Export ubi_queries and ubi_events of your shop and name their folder with --path.",
        ),
        "wands": Loader(load_wands, has_wands, download_wands),
    }
)
"""Loaders by name."""


def load_source(
    name: str,
    *,
    path: Path | None,
    cache_dir: Path,
    settings: Mapping[str, Any] | None = None,
    sources: Mapping[str, Loader] = SOURCES,
) -> SourceTables:
    """Read a known data set.

    Args:
        name: Its name in `sources`.
        path: Folder that holds it; None to use the cache, and to download it there on first use.
        cache_dir: Folder for downloads; each data set has a folder of its own in it.
        settings: Settings of its loader, by name.
        sources: The known data sets.

    Raises:
        ConfigError: If a setting is unknown or out of bounds.
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
    config = _config(name, loader, settings or {})
    if path is not None:
        if not path.exists():
            raise SourceError("The path must exist", received={"path": str(path)}, remedy="Name an existing --path.")
        return _load(loader, path, config)
    folder = cache_dir / name
    if not loader.is_there(folder):
        if loader.download is None:
            raise UsageError(
                f"Source {name} must be given as a local copy: it cannot be downloaded by a program",
                received={"path": None},
                remedy=loader.how_to_get,
            )
        loader.download(folder)
    return _load(loader, folder, config)


def _load(loader: Loader, path: Path, config: tuple[Any, ...]) -> SourceTables:
    source = loader.load(path, *config)
    if not config:
        return source
    return replace(source, provenance={**source.provenance, "settings": config_to_dict(config[0])})


def _config(name: str, loader: Loader, settings: Mapping[str, Any]) -> tuple[Any, ...]:
    if loader.settings is not None:
        return (config_from_dict(loader.settings, settings),)
    if settings:
        raise ConfigError(
            f"Source {name} must be read without settings: it has none",
            received={"set": dict(settings)},
            remedy="Leave --set out.",
        )
    return ()
