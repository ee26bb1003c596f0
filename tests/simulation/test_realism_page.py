import re
from dataclasses import replace
from html.parser import HTMLParser

from aisle.simulation.query_shape import query_shape
from aisle.simulation.realism import LogFigures, compare
from aisle.simulation.realism_page import write_realism_page

FIGURES = LogFigures(
    searches=1_000,
    impressions=24_000,
    shown_by_position=(1_000,) * 24,
    clicks_by_position=(100, 50, *(10,) * 22),
    searches_with_click=0.3,
    searches_with_order=0.03,
    stages={"shown": 23_630, "clicked": 300, "favorited": 20, "carted": 30, "ordered": 20},
    click_share_first=0.27,
    click_share_second=0.135,
    carts_per_click=0.1,
    orders_per_cart=0.4,
    orders_per_click=0.05,
    orders_per_search_session=0.04,
    one_search_sessions=0.6,
    reworded_sessions=0.2,
    anonymous_share=0.3,
    searchless_days=0.25,
    distinct_queries=400,
    queries_seen_once=0.7,
    head_queries=12,
    zipf_slope=-0.9,
    frequency_by_rank=((1, 60), (2, 40), (5, 20), (100, 1)),
    events={"view": 10},
    shape=query_shape(["red sofa", "<b>lamp</b>", "a large grey sofa bed"]),
)


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


def test_a_page_with_a_chart_of_each_kind_and_a_row_for_each_comparison(tmp_path):
    write_realism_page(FIGURES, tmp_path / "new" / "report.html")
    page = (tmp_path / "new" / "report.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.seen.count("svg") == tags.seen.count("figure") == 6
    assert tags.seen.count("tr") == len(compare(FIGURES)) + 1
    assert "1,000 searches" in page
    assert re.search(r"clicks that led to a cart</td><td class=\"number\">10\.0 %</td>", page)
    assert "Joachims" in page
    assert "-0.90" in page


def test_a_page_needs_nothing_from_elsewhere(tmp_path):
    write_realism_page(FIGURES, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "://" not in page


def test_a_log_without_clicks(tmp_path):
    empty = replace(
        FIGURES,
        impressions=0,
        shown_by_position=(0,) * 24,
        clicks_by_position=(0,) * 24,
        stages=dict.fromkeys(FIGURES.stages, 0),
        frequency_by_rank=((1, 1),),
    )
    write_realism_page(empty, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size > 10_000
