import base64
import hashlib
import re

import pytest

from aisle.core.page import figure, html_page


def test_a_page_stands_alone_and_fits_a_phone():
    page = html_page("a <b> page", "<p>body</p>")
    assert "<title>a &lt;b&gt; page</title>" in page
    assert "<p>body</p>" in page
    assert 'content="width=device-width, initial-scale=1"' in page
    assert "://" not in page
    assert "<script" not in page


def test_words_of_a_figure_are_escaped_and_its_drawing_is_not():
    assert figure("a & b", "<svg></svg>", "<i>") == (
        "<figure><h2>a &amp; b</h2>\n<svg></svg>\n<figcaption>&lt;i&gt;</figcaption></figure>"
    )


def test_a_heading_has_its_level():
    assert figure("a", "", "", level=3).startswith("<figure><h3>a</h3>")


def test_the_policy_allows_the_one_style_alone():
    page = html_page("t", "", style="p { color: red; }")
    css = re.search(r"<style>(.*)</style>", page, flags=re.DOTALL).group(1)
    assert css.endswith("p { color: red; }")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_words_can_be_read_on_their_ground(theme):
    roots = re.findall(r":root \{(.*?)\}", html_page("t", ""), flags=re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w{6})", roots[theme]))
    paper = luminance(colours["paper"])
    for name in ("ink", "soft", "s0", "s1", "s2", "s3", "s4"):
        light, dark = sorted((luminance(colours[name]), paper), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, name
