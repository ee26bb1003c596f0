from dataclasses import replace

import pytest

from aisle.simulation.vocabulary_checks import vocabulary_problems


def with_type(vocabulary, **changes):
    return replace(vocabulary, types=(replace(vocabulary.types[0], **changes), *vocabulary.types[1:]))


def test_a_good_vocabulary_has_no_problems(tiny_vocabulary, vocabulary):
    assert vocabulary_problems(tiny_vocabulary) == []
    assert vocabulary_problems(vocabulary) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"shoppers": ()}, "type 'sofa' has no shopper words"),
        ({"shoppers": ("Sofa bed",)}, r"type 'sofa': shopper word 'Sofa bed' shares ['sofa'] with its sellers"),
        ({"shoppers": ("stool",)}, "shopper word 'stool' of type 'sofa' is what a seller calls some type"),
        ({"shoppers": ("perch",)}, "shopper word of types 'perch' occurs 2 times"),
        ({"sellers": ("lamp",)}, "type name 'lamp' occurs 2 times"),
    ],
)
def test_what_a_type_must_not_have(tiny_vocabulary, changes, problem):
    assert problem in vocabulary_problems(with_type(tiny_vocabulary, **changes))


def test_part_of_a_word_is_not_the_word(tiny_vocabulary):
    assert vocabulary_problems(with_type(tiny_vocabulary, shoppers=("too", "divans"))) == []


def test_values_and_sentences_of_attributes(tiny_vocabulary):
    colour = tiny_vocabulary.attributes[0]
    navy = replace(colour.values[1], shoppers=("navy like",))
    broken = replace(colour, values=(colour.values[0], navy), sentences=("Colour.", "{} {}"))
    problems = vocabulary_problems(replace(tiny_vocabulary, attributes=(broken, tiny_vocabulary.attributes[1])))
    assert problems == [
        "colour 'navy': shopper word 'navy like' shares ['navy'] with its sellers",
        "colour: 'Colour.' needs exactly one {}",
        "colour: '{} {}' needs exactly one {}",
    ]


def test_wording(tiny_vocabulary):
    wording = replace(tiny_vocabulary.wording, patterns=(), pairing_sentences=(), brand_starts=())
    assert vocabulary_problems(replace(tiny_vocabulary, wording=wording)) == [
        "pairing_sentences needs at least one sentence",
        "patterns must not be empty",
        "too few brand names for 2 departments",
    ]


def test_nothing_to_sell(tiny_vocabulary):
    expected = ["a vocabulary needs at least one product type and one attribute"]
    assert vocabulary_problems(replace(tiny_vocabulary, types=())) == expected
    assert vocabulary_problems(replace(tiny_vocabulary, attributes=())) == expected
