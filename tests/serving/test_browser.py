import re

import pytest
from playwright.sync_api import expect

from aisle.core.shopper import Shopper
from aisle.live import LiveAnswer
from aisle.serving import KeyRing, ServiceSettings, create_app, run_in_background

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def service(shown_shop):
    app = create_app(shown_shop, info={"name": "Six things", "examples": ["usb hub", "a & b = c?"]})
    with run_in_background(app) as address:
        yield address


@pytest.fixture
def backend(shown_shop):
    shown_shop.asked.clear()
    shown_shop.put_products.clear()
    return shown_shop


@pytest.fixture
def open_page(browser, service):
    """Open a path of the service; everything that the browser complains of is collected in `page.complaints`."""
    contexts = []

    def open_path(path="", *, viewport=DESKTOP, **options):
        context = browser.new_context(viewport=viewport, locale="en-GB", **options)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(service + path)
        return page

    yield open_path
    for context in contexts:
        context.close()


def column(page, mode):
    return page.get_by_role("region", name=mode, exact=True)


def ids_in(page, mode):
    return column(page, mode).locator(".card").evaluate_all("cards => cards.map(card => card.dataset.product)")


def lines(card):
    return [line for line in card.inner_text().split("\n") if line]


def await_results(page):
    expect(page.get_by_role("status")).to_contain_text("results")


def search_for(page, query):
    page.get_by_label("Search the catalogue").fill(query)
    page.keyboard.press("Enter")


def test_a_typed_query_fills_three_columns(open_page):
    page = open_page()
    expect(page.get_by_role("heading", name="One query, every way of searching.")).to_be_visible()
    search_for(page, "usb hub")
    await_results(page)
    assert ids_in(page, "Lexical") == ["hub", "hostile", "cable"]
    assert ids_in(page, "Semantic") == ["dock", "hub", "mouse", "bare"]
    assert ids_in(page, "Hybrid") == ["hub", "dock", "cable"]
    lefts = [column(page, mode).bounding_box()["x"] for mode in ("Lexical", "Semantic", "Hybrid")]
    assert lefts == sorted(set(lefts))
    expect(column(page, "Semantic").locator(".latency")).to_have_text(re.compile(r"^\d+\.\d ms$"))
    assert page.title() == "usb hub · Aisle"
    assert page.complaints == []


def test_a_result_shows_what_is_known_and_no_more(open_page):
    page = open_page("?q=usb")
    await_results(page)
    hub, _, cable = column(page, "Lexical").locator(".card").all()
    assert lines(hub) == ["Rank", "1", "USB hub, 4 ports", "Northwind", "€24.90", "Semantic 2", "Hybrid 1"]
    expect(cable).to_contain_text("5.00 credits")
    expect(cable).to_contain_text("Charges and syncs.")
    bare = column(page, "Semantic").locator(".card").last
    assert lines(bare) == ["Rank", "4", "bare", "Only in semantic"]
    assert "undefined" not in page.content()
    assert "null" not in page.inner_text("main")


def test_equal_ranks_stand_on_one_line(open_page):
    page = open_page("?q=usb")
    await_results(page)
    for place in range(3):
        tops = {
            column(page, mode).locator(".card").nth(place).bounding_box()["y"]
            for mode in ("Lexical", "Semantic", "Hybrid")
        }
        assert len(tops) == 1


def test_shared_products_are_marked_and_counted(open_page):
    page = open_page("?q=usb")
    await_results(page)
    expect(page.get_by_role("status")).to_have_text(
        "3 lexical, 4 semantic, 3 hybrid results. 1 of 6 products are in all 3 columns."
    )
    hub = column(page, "Semantic").locator(".card").nth(1)
    assert hub.locator(".mark").all_inner_texts() == ["Lexical 1", "Hybrid 1"]
    expect(column(page, "Lexical").locator(".only-count")).to_have_text("1 only here")
    expect(column(page, "Semantic").locator(".only-count")).to_have_text("2 only here")
    expect(column(page, "Hybrid").locator(".only-count")).to_have_text("0 only here")


def test_pointing_at_a_product_lights_it_in_every_column(open_page):
    page = open_page("?q=usb")
    await_results(page)
    column(page, "Lexical").locator(".card").first.hover()
    assert page.locator(".is-lit").evaluate_all("cards => cards.map(card => card.dataset.product)") == ["hub"] * 3
    page.get_by_role("searchbox").hover()
    expect(page.locator(".is-lit")).to_have_count(0)


