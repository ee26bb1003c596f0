from dataclasses import replace

import numpy as np
import pytest

from aisle.simulation.leaning import lean_values, style_of_values
from aisle.simulation.styles import NUM_STYLES, style_names
from aisle.simulation.truth import draw_truth


@pytest.fixture(scope="module")
def one_style(truth):
    """Values for models that are purely of one style."""
    style = np.zeros((truth.model_index[-1] + 1, NUM_STYLES), np.float32)
    style[:, style_names().index("glamorous")] = 1
    return lean_values(truth, style, seed=3)


def test_a_glamorous_shop_sells_velvet(truth, one_style):
    names = [attribute.name for attribute in truth.vocabulary.attributes]
    column = names.index("material")
    velvet = truth.vocabulary.attributes[column].position["velvet"]
    sofas = truth.vocabulary.types.index(next(kind for kind in truth.vocabulary.types if "cushion" in kind.sellers))
    could = truth.type_index == sofas
    assert could.sum() > 10
    assert (one_style[could, column] == velvet).mean() > (truth.value_index[could, column] == velvet).mean() + 0.2


def test_values_stay_those_of_the_type_and_variants_stay_distinct(truth, one_style):
    assert ((one_style >= 0) == (truth.value_index >= 0)).all()
    for column, attribute in enumerate(truth.vocabulary.attributes):
        pairs = np.unique(np.stack([truth.type_index, one_style[:, column]], axis=1), axis=0)
        for type_index, value in pairs[pairs[:, 1] >= 0].tolist():
            assert attribute.values[value].name in truth.vocabulary.types[type_index].attributes[attribute.name]
    rows = np.column_stack([truth.model_index, one_style])
    assert len(np.unique(rows, axis=0)) == len(rows)
    first = np.searchsorted(truth.model_index, truth.model_index)
    assert ((one_style != one_style[first]) <= truth.varies).all()


def test_without_a_style_values_come_evenly(tiny_vocabulary):
    truth = draw_truth(tiny_vocabulary, 6_000, seed=0)
    values = lean_values(truth, np.zeros((truth.model_index[-1] + 1, NUM_STYLES), np.float32), seed=0)
    sofas = values[truth.type_index == 0, 0]
    assert (sofas == 0).mean() == pytest.approx(0.5, abs=0.03)


def test_styles_of_values_add_up(truth):
    colour = [attribute.name for attribute in truth.vocabulary.attributes].index("colour")
    values = np.full_like(truth.value_index, -1)
    values[:, colour] = truth.vocabulary.attributes[colour].position["white"]
    styles = style_of_values(replace(truth, value_index=values))
    assert styles[0, style_names().index("pure")] == 1
    assert (style_of_values(replace(truth, value_index=np.full_like(values, -1))) == 0).all()
