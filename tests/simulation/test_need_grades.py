import numpy as np
import pytest

from aisle.simulation.judgments import grade_products
from aisle.simulation.need_grades import grade_by_needs
from aisle.simulation.queries import BRAND, Intent, SimulatedQuery
from aisle.simulation.rows import take_rows

NUM = 60


@pytest.fixture(scope="module")
def needs(block):
    return take_rows(block.searches.needs, np.arange(NUM))


@pytest.fixture(scope="module")
def graded(market, needs):
    row, product, grade = grade_by_needs(market.world.truth, needs)
    order = np.lexsort((product, row))
    return row[order], product[order], grade[order]


def test_each_need_is_graded_as_the_query_that_says_all_of_it(market, needs, graded):
    row, product, grade = graded
    for number in range(NUM):
        aspects = {column: int(value) for column, value in enumerate(needs.wanted[number]) if value >= 0}
        if needs.brand_index[number] >= 0:
            aspects[BRAND] = int(needs.brand_index[number])
        query = SimulatedQuery("", "exact", Intent(int(needs.type_index[number]), aspects))
        products, grades = grade_products(market.world.truth, query)
        assert product[row == number].tolist() == products.tolist()
        assert grade[row == number].tolist() == grades.tolist()


def test_what_the_need_was_made_of_is_there_and_no_other_category(market, needs, graded):
    row, product, grade = graded
    types = market.world.truth.vocabulary.types
    groups = np.array([hash(kind.category[:-1]) for kind in types])
    truth = market.world.truth
    assert np.array_equal(groups[needs.type_index[row]], groups[truth.type_index[product]])
    assert set(np.unique(grade)) == {1.0, 2.0, 3.0}
    assert (truth.type_index[product[grade > 1]] == needs.type_index[row[grade > 1]]).all()


def test_no_need_has_no_grade(market, needs):
    row, product, grade = grade_by_needs(market.world.truth, take_rows(needs, np.arange(0)))
    assert (len(row), len(product), len(grade)) == (0, 0, 0)
