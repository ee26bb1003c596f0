"""A Qdrant cluster, through `qdrant-client`: for a shop that outgrows one machine.

Points, filters, words and payloads are those of Qdrant Edge. The folder holds what the store must know and the name of
its collection; the products are in the cluster. The key is read from the environment and never written down.

Source: https://qdrant.tech/documentation/.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_client
from jaxtyping import Float32
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from aisle.core.config import config_from_dict
from aisle.core.errors import AisleError, ServiceError, WorkspaceError
from aisle.core.progress import Advance
from aisle.store.catalogue import StoredCatalogue
from aisle.store.config import StoreConfig
from aisle.store.facets import ALL_VALUES, FacetHits
from aisle.store.folder import StoreFolder, lost, write_whole
from aisle.store.payload import FIELDS, PayloadSchema
from aisle.store.qdrant_build import Filling
from aisle.store.qdrant_filter import FilterTypes, search_parameters
from aisle.store.qdrant_store import QdrantStore
from aisle.store.rankings import Found
from aisle.store.words import LexicalSettings, SparseRows

__all__ = ["API_KEY", "LOCAL", "ClusterEngine", "build_cluster", "discard_cluster", "open_cluster"]

API_KEY = "AISLE_QDRANT_API_KEY"
"""Environment variable of the cluster's key."""

LOCAL = "local"
"""In place of a URL: the client's own imitation of a cluster, in the store's folder; for tests."""

_KIND = "qdrant-cluster"

models: Any = qdrant_client.models

_VECTOR, _WORDS = "vector", "words"
_TYPES = FilterTypes(
    filter=models.Filter, condition=models.FieldCondition, match_any=models.MatchAny, range=models.Range
)
_STORAGES = {"fp16": models.Datatype.FLOAT16, "fp32": models.Datatype.FLOAT32}


