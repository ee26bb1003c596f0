import numpy as np
import pytest

from aisle.simulation.values import ValueTable, varying_attribute


@pytest.fixture
def tables(tiny_vocabulary):
    return [ValueTable(attribute, tiny_vocabulary.types) for attribute in tiny_vocabulary.attributes]


def test_number_of_values_by_type(tables):
    assert [table.num_values.tolist() for table in tables] == [[2, 1, 0], [1, 0, 0]]


def test_values_are_those_of_the_type_and_minus_one_without_the_attribute(tables):
    drawn = tables[0].draw(np.array([0, 0, 1, 2]), np.array([0.0, 0.9, 0.9, 0.5]), step=np.zeros(4, np.int64))
    assert drawn.tolist() == [0, 1, 1, -1]


def test_steps_go_around(tables):
    drawn = tables[0].draw(np.zeros(4, np.int64), np.full(4, 0.9), step=np.arange(4))
    assert drawn.tolist() == [1, 0, 1, 0]


def test_variants_differ_in_the_first_attribute_that_has_a_choice(tables):
    assert varying_attribute(tables).tolist() == [0, -1, -1]