def test_a_mark_leads_to_the_same_product_in_its_column(open_page):
    page = open_page("?q=usb")
    await_results(page)
    column(page, "Hybrid").get_by_role("button", name="Rank 1 in Semantic").click()
    expect(column(page, "Semantic").locator(".card").first).to_be_focused()


def test_markup_in_a_product_stays_text(open_page):
    page = open_page("?q=<img src=x onerror=\"document.title='owned'\">")
    await_results(page)
    card = column(page, "Lexical").locator(".card").nth(1)
    expect(card.get_by_role("heading")).to_have_text("<img src=x onerror=\"document.title='owned'\"> usb <b>hub</b>")
    expect(card).to_contain_text("<script>document.title='owned'</script>")
    expect(card).to_contain_text("<i>x</i>")
    assert page.locator("main img, main script, main b, main i").count() == 0
    assert "owned'\"> · Aisle" in page.title()
    assert page.complaints == []


def test_the_address_holds_the_search_and_back_returns_to_the_one_before(open_page):
    page = open_page()
    search_for(page, "usb hub")
    await_results(page)
    search_for(page, "nothing")
    expect(page.get_by_text("No product matches.")).to_have_count(3)
    page.get_by_label("Top").select_option("10")
    expect(page).to_have_url(re.compile(r"\?q=nothing&k=10$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?q=nothing$"))
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("usb hub")
    await_results(page)
    assert ids_in(page, "Hybrid") == ["hub", "dock", "cable"]
    page.go_back()
    expect(page.get_by_role("heading", name="One query")).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)
    page.go_forward()
    expect(column(page, "Hybrid").locator(".card")).to_have_count(3)


def test_k_of_the_address_is_honoured(open_page, backend):
    page = open_page("?q=usb&k=2")
    await_results(page)
    assert [len(ids_in(page, mode)) for mode in ("Lexical", "Semantic", "Hybrid")] == [2, 2, 2]
    expect(page.get_by_label("Top")).to_have_value("2")
    assert {asked.k for asked in backend.asked} == {2}


def test_a_blank_query_is_told_once_in_the_services_words(open_page):
    page = open_page("?q=usb")
    await_results(page)
    search_for(page, "   ")
    expect(page.get_by_role("alert")).to_contain_text("A query must hold more than spaces.")
    expect(page.locator(".column:visible")).to_have_count(0)
    search_for(page, "usb")
    await_results(page)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_one_failing_way_of_searching_leaves_the_others(open_page, backend, monkeypatch):
    search = backend.search

    def fail_semantic(asked):
        if asked.mode == "semantic":
            raise RuntimeError("model is gone")
        return search(asked)

    monkeypatch.setattr(backend, "search", fail_semantic)
    page = open_page("?q=usb")
    await_results(page)
    expect(column(page, "Semantic")).to_contain_text("The service failed on this request.")
    expect(column(page, "Hybrid").locator(".card")).to_have_count(3)
    expect(column(page, "Lexical").locator(".card").first.locator(".mark")).to_have_text(["Hybrid 1"])


def test_a_service_that_is_gone_is_told(open_page):
    page = open_page("?q=usb")
    await_results(page)
    page.context.set_offline(True)
    search_for(page, "mouse")
    expect(page.get_by_role("alert")).to_contain_text("The service does not answer.")


def test_the_slash_key_leads_to_the_box(open_page):
    page = open_page("?q=usb")
    await_results(page)
    page.keyboard.press("/")
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    page.keyboard.type("a/b")
    expect(box).to_have_value("a/b")


def test_an_example_is_one_click_away(open_page, backend):
    page = open_page()
    page.get_by_role("link", name="a & b = c?").click()
    await_results(page)
    expect(page.get_by_role("searchbox")).to_have_value("a & b = c?")
    assert {asked.query for asked in backend.asked} == {"a & b = c?"}
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("a & b = c?")


