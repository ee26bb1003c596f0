import re
from html.parser import HTMLParser

import pytest

from aisle.reporting.report import (
    LiveLifts,
    Section,
    ablation_section,
    abtest_section,
    boost_section,
    comparison_section,
    evaluation_section,
    report_page,
    tuning_section,
)

WRITTEN = {"written_at": "2026-11-21T18:40:57+00:00", "version": "0.1.0"}
VOID = {"meta"}


class Outline(HTMLParser):
    """Collects headings, ids and what is open."""

    def __init__(self):
        super().__init__()
        self.levels, self.ids, self.links, self.open, self.names = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.names += [name for name, _ in attrs]
        self.ids += [known["id"]] if "id" in known else []
        self.links += [known["href"]] if "href" in known else []
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.names += [name for name, _ in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def page(evaluation, comparison, ablation, abtest, tuning, boost, made, hostile):
    sections = [
        evaluation_section([evaluation], made=[made]),
        comparison_section([comparison], made=[made]),
        ablation_section(*ablation, made=[made]),
        abtest_section([abtest], live=LiveLifts(0.05, 0.02, "Etsy"), made=[made]),
        boost_section(boost, made=[made]),
        tuning_section(tuning, made=[made]),
        Section("data", "Data", missing="No table was imported.", command="aisle import --products FILE"),
    ]
    return report_page(hostile, sections, **WRITTEN, is_simulated=True)


@pytest.fixture
def outline(page):
    parser = Outline()
    parser.feed(page)
    assert parser.open == []
    return parser


def test_headings_are_in_order_and_links_lead_somewhere(outline):
    assert outline.levels[0] == 1
    assert outline.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(outline.levels, outline.levels[1:], strict=False))
    assert len(set(outline.ids)) == len(outline.ids)
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)


def test_the_page_loads_and_runs_nothing(page, outline, hostile):
    assert "://" not in page
    assert "<script" not in page
    assert "style" not in outline.names, "the page's policy forbids style attributes"
    assert not [name for name in outline.names if name.startswith("on")]
    assert "src" not in outline.names
    assert hostile not in page
    assert "default-src 'none'" in page


def test_findings_stand_first_and_lead_to_their_section(page):
    short = page.index("In short")
    assert short < page.index("hybrid is better than lexical on 50 queries") < page.index('<h2 id="comparison"')
    assert '<a href="#comparison"' in page


def test_what_is_missing_is_named_and_has_no_frame(page):
    assert (
        "<strong>Data</strong>: No table was imported. Make it with <code>aisle import --products FILE</code>" in page
    )
    assert 'id="data"' not in page
    assert 'href="#data"' not in page


def test_a_section_says_what_made_it_and_what_changed(page):
    assert "<code>aisle evaluate</code> made <code>evaluation/log-test/</code>: 2026-11-21 18:40 UTC, seed 7" in page
    assert "data abababababab" in page
    assert "Changed since: index. Run it again." in page


def test_a_simulated_section_says_so_beside_its_heading(page):
    assert 'Two systems, query by query <span class="band">simulated</span></h2>' in page
    assert "What the systems find</h2>" in page


def test_simulated_data_are_named_in_the_head():
    assert "on a simulated shop</title>" in report_page("shop", [], **WRITTEN, is_simulated=True)
    plain = report_page("shop", [], **WRITTEN, is_simulated=False)
    assert "simulated shop" not in plain
    assert "In short" not in plain
    assert "What is not there" not in plain
