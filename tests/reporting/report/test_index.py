from aisle.reporting.report import index_section

SUMMARY = {
    "index": {
        "kind": "hnsw",
        "num_products": 20_000,
        "dim": 256,
        "ann_recall": 0.97866,
        "recall_k": 100,
        "num_queries": 500,
        "build_s": 4.3,
        "bytes_per_product": 784.1,
        "parameters": {"num_links": 32},
    },
    "hybrid": {"fusion": "normalised", "depth": 200, "semantic_weight": 0.5, "weight_from": "fixed default"},
}


def test_figures(made):
    section = index_section(SUMMARY, made=[made])
    assert "0.9787 of the exact first 100, on 500 queries" in section.body
    assert "num_links 32" in section.body
    assert "784 bytes per product" in section.body
    assert "97.9 %" in section.findings[0]


def test_no_index_names_the_command():
    assert index_section(None, made=()).command == "aisle index"
