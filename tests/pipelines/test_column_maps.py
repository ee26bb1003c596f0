import pytest

from aisle.core.errors import ConfigError
from aisle.pipelines.column_maps import read_column_maps


def maps_of(*texts, tables):
    return {name: dict(one.columns) for name, one in read_column_maps(texts, tables=tables).items()}


def test_each_column_goes_to_the_table_that_has_it():
    both = ["products", "judgments"]
    assert maps_of("title=name,query=q", "grade=stars", tables=both) == {
        "products": {"title": "name"},
        "judgments": {"query": "q", "grade": "stars"},
    }


def test_a_column_of_both_tables_goes_to_the_first_and_a_prefix_decides():
    both = ["products", "judgments"]
    assert maps_of("product_id=sku,judgments.product_id=docid", tables=both) == {
        "products": {"product_id": "sku"},
        "judgments": {"product_id": "docid"},
    }


def test_a_column_of_no_contract_stays_an_extra_column_of_the_first_table():
    assert maps_of("colour=farbe", tables=["judgments"]) == {"judgments": {"colour": "farbe"}}


def test_expressions_keep_their_dots_and_commas():
    assert maps_of("price=price*1.19,category=[a, b]", tables=["products"]) == {
        "products": {"price": "price*1.19", "category": "[a, b]"}
    }


def test_a_toml_file_maps_several_tables_and_a_later_map_overrides_it(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text('[products]\ntitle = "name"\nbrand = "maker"\n[judgments]\ngrade = "stars"\n')
    both = ["products", "judgments"]
    assert maps_of(str(path), "title=heading", tables=both) == {
        "products": {"title": "heading", "brand": "maker"},
        "judgments": {"grade": "stars"},
    }
    assert maps_of(str(path), tables=["judgments"]) == {"judgments": {"grade": "stars"}}


def test_without_maps_there_is_nothing():
    assert maps_of(tables=["products"]) == {}


def test_a_table_that_is_not_imported_is_refused():
    with pytest.raises(ConfigError, match=r"must name a table that is imported.*Did you mean judgments\.grade"):
        maps_of("judgment.grade=stars", tables=["products", "judgments"])
    with pytest.raises(ConfigError, match="Give that table's file too"):
        maps_of("judgments.grade=stars", tables=["products"])
