from aisle.reporting.report import TableRows, data_section

FIGURES = {"clicked": 5, "favorited": 0, "carted": 2, "ordered": 1, "assisted": 1, "repeat_orders": 0}


def split(searches, **bands):
    figures = {"searches": searches, **FIGURES}
    return {**figures, "new_query_share": 0.25, "bands": {name: {"searches": n} for name, n in bands.items()}}


MINED = {
    "windows": {
        "slices": 2,
        "slice_starts": ["2025-01-01T00:00:00Z"],
        "train_end": "2025-02-01T00:00:00Z",
        "test_from": "2025-02-08T00:00:00Z",
    },
    "splits": {"train": split(80, head=60, unseen=20), "validation": split(10, head=10), "test": split(0)},
}


def test_no_table_names_the_command():
    section = data_section([], None, made=(), has_log=False)
    assert section.missing
    assert section.command == "aisle import --products FILE"


def test_tables_and_what_was_set_aside(made):
    section = data_section([TableRows("products", 1234, 5), TableRows("users", 7)], None, made=[made], has_log=False)
    assert '<th scope="row">products</th><td class="number">1,234</td><td class="number">5</td>' in section.body
    assert "5 of products" in section.body
    assert "of users" not in section.body
    assert section.made == (made,)
    assert section.findings == ("The data: 1,234 products.",)
    assert "No row was set aside" in data_section([TableRows("products", 3)], None, made=(), has_log=False).body


def test_a_log_that_was_not_mined_says_so():
    tables = [TableRows("products", 3), TableRows("searches", 9)]
    assert "aisle mine" in data_section(tables, None, made=(), has_log=True).body
    assert "aisle mine" not in data_section(tables, None, made=(), has_log=False).body


def test_the_mined_log_has_windows_and_bands():
    section = data_section([TableRows("products", 3), TableRows("searches", 90)], MINED, made=(), has_log=True)
    assert "Learnt from 2025-01-01 to 2025-02-01 in 2 slices, validated to 2025-02-08" in section.body
    assert "train, head: 75 %" in section.body
    assert "validation, unseen: 0 %" in section.body
    assert "validation, clicked: 0.5" in section.body
    assert section.findings == ("The data: 3 products, 90 searches, 3 ordered products within them.",)
