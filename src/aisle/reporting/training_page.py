"""One HTML page, without scripts, that shows how a training went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from aisle.core.charts import Series, line_chart
from aisle.core.config import config_to_dict
from aisle.core.page import figure, html_page
from aisle.reporting.trained import Trained
from aisle.training.optimisers import schedule

__all__ = ["by_name", "plain", "table", "training_charts", "training_page"]

_PARTS = ("term", "text", "graph", "context", "history")
_SOURCE = "loss_"
_POINTS = 50


def training_page(trained: Trained) -> str:
    """Return the page: curves of loss, validation and step size, then data, figures and settings."""
    charts = "\n".join(figure(*chart) for chart in training_charts(trained))
    settings = [(name, plain(value)) for name, value in config_to_dict(trained.train).items()]
    body = f"""<h1>How the model was trained</h1>
<p>{escape(trained.parts())}.</p>
<div class="charts">
{charts}
</div>
<h2>What came of it</h2>
{table(trained.figures())}
<h2>What was learnt from</h2>
{table(trained.sources())}
<h2>Settings of the loop</h2>
{table(settings)}"""
    return html_page("A training", body)


def training_charts(trained: Trained) -> Iterator[tuple[str, str, str]]:
    """Yield title, drawing and caption of each chart."""
    result = trained.result
    points = tuple((float(step), loss) for step, loss in result.loss_curve)
    caption = "Mean over the steps up to each point, all sources together, by weight."
    yield "Loss", line_chart([Series("loss", points)], x_label="step", y_label="nats"), caption
    sources = by_name(result.history, [name for row in result.history for name in row if name.startswith(_SOURCE)])
    if sources:
        caption = "Mean since the validation before, each before its weight: sources of other sizes are not comparable."
        yield "Loss by source", line_chart(sources, x_label="step", y_label="nats"), caption
    measures = by_name(result.history, result.measures)
    svg = line_chart(measures, x_label="step", y_label="validation", percent=True, legend_at="bottom")
    yield "Validation", svg, f"Weights of step {result.best_step:,} were kept: the best {result.stop_measure}."
    yield "Step size", _step_size(trained), f"Share of each part's peak. {_peaks(trained)}"


def by_name(history: Sequence[Mapping[str, float]], names: Sequence[str] | Mapping[str, float]) -> list[Series]:
    """Return a line for each name: its value at the step of every row that has one."""
    return [
        Series(name.removeprefix(_SOURCE), tuple((row["step"], row[name]) for row in history if name in row))
        for name in dict.fromkeys(names)
    ]


def _step_size(trained: Trained) -> str:
    planned = trained.result.planned_steps
    steps = sorted({round(number * (planned - 1) / _POINTS) for number in range(_POINTS + 1)})
    share = trained.train.warmup_share
    points = tuple((float(step), schedule(step, planned_steps=planned, warmup_share=share)) for step in steps)
    return line_chart([Series("step size", points)], x_label="step", y_label="of the peak", percent=True)


def _peaks(trained: Trained) -> str:
    peaks = ", ".join(f"{name} {peak:g}" for name, peak in trained.result.learning_rates.items())
    shares = {name: getattr(trained.towers, name).stop_share for name in _PARTS}
    stops = [f"{name} after {share:.0%} of the steps" for name, share in shares.items() if share is not None]
    return f"Peaks: {peaks}." + (f" Stopped: {', '.join(stops)}." if stops else "")


def plain(value: Any) -> str:
    """Write a setting."""
    if value is None:
        return "not set"
    return f"{value:g}" if isinstance(value, float) else str(value)


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Lay out rows of name and value."""
    lines = (f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows)
    return "<table>\n" + "\n".join(lines) + "\n</table>"
