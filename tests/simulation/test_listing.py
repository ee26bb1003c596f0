import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from aisle.simulation.listing import list_products, product_ids
from aisle.simulation.truth import draw_truth


@pytest.fixture(scope="module")
def products(truth):
    return list_products(truth, seed=7)


def test_ids_have_six_digits_in_row_order(products):
    assert product_ids(np.array([0, 999_999])).to_pylist() == ["p000000", "p999999"]
    assert products["product_id"].to_pylist() == [f"p{row:06d}" for row in range(5_000)]


def test_columns_tell_the_truth(truth, products):
    types = truth.vocabulary.types
    assert products["category"].to_pylist() == [list(types[index].category) for index in truth.type_index]
    assert products["brand"].to_pylist() == [truth.brand_names[index] for index in truth.brand_index]
    assert products["shop_id"][0].as_py() == f"s{truth.shop_index[0]:04d}"


def test_only_variants_have_a_group(truth, products):
    groups = products["group_id"].to_pylist()
    assert [group is not None for group in groups] == truth.varies.any(axis=1).tolist()
    sizes = pc.value_counts(pc.drop_null(products["group_id"])).field("counts").to_numpy()
    # The last model may have been cut off by the number of products.
    assert set(sizes.tolist()) <= {2, 3, 4}


def test_prices_are_positive_and_log_normal_around_the_median_of_the_type(truth, products):
    price = products["price"].to_numpy()
    assert (price > 0).all()
    median = np.array([kind.median_price for kind in truth.vocabulary.types])[truth.type_index]
    one_per_model = np.unique(truth.model_index, return_index=True)[1]
    log_ratio = np.log(price / median)[one_per_model]
    assert log_ratio.mean() == pytest.approx(0, abs=0.1)
    assert 0.4 <= log_ratio.std() <= 0.65
    centred = (log_ratio - log_ratio.mean()) / log_ratio.std()
    assert (centred**3).mean() == pytest.approx(0, abs=0.3)
    assert (centred**4).mean() == pytest.approx(3, abs=0.6)


def test_variants_cost_the_same(truth, products):
    price = products["price"].to_numpy()
    same_model = np.diff(truth.model_index) == 0
    assert (np.diff(price)[same_model] == 0).all()


def test_listed_attributes_are_true_and_mostly_there(truth, products):
    attributes = {attribute.name: (column, attribute) for column, attribute in enumerate(truth.vocabulary.attributes)}
    num_listed = 0
    for row, listed in enumerate(products["attributes"].to_pylist()):
        assert len(dict(listed)) == len(listed)
        for name, words in listed:
            column, attribute = attributes[name]
            assert words in attribute.values[truth.value_index[row, column]].sellers
        num_listed += len(listed)
    assert num_listed / (truth.value_index >= 0).sum() == pytest.approx(0.855, abs=0.02)


def test_a_product_without_description_lists_all_its_attributes(truth, products):
    rows = np.flatnonzero(products["description"].is_null().to_numpy())
    num_has = (truth.value_index[rows] >= 0).sum(axis=1)
    listed = products["attributes"].take(pa.array(rows)).to_pylist()
    assert len(rows) > 20
    assert [len(of_row) for of_row in listed] == num_has.tolist()


def test_a_shop_has_one_country(products):
    pairs = products.group_by(["shop_id", "location"]).aggregate([])
    assert len(pairs) == len(pc.unique(products["shop_id"]))
    assert len(pc.unique(products["location"])) > 3


def test_times_lie_in_the_three_years_before_the_fixed_date(products):
    newest, oldest = pc.max(products["created_at"]).as_py(), pc.min(products["created_at"]).as_py()
    assert str(oldest) > "2022-06-01"
    assert "2025-05" < str(newest) < "2025-06-01 00:00:01"


def test_most_products_are_in_stock(products):
    assert pc.mean(products["in_stock"].cast(pa.float64())).as_py() == pytest.approx(0.93, abs=0.02)


def test_one_product(tiny_vocabulary):
    products = list_products(draw_truth(tiny_vocabulary, 1, seed=0), seed=0)
    assert products["product_id"].to_pylist() == ["p000000"]
    assert products["group_id"].to_pylist() == [None]
