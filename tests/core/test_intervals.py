import re
from xml.etree import ElementTree

import pytest

from aisle.core.intervals import Band, IntervalRow, Mark, interval_table


def show(value):
    return f"{value:.2f}"


def table(rows, **options):
    return interval_table(rows, caption="what", head="row", show=show, **options)


def parsed(html):
    return ElementTree.fromstring(html)


def strips(html):
    return [node for node in parsed(html).iter("svg") if "strip" in node.get("class", "")]


def places(html, name):
    return [float(node.get("x").removesuffix("%")) for node in parsed(html).iter("svg") if node.get("x")]


def whiskers(html):
    lines = [node for node in parsed(html).iter("line") if "whisker" in node.get("class")]
    return [tuple(float(line.get(side).removesuffix("%")) for side in ("x1", "x2")) for line in lines]


def test_dots_stand_where_their_values_lie():
    html = table([IntervalRow("a", (Mark(0.0),)), IntervalRow("b", (Mark(0.5),)), IntervalRow("c", (Mark(1.0),))])
    low, middle, high = places(html, "svg")
    assert low < high
    assert middle == pytest.approx((low + high) / 2)


def test_whiskers_reach_from_bound_to_bound_and_numbers_are_text():
    html = table([IntervalRow("a", (Mark(0.5, 0.25, 1.0),)), IntervalRow("b", (Mark(0.0, None, None),))])
    [(left, right)] = whiskers(html)
    dot = places(html, "svg")[0]
    assert (dot - left) * 2 == pytest.approx(right - dot, abs=0.05)
    assert "0.50 [0.25, 1.00]" in html
    assert re.search(r">0\.00<", html)


def test_a_dot_is_hollow_where_the_interval_holds_the_reference():
    def drawn(low, high):
        return "open" in table([IntervalRow("a", (Mark(0.5, low, high),))], reference=0.0)

    assert drawn(-0.1, 1.0)
    assert drawn(0.0, 1.0)
    assert not drawn(0.1, 1.0)
    assert "open" not in table([IntervalRow("a", (Mark(0.5, -0.1, 1.0),))])


def test_the_reference_is_on_the_axis_though_no_value_is_near():
    html = table([IntervalRow("a", (Mark(5.0, 4.0, 6.0),))], reference=0.0)
    [zero] = {node.get("x1") for node in parsed(html).iter("line") if node.get("class") == "zero"}
    assert float(zero.removesuffix("%")) < whiskers(html)[0][0]


def test_what_leaves_the_band_ends_at_its_border():
    html = table([IntervalRow("a", (Mark(9.0, -50.0, 50.0),))], band=Band(-1.0, 1.0))
    assert whiskers(html) == [(4.0, 96.0)]
    assert places(html, "svg") == []
    assert "9.00 [-50.00, 50.00]" in html


def test_what_is_not_defined_is_a_dash():
    html = table([IntervalRow("a", (Mark(None),)), IntervalRow("b", (Mark(1.0),))])
    assert "<span>–</span>" in html
    assert len(places(html, "svg")) == 1
    assert parsed(table([IntervalRow("a", (Mark(None),))])) is not None
    assert parsed(table([])) is not None


def test_series_have_shapes_names_and_a_legend():
    html = table([IntervalRow("a", (Mark(0.1, series=0), Mark(0.2, series=1)))], series=["old", "new"])
    assert html.count("●") == html.count("■") == 2
    assert '<span class="unseen">new </span>' in html
    shapes = [child.tag for node in parsed(html).iter("svg") if node.get("x") for child in node]
    assert shapes == ["circle", "rect"]
    assert 'class="strip h2"' in html


def test_words_are_escaped():
    hostile = "<b>&"
    html = interval_table(
        [IntervalRow(hostile, (Mark(0.5, 0.1, 0.9, note=hostile),), note=hostile)],
        caption=hostile,
        head=hostile,
        show=lambda _: hostile,
        series=[hostile],
    )
    assert "<b>&" not in html
    assert parsed(html) is not None
    assert '<th scope="row">&lt;b&gt;&amp;' in html


def test_a_screen_reader_meets_the_numbers_and_not_the_strip():
    html = table([IntervalRow("a", (Mark(0.5),))])
    cells = [node for node in parsed(html).iter() if node.get("class") == "plot"]
    assert [cell.get("aria-hidden") for cell in cells] == ["true", "true"]
    assert parsed(html).find(".//caption").text == "what"


def test_axes_have_a_few_words():
    for low, high in ((0.0, 1.0), (-0.013, 0.4), (-900.0, 1200.0), (3.0, 3.0)):
        html = table([IntervalRow("a", (Mark(low), Mark(high)))])
        ticks = list(parsed(html).iter("text"))
        assert 2 <= len(ticks) <= 5
