import numpy as np
import pytest

from aisle.simulation.gifts import Gifts, _load


@pytest.fixture(scope="module")
def gifts(vocabulary):
    return Gifts(vocabulary)


def even(num):
    return (np.arange(num) + 0.5) / num


def test_everything_named_in_the_file_exists(vocabulary):
    names = {kind.name for kind in vocabulary.types}
    values = {attribute.name: attribute.position.keys() for attribute in vocabulary.attributes}
    content = _load()
    for persona in content["personas"].values():
        assert set(persona["types"]) <= names
        for attribute, wanted in persona["values"].items():
            assert set(wanted) <= values[attribute]
    for occasion in content["occasions"].values():
        assert occasion.get("value", "birthday") in values["occasion"]
        assert set(occasion.get("personas", [])) <= content["personas"].keys()
        assert all(frame.count("{}") == 1 for frame in occasion["frames"])


def test_dad_gets_what_dads_get(gifts, vocabulary):
    dad = np.full(500, gifts.persona_names.index("dad"))
    types = {vocabulary.types[index].name for index in gifts.pick_type(dad, even(500))}
    assert "tool box" in types
    assert "doll" not in types


def test_persons_are_found_for_a_type_that_they_are_given(gifts, vocabulary):
    names = [kind.name for kind in vocabulary.types]
    doll = np.full(300, names.index("doll"))
    assert {gifts.persona_names[row] for row in gifts.pick_persona(doll, even(300))} == {"toddler", "girl"}
    assert gifts.pick_persona(np.array([names.index("angle grinder")]), np.array([0.5])).tolist() == [-1]
    types = np.arange(len(names))
    persona = gifts.pick_persona(types, np.full(len(names), 0.99))
    assert (persona >= 0).mean() > 0.4


def test_occasions_suit_the_person(gifts):
    dad = np.full(2_000, gifts.persona_names.index("dad"))
    names = [gifts.occasion_names[row] for row in gifts.pick_occasion(dad, even(2_000))]
    assert {"", "birthday", "fathers day"} <= set(names)
    assert "mothers day" not in names
    assert 0.3 < names.count("") / 2_000 < 0.6


def test_phrases_name_person_and_occasion(gifts):
    dad, birthday = gifts.persona_names.index("dad"), gifts.occasion_names.index("birthday")
    texts = gifts.phrase(np.full(400, dad), np.full(400, birthday), even(400)).to_pylist()
    assert texts[0] == "birthday present for dad"
    assert all("day" in text or "birthday" in text for text in texts)
    assert len(set(texts)) > 20
    assert texts[-1] in {"birthday present", "bday gift ideas"}
    plain = gifts.phrase(np.full(400, dad), np.zeros(400, np.int64), even(400)).to_pylist()
    assert None not in plain
    assert all("dad" in text or "father" in text for text in plain)


def test_wishes_are_values_that_the_type_comes_in(gifts, vocabulary):
    names = [attribute.name for attribute in vocabulary.attributes]
    types = [kind.name for kind in vocabulary.types]
    boy, christmas = gifts.persona_names.index("boy"), gifts.occasion_names.index("christmas")
    wanted = gifts.wanted_values(
        np.array([boy, boy]), np.array([christmas, 0]), np.array([types.index("board game"), types.index("toy car")])
    )
    recipient = vocabulary.attributes[names.index("recipient")]
    occasion = vocabulary.attributes[names.index("occasion")]
    assert wanted[:, names.index("recipient")].tolist() == [recipient.position["school-age"]] * 2
    assert wanted[:, names.index("occasion")].tolist() == [occasion.position["Christmas"], -1]
    assert wanted[:, names.index("size")].tolist() == [-1, -1]


def test_styles_are_unit_rows(gifts):
    assert np.allclose(np.linalg.norm(gifts.style, axis=1), 1, atol=1e-5)


def test_a_shop_without_gifts_knows_nobody(tiny_vocabulary):
    gifts = Gifts(tiny_vocabulary)
    assert len(gifts) == 0
    assert gifts.pick_persona(np.array([0, 1]), np.array([0.1, 0.9])).tolist() == [-1, -1]
