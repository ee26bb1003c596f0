from aisle.tables import did_you_mean


def test_close_names_are_found_whatever_their_case():
    assert did_you_mean("titel", ["price", "title"]) == "title"
    assert did_you_mean("title", ["Title"]) == "Title"


def test_far_names_are_not():
    assert did_you_mean("title", ["price"]) is None
    assert did_you_mean("title", []) is None


def test_a_higher_cutoff_is_stricter():
    assert did_you_mean("titles_x", ["title"]) == "title"
    assert did_you_mean("titles_x", ["title"], cutoff=0.9) is None
