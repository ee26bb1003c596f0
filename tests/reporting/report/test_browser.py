"""The report in a real browser: it fits a phone, loads nothing, and its policy blocks nothing of its own."""

import pytest

from aisle.reporting.report import (
    Example,
    LiveLifts,
    Shown,
    ablation_section,
    abtest_section,
    boost_section,
    comparison_section,
    evaluation_section,
    examples_section,
    model_section,
    report_page,
    tuning_section,
)

LONG = "an-unbroken-name-" * 12

pytestmark = pytest.mark.browser


@pytest.fixture
def file(make_trained, evaluation, comparison, ablation, abtest, tuning, boost, made, tmp_path):
    shown = Example(LONG, "head", (LONG,), {"lexical": [Shown(LONG, True)]}, {"lexical": 1})
    sections = [
        model_section(make_trained(), made=[made]),
        evaluation_section([{**evaluation, "by": {**evaluation["by"], LONG: evaluation["by"]["head"]}}], made=[made]),
        comparison_section([comparison], made=[made]),
        ablation_section(*ablation, made=[made]),
        abtest_section([abtest], live=LiveLifts(0.05, 0.02, "Etsy"), made=[made]),
        boost_section(boost, made=[made]),
        tuning_section(tuning, made=[made]),
        examples_section([shown], labelled="orders", made=[made], is_simulated=True),
    ]
    page = report_page("shop", sections, written_at="2026-11-21T18:40:57+00:00", version="0.1.0", is_simulated=True)
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_loads_nothing_and_complains_of_nothing(browser, file, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page, seen = context.new_page(), []
    page.on("console", lambda message: seen.append(message.text))
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("request", lambda request: seen.append(request.url))
    page.goto(file.as_uri())
    assert seen == [file.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 26, 32)"}[scheme], "the policy let the style in"
    assert page.get_by_role("main").count() == page.get_by_role("banner").count() == 1
    assert page.get_by_role("navigation", name="Sections").is_visible()
    assert page.get_by_role("heading", level=1).count() == 1
    context.close()


def test_dots_stand_where_they_belong_on_a_phone(browser, file):
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(file.as_uri())
    for cell in page.locator("td.plot").all()[:6]:
        box = cell.bounding_box()
        assert box["width"] > 60
        for dot in cell.locator(".shape").all():
            inner = dot.bounding_box()
            assert box["x"] - 6 <= inner["x"] <= box["x"] + box["width"] + 6
    page.close()
