import datetime

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.ranking import Ranking
from aisle.pipelines.propensities import examination_of, read_pages
from aisle.tables import write_parquet
from aisle.workspace import Workspace

IDS = pa.array(["a", "b", "c"])
AT = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def log(tmp_path):
    """Write tables of a log, as they are."""

    def write(**tables):
        workspace = Workspace.open(tmp_path, create=True)
        for name, columns in tables.items():
            workspace.run_step(
                name,
                lambda folder, name=name, columns=columns: write_parquet(pa.table(columns), folder / f"{name}.parquet"),
                config={},
            )
        return workspace

    return write


PAGES = {
    "search_id": ["q1", "q1", "q1", "q2", "q9", "q2"],
    "product_id": ["a", "b", "a", "c", "a", "gone"],
    "position": [3, 2, 1, 1, 1, 2],
}


def test_what_each_search_showed(log):
    pages = read_pages(
        log(impressions={**PAGES, "propensity": [0.5, 1, 0.25, None, 1, 1]}), pa.array(["q1", "q2"]), IDS
    )
    place = pages.place_of(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 2, 0]))
    assert (place >= 0).tolist() == [True, True, False, True, False]
    # a stands twice on the first page: its better place counts.
    assert pages.position[place[[0, 1, 3]]].tolist() == [1, 2, 1]
    np.testing.assert_array_equal(pages.propensity[place[[0, 1, 3]]], [0.25, 1, np.nan])


def test_coverage_is_the_share_of_the_first_products_that_the_page_showed(log):
    pages = read_pages(log(impressions=PAGES), pa.array(["q1", "q2"]), IDS)
    ranking = Ranking(np.array([[2, 0, 1], [2, -1, -1]]), np.zeros((2, 3), np.float32))
    assert pages.coverage(ranking, k=2) == pytest.approx(2 / 3)
    assert pages.coverage(ranking, k=3) == pytest.approx(3 / 4)
    assert np.isnan(pages.coverage(Ranking(np.full((2, 1), -1), np.zeros((2, 1), np.float32)), k=1))
    assert np.isnan(pages.propensity).all()


def test_searches_that_showed_nothing(log):
    pages = read_pages(log(impressions=PAGES), pa.array(["q5"]), IDS)
    assert pages.place_of(np.array([0]), np.array([0])).tolist() == [-1]


def test_examination_is_what_clicks_on_the_same_product_differ_by(log):
    # The same product for the same query at places 1 and 2: clicked 4 of 4 times above, 2 of 4 below.
    names = [f"q{number}" for number in range(8)]
    clicked = [AT] * 6 + [None] * 2
    shown = {"search_id": names, "product_id": ["a"] * 8, "position": [1] * 4 + [2] * 4, "clicked_at": clicked}
    searches = {"search_id": names, "query": ["lamp"] * 8}
    assert examination_of(log(impressions=shown, searches=searches)).tolist() == [1.0, 0.5]


@pytest.mark.parametrize("clicks", [{}, {"clicked_at": pa.nulls(6, pa.timestamp("us", "UTC"))}])
def test_a_log_without_clicks_or_pairs_tells_of_no_place(log, clicks):
    workspace = log(impressions={**PAGES, **clicks}, searches={"search_id": ["q1", "q2"], "query": ["x", "y"]})
    assert examination_of(workspace).tolist() == [1.0]
