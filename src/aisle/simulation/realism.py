"""How lifelike a log is: its click-through, conversion, sessions and queries beside published figures."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from pydantic import TypeAdapter

from aisle.core.errors import SourceError
from aisle.simulation.query_shape import QueryShape, query_shape

__all__ = ["Comparison", "Funnel", "LogFigures", "Published", "compare", "load_published", "measure_log"]

_MEMORY_LIMIT = "3GB"
_POSITIONS = 24
_RANKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)


@dataclass(frozen=True)
class LogFigures:
    """What a log looks like. Shares lie between 0 and 1; one whose denominator is 0 is 0."""

    searches: int
    impressions: int
    shown_by_position: tuple[int, ...]
    """Impressions at positions 1, 2, … 24."""
    clicks_by_position: tuple[int, ...]
    searches_with_click: float
    """Share of the searches."""
    searches_with_order: float
    """Share of the searches."""
    stages: Mapping[str, int]
    """Impressions by the furthest stage that they reached."""
    click_share_first: float
    """Share of the clicks that fell on position 1."""
    click_share_second: float
    carts_per_click: float
    orders_per_cart: float
    """Share of the impressions in a cart that were ordered."""
    orders_per_click: float
    orders_per_search_session: float
    """Share of the sessions with a search in which a product that a search had shown was ordered."""
    one_search_sessions: float
    """Share of the sessions with a search that have only one."""
    reworded_sessions: float
    """Share of the sessions with a search that have two distinct queries or more."""
    anonymous_share: float
    """Share of the searches by actors that are known for one session only."""
    searchless_days: float
    """Share of (actor, day) pairs with any trace that have no search."""
    distinct_queries: int
    queries_seen_once: float
    """Share of the distinct queries."""
    head_queries: int
    """Distinct queries that make the first third of the searches, the most frequent first."""
    zipf_slope: float
    """Slope of log frequency over log rank, over the first thousand ranks; Zipf's law has -1."""
    frequency_by_rank: tuple[tuple[int, int], ...]
    """(rank, searches) at ranks 1, 2, 5, 10, 20 …"""
    events: Mapping[str, int]
    """Events outside of searches, by action."""
    shape: QueryShape
    """Of the distinct queries."""


@dataclass(frozen=True)
class PublishedFigure:
    """One published number."""

    measure: str
    value: float
    source: str
    note: str


@dataclass(frozen=True)
class Funnel:
    """How clicks went on, in one data set."""

    source: str
    carts_per_click: float
    orders_per_click: float


@dataclass(frozen=True)
class _ClicksByPosition:
    source: str
    shares: tuple[float, ...]


@dataclass(frozen=True)
class _RealQueries(QueryShape):
    source: str


@dataclass(frozen=True)
class Published:
    """Everything that logs are held against."""

    figures: tuple[PublishedFigure, ...]
    clicks_by_position: _ClicksByPosition
    funnels: tuple[Funnel, ...]
    esci: _RealQueries


@dataclass(frozen=True)
class Comparison:
    """One line of the table: ours, and one published figure or none."""

    measure: str
    simulated: float
    published: float | None
    source: str
    note: str


@lru_cache(maxsize=1)
def load_published() -> Published:
    """Read the packaged published figures."""
    content = tomllib.loads((files("aisle.simulation") / "data" / "published.toml").read_text(encoding="utf-8"))
    return TypeAdapter(Published).validate_python(content)


def measure_log(*, searches: Path, impressions: Path, events: Path) -> LogFigures:
    """Measure a log in the data contract's Parquet files; DuckDB reads them in 3 GB at most.

    Raises:
        SourceError: If a file is missing or lacks a column, or there is no search.
    """
    with TemporaryDirectory(prefix="aisle-realism-") as folder:
        connection = duckdb.connect(config={"memory_limit": _MEMORY_LIMIT, "temp_directory": folder})
        try:
            connection.execute("SET TimeZone = 'UTC'")
            for name, path in {"searches": searches, "impressions": impressions, "events": events}.items():
                connection.read_parquet(str(path)).create_view(name)
            return _measure(connection)
        except duckdb.Error as error:
            raise SourceError(
                "A log must be Parquet files of searches, impressions and events after the data contract",
                received={"reason": str(error).splitlines()[0]},
                remedy="Simulate or import it again.",
            ) from error
        finally:
            connection.close()


def _measure(connection: duckdb.DuckDBPyConnection) -> LogFigures:
    queries = connection.sql("SELECT DISTINCT query FROM searches").to_arrow_table().column("query").combine_chunks()
    shape = query_shape(queries)
    connection.execute(_script("reached"))
    positions = connection.sql(_script("positions"), params={"most": _POSITIONS}).fetchall()
    by_position = {position: (shown, clicks) for position, shown, clicks in positions}
    shown, clicks = zip(*(by_position.get(one, (0, 0)) for one in range(1, _POSITIONS + 1)), strict=True)
    stages = dict(connection.sql(_script("stages")).fetchall())
    frequencies = _row(connection, "frequencies")
    ranks = connection.sql(_script("ranks"), params={"ranks": list(_RANKS)}).fetchall()
    funnel, sessions = _row(connection, "funnel"), _row(connection, "sessions")
    return LogFigures(
        shown_by_position=tuple(shown),
        clicks_by_position=tuple(clicks),
        stages={stage: stages.get(stage, 0) for stage in ("shown", "clicked", "favorited", "carted", "ordered")},
        frequency_by_rank=tuple((rank, count) for rank, count in ranks),
        events=dict(connection.sql("SELECT action, count(*) FROM events GROUP BY ALL ORDER BY action").fetchall()),
        shape=shape,
        **funnel,
        **sessions,
        **frequencies,
    )


def _script(name: str) -> str:
    return (files("aisle.simulation") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def _row(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, Any]:
    """Return the only row of a query by column; an undefined share is 0."""
    result = connection.sql(_script(name))
    [values] = result.fetchall()
    return {column: 0 if value is None else value for column, value in zip(result.columns, values, strict=True)}


def compare(figures: LogFigures) -> list[Comparison]:
    """Put a log's figures beside the published ones, one line for each; those that nobody published stand alone."""
    published = load_published()
    lines = [
        Comparison(one.measure, getattr(figures, one.measure), one.value, one.source, one.note)
        for one in published.figures
    ]
    alone = ("searches_with_click", "searches_with_order", "reworded_sessions", "searchless_days", "zipf_slope")
    lines += [Comparison(measure, getattr(figures, measure), None, "", "") for measure in alone]
    esci, ours = published.esci, figures.shape
    note = f"{esci.num_queries:,} distinct queries; ours: {ours.num_queries:,}"
    pairs: dict[str, tuple[float, float]] = {
        "words_per_query": (ours.mean_words, esci.mean_words),
        "characters_median": (ours.character_quantiles[2], esci.character_quantiles[2]),
        "characters_90_percent": (ours.character_quantiles[4], esci.character_quantiles[4]),
        "distinct_words": (ours.distinct_words, esci.distinct_words),
        "words_seen_once": (ours.words_seen_once, esci.words_seen_once),
        "queries_with_digit": (ours.with_digit, esci.with_digit),
    }
    return lines + [Comparison(measure, *values, esci.source, note) for measure, values in pairs.items()]
