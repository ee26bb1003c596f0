from aisle.reporting.report import boost_section


def test_nothing_looked_for_or_taken_away(boost):
    assert boost_section(None, made=()).command == "aisle boost"
    assert boost_section({"kept": False, "off": True}, made=()).missing == "The boost was taken away."


def test_weights_and_gains(boost, made):
    section = boost_section(boost, made=[made])
    assert '<th scope="row">quality_stars</th><td class="number">0.1250</td>' in section.body
    assert "Gain on 800 validation searches" in section.body
    assert "R@100 that semantic gains on the test window, to be found: orders." in section.body
    assert "+0.020 [+0.005, +0.040] <small>p=0.010</small>" in section.body
    assert section.findings == ("The boost is kept: validation orders gain beyond their interval.",)


def test_one_that_is_not_kept_says_why(boost):
    nothing = {**boost, "kept": False, "reason": "no gain", "test": None, "simulated": True}
    section = boost_section({**nothing, "validation": {"searches": 3, "gain": None}}, made=())
    assert section.findings == ("The boost is not kept: no gain.",)
    assert "test window" not in section.body
    assert section.is_simulated
