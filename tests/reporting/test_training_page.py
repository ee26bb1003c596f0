import dataclasses
import re
from html.parser import HTMLParser

from aisle.reporting import training_page


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_four_charts_and_three_tables_that_need_nothing_from_elsewhere(make_trained):
    page = training_page(make_trained())
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.seen.count("svg") == tags.seen.count("figure") == 4
    assert tags.seen.count("table") == 3
    assert "<script" not in page
    assert "://" not in page


def test_charts_hold_the_runs_own_points(make_trained):
    page = training_page(make_trained())
    assert "loss: 40 → 1.5" in page
    assert "batch: 20 → 2" in page
    # A source that came in later has fewer points.
    assert re.findall(r"ranking: (\d+) → ([\d.]+)", page) == [("40", "0.7")]
    assert "R@10: 20 → 40 %" in page
    assert "Weights of step 40 were kept: the best R@10." in page


def test_step_sizes_follow_the_schedule_and_name_what_stopped(make_trained):
    page = training_page(make_trained())
    # 5 % of 50 steps are two of warm-up.
    assert "step size: 0 → 50 %" in page
    assert "step size: 1 → 100 %" in page
    assert "Peaks: term table 0.005, text 0.001. Stopped: term after 50% of the steps." in page


def test_a_run_of_one_step_is_drawn(make_trained):
    result = make_trained().result
    one = dataclasses.replace(
        result, steps=1, planned_steps=1, history=[{"step": 1, "loss": 1.0, **result.measures}], loss_curve=[(1, 1.0)]
    )
    assert training_page(make_trained(result=one)).count("<svg") == 3
