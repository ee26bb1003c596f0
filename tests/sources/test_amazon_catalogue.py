import gzip

import pytest

from aisle.core.errors import SourceError
from aisle.sources.amazon_catalogue import read_catalogue

LITERALS = r"""
{'asin': 'B001', 'title': 'It\'s a "lens"', 'price': 9.5, 'brand': '', 'categories': [['Camera', 'Lenses']], 'im': None}
{"asin": "B002", "title": "Case", "description": ["Red", "soft"], "price": "$1,012.99", "category": ["Phones", "Cases"]}
{'asin': 'B003', 'title': __import__('os').getcwd()}
['asin', 'B004']
{'asin': 'B005'
"""


def test_literals_and_json_are_read_and_nothing_is_run(tmp_path):
    path = tmp_path / "meta_X.json"
    path.write_text(LITERALS)
    products, rejected = read_catalogue(path)
    assert products.to_pylist() == [
        {"product_id": "B001", "title": "It's a \"lens\"", "description": None, "brand": None, "price": "9.5",
         "category": ["Camera", "Lenses"]},
        {"product_id": "B002", "title": "Case", "description": "Red soft", "brand": None, "price": "1012.99",
         "category": ["Phones", "Cases"]},
    ]  # fmt: skip
    assert rejected["line"].to_pylist() == [4, 5, 6]
    assert set(rejected["reason"].to_pylist()) == {"is not valid JSON"}


def test_a_cut_file_is_refused(tmp_path):
    path = tmp_path / "meta_X.json.gz"
    path.write_bytes(gzip.compress(LITERALS.encode())[:-12])
    with pytest.raises(SourceError, match="must be readable and whole"):
        read_catalogue(path)
