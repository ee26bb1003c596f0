"""One version of a live shop: a folder that owns all that it serves with.

versions/20261121-213000/
├── manifest.json     what it was built from, its settings, and the hash of every file but the store's
├── model/            hard links of the trained model
├── index/            hard links of the index whose vectors it took
├── words/            hard links of what mends queries, and of the gate before the hybrid, where there are such
├── log/, users.parquet   hard links of what the mined log knows of shoppers, and of their places
├── products.parquet  its base: catalogue and journal up to the base offset
├── rows.npy, log_rows.npy, plan.json, filled.json   which row of index and log is which product, how to build the store
├── known.safetensors boost and graph neighbours of base products
└── store/            the product store, which changes while it is served
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import AisleError, WorkspaceError
from aisle.retrieval import Fusion
from aisle.store import StoreConfig, StoreKind
from aisle.tables import read_parquet
from aisle.workspace import Manifest, fingerprint, verify_files

__all__ = [
    "FILLED",
    "INDEX",
    "LOG",
    "LOG_ROWS",
    "MODEL",
    "PRODUCTS_FILE",
    "STORE",
    "USERS_FILE",
    "WORDS",
    "Version",
    "VersionSettings",
]

MODEL, INDEX, LOG, STORE, WORDS = "model", "index", "log", "store", "words"
"""Folders of a version."""

FILLED = "filled.json"
"""Tells how many products the store had when it was built."""

PRODUCTS_FILE, USERS_FILE, LOG_ROWS = "products.parquet", "users.parquet", "log_rows.npy"
""""log_rows.npy" holds the base row of every product that the log counts; -1 where it has none."""

_STEP = "version"


@dataclass(frozen=True)
class VersionSettings:
    """How a version is searched."""

    store: StoreKind = "qdrant-edge"
    """Kind of the product store."""

    store_config: StoreConfig = field(default_factory=StoreConfig)
    """How the store is built and searched."""

    lexical_fields: tuple[str, ...] = ("title", "description")
    """Fields of products that are searched by words."""

    stemmer: str | None = "english"
    """Snowball stemmer of words; None keeps them whole."""

    semantic_weight: float = 0.5
    """Share of the vectors in a hybrid."""

    fusion: Fusion = "normalised"
    """How the two lists of a hybrid become one."""

    depth: int = 200
    """Candidates of each list."""

    dim: int | None = None
    """Served dimensions of the model, before the boost's two; None: all that it has."""


@dataclass(frozen=True)
class Version:
    """A whole version.

    Attributes:
        folder: Where it lies; its name is the version's id.
        manifest: As it was written.
        settings: How it is searched.
        base_offset: Journal offset up to which its base holds every change.
        num_products: Products of its store when it was built.
    """

    folder: Path
    manifest: Manifest
    settings: VersionSettings
    base_offset: int
    num_products: int

    @property
    def id(self) -> str:
        """Name of the version."""
        return self.folder.name

    @property
    def content(self) -> Mapping[str, str]:
        """Hashes of what it was built from, by artefact of the workspace."""
        return self.manifest.inputs

    @classmethod
    def read(cls, folder: Path) -> Version:
        """Read a version's manifest; its files are not looked at.

        Raises:
            WorkspaceError: If it is missing, damaged or of another kind.
        """
        manifest = Manifest.read(folder)
        try:
            _check_intact(manifest)
            settings = config_from_dict(VersionSettings, dict(manifest.config))
            base_offset, num_products = int(manifest.summary["base_offset"]), int(manifest.summary["products"])
        except (AisleError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise WorkspaceError(
                "A version's manifest must be as it was written",
                received={"folder": str(folder), "problem": str(error)},
                remedy="Delete the folder and build another version.",
            ) from error
        return cls(folder, manifest, settings, base_offset, num_products)

    @classmethod
    def seal(cls, folder: Path, *, content: Mapping[str, str], settings: VersionSettings, base_offset: int) -> Version:
        """Write the manifest of a folder whose files are all there, on disk when this returns; comes last.

        Args:
            folder: Holds the files.
            content: Hashes of what it was built from.
            settings: How it is searched.
            base_offset: Journal offset up to which its base holds every change.
        """
        num_products = int(json.loads((folder / FILLED).read_text(encoding="utf-8"))["products"])
        manifest = Manifest.of_folder(
            folder,
            without=(STORE,),
            step=_STEP,
            fingerprint="",
            inputs=dict(content),
            config=config_to_dict(settings),
            seed=0,
            summary={"base_offset": base_offset, "products": num_products},
        )
        manifest = replace(manifest, fingerprint=_fingerprint(manifest))
        manifest.write(folder)
        return cls(folder, manifest, settings, base_offset, num_products)

    def verify(self) -> None:
        """Check every file but the store's, which checks its own, before any library reads one.

        Raises:
            WorkspaceError: If a file is missing or not as it was written.
        """
        verify_files(self.folder, self.manifest.files)

    def base(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the base products, in the order of their index; those of the named columns that there are."""
        path = self.folder / PRODUCTS_FILE
        if columns is not None:
            columns = [name for name in pq.read_schema(path).names if name in columns]
        return read_parquet(path, columns=columns)


def _check_intact(manifest: Manifest) -> None:
    if manifest.step != _STEP or manifest.fingerprint != _fingerprint(manifest):
        raise ValueError("it is not as it was written")


def _fingerprint(manifest: Manifest) -> str:
    values = asdict(manifest)
    return fingerprint({name: values[name] for name in ("step", "inputs", "config", "files", "summary", "created_at")})
