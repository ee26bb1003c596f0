def test_names_are_the_first_words_of_sellers(tiny_vocabulary):
    sofa = tiny_vocabulary.types[0]
    assert (sofa.name, sofa.department) == ("sofa", "Furniture")
    assert tiny_vocabulary.attributes[0].values[1].name == "navy"


def test_values_have_positions_by_name(tiny_vocabulary):
    assert tiny_vocabulary.attributes[0].position == {"red": 0, "navy": 1}


def test_departments_come_in_order_of_first_appearance(tiny_vocabulary):
    assert tiny_vocabulary.departments == ("Furniture", "Lighting")
