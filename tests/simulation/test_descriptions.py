import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from aisle.simulation.choices import Chances
from aisle.simulation.descriptions import SHOPPER_NAME_SHARE, write_descriptions
from aisle.simulation.titles import write_titles
from aisle.simulation.truth import draw_truth


@pytest.fixture(scope="module")
def written(truth):
    chances = Chances(7, truth.model_index)
    titles = write_titles(truth, chances)
    return titles, write_descriptions(truth, titles, chances)


def has_any(text, phrases):
    return any(phrase in text for phrase in phrases)


def test_the_stated_share_of_descriptions_has_the_shoppers_name(truth, written):
    types = truth.vocabulary.types
    texts = written[1].to_pylist()
    says = [
        has_any(text, [f" {phrase}" for phrase in types[index].shoppers])
        for text, index in zip(texts, truth.type_index.tolist(), strict=True)
        if text is not None
    ]
    assert np.mean(says) == pytest.approx(SHOPPER_NAME_SHARE, abs=0.04)


def test_a_description_states_every_value_that_the_title_leaves_out(truth, written):
    titles, descriptions = written
    for column, attribute in enumerate(truth.vocabulary.attributes):
        silent = (truth.value_index[:, column] >= 0) & ~titles.mentions[:, column]
        rows = np.flatnonzero(silent & descriptions.is_valid().to_numpy(zero_copy_only=False))
        for text, value in zip(
            descriptions.take(pa.array(rows)).to_pylist(), truth.value_index[rows, column].tolist(), strict=True
        ):
            assert has_any(text, attribute.values[value].sellers)


def test_few_descriptions_are_missing(written):
    assert 0.01 <= written[1].null_count / len(written[1]) <= 0.06


def test_a_description_by_eye(tiny_vocabulary):
    truth = draw_truth(tiny_vocabulary, 300, seed=0)
    chances = Chances(0, truth.model_index)
    texts = write_descriptions(truth, write_titles(truth, chances), chances)
    known = ("Our ", "Colour: ", "Size: ", "In other words ", "Also known as ", "Goes with ", "Free returns")
    for text in pc.drop_null(texts).to_pylist():
        sentences = text.removesuffix(".").split(". ")
        assert sentences[0].startswith("Our ")
        assert all(sentence.startswith(known) for sentence in sentences)


def test_pairing_names_another_type_of_the_department(tiny_vocabulary):
    truth = draw_truth(tiny_vocabulary, 3_000, seed=1)
    chances = Chances(1, truth.model_index)
    texts = write_descriptions(truth, write_titles(truth, chances), chances).to_pylist()
    partners = {0: "stool", 1: ("sofa", "divan")}
    paired = [
        (text.split("Goes with ")[1], index)
        for text, index in zip(texts, truth.type_index.tolist(), strict=True)
        if text is not None and "Goes with " in text
    ]
    assert paired
    assert all(index in partners and named.startswith(partners[index]) for named, index in paired)
