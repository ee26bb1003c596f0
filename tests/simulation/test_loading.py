import shutil
from importlib.resources import files

import pytest

from aisle.core.errors import ConfigError, SourceError
from aisle.simulation import load_vocabulary


@pytest.fixture
def folder(tmp_path):
    """A copy of the packaged files with one small department."""
    shutil.copytree(str(files("aisle.simulation") / "data"), tmp_path / "data")
    for file in (tmp_path / "data" / "departments").iterdir():
        file.unlink()
    write_department(tmp_path / "data")
    return tmp_path / "data"


def write_department(folder, *, colour='"home"', shoppers='["couch"]', price="10"):
    change = '{ colour = [], style = ["boho"] }'
    (folder / "departments" / "one.toml").write_text(
        f"""
        department = "Furniture"
        [[groups]]
        name = "Seating"
        attributes = {{ colour = {colour}, material = ["oak", "oak"] }}
        types = [
          {{ name = "sofa", sellers = ["divan"], shoppers = {shoppers}, leaf = "Sofas", price = {price} }},
          {{ name = "stool", shoppers = ["perch"], leaf = "Stools", price = 5, attributes = {change} }},
        ]
        """
    )


def test_the_packaged_vocabulary_is_large_enough(vocabulary):
    assert len(vocabulary.departments) >= 12
    assert len(vocabulary.types) >= 200
    assert len(vocabulary.attributes) >= 8
    shopper_worded = [value for attribute in vocabulary.attributes for value in attribute.values if value.shoppers]
    assert len(shopper_worded) >= 100


def test_a_type_inherits_from_its_group_adds_and_drops(folder):
    sofa, stool = load_vocabulary(folder).types
    assert sofa.sellers == ("sofa", "divan")
    assert sofa.category == ("Furniture", "Seating", "Sofas")
    assert sofa.attributes["material"] == ("oak",)
    assert sofa.attributes["colour"][0] == "white"  # the group of values named "home"
    assert stool.attributes == {"material": ("oak",), "style": ("boho",)}


@pytest.mark.parametrize("colour", ['"unheard"', '["unheard"]'])
def test_unknown_values_are_named(folder, colour):
    write_department(folder, colour=colour)
    with pytest.raises(
        ConfigError, match=r"type 'sofa': colour = .*unheard.* names no known attribute, group or value"
    ):
        load_vocabulary(folder)


def test_all_problems_of_all_files_come_at_once(folder):
    write_department(folder, price="-1")
    with (folder / "wording.toml").open("a") as file:
        file.write('surprise = "x"\n')
    with (folder / "attributes.toml").open("a") as file:
        file.write('[smell]\nplace = "between"\n')
    with pytest.raises(ConfigError) as error:
        load_vocabulary(folder)
    text = str(error.value)
    assert "one.toml: groups.0.types.0.price: Input should be greater than 0" in text
    assert "wording.toml: surprise: unknown key" in text
    assert "attributes.toml [smell]: place: Input should be 'before' or 'after'" in text


def test_wording_of_the_wrong_type_is_refused(folder):
    (folder / "wording.toml").write_text("patterns = 3")
    with pytest.raises(ConfigError, match=r"wording\.toml: patterns: Input should be a valid tuple"):
        load_vocabulary(folder)


def test_the_rules_are_checked(folder):
    write_department(folder, shoppers='["divan bed"]')
    with pytest.raises(ConfigError, match=r"'divan bed' shares \['divan'\] with its sellers"):
        load_vocabulary(folder)


def test_unreadable_files_are_named(folder):
    (folder / "wording.toml").write_text("= 1")
    with pytest.raises(SourceError, match=r"readable TOML.*wording\.toml"):
        load_vocabulary(folder)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"attributes\.toml"):
        load_vocabulary(tmp_path)


def test_a_vocabulary_without_departments_is_refused(folder):
    shutil.rmtree(folder / "departments")
    with pytest.raises(SourceError, match="must have a folder departments"):
        load_vocabulary(folder)
