from aisle.reporting.report import Example, Shown, examples_section


def example(hostile):
    return Example(
        query=hostile,
        band="head",
        wanted=("mug",),
        answers={"lexical": [Shown(hostile, False), Shown("mug", True)], "semantic": []},
        places={"lexical": 2, "semantic": None},
    )


def test_answers_are_marked_and_placed(hostile, made):
    section = examples_section([example(hostile)], labelled="orders", made=[made], is_simulated=False)
    assert "tunes on the test" in section.body
    assert "To be found: “mug”." in section.body
    assert "<li>mug <b" in section.body
    assert section.body.count("✓") == 1
    assert "first found at place 2" in section.body
    assert "not retrieved" in section.body
    assert "<li>nothing</li>" in section.body
    assert hostile not in section.body
    assert section.findings == ()


def test_missing_ones_say_why(hostile):
    none = examples_section((), labelled="", made=(), is_simulated=False)
    assert none.command == "aisle report --examples 2"
    broken = examples_section((), labelled="", made=(), is_simulated=False, problem="No index.")
    assert (broken.missing, broken.command) == ("No index.", "aisle index")


def test_simulated_is_said(hostile):
    section = examples_section([example(hostile)], labelled="true products", made=(), is_simulated=True)
    assert "true products (simulated)" in section.body
    assert section.is_simulated
