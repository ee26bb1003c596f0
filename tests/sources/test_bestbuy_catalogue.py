import pytest

from aisle.core.errors import SourceError
from aisle.sources.bestbuy_catalogue import read_catalogue

WHOLE = """<products>
<product><sku>100</sku><name> Call of Duty 3 </name><manufacturer>Activision</manufacturer>
<regularPrice>19.99</regularPrice><salePrice/><shortDescription>A shooter</shortDescription><longDescription/>
<categoryPath><category><id>cat0</id><name>Best Buy</name></category><category><id>x</id><name>Games</name></category>
</categoryPath><color>Red</color><class>VIDEO GAMES</class></product>
<product><sku>200</sku></product></products>"""


def test_elements_become_columns(tmp_path):
    (tmp_path / "p.xml").write_text(WHOLE)
    first, second = read_catalogue([tmp_path / "p.xml"]).to_pylist()
    assert first == {
        "product_id": "100", "title": "Call of Duty 3", "description": "A shooter", "brand": "Activision",
        "price": "19.99", "category": ["Best Buy", "Games"], "attributes": [("color", "Red"), ("class", "VIDEO GAMES")],
    }  # fmt: skip
    assert set(second.values()) == {"200", None}


def test_files_follow_each_other(tmp_path):
    for name in ("1", "2"):
        (tmp_path / name).write_text(f"<products><product><sku>{name}</sku><name>n</name></product></products>")
    table = read_catalogue([tmp_path / "1", tmp_path / "2"])
    assert table["product_id"].to_pylist() == ["1", "2"]


def test_a_cut_file_is_refused(tmp_path):
    (tmp_path / "p.xml").write_text(WHOLE[:300])
    with pytest.raises(SourceError, match=r"must be whole XML\. Received.*p\.xml"):
        read_catalogue([tmp_path / "p.xml"])
