import pytest

from aisle.simulation import (
    Attribute,
    AttributeValue,
    ProductType,
    Vocabulary,
    Wording,
    generate_catalogue,
    load_vocabulary,
)
from aisle.simulation.truth import draw_truth
from aisle.simulation.world import draw_world


@pytest.fixture(scope="session")
def vocabulary():
    return load_vocabulary()


@pytest.fixture(scope="session")
def catalogue(vocabulary):
    return generate_catalogue(5_000, seed=7, vocabulary=vocabulary)


@pytest.fixture(scope="session")
def truth(vocabulary):
    """The hidden truth of `catalogue`."""
    return draw_truth(vocabulary, 5_000, seed=7)


@pytest.fixture(scope="session")
def world(vocabulary):
    return draw_world(5_000, seed=3, vocabulary=vocabulary)


@pytest.fixture(scope="session")
def tiny_vocabulary():
    """Two seats under one parent, a lamp in another department; colours with and without shopper words."""
    colour = Attribute(
        name="colour",
        place="before",
        sentences=("Colour: {}.",),
        values=(AttributeValue(("red", "scarlet"), ()), AttributeValue(("navy",), ("dark blue",))),
    )
    size = Attribute(
        name="size", place="after", sentences=("Size: {}.",), values=(AttributeValue(("large",), ("roomy",)),)
    )
    return Vocabulary(
        attributes=(colour, size),
        types=(
            ProductType(
                ("sofa", "divan"),
                ("couch",),
                ("Furniture", "Seating", "Sofas"),
                500.0,
                {"colour": ("red", "navy"), "size": ("large",)},
            ),
            ProductType(("stool",), ("perch",), ("Furniture", "Seating", "Stools"), 50.0, {"colour": ("navy",)}),
            ProductType(("lamp",), ("light",), ("Lighting", "Lamps", "Lamps"), 30.0, {}),
        ),
        wording=Wording(
            patterns=(("brand", "before", "name", "after"), ("name", "after", "before_reversed", "brand")),
            leading_fillers=("new",),
            trailing_fillers=("sale",),
            abbreviations=(("large", "lg"),),
            introductions=("Our {}.",),
            shopper_name_sentences=("Also known as {}.",),
            shopper_value_sentences=("In other words {}.",),
            pairing_sentences=("Goes with {}.",),
            closings=("Free returns.",),
            brand_starts=("Nor", "Bel"),
            brand_ends=("vik", "mora"),
            locations=("GB", "DE"),
        ),
    )
