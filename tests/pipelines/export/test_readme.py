from aisle.pipelines.export.readme import export_readme


def test_it_names_every_input_and_says_what_was_not_tried():
    text = export_readme(
        products=1234, dim=8, inputs={"ngrams": "int64 [n]: numbers"}, query='oak "desk"', boosted=True
    )
    assert "1,234 products, vectors of 8 dimensions, the last two of them for the boost." in text
    assert "| `ngrams` | int64 [n]: numbers |" in text
    assert 'encode_query.py "oak desk"' in text
    assert "have not been run against them" in text
    assert "boost" not in export_readme(products=1, dim=8, inputs={}, query="", boosted=False)
