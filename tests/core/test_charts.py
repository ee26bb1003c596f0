import re
from xml.etree import ElementTree

import pytest

from aisle.core.charts import Series, bar_chart, line_chart


def numbers(svg, attribute):
    return [float(value) for value in re.findall(rf' {attribute}="(-?[\d.]+)"', svg)]


def test_a_falling_line_falls():
    svg = line_chart(
        [Series("ctr", ((1, 0.5), (2, 0.25), (3, 0.0)))], x_label="position", y_label="clicks", percent=True
    )
    assert ElementTree.fromstring(svg).tag == "svg"
    assert numbers(svg, "cy") == sorted(numbers(svg, "cy"))
    assert "ctr: 2 → 25 %" in svg
    assert ">40 %<" in svg
    assert ">position<" in svg


def test_logarithmic_axes_space_powers_of_ten_evenly():
    svg = line_chart([Series("f", ((1, 100), (10, 10), (100, 1)))], x_label="rank", y_label="n", is_log=True)
    across, up = numbers(svg, "cx"), numbers(svg, "cy")
    assert across[1] - across[0] == pytest.approx(across[2] - across[1], abs=0.2)
    assert up[1] - up[0] == pytest.approx(up[2] - up[1], abs=0.2)


def test_bars_are_as_high_as_their_values():
    series = [Series("ours", ((0, 1.0), (1, 2.0))), Series("theirs", ((0, 4.0),))]
    svg = bar_chart(series, groups=["a", "b & c"], x_label="group", y_label="n")
    ElementTree.fromstring(svg)
    heights = [float(height) for height in re.findall(r'height="([\d.]+)"><title>', svg)]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert heights[2] == pytest.approx(4 * heights[0], abs=0.2)
    assert "ours, b &amp; c: 2" in svg


def test_names_cannot_break_out():
    svg = bar_chart([Series("<script>", ((0, 1.0),))], groups=["<b>"], x_label="<x>", y_label='"')
    assert "<script>" not in svg
    assert "<b>" not in svg
    ElementTree.fromstring(svg)


def test_one_point_and_nothing_but_zeros():
    charts = [
        line_chart([Series("a", ((1, 0.0),))], x_label="x", y_label="y"),
        line_chart([Series("a", ((1, 5),))], x_label="x", y_label="y", is_log=True),
        bar_chart([Series("a", ((0, 0.0),))], groups=["g"], x_label="x", y_label="y"),
    ]
    for svg in charts:
        drawn = " ".join(value for node in ElementTree.fromstring(svg).iter() for value in node.attrib.values())
        assert re.search(r"\d", drawn)
        assert not re.search(r"\b(nan|inf)\b", drawn)


def test_names_stand_at_the_bottom_for_lines_that_rise():
    series = [Series("a", ((0, 0.1), (1, 0.9))), Series("b", ((0, 0.2), (1, 0.8)))]
    top, bottom = (line_chart(series, x_label="x", y_label="y", legend_at=where) for where in ("top", "bottom"))
    places = [[float(y) for y in re.findall(r'class="legend s\d" x="\d+" y="([\d.]+)"', svg)] for svg in (top, bottom)]
    assert max(places[0]) < 140 < min(places[1])
    assert max(places[1]) < 240


def test_a_long_line_has_no_dots():
    long, short = (
        line_chart([Series("a", tuple((x, 1.0) for x in range(count)))], x_label="x", y_label="y") for count in (61, 60)
    )
    assert (long.count("<circle"), short.count("<circle")) == (0, 60)
    assert "<polyline" in long


def test_a_logarithmic_axis_within_a_power_of_ten_has_ticks():
    svg = line_chart([Series("f", ((150, 2), (900, 40)))], x_label="x", y_label="y", is_log=True)
    assert {">200<", ">500<", ">10<"} <= set(re.findall(r">[\d,]+<", svg))


def test_dots_without_a_line():
    svg = line_chart([Series("a", tuple((x, 1.0) for x in range(70)), is_joined=False)], x_label="x", y_label="y")
    assert "<polyline" not in svg
    assert svg.count("<circle") == 70


def test_no_bar_reaches_the_names():
    series = [Series(name, ((0, 1.0), (1, 4.0))) for name in "abc"]
    svg = bar_chart(series, groups=["x", "y"], x_label="x", y_label="y")
    tops = [float(y) for y in re.findall(r'class="bar s\d" x="[\d.]+" y="([\d.]+)"', svg)]
    names = [float(y) for y in re.findall(r'class="legend s\d" x="\d+" y="([\d.]+)"', svg)]
    assert min(tops) > max(names)