def test_a_phone_needs_no_sideways_scroll(open_page):
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    expect(page.get_by_role("link", name="usb hub")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    search_for(page, "usb")
    await_results(page)
    for mode in ("Lexical", "Semantic", "Hybrid"):
        page.get_by_role("button", name=mode, exact=True).tap()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_phone_shows_one_column_and_switches(open_page):
    page = open_page("?q=usb", viewport=PHONE, has_touch=True, is_mobile=True)
    await_results(page)
    expect(page.locator(".column:visible h2")).to_have_text(["Hybrid"])
    page.get_by_role("button", name="Lexical", exact=True).tap()
    expect(page.locator(".column:visible h2")).to_have_text(["Lexical"])
    expect(page.get_by_role("button", name="Lexical", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Rank 2 in Semantic").tap()
    expect(page.locator(".column:visible h2")).to_have_text(["Semantic"])


def test_text_can_be_told_from_its_ground_in_both_schemes(open_page):
    page = open_page()
    expect(page.get_by_role("link", name="usb hub")).to_be_visible()
    for query in (None, "usb", " "):
        if query:
            search_for(page, query)
            expect(page.get_by_role("alert") if query.isspace() else page.locator(".only").first).to_be_visible()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert page.evaluate(WEAK_CONTRASTS) == []


def test_a_backend_of_two_unnamed_modes_gets_two_columns(browser, backend):
    class Backend(type(backend)):
        def search(self, request):
            return LiveAnswer(hits=[], mode=request.mode, version="v2")

    app = create_app(Backend(modes=("alpha", "beta"), default_mode="alpha"), info={})
    with run_in_background(app) as address:
        page = browser.new_page(viewport=DESKTOP)
        page.goto(address + "?q=usb")
        expect(page.get_by_role("status")).to_have_text("0 alpha, 0 beta results. 0 of 0 products are in both columns.")
        assert page.get_by_role("heading", level=2).all_inner_texts() == ["Alpha", "Beta"]
        page.close()


# Contrast of every visible text with the nearest opaque ground behind it, by the formula of WCAG 2.2, at least 4.5.
WEAK_CONTRASTS = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = channels(colour).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((channels(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const weak = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility()) continue;
    const [dim, bright] = [luminance(getComputedStyle(node).color), luminance(ground(node))].sort((a, b) => a - b);
    const contrast = (bright + 0.05) / (dim + 0.05);
    if (contrast < 4.5) weak.push(`${walker.currentNode.data.trim()}: ${contrast.toFixed(2)}`);
  }
  return weak;
}"""


def rows_of(card):
    return [row.locator("th, td").all_text_contents() for row in card.locator(".why tr").all()]


def test_scores_are_explained_where_that_is_asked_for(open_page):
    page = open_page("?q=usb")
    await_results(page)
    expect(page.locator(".why")).to_have_count(0)
    page.get_by_label("Explain scores").check()
    expect(page).to_have_url(re.compile(r"\?q=usb&explain=1$"))
    expect(page.locator(".why")).to_have_count(7)
    expect(column(page, "Lexical").locator(".why")).to_have_count(0)
    parts = [["Semantic score", "0.400"], ["Words", "", "+0.500"], ["Past", "", "−0.100"]]
    assert rows_of(column(page, "Semantic").locator(".card").first) == parts
    second = column(page, "Hybrid").locator(".card").nth(1)
    sides = [["Score", "0.500"], ["Lexical", "", "not found+0.000"], ["Semantic", "", "rank 2+0.400"]]
    assert rows_of(second) == [*sides, *parts]
    words, past = (bar.bounding_box()["width"] for bar in second.locator("tbody").nth(1).locator(".bar").all())
    assert past == pytest.approx(words / 5, abs=1)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert page.evaluate(WEAK_CONTRASTS) == []
    page.get_by_label("Explain scores").uncheck()
    expect(page.locator(".why")).to_have_count(0)
    assert page.complaints == []


def test_who_searches_stands_in_the_address_and_reaches_the_search(open_page, backend):
    page = open_page("?q=usb&user=u17")
    await_results(page)
    page.get_by_label("From").fill(" de ")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?q=usb&user=u17&location=de$"))
    await_results(page)
    assert [backend.asked[0].shopper, backend.asked[-1].shopper] == [Shopper("u17"), Shopper("u17", location="de")]
    page.go_back()
    expect(page.get_by_label("From")).to_have_value("")
    expect(page.get_by_label("User")).to_have_value("u17")


def test_filters_stand_beside_the_results_and_in_the_address(open_page, backend):
    page = open_page("?q=usb")
    await_results(page)
    page.get_by_label("Northwind").check()
    expect(page).to_have_url(re.compile(r"\?q=usb&brand=Northwind$"))
    expect(column(page, "Semantic").locator(".card")).to_have_count(1)
    assert {asked.where.brands for asked in backend.asked[-3:]} == {("Northwind",)}
    assert sorted(len(asked.facets) for asked in backend.asked[-3:]) == [0, 0, 5]
    expect(page.locator("#filter-count")).to_have_text("1")
    page.get_by_label("Highest price").fill("10")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?q=usb&brand=Northwind&max=10$"))
    expect(page.get_by_text("No product matches.")).to_have_count(3)
    expect(page.get_by_label("Northwind")).to_be_checked()
    page.go_back()
    expect(page.get_by_label("Highest price")).to_have_value("")
    expect(column(page, "Semantic").locator(".card")).to_have_count(1)
    page.get_by_role("button", name="Clear all").click()
    expect(page).to_have_url(re.compile(r"\?q=usb$"))
    expect(column(page, "Semantic").locator(".card")).to_have_count(4)
    assert page.complaints == []


def test_a_category_is_entered_and_left_step_by_step(open_page, backend):
    page = open_page("?q=usb&category=Computers")
    await_results(page)
    page.get_by_role("button", name="Docks 1").click()
    expect(page).to_have_url(re.compile(r"category=Computers\+%3E\+Docks$"))
    await_results(page)
    assert backend.asked[-1].where.category == ("Computers", "Docks")
    expect(page.get_by_role("button", name="Docks", pressed=True)).to_be_visible()
    page.get_by_role("button", name="Computers", pressed=True).click()
    expect(page).to_have_url(re.compile(r"\?q=usb$"))


def test_the_order_is_asked_for(open_page, backend):
    page = open_page("?q=usb")
    await_results(page)
    page.get_by_label("Order").select_option("cheapest")
    expect(page).to_have_url(re.compile(r"\?q=usb&sort=price_asc$"))
    await_results(page)
    assert backend.asked[-1].sort == "price_asc"


def test_markup_in_a_facet_stays_text(open_page):
    page = open_page("?q=usb")
    await_results(page)
    expect(page.locator("#facets").get_by_text("<i>x</i>")).to_be_visible()
    assert page.locator("#facets i").count() == 0


def test_a_product_that_is_put_meanwhile_is_announced_and_found(open_page, service):
    page = open_page("?q=usb")
    await_results(page)
    expect(page.locator("#catalogue")).to_have_text("Six things · 6 products")
    expect(page.get_by_role("button", name="The shop has changed")).to_have_count(0)
    answer = page.request.put(service + "v1/products/lamp", data={"title": "A lamp by USB"})
    assert answer.status == 200
    page.get_by_role("button", name="The shop has changed. Search again").click()
    expect(column(page, "Hybrid").get_by_role("heading", name="A lamp by USB")).to_be_visible()
    expect(page.locator("#catalogue")).to_have_text("Six things · 7 products")
    expect(page.get_by_role("button", name="The shop has changed")).to_have_count(0)
    assert page.complaints == []


def test_a_phone_folds_the_filters_away(open_page):
    page = open_page("?q=usb", viewport=PHONE, has_touch=True, is_mobile=True)
    await_results(page)
    expect(page.get_by_label("Northwind")).not_to_be_visible()
    page.locator("summary").tap()
    page.get_by_label("Northwind").tap()
    expect(page).to_have_url(re.compile(r"brand=Northwind$"))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_page_asks_for_the_key_where_the_service_does(browser, backend):
    key = "a-key-of-many-characters"
    app = create_app(backend, info={"name": "Guarded"}, settings=ServiceSettings(keys=KeyRing.of(key)))
    with run_in_background(app) as address:
        page = browser.new_page(viewport=DESKTOP)
        page.goto(address + "?q=usb")
        expect(page.get_by_role("heading", name="This service asks for a key")).to_be_visible()
        expect(page.locator(".card")).to_have_count(0)
        page.get_by_label("Key", exact=True).fill(key)
        page.get_by_role("button", name="Use it").click()
        await_results(page)
        expect(column(page, "Hybrid").locator(".card")).to_have_count(3)
        assert key not in page.url
        page.close()
