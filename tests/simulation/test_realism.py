from dataclasses import fields

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import SourceError
from aisle.simulation.clock import NEVER, SECONDS_PER_DAY, timestamps
from aisle.simulation.realism import LogFigures, compare, load_published, measure_log

DAY = SECONDS_PER_DAY


@pytest.fixture
def write(tmp_path):
    """Write a small log: searches as (id, query, session, user, day); impressions as (search, position, furthest)."""

    def write_log(searches, impressions, events=()):
        ids, queries, sessions, users, days = zip(*searches, strict=True)
        log = {
            "searches": {
                "search_id": pa.array(ids),
                "query": pa.array(queries),
                "searched_at": timestamps(np.array(days) * DAY),
                "user_id": pa.array(users, pa.string()),
                "client_id": pa.nulls(len(ids), pa.string()),
                "session_id": pa.array(sessions, pa.string()),
            },
            "impressions": {
                "search_id": pa.array([row[0] for row in impressions], pa.string()),
                "product_id": pa.array([f"p{number}" for number in range(len(impressions))], pa.string()),
                "position": pa.array([row[1] for row in impressions], pa.int32()),
                **{
                    name: timestamps(np.array([0 if stage in row[2] else NEVER for row in impressions], dtype=np.int64))
                    for stage, name in [
                        ("c", "clicked_at"),
                        ("f", "favorited_at"),
                        ("b", "carted_at"),
                        ("o", "ordered_at"),
                    ]
                },
            },
            "events": {
                "actor_id": pa.array([row[0] for row in events], pa.string()),
                "at": timestamps(np.array([row[1] for row in events], dtype=np.int64) * DAY),
                "action": pa.array([row[2] for row in events], pa.string()),
            },
        }
        for name, columns in log.items():
            pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
        return {name: tmp_path / f"{name}.parquet" for name in log}

    return write_log


@pytest.fixture
def figures(write):
    return measure_log(
        **write(
            searches=[
                ("q1", "sofa", "v1", "u1", 0),
                ("q2", "red sofa", "v1", "u1", 0),
                ("q3", "sofa", "v2", None, 0),
                ("q4", "lamp", "v3", "u1", 5),
            ],
            impressions=[
                ("q1", 1, "c"),
                ("q1", 2, ""),
                ("q2", 1, "cbo"),
                ("q2", 2, "cf"),
                ("q3", 1, ""),
                ("q3", 2, "cb"),
            ],
            events=[("u1", 0, "view"), ("u1", 1, "view"), ("u9", 1, "order")],
        )
    )


def test_counts_and_stages(figures):
    assert (figures.searches, figures.impressions) == (4, 6)
    assert figures.shown_by_position[:3] == (3, 3, 0)
    assert figures.clicks_by_position[:3] == (2, 2, 0)
    assert figures.stages == {"shown": 2, "clicked": 1, "favorited": 1, "carted": 1, "ordered": 1}
    assert figures.events == {"order": 1, "view": 2}


def test_shares_by_hand(figures):
    assert figures.searches_with_click == 0.75  # q4 has no page
    assert figures.searches_with_order == 0.25
    assert figures.click_share_first == figures.click_share_second == 0.5
    assert figures.carts_per_click == 0.5
    assert figures.orders_per_cart == 0.5
    assert figures.orders_per_click == 0.25


def test_sessions_and_actors_by_hand(figures):
    assert figures.orders_per_search_session == pytest.approx(1 / 3)
    assert figures.one_search_sessions == pytest.approx(2 / 3)
    assert figures.reworded_sessions == pytest.approx(1 / 3)
    assert figures.anonymous_share == 0.25
    # Days: u1 on 0, 1 and 5, v2 on 0, u9 on 1; two of them have events only.
    assert figures.searchless_days == pytest.approx(2 / 5)


def test_frequencies_by_hand(figures):
    assert figures.distinct_queries == 3
    assert figures.queries_seen_once == pytest.approx(2 / 3)
    assert figures.head_queries == 1
    assert figures.frequency_by_rank == ((1, 2), (2, 1))
    assert figures.zipf_slope == pytest.approx(-0.665, abs=0.01)
    assert figures.shape.mean_words == pytest.approx(4 / 3, abs=0.001)


def test_searches_without_a_session_are_sessions_of_their_own(write):
    searches = [
        ("q1", "a", None, "u1", 0),
        ("q2", "b", None, "u1", 0),
        ("q3", "b", "v", "u1", 0),
        ("q4", "b", "v", "u1", 0),
    ]
    figures = measure_log(**write(searches, []))
    assert figures.one_search_sessions == pytest.approx(2 / 3)
    assert figures.reworded_sessions == 0
    assert figures.impressions == figures.carts_per_click == figures.click_share_first == 0


def test_zipfs_law_has_slope_minus_one(write):
    queries = [f"w{rank}" for rank in range(1, 60) for _ in range(round(600 / rank))]
    searches = [(f"q{number}", query, f"v{number}", None, 0) for number, query in enumerate(queries)]
    assert measure_log(**write(searches, [])).zipf_slope == pytest.approx(-1, abs=0.02)


def test_a_log_without_searches_is_refused(write):
    paths = write([("q1", "a", "v", None, 0)], [])
    pq.write_table(pq.read_table(paths["searches"]).slice(0, 0), paths["searches"])
    with pytest.raises(SourceError, match="There must be queries"):
        measure_log(**paths)


def test_a_missing_file_is_told(write, tmp_path):
    paths = write([("q1", "a", "v", None, 0)], [])
    with pytest.raises(SourceError, match="A log must be Parquet files"):
        measure_log(**{**paths, "events": tmp_path / "absent.parquet"})


def test_every_published_figure_is_one_of_ours_and_names_its_source():
    names = {field.name for field in fields(LogFigures)}
    published = load_published()
    for one in published.figures:
        assert one.measure in names
        assert one.source
        assert 0 < one.value < 1
    assert sum(published.clicks_by_position.shares) <= 1
    assert sum(published.esci.words) == pytest.approx(1, abs=0.001)


def test_the_comparison_has_a_line_for_every_published_figure_and_some_of_our_own(figures):
    lines = compare(figures)
    published = [(line.measure, line.published) for line in lines if line.source]
    assert [(one.measure, one.value) for one in load_published().figures] == published[: len(load_published().figures)]
    ours = {line.measure: line.simulated for line in lines}
    assert ours["searches_with_click"] == 0.75
    assert ours["words_per_query"] == figures.shape.mean_words
    assert {line.measure for line in lines if line.published is None} >= {"zipf_slope", "reworded_sessions"}
