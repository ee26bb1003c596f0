import math

import pytest

from aisle.core.intervals import Mark
from aisle.reporting.report.section import details, mark_of, paragraph, table


def test_a_table_names_its_rows_and_frames_what_is_wide(hostile):
    html = table(("name", hostile), [("a", "1"), (hostile, hostile)], caption=hostile)
    assert hostile not in html
    assert '<th scope="row">a</th><td class="number">1</td>' in html
    assert 'class="frame" tabindex="0" role="region" aria-label="&lt;script&gt;' in html
    assert "<caption>&lt;script&gt;" in html


def test_words_are_not_set_like_numbers():
    html = table(("what", "value", "n"), [("a", "words", "3")], caption="c", numbers_from=2)
    assert '<td>words</td><td class="number">3</td>' in html


@pytest.mark.parametrize("missing", [None, math.nan])
def test_what_is_not_defined_has_no_mark(missing):
    assert mark_of({"value": missing, "low": missing}) == Mark(None, None, None)
    assert mark_of({}) == Mark(None, None, None)


def test_a_mark_takes_the_value_by_its_name():
    values = {"difference": 0.5, "low": 0.25, "high": 1}
    assert mark_of(values, key="difference", series=2, note="p") == Mark(0.5, 0.25, 1.0, series=2, note="p")


def test_words_are_escaped(hostile):
    assert "<script" not in paragraph(hostile) + details(hostile, "")
    assert "<b>" in details("", "<b>")
