import json
from dataclasses import replace

import numpy as np
import pytest

from aisle.core.config import config_from_dict
from aisle.core.errors import ConfigError, WorkspaceError
from aisle.index import (
    ExactIndex,
    HnswConfig,
    HnswIndex,
    HnswPq4Config,
    IndexConfig,
    IvfPq4Config,
    ann_recall,
    build_index,
    load_index,
)
from aisle.index.build import make_index


def test_hnsw_is_measured_against_exact_search(vectors, queries):
    config = IndexConfig(hnsw=HnswConfig(num_links=4, ef_construction=16, ef_search=1))
    index, report = build_index(vectors, config, sample_queries=queries, recall_k=5)
    assert isinstance(index, HnswIndex)
    assert report.ann_recall == ann_recall(index, ExactIndex.build(vectors), queries, k=5)
    assert 0 < report.ann_recall < 1
    assert (report.kind, report.num_products, report.dim) == ("hnsw", 2000, 32)
    assert (report.recall_k, report.num_queries) == (5, 60)
    assert report.parameters["ef_search"] == 1
    assert report.bytes_per_product == index.num_bytes / 2000
    assert report.build_s > 0


def test_exact_misses_nothing(vectors, queries):
    index, report = build_index(vectors, IndexConfig(kind="exact"), sample_queries=queries)
    assert isinstance(index, ExactIndex)
    assert (report.kind, report.ann_recall, report.bytes_per_product) == ("exact", 1.0, 128.0)


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf-pq4", "hnsw-pq4"])
def test_an_empty_catalogue_can_be_indexed(kind, queries):
    index, report = build_index(np.empty((0, 32), np.float32), IndexConfig(kind=kind), sample_queries=queries)
    assert (index.num_products, report.bytes_per_product, report.ann_recall) == (0, 0.0, 1.0)


def test_the_report_is_json(vectors, queries):
    _, report = build_index(vectors, IndexConfig(), sample_queries=queries)
    assert json.loads(json.dumps(report.to_dict()))["parameters"]["storage"] == "fp16"


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf-pq4", "hnsw-pq4"])
def test_load_index_finds_the_kind_by_itself(tmp_path, vectors, queries, kind):
    index, _ = build_index(vectors, IndexConfig(kind=kind), sample_queries=queries)
    index.save(tmp_path)
    loaded = load_index(tmp_path)
    assert loaded.kind == kind
    np.testing.assert_array_equal(loaded.search(queries, k=9).product_index, index.search(queries, k=9).product_index)


def test_a_recipe_is_checked_field_by_field():
    with pytest.raises(ConfigError, match=r"hnsw\.num_links.*hnsw\.storage|hnsw\.storage.*hnsw\.num_links"):
        config_from_dict(IndexConfig, {"hnsw": {"num_links": 1, "storage": "int4"}})
    assert config_from_dict(IndexConfig, {"kind": "exact"}) == IndexConfig(kind="exact")


def test_every_kind_is_built_with_its_own_settings(vectors):
    config = IndexConfig(kind="ivf-pq4", ivf_pq4=IvfPq4Config(num_probes=3), hnsw_pq4=HnswPq4Config(ef_search=9))
    assert make_index(vectors, config).parameters["num_probes"] == 3
    assert make_index(vectors, replace(config, kind="hnsw-pq4")).parameters["ef_search"] == 9


def test_a_folder_without_an_index_is_told_so(tmp_path):
    with pytest.raises(WorkspaceError, match=r"must hold index\.json"):
        load_index(tmp_path / "nowhere")
