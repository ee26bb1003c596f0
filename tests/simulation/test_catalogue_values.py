import numpy as np
import pyarrow as pa

from aisle.simulation.catalogue_values import find_values
from aisle.simulation.world_listing import list_world

COLOURS = ["black", "white", "navy blue"]


def table(attributes, titles=None, descriptions=None):
    num = len(attributes)
    columns = {
        "title": titles or [f"lamp {COLOURS[row % 3]}" for row in range(num)],
        "attributes": pa.array(attributes, pa.map_(pa.string(), pa.string())),
    }
    return pa.table(columns | ({"description": descriptions} if descriptions else {}))


def test_an_attribute_that_titles_mention_is_found_with_its_values():
    found = find_values(table([[("Colour", COLOURS[row % 3].upper())] for row in range(60)]))
    [attribute] = found.attributes
    assert attribute.name == "Colour"
    assert {value.name for value in attribute.values} == set(COLOURS)
    names = [attribute.values[value].name for value in found.value_index[:, 0]]
    assert names[:4] == ["black", "white", "navy blue", "black"]


def test_what_no_text_says_or_says_nothing_is_left_out():
    rows = range(60)
    attributes = [
        [
            ("colour", COLOURS[row % 3]),
            ("weight", str(row)),
            ("origin", "XY"[row % 2]),
            ("wired", "true"),
            ("size", "3"),
        ]
        for row in rows
    ]
    titles = [f"lamp {COLOURS[row % 3]} {row} 3 true" for row in rows]
    assert [one.name for one in find_values(table(attributes, titles)).attributes] == ["colour"]


def test_descriptions_count_and_missing_values_are_minus_one():
    attributes = [[("shape", "round")], [("shape", "square")], None] * 30
    found = find_values(table(attributes, ["lamp"] * 90, ["a round lamp", "square, they say", None] * 30))
    assert [one.name for one in found.attributes] == ["shape"]
    assert found.value_index[:3, 0].tolist() == [0, 1, -1]


def test_a_sliced_table_keeps_its_rows():
    products = table([[("colour", COLOURS[row % 3])] for row in range(90)])
    whole, part = find_values(products), find_values(products.slice(31, 50))
    names = [[found.attributes[0].values[value].name for value in found.value_index[:, 0]] for found in (whole, part)]
    assert names[0][31:81] == names[1]


def test_a_catalogue_without_attributes_has_one_that_tells_nothing():
    found = find_values(pa.table({"title": ["sofa", "lamp"]}))
    assert found.value_index.tolist() == [[0], [0]]
    assert len(found.attributes[0].values) == 1


def test_hidden_values_of_a_generated_catalogue_are_found_again(world):
    products = list_world(world, seed=3)
    found = find_values(products)
    names = [attribute.name for attribute in found.attributes]
    assert {"colour", "material", "size"} <= set(names)
    truth = world.truth
    column = [attribute.name for attribute in truth.vocabulary.attributes].index("colour")
    colours = truth.vocabulary.attributes[column].values
    row_names = found.attributes[names.index("colour")].values
    values = found.value_index[:, names.index("colour")]
    rows = np.flatnonzero((values >= 0) & (truth.value_index[:, column] >= 0))
    assert len(rows) > 1_000
    assert all(row_names[values[row]].name in colours[truth.value_index[row, column]].sellers for row in rows.tolist())
