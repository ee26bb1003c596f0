from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.features import Context, Features, Histories, Neighbours, Terms
from aisle.towers import VectorTable, VectorTables, feature_batch, product_batch, query_batch

CPU = torch.device("cpu")


def vectors(rows, dim, start):
    return VectorTable(pa.array([str(row) for row in range(rows)]), start + torch.arange(rows * dim).reshape(rows, dim))


TABLES = VectorTables(vectors(3, 2, 100.0), vectors(4, 3, 0.0))
TERMS = Terms(np.zeros(3, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
FEATURES = Features(
    TERMS,
    None,
    context=Context(np.array([[4, -1], [-1, -1]], np.int32)),
    neighbours=Neighbours(np.array([[2, -1], [1, 0]]), np.array([[3.0, 0.0], [2.0, 1.0]], np.float32)),
    history=Histories(
        query_index=np.array([[1, -1, -1], [-1, -1, -1]]),
        product_index=np.array([[3, 99, -1], [-1, -1, -1]]),
        stage=np.array([[1, 4, -1], [-1, -1, -1]]),
        age_s=np.array([[9.0, 5.0, 0.0], [0.0, 0.0, 0.0]], np.float32),
    ),
)


def test_without_tables_only_own_features_are_there():
    for batch in (
        feature_batch(FEATURES, CPU),
        query_batch(FEATURES, CPU, None),
        product_batch(FEATURES, CPU, None),
    ):
        assert batch.terms is not None
        assert batch.context.tolist() == [[4, -1], [-1, -1]]
        assert (batch.tokens, batch.neighbours, batch.history) == (None, None, None)


def test_neighbours_of_queries_are_products():
    neighbours = query_batch(FEATURES, CPU, TABLES).neighbours
    assert neighbours.vectors[0, 0].tolist() == [6, 7, 8]
    assert neighbours.vectors[1, 1].tolist() == [0, 1, 2]
    assert neighbours.real.tolist() == [[True, False], [True, True]]
    assert neighbours.weight.tolist() == [[3, 0], [2, 1]]


def test_neighbours_of_products_are_queries_and_products_have_no_history():
    batch = product_batch(FEATURES, CPU, TABLES)
    assert batch.neighbours.vectors[0, 0].tolist() == [104, 105]
    assert batch.history is None


def test_histories_are_looked_up_in_both_tables_and_cut_to_the_longest():
    history = query_batch(FEATURES, CPU, TABLES).history
    assert history.real.tolist() == [[True, True], [False, False]]
    assert history.query[0, 0].tolist() == [102, 103]
    assert history.product[0, 0].tolist() == [9, 10, 11]
    assert history.query_known.tolist() == [[True, False], [False, False]]
    assert history.product_known.tolist() == [[True, False], [False, False]]
    assert history.stage[0].tolist() == [1, 4]
    assert history.age_s[0].tolist() == [9, 5]


@pytest.mark.parametrize("rows", [0, 2])
def test_unknown_actors_alone_keep_one_place(rows):
    features = Features(TERMS, None, history=Histories.none(rows, 20))
    history = query_batch(features, CPU, TABLES).history
    assert history.real.shape == (rows, 1)
    assert not history.real.any()


def test_what_is_not_known_stays_out():
    batch = query_batch(Features(TERMS, None), CPU, TABLES)
    assert (batch.context, batch.neighbours, batch.history) == (None, None, None)


def test_arrays_that_are_mapped_from_disk_are_copied(tmp_path):
    np.save(tmp_path / "index.npy", FEATURES.neighbours.index)
    mapped = np.load(tmp_path / "index.npy", mmap_mode="r")
    features = Features(TERMS, None, neighbours=Neighbours(mapped, FEATURES.neighbours.weight))
    assert query_batch(features, CPU, TABLES).neighbours.real.tolist() == [[True, False], [True, True]]


def test_neighbours_tell_where_they_stand():
    for batch in (query_batch(FEATURES, CPU, TABLES), product_batch(FEATURES, CPU, TABLES)):
        assert batch.neighbours.index.tolist() == [[2, -1], [1, 0]]


def test_stored_vectors_are_there_in_every_kind_of_batch():
    features = replace(FEATURES, pooled=np.array([[1, 2], [3, 4]], np.float16))
    for batch in (
        feature_batch(features, CPU),
        query_batch(features, CPU, None),
        query_batch(features, CPU, TABLES),
        product_batch(features, CPU, TABLES),
    ):
        assert batch.pooled.dtype == torch.float32
        assert batch.pooled.tolist() == [[1, 2], [3, 4]]
    assert query_batch(FEATURES, CPU, TABLES).pooled is None
