import io

import pytest
from rich.console import Console

from aisle.experiments.trial_table import days_table, funnel_table, lift_table, power_lines

ARM = {"shoppers": 50, "chances": 1000, "taken": 40, "value": 0.04, "relative_error": 0.1}
LIFT = {"value": 0.0558, "low": -0.01, "high": 0.12, "p": 0.0004, "a": ARM, "b": {**ARM, "value": 0.0422}}
NONE = {"value": None, "low": None, "high": None, "p": None, "a": {**ARM, "value": None}, "b": ARM}
RESULT = {
    "a": "lexical",
    "b": "hybrid [new]",
    "purchase_rate_lift": LIFT,
    "conversion_lift": LIFT,
    "click_rate_lift": NONE,
    "bands": {"head": {**LIFT, "adds": {"value": 0.02, "low": 0.01, "high": 0.03}}},
    "looks": [
        {"day": 1, "searches": 1200, "value": None, "low": None, "high": None, "p": 1.0},
        {"day": 2, "searches": 2400, "value": 0.05, "low": -0.2, "high": 0.3, "p": 0.31},
    ],
    "funnel": {
        "all": {
            "a": {"searches": 900, "candidates": 0.5, "page": 0.25, "kept": 0.5, "place": 7.25},
            "b": {"searches": 900, "candidates": 0.0, "page": 0.0, "kept": None, "place": None},
        }
    },
}


@pytest.fixture
def shown():
    def render(table):
        console = Console(width=150, record=True, file=io.StringIO())
        console.print(table)
        return console.export_text()

    return render


def test_lifts_stand_with_their_intervals_and_what_bands_add(shown):
    text = shown(lift_table(RESULT, title="Simulated"))
    assert "Simulated" in text
    for part in ("+5.6%", "[-1.0%, +12.0%]", "<0.001", "4.00%", "of 1,000", "purchase rate, head", "+2.0%", "–"):
        assert part in text, part
    assert "hybrid [new]" in text, "brackets are no markup"


def test_runs_on_the_same_shoppers_say_nothing_of_what_bands_add(shown):
    text = shown(lift_table({**RESULT, "bands": {"head": LIFT}}, title="paired"))
    assert "adds" not in text
    assert "purchase rate, head" in text


def test_days_and_the_way_to_the_page(shown):
    days = shown(days_table(RESULT))
    assert "1,200" in days
    assert "0.310" in days
    assert "–" in days
    way = shown(funnel_table(RESULT))
    assert "all (900)" in way
    assert "7.2" in way
    assert "0.250" in way


def test_power_is_said_in_words():
    power = {"rate": 0.04, "pilot_searches": 20_000, "minimal_lift": 0.08, "expected_lift": 0.0558}
    power |= {"chance": 0.55, "searches_needed": 400_000}
    (line,) = power_lines({"purchase_rate": power}, searches=200_000)
    assert line == (
        "Power, search purchase rate (4.00% in a pilot of 20,000 searches): 200,000 searches find a lift of 8.0% 4 "
        "times out of 5; one of 5.58% they find with a chance of 55%, and 400,000 4 times out of 5."
    )
