import numpy as np
import pyarrow as pa
import pytest

from aisle.simulation.lexicon import FRAMES, Lexicon, _language, abbreviate, pluralise


@pytest.fixture(scope="module")
def lexicon(vocabulary):
    return Lexicon(vocabulary)


def test_names_of_types_and_values_come_from_the_vocabulary(lexicon, vocabulary):
    names = [kind.name for kind in vocabulary.types]
    sofa = np.array([names.index("sofa")])
    assert lexicon.seller_names.pick(sofa, np.zeros(1)).to_pylist() == ["sofa"]
    assert lexicon.shopper_names.pick(sofa, np.zeros(1)).to_pylist() == ["couch"]
    column = [attribute.name for attribute in vocabulary.attributes].index("colour")
    navy = vocabulary.attributes[column].position["navy"]
    number = lexicon.value_number(np.array([column, column]), np.array([navy, -1]))
    assert number[1] == -1
    assert lexicon.seller_values.pick(number, np.zeros(2)).to_pylist() == ["navy", None]
    assert lexicon.shopper_values.pick(number, np.zeros(2)).to_pylist() == ["dark blue", None]
    assert lexicon.goes_before[column]


def test_broad_names_are_what_stands_above_the_type(lexicon, vocabulary):
    names = [kind.name for kind in vocabulary.types]
    group = lexicon.group_of_type[[names.index("floor lamp"), names.index("beanie"), names.index("beanie")]]
    chance = np.array([0.0, 0.0, 0.99])
    assert lexicon.group_names.pick(group, chance).to_pylist() == ["lamps", "hats", "hats scarves and gloves"]


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_keep_the_query_and_null(lexicon, kind):
    framed = lexicon.frame(pa.array(["red sofa", None] * 50), kind, np.arange(100) / 100).to_pylist()
    assert framed[1::2] == [None] * 50
    assert all("red sofa" in text and len(text) > 8 for text in framed[::2])
    assert len(set(framed)) > 5


def test_every_frame_has_one_place():
    language = _language()
    for kind in FRAMES:
        assert all(frame.count("{}") == 1 for frame in getattr(language, f"{kind}_frames"))


def test_plurals_by_eye():
    singular = ["knife", "scarf", "mouse", "dress", "box", "eau de parfum", "USB-C cable", "sunglasses", "13-inch", ""]
    plural = [
        "knives",
        "scarves",
        "mice",
        "dresses",
        "boxes",
        "eau de parfum",
        "USB-C cables",
        "sunglasses",
        "13-inches",
        "",
    ]
    assert pluralise(pa.array(singular)).to_pylist() == plural
    assert pluralise(pa.array([], pa.string())).to_pylist() == []


def test_a_plural_of_a_plural_is_itself(vocabulary):
    once = pluralise(pa.array([kind.name for kind in vocabulary.types]))
    assert pluralise(once).equals(once)


def test_abbreviations_touch_whole_words_only():
    texts = pa.array(["pot with lid", "withered rose", "large lamp", "enlarged print", "2025", None])
    short = abbreviate(texts, np.ones(6, bool)).to_pylist()
    assert short == ["pot w lid", "withered rose", "lg lamp", "enlarged print", "2025", None]


def test_what_is_not_chosen_stays():
    assert abbreviate(pa.array(["pot with lid"]), np.zeros(1, bool)).to_pylist() == ["pot with lid"]


def test_trailing_words_are_for_values_of_the_vocabulary(lexicon, vocabulary):
    attributes = {attribute.name: (column, attribute) for column, attribute in enumerate(vocabulary.attributes)}
    for name, words_of in _language().trailing.items():
        column, attribute = attributes[name]
        assert words_of.keys() <= attribute.position.keys()
        value = np.array([attribute.position[one] for one in words_of])
        number = lexicon.value_number(np.full(len(value), column), value)
        words = lexicon.trailing_values.pick(number, np.zeros(len(value)))
        assert words.to_pylist() == [phrases[0] for phrases in words_of.values()]
    assert lexicon.trailing_values.pick(np.array([0]), np.zeros(1)).to_pylist() == [None]  # black
