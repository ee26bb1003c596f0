import numpy as np

from aisle.core.rng import generator
from aisle.simulation.owners import draw_brand_names, draw_within_department


def test_brand_names_are_distinct_and_no_more_than_can_be_made(tiny_vocabulary):
    names = draw_brand_names(tiny_vocabulary.wording, 99, seed=0)
    assert sorted(names) == ["Belmora", "Belvik", "Normora", "Norvik"]
    assert draw_brand_names(tiny_vocabulary.wording, 2, seed=0) == names[:2]


def test_owners_are_at_home_in_the_department_and_follow_zipf():
    department = np.repeat([0, 1], 20_000)
    owner = draw_within_department(department, num_owners=11, num_departments=2, rng=generator(0, "owners"))
    assert np.array_equal(owner % 2, department)
    sizes = np.bincount(owner[department == 0])[::2]
    assert len(sizes) == 6
    np.testing.assert_allclose(sizes / sizes[0], 1 / np.arange(1, 7), rtol=0.1)


def test_a_department_without_models_is_left_out():
    owner = draw_within_department(np.array([0, 2]), num_owners=3, num_departments=3, rng=generator(0, "owners"))
    assert owner.tolist() == [0, 2]


def test_no_models_no_owners():
    empty = np.array([], dtype=np.int64)
    assert draw_within_department(empty, num_owners=3, num_departments=3, rng=generator(0, "owners")).tolist() == []