class ClusterEngine:
    """A collection of a Qdrant cluster; see `QdrantEngine`.

    Args:
        client: Connected, and of nobody else.
        collection: Name of the collection.
        folder: The store's folder.
        config: Parameters of the store.
    """

    filter_types = _TYPES

    def __init__(self, client: Any, collection: str, *, folder: Path, config: StoreConfig) -> None:
        self._client, self._collection, self._folder = client, collection, folder
        self._url, self._config = config.url, config

    def create(self, config: StoreConfig, schema: PayloadSchema, *, dim: int) -> None:
        """Make the collection, and index the fields that are filtered or counted."""
        quantisation = models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
        )
        vector = models.VectorParams(
            size=dim,
            distance=models.Distance.DOT,
            datatype=_STORAGES[config.storage],
            hnsw_config=models.HnswConfigDiff(m=config.num_links, ef_construct=config.ef_construction),
            quantization_config=None if config.quantisation == "none" else quantisation,
        )
        words = models.SparseVectorParams(modifier=models.Modifier.IDF)
        kinds = dict.fromkeys(schema.keyword_keys, models.PayloadSchemaType.KEYWORD)
        kinds[schema.price_key] = models.PayloadSchemaType.FLOAT
        with self._errors("creating"):
            self._client.create_collection(
                self._collection, vectors_config={_VECTOR: vector}, sparse_vectors_config={_WORDS: words}
            )
            for key, kind in kinds.items() if self._url != LOCAL else ():  # the imitation reads every payload
                self._client.create_payload_index(self._collection, key, kind, wait=True)

    def upsert(
        self,
        product_index: Sequence[int],
        vectors: Float32[np.ndarray, "products dim"],
        words: SparseRows,
        payloads: Sequence[Mapping[str, Any]],
    ) -> None:
        """Add points, or replace those of the same index whole."""
        rows = zip(product_index, vectors.tolist(), words.rows(), payloads, strict=True)
        points = [
            models.PointStruct(
                id=index,
                vector={_VECTOR: vector, _WORDS: models.SparseVector(indices=terms, values=weights)},
                payload=payload,
            )
            for index, vector, (terms, weights), payload in rows
        ]
        with self._errors("writing"):
            self._client.upsert(self._collection, points, wait=True)

    def delete(self, product_index: Sequence[int]) -> None:
        """Take points out."""
        with self._errors("writing"):
            self._client.delete(self._collection, models.PointIdsList(points=list(product_index)), wait=True)

    def nearest(
        self, queries: Sequence[Any], *, k: int, where: Any | None, is_words: bool, exact: bool = False
    ) -> list[Found]:
        """Search by vectors, or by rows of terms and weights."""
        parameters = search_parameters(models, where, k=k, config=self._config, exact=exact)
        requests = [
            models.QueryRequest(
                query=models.SparseVector(indices=query[0], values=query[1]) if is_words else query.tolist(),
                using=_WORDS if is_words else _VECTOR,
                filter=where,
                params=None if is_words else parameters,
                limit=k,
            )
            for query in queries
        ]
        if not requests:
            return []
        with self._errors("searching"):
            answers = self._client.query_batch_points(self._collection, requests)
        return [([hit.id for hit in one.points], [hit.score for hit in one.points]) for one in answers]

    def vectors(self, product_index: Sequence[int]) -> dict[int, Sequence[float]]:
        """Return the vectors of those points that are there."""
        records = self._records(product_index, with_payload=False, with_vectors=[_VECTOR])
        return {record.id: record.vector[_VECTOR] for record in records}

    def fields(self, product_index: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the products' fields of those points that are there."""
        records = self._records(product_index, with_payload=[FIELDS], with_vectors=False)
        return {record.id: record.payload[FIELDS] for record in records}

    def count(self, where: Any | None) -> int:
        """Count points exactly."""
        with self._errors("counting"):
            return int(self._client.count(self._collection, count_filter=where, exact=True).count)

    def hits(self, key: str, *, where: Any | None) -> FacetHits:
        """Count all values of a key exactly, whatever the cluster is moving meanwhile."""
        with self._errors("counting values"):
            found = self._client.facet(self._collection, key, facet_filter=where, limit=ALL_VALUES, exact=True).hits
        return [(hit.value, hit.count) for hit in found]

    def flush(self) -> None:
        """Do nothing: a write returns when the cluster has it in its log."""

    def optimise(self) -> None:
        """Do nothing: the cluster takes up new points by itself."""

    def drop(self) -> None:
        """Delete the collection."""
        with self._errors("deleting"):
            self._client.delete_collection(self._collection)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _records(self, product_index: Sequence[int], **wanted: Any) -> list[Any]:
        with self._errors("reading products"):
            return list(self._client.retrieve(self._collection, list(product_index), **wanted))

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (ApiException, QdrantException, OSError, ValueError) as error:  # the imitation raises ValueError
            if _is_gone(error):
                raise lost(self._folder, f"collection {self._collection} is not at {self._url}") from error
            raise ServiceError(
                "The Qdrant cluster must answer",
                received={"url": self._url, "collection": self._collection, "problem": f"{doing}: {error}"},
                remedy=f"Look at the cluster, its address and {API_KEY}.",
            ) from error


def _is_gone(error: Exception) -> bool:
    """Tell whether the cluster answered that it has no such collection."""
    if isinstance(error, UnexpectedResponse):
        return error.status_code == HTTPStatus.NOT_FOUND
    return isinstance(error, ValueError) and "not found" in str(error)


def build_cluster(
    path: Path,
    catalogue: StoredCatalogue,
    *,
    lexical: LexicalSettings,
    config: StoreConfig,
    applied_offset: int,
    progress: Advance | None = None,
) -> None:
    """Build a store in a new collection of the cluster; see `build_edge`.

    That of a store in its place is deleted once the new one is whole, and the new one where it does not become whole.

    Raises:
        ServiceError: If the cluster does not answer.
    """
    filling = Filling(catalogue, lexical, config)
    collection = f"aisle-{uuid.uuid4().hex}"
    replaced = _collection_at(path)

    def write(folder: StoreFolder) -> None:
        engine = _engine(folder, collection, config)
        try:
            engine.create(config, filling.schema, dim=catalogue.dim)
            for num_done in filling.fill(engine):
                if progress is not None:
                    progress(num_done)
        except BaseException:
            with suppress(AisleError):  # a cluster that does not answer keeps what it has; the first error is told
                engine.drop()
            raise
        finally:
            engine.close()
        folder.describe(_KIND, {**filling.values, "collection": collection})
        folder.note_state(applied_offset, num_waiting=0)
        folder.seal()

    write_whole(path, write)
    if replaced is not None:
        _drop(path, *replaced)


def discard_cluster(path: Path) -> None:
    """Delete the collection of a store whose folder is to be deleted; nothing where there is none any more.

    Raises:
        ServiceError: If the cluster does not answer.
        WorkspaceError: If the store is open.
    """
    if (found := _collection_at(path)) is not None:
        _drop(path, *found)


def open_cluster(path: Path) -> QdrantStore:
    """Open a store in a cluster.

    Raises:
        WorkspaceError: If the folder is missing or damaged, or the cluster has lost the collection.
        ServiceError: If the cluster does not answer.
    """
    folder = StoreFolder(path)
    try:
        values = folder.values(_KIND)
        folder.unseal()
        engine = _engine(folder, values["collection"], config_from_dict(StoreConfig, values["config"]))
        engine.count(None)  # fails now, not at the first search
        return QdrantStore(engine, folder, kind=_KIND, values=values)
    except BaseException:
        folder.release()
        raise


def _engine(folder: StoreFolder, collection: str, config: StoreConfig) -> ClusterEngine:
    if config.url == LOCAL:
        client = qdrant_client.QdrantClient(path=str(folder.data))
    else:
        client = qdrant_client.QdrantClient(url=config.url, api_key=os.environ.get(API_KEY), check_compatibility=False)
    return ClusterEngine(client, collection, folder=folder.path, config=config)


def _collection_at(path: Path) -> tuple[str, StoreConfig] | None:
    """Return the collection of the store that is to be replaced or deleted, and where it is, if there is one."""
    if not path.is_dir():
        return None
    with StoreFolder.held(path) as folder:
        try:
            values = folder.values(_KIND)
        except WorkspaceError:  # of another kind, or damaged: its collection is not known
            return None
    return str(values["collection"]), config_from_dict(StoreConfig, values["config"])


def _drop(path: Path, collection: str, config: StoreConfig) -> None:
    if config.url == LOCAL:
        return  # it lies in the folder and goes with it
    with StoreFolder.held(path) as folder:
        engine = _engine(folder, collection, config)
        try:
            engine.drop()
        except WorkspaceError:
            logging.getLogger(__name__).info("collection %s was gone already", collection)
        finally:
            engine.close()
