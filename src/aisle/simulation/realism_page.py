"""One HTML page, without scripts, that shows a simulated log beside published figures."""

from __future__ import annotations

from html import escape
from pathlib import Path

from aisle.core.charts import Series, bar_chart, line_chart
from aisle.core.page import figure, html_page
from aisle.simulation.query_shape import MOST_WORDS
from aisle.simulation.realism import Comparison, LogFigures, compare, load_published

__all__ = ["write_realism_page"]

_STAGES = ("clicked", "favorited", "carted", "ordered")
_NAMES = {
    "click_share_first": "clicks that fell on position 1",
    "click_share_second": "clicks that fell on position 2",
    "carts_per_click": "clicks that led to a cart",
    "orders_per_cart": "products in a cart that were ordered",
    "orders_per_click": "clicks that led to an order",
    "orders_per_search_session": "sessions with a search that ordered from it",
    "anonymous_share": "searches by actors known for one session only",
    "one_search_sessions": "sessions with a search that have only one",
    "queries_seen_once": "distinct queries that occur once",
    "searches_with_click": "searches with a click",
    "searches_with_order": "searches with an order",
    "reworded_sessions": "sessions with two distinct queries or more",
    "searchless_days": "visits (actor, day) without a search",
    "zipf_slope": "slope of log frequency over log rank",
    "words_per_query": "words per distinct query",
    "characters_median": "characters per distinct query, median",
    "characters_90_percent": "characters per distinct query, 90 %",
    "distinct_words": "distinct words in 5,000 queries",
    "words_seen_once": "of these words, seen once",
    "queries_with_digit": "distinct queries with a digit",
}
_PLAIN = frozenset({"zipf_slope", "words_per_query", "characters_median", "characters_90_percent", "distinct_words"})
"""Measures that are no shares."""


def write_realism_page(figures: LogFigures, file: Path) -> None:
    """Write the page; folders above the file are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_page(figures), encoding="utf-8")


def _page(figures: LogFigures) -> str:
    charts = "\n".join(figure(*chart) for chart in _charts(figures))
    rows = "\n".join(_table_row(line) for line in compare(figures))
    counts = (
        f"{figures.searches:,} searches, {figures.impressions:,} impressions, {figures.distinct_queries:,} distinct "
        f"queries, of which {figures.head_queries:,} make the first third of the searches."
    )
    body = f"""<h1>A simulated log beside published figures</h1>
<p>{escape(counts)} Everything called simulated was generated; what it is held against names its source.</p>
<div class="charts">
{charts}
</div>
<table>
<thead>
<tr><th>measure</th><th class="number">simulated</th><th class="number">published</th><th>source</th></tr>
</thead>
<tbody>
{rows}
</tbody>
</table>"""
    return html_page("A simulated log", body)


def _table_row(line: Comparison) -> str:
    published = "" if line.published is None else _value(line.measure, line.published)
    source = line.source + (f" ({line.note})" if line.note else "")
    return (
        f'<tr><td>{escape(_NAMES[line.measure])}</td><td class="number">{_value(line.measure, line.simulated)}</td>'
        f'<td class="number">{published}</td><td class="source">{escape(source)}</td></tr>'
    )


def _value(measure: str, value: float) -> str:
    if measure not in _PLAIN:
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _charts(figures: LogFigures) -> list[tuple[str, str, str]]:
    """Return title, drawing and caption of each chart."""
    charts = (_click_through, _click_shares, _query_lengths, _frequencies, _funnels, _stage_mix)
    return [chart(figures) for chart in charts]


def _click_through(figures: LogFigures) -> tuple[str, str, str]:
    pairs = zip(figures.clicks_by_position, figures.shown_by_position, strict=True)
    rates = tuple((place, clicks / shown) for place, (clicks, shown) in enumerate(pairs, 1) if shown)
    rates = rates or ((1, 0.0),)
    svg = line_chart([Series("simulated", rates)], x_label="position", y_label="clicks per impression", percent=True)
    return "Click-through by position", svg, "Position bias and ranking together: both let it fall."


def _click_shares(figures: LogFigures) -> tuple[str, str, str]:
    published = load_published().clicks_by_position
    total = max(sum(figures.clicks_by_position), 1)
    ours = [(place, clicks / total) for place, clicks in enumerate(figures.clicks_by_position, 1)]
    theirs = list(enumerate(published.shares, 1))
    svg = line_chart(
        [Series("simulated", tuple(ours)), Series("Wikimedia", tuple(theirs))],
        x_label="position",
        y_label="share of all clicks",
        percent=True,
    )
    caption = f"{published.source}: a text list of mostly known items. A page of product pictures is scanned further."
    return "Where clicks fall", svg, caption


def _query_lengths(figures: LogFigures) -> tuple[str, str, str]:
    esci = load_published().esci
    ours, theirs = tuple(enumerate(figures.shape.words)), tuple(enumerate(esci.words))
    svg = bar_chart(
        [Series("simulated", ours), Series("real (ESCI)", theirs)],
        groups=[*(str(number) for number in range(1, MOST_WORDS)), f"{MOST_WORDS}+"],
        x_label="words",
        y_label="share of distinct queries",
        percent=True,
    )
    return "How long queries are", svg, f"{esci.source}, distinct queries on both sides."


def _frequencies(figures: LogFigures) -> tuple[str, str, str]:
    first = figures.frequency_by_rank[0][1]
    zipf = [(rank, first / rank) for rank, _ in figures.frequency_by_rank if first / rank >= 1]
    svg = line_chart(
        [Series("simulated", figures.frequency_by_rank), Series("Zipf's law", tuple(zipf))],
        x_label="rank of the query",
        y_label="searches",
        is_log=True,
    )
    return "How often queries occur", svg, "Query logs follow Zipf's law (Xie and O'Hallaron, INFOCOM 2002)."


def _funnels(figures: LogFigures) -> tuple[str, str, str]:
    funnels = load_published().funnels
    ours = Series("simulated", ((0, figures.carts_per_click), (1, figures.orders_per_click)))
    theirs = [Series(one.source, ((0, one.carts_per_click), (1, one.orders_per_click))) for one in funnels]
    svg = bar_chart(
        [ours, *theirs], groups=["to a cart", "to an order"], x_label="clicks that led", y_label="share", percent=True
    )
    return "What clicks lead to", svg, "The published sets count every product view, also those that no search led to."


def _stage_mix(figures: LogFigures) -> tuple[str, str, str]:
    reached = max(sum(figures.stages[stage] for stage in _STAGES), 1)
    mix = Series("simulated", tuple((place, figures.stages[stage] / reached) for place, stage in enumerate(_STAGES)))
    y_label = "share of clicked impressions"
    svg = bar_chart([mix], groups=_STAGES, x_label="furthest stage", y_label=y_label, percent=True)
    shown = figures.stages["shown"] / max(figures.impressions, 1)
    return "Stage mix", svg, f"{100 * shown:.1f} % of the impressions were shown and not clicked."
