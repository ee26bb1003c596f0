import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from aisle.core.text import word_lists
from aisle.simulation import world_listing
from aisle.simulation.styles import load_styles, style_names
from aisle.simulation.world import draw_world
from aisle.simulation.world_listing import list_world
from aisle.tables import PRODUCTS, validate


@pytest.fixture(scope="module")
def products(world):
    return list_world(world, seed=3)


def mentions(texts, phrases):
    """Which texts hold one of the phrases as whole words."""
    padded = pc.binary_join_element_wise("", pc.binary_join(word_lists(texts), " "), "", " ")
    words = [" ".join(cut) for cut in word_lists(pa.array(phrases)).to_pylist()]
    return np.any(
        [pc.match_substring(padded, f" {phrase} ").to_numpy(zero_copy_only=False) for phrase in words], axis=0
    )


def test_the_table_follows_the_contract(products):
    checked = validate(products, PRODUCTS)
    assert checked.report.problems == ()
    assert checked.table.equals(products)
    assert {"removed_at", "updated_at", "quality_rating", "quality_num_ratings"} <= set(products.column_names)


def test_times_tell_the_hidden_lifetimes(world, products):
    created, removed, updated = (products[name].combine_chunks() for name in ("created_at", "removed_at", "updated_at"))
    assert (
        removed.is_null().to_numpy(zero_copy_only=False).tolist()
        == (world.removed_at == world.removed_at.max()).tolist()
    )
    arrives = world.arrived_at > 0
    assert pc.equal(updated, created).to_numpy(zero_copy_only=False)[arrives].all()
    assert str(pc.min(updated)) == "2025-06-01 00:00:00+00:00"


def test_styles_show_in_titles_and_descriptions(world, products):
    texts = pc.binary_join_element_wise(products["title"], pc.fill_null(products["description"], ""), " ")
    texts = texts.combine_chunks()
    of_style = style_names().index("adventurous")
    style = load_styles()[of_style]
    says = mentions(texts, style.sellers)
    strong, without = world.style[:, of_style] > 0.6, world.style[:, of_style] <= 0
    assert says[strong].mean() > 0.2
    assert says[without].mean() < 0.01
    assert not mentions(texts, style.shoppers).any()
    adjectives = [phrase for one in load_styles() for phrase in one.sellers]
    assert 0.2 < mentions(products["title"].combine_chunks(), adjectives).mean() < 0.4
    moods = [phrase for one in load_styles() for phrase in one.moods]
    assert 0.25 < mentions(pc.drop_null(products["description"].combine_chunks()), moods).mean() < 0.45


def test_quality_shows_in_no_text(world, products):
    lengths = pc.utf8_length(products["title"]).to_numpy()
    assert abs(np.corrcoef(lengths, world.quality)[0, 1]) < 0.06


def test_the_same_seed_gives_the_same_table_and_another_seed_other_texts(world, products):
    assert list_world(world, seed=3).equals(products)
    assert not list_world(world, seed=4)["title"].equals(products["title"])


def test_blocks_end_between_models(monkeypatch, tiny_vocabulary):
    world = draw_world(90, seed=0, vocabulary=tiny_vocabulary)
    monkeypatch.setattr(world_listing, "_BLOCK", 7)
    products = list_world(world, seed=0)
    assert len(products) == 90
    assert validate(products, PRODUCTS).report.problems == ()
    words = products["title"].to_pylist()
    same = np.flatnonzero(np.diff(world.truth.model_index) == 0)
    assert all(abs(len(words[row]) - len(words[row + 1])) < 25 for row in same)
    assert products["product_id"].to_pylist() == [f"p{row:06d}" for row in range(90)]


def test_one_product(tiny_vocabulary):
    assert list_world(draw_world(1, seed=0, vocabulary=tiny_vocabulary), seed=0)["product_id"].to_pylist() == [
        "p000000"
    ]
