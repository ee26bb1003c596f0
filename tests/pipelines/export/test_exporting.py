import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.core.ranking import QueryBatch
from aisle.index import ExactIndex
from aisle.pipelines.boosting import BoostConfig, boost_workspace
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.export.encode_query import ExportedEncoder
from aisle.pipelines.export.exporting import export_workspace
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.searching import load_retrievers
from aisle.pipelines.training import load_model
from aisle.workspace import Manifest, verify_files


def vectors_of(folder):
    table = pq.read_table(folder / "vectors.parquet")
    flat = table.column("vector").combine_chunks().flatten().to_numpy()
    return table.column("product_id").to_pylist(), flat.reshape(table.num_rows, -1)


def test_the_folder_is_whole_and_says_what_it_is(built_shop, exported):
    outcome, folder = exported
    assert (outcome.products, outcome.dim, outcome.known_queries, outcome.boosted) == (300, 32, 0, False)
    manifest = Manifest.read(folder)
    verify_files(folder, manifest.files)
    assert manifest.inputs["model"] == built_shop.manifest("model").content
    assert {*manifest.files, "manifest.json"} == set(outcome.files)
    assert {"vectors.parquet", "query.onnx", "README.md", "features/spec.json", "bulk.ndjson"} <= set(outcome.files)
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".words")] == []
    spec = json.loads((folder / "features" / "spec.json").read_text(encoding="utf-8"))
    assert spec == json.loads(json.dumps(load_model(built_shop).featuriser.spec()))


def test_vectors_give_the_semantic_ranking(built_shop, exported):
    ids, vectors = vectors_of(exported[1])
    assert ids == read_products(built_shop).column("product_id").to_pylist()
    query = ExportedEncoder(exported[1]).encode("oak desk lamp")
    found = ExactIndex.build(vectors).search(query[None], k=20)
    (semantic,) = load_retrievers(built_shop, ["semantic"]).values()
    served = semantic.retrieve(QueryBatch(["oak desk lamp"]), k=20)
    # The served index holds its vectors in half precision.
    assert found.score == pytest.approx(served.score, abs=2e-3)
    assert len(set(found.product_index[0]) & set(served.product_index[0])) >= 19


def test_known_queries_are_written_with_what_they_led_to(exported_log):
    outcome, folder = exported_log
    queries = pq.read_table(folder / "known_queries.parquet")
    assert outcome.known_queries == queries.num_rows == 30
    products = pq.read_table(folder / "neighbour_vectors.parquet")
    row = queries.column("query").to_pylist().index("word3")
    first = queries.column("product_row")[row].as_py()[0]
    assert products.column("product_id")[first].as_py() == "p3"


def test_a_boost_is_in_both_sides(own_learnt_shop, planted_boost, tmp_path):
    planted_boost()
    boost_workspace(own_learnt_shop, BoostConfig(trials=2))
    outcome = export_workspace(own_learnt_shop, tmp_path / "out")
    assert outcome.boosted
    _, vectors = vectors_of(tmp_path / "out")
    query = ExportedEncoder(tmp_path / "out").encode("word3")
    assert query[-2:].tolist() == [1.0, 0.0]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.full(len(vectors), np.linalg.norm(vectors[0])), rel=1e-5)
    (semantic,) = load_retrievers(own_learnt_shop, ["semantic"]).values()
    served = semantic.retrieve(QueryBatch(["word3"]), k=5)
    assert vectors[served.product_index[0]] @ query == pytest.approx(served.score[0], abs=5e-3)


def test_a_folder_that_is_there_is_left_alone(built_shop, tmp_path):
    with pytest.raises(UsageError, match=r"must be new.*Name another"):
        export_workspace(built_shop, tmp_path)
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UsageError, match="must be writable"):
        export_workspace(built_shop, tmp_path / "file" / "out")


def test_what_fails_leaves_nothing_behind(shop, tmp_path):
    (shop.folder("model") / "query.onnx").write_bytes(b"damaged")
    with pytest.raises(WorkspaceError, match="as its manifest records it"):
        export_workspace(shop, tmp_path / "exports" / "out")
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_smaller_served_size_is_exported_on_both_sides(shop, tiny_recipe, tmp_path):
    build_indexes(shop, tiny_recipe(encode__dim=20, index__kind="exact"))
    outcome = export_workspace(shop, tmp_path / "small")
    _, vectors = vectors_of(tmp_path / "small")
    query = ExportedEncoder(tmp_path / "small").encode("oak desk lamp")
    assert (outcome.dim, vectors.shape, query.shape) == (20, (300, 20), (20,))
    (semantic,) = load_retrievers(shop, ["semantic"]).values()
    served = semantic.retrieve(QueryBatch(["oak desk lamp"]), k=20)
    assert ExactIndex.build(vectors).search(query[None], k=20).score == pytest.approx(served.score, abs=2e-3)
