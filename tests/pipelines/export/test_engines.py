import json

import numpy as np
import pyarrow as pa
import pytest

from aisle.pipelines.export.engines import write_engine_recipes

PRODUCTS = pa.table(
    {
        "product_id": ["a", "b"],
        "title": ["Oak lamp", "Pine lamp"],
        "category": [["Home", "Light"], None],
        "price": [9.5, None],
        "in_stock": [True, False],
        "secret": [1, 2],
    }
)
VECTORS = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], np.float32)


@pytest.fixture
def folder(tmp_path):
    write_engine_recipes(
        tmp_path,
        PRODUCTS,
        VECTORS,
        query=("oak lamp", np.array([1.0, 0.0, 0.5], np.float32)),
        hybrid={"depth": 200, "semantic_weight": 0.8},
        fields=("title", "description", "brand"),
    )
    return tmp_path


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_both_engines_get_the_vectors_by_inner_product(folder):
    opensearch = read(folder / "opensearch/index.json")
    assert opensearch["settings"] == {"index.knn": True}
    vector = opensearch["mappings"]["properties"]["vector"]
    assert (vector["type"], vector["dimension"], vector["method"]["space_type"]) == ("knn_vector", 3, "innerproduct")
    vector = read(folder / "elasticsearch/index.json")["mappings"]["properties"]["vector"]
    assert (vector["type"], vector["dims"], vector["similarity"]) == ("dense_vector", 3, "max_inner_product")


def test_both_hybrids_weigh_words_and_vectors_as_the_index_does(folder):
    (processor,) = read(folder / "opensearch/pipeline.json")["phase_results_processors"]
    combination = processor["normalization-processor"]["combination"]
    assert combination["parameters"]["weights"] == [0.2, 0.8]
    words, near = read(folder / "opensearch/hybrid_query.json")["query"]["hybrid"]["queries"]
    assert words["multi_match"]["fields"] == ["title", "description"]
    assert near["knn"]["vector"] == {"vector": [1.0, 0.0, 0.5], "k": 200}
    linear = read(folder / "elasticsearch/hybrid_query.json")["retriever"]["linear"]
    assert [(one["weight"], one["normalizer"]) for one in linear["retrievers"]] == [(0.2, "minmax"), (0.8, "minmax")]
    assert linear["retrievers"][1]["retriever"]["knn"]["query_vector"] == [1.0, 0.0, 0.5]


def test_documents_name_every_category_above_and_only_mapped_fields(folder):
    lines = [json.loads(line) for line in (folder / "bulk.ndjson").read_text(encoding="utf-8").splitlines()]
    assert lines[0] == {"index": {"_index": "products", "_id": "a"}}
    assert lines[1]["category"] == ["Home", "Home > Light"]
    assert lines[1]["vector"] == pytest.approx([0.1, 0.2, 0.3])
    assert lines[3] == {"title": "Pine lamp", "in_stock": False, "vector": lines[3]["vector"]}
    mapped = read(folder / "opensearch/index.json")["mappings"]["properties"]
    assert set(lines[1]) <= set(mapped)
