import numpy as np
import pyarrow as pa

from aisle.core.text import word_lists
from aisle.simulation.styles import (
    NUM_STYLES,
    draw_styles,
    load_styles,
    pick_style,
    style_names,
    unit_rows,
    value_styles,
)


def test_every_dimension_has_words_of_both_sides_and_a_name_of_its_own():
    styles = load_styles()
    assert len(styles) == len(set(style_names())) == NUM_STYLES
    for style in styles:
        assert min(len(style.sellers), len(style.shoppers), len(style.moods), len(style.values)) >= 2
    for side in ("sellers", "shoppers"):
        phrases = [phrase for style in styles for phrase in getattr(style, side)]
        assert len(set(phrases)) == len(phrases)


def test_no_shoppers_phrase_of_a_style_shares_a_telling_word_with_its_sellers():
    for style in load_styles():
        sellers, shoppers = (
            {word for words in word_lists(pa.array(side)).to_pylist() for word in words} - {"and", "for", "the", "in"}
            for side in (style.sellers, style.shoppers)
        )
        assert not sellers & shoppers


def test_values_of_styles_are_values_of_the_vocabulary(vocabulary):
    attributes = {attribute.name: attribute for attribute in vocabulary.attributes}
    for style in load_styles():
        for name, values in style.values.items():
            assert set(values) <= attributes[name].position.keys(), name


def test_unit_rows_by_hand():
    assert unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[np.float32(0.6), np.float32(0.8)], [0.0, 0.0]]


def test_drawn_styles_are_unit_rows_a_few_of_which_stand_out_and_orthogonal_on_average():
    rows = draw_styles(4_000, rng=np.random.default_rng(0))
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    others = (rows[:2_000] * rows[2_000:]).sum(axis=1)
    assert abs(others.mean()) < 0.02
    assert np.median(rows.max(axis=1)) > 0.65


def test_the_style_is_picked_in_proportion_to_its_square():
    row = np.zeros((10_000, NUM_STYLES), np.float32)
    row[:, 2], row[:, 5], row[:, 7] = 0.4, 0.8, -0.45
    picked = pick_style(row, (np.arange(10_000) + 0.5) / 10_000)
    assert np.bincount(picked, minlength=NUM_STYLES).nonzero()[0].tolist() == [2, 5]
    assert abs((picked == 5).mean() - 0.8) < 0.001


def test_value_styles_mark_what_goes_together(vocabulary):
    colour = next(attribute for attribute in vocabulary.attributes if attribute.name == "colour")
    suits = value_styles(colour)
    assert suits.shape == (len(colour.values), NUM_STYLES)
    assert suits[colour.position["white"], style_names().index("pure")] == 1
    assert suits[colour.position["white"], style_names().index("retro")] == 0
