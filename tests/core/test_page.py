from aisle.core.page import figure, html_page


def test_a_page_stands_alone_and_fits_a_phone():
    page = html_page("a <b> page", "<p>body</p>")
    assert "<title>a &lt;b&gt; page</title>" in page
    assert "<p>body</p>" in page
    assert 'content="width=device-width, initial-scale=1"' in page
    assert "http" not in page
    assert "<script" not in page


def test_words_of_a_figure_are_escaped_and_its_drawing_is_not():
    assert figure("a & b", "<svg></svg>", "<i>") == (
        "<figure><h2>a &amp; b</h2>\n<svg></svg>\n<figcaption>&lt;i&gt;</figcaption></figure>"
    )
