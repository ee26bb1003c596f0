import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.simulation.truth import PRODUCTS_PER_TYPE, draw_truth


def test_values_are_those_that_the_type_comes_in(truth):
    for column, attribute in enumerate(truth.vocabulary.attributes):
        pairs = np.unique(np.stack([truth.type_index, truth.value_index[:, column]], axis=1), axis=0)
        for type_index, value in pairs.tolist():
            allowed = truth.vocabulary.types[type_index].attributes.get(attribute.name, ())
            assert attribute.values[value].name in allowed if value >= 0 else not allowed


def test_variants_differ_in_exactly_one_attribute(truth):
    assert truth.varies.any(axis=1).mean() > 0.3
    first = np.searchsorted(truth.model_index, truth.model_index)
    later = np.flatnonzero(first != np.arange(len(truth)))
    differs = truth.value_index[later] != truth.value_index[first[later]]
    assert np.array_equal(differs, truth.varies[later])
    assert (differs.sum(axis=1) == 1).all()
    for part in (truth.type_index, truth.brand_index, truth.shop_index):
        assert np.array_equal(part[later], part[first[later]])


def test_no_two_variants_of_a_model_are_equal(truth):
    rows = np.column_stack([truth.model_index, truth.value_index])
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_a_shop_stocks_types_from_all_departments_in_proportion_to_its_size(truth, vocabulary):
    stocked = np.unique(truth.type_index)
    assert len(stocked) == 5_000 // PRODUCTS_PER_TYPE
    assert {vocabulary.types[index].department for index in stocked} == set(vocabulary.departments)
    sizes = np.sort(np.bincount(truth.type_index)[stocked])
    assert 2 <= sizes[-5:].mean() / sizes[:5].mean() <= 12


def test_brand_sizes_are_zipf_like(truth):
    sizes = np.sort(np.bincount(truth.brand_index))[::-1]
    sizes = sizes[sizes > 0]
    assert sizes[0] >= 5 * np.median(sizes)
    ranks = np.arange(1, len(sizes) + 1)
    slope = np.polyfit(np.log(ranks), np.log(sizes), 1)[0]
    assert -1.6 <= slope <= -0.5


def test_brands_keep_to_one_department(truth, vocabulary):
    department = np.array([vocabulary.departments.index(kind.department) for kind in vocabulary.types])
    pairs = np.unique(np.stack([truth.brand_index, department[truth.type_index]], axis=1), axis=0)
    assert len(pairs) == len(np.unique(truth.brand_index))


@settings(max_examples=25, deadline=None)
@given(num_products=st.integers(1, 90), seed=st.integers(0, 2**32))
def test_any_size_and_seed_gives_a_whole_truth(tiny_vocabulary, num_products, seed):
    truth = draw_truth(tiny_vocabulary, num_products, seed=seed)
    assert len(truth) == num_products
    assert truth.value_index.shape == truth.varies.shape == (num_products, 2)
    steps = np.diff(truth.model_index, prepend=0)
    assert set(steps.tolist()) <= {0, 1}
    assert truth.brand_index.max() < len(truth.brand_names)
