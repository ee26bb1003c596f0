"""One HTML page, without scripts, that shows how a pre-training went."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from aisle.core.charts import Series, line_chart
from aisle.core.config import config_to_dict
from aisle.core.page import figure, html_page
from aisle.reporting.pretrained import Pretrained
from aisle.reporting.training_page import by_name, plain, table

__all__ = ["pretraining_page"]

_LOSS = "loss_"


def pretraining_page(told: Pretrained) -> str:
    """Return the page: curves of losses and held-out measures, then data, figures and settings."""
    charts = "\n".join(figure(*chart) for chart in _charts(told))
    settings = [(name, plain(value)) for name, value in config_to_dict(told.pretrain).items()]
    body = f"""<h1>How the text encoder was pre-trained</h1>
<p>{escape(_objectives(told))}</p>
<div class="charts">
{charts}
</div>
<h2>What came of it</h2>
{table(told.figures())}
<h2>What was learnt from</h2>
{table(told.sources())}
<h2>Settings</h2>
{table(settings)}"""
    return html_page("A pre-training", body)


def _objectives(told: Pretrained) -> str:
    words = {
        "masked": "guess hidden tokens",
        "contrastive": f"tell what belongs together ({told.pairs_from})",
        "sequence": "write the queries that led to purchases",
    }
    on = [f"{words[name]} × {weight:g}" for name, weight in told.pretrain.weights.items() if weight]
    return f"Learnt to {'; '.join(on)}."


def _charts(told: Pretrained) -> Iterator[tuple[str, str, str]]:
    result = told.result
    if result.loss_curve:
        points = tuple((float(step), loss) for step, loss in result.loss_curve)
        caption = "Mean over the steps up to each point, all objectives together, by weight."
        yield "Loss", line_chart([Series("loss", points)], x_label="step", y_label="nats"), caption
    losses = by_name(result.history, [name for row in result.history for name in row if name.startswith(_LOSS)])
    if losses:
        caption = "Mean since the validation before, each before its weight."
        yield "Loss by objective", line_chart(losses, x_label="step", y_label="nats"), caption
    svg = line_chart(
        by_name(result.history, result.measures),
        x_label="step",
        y_label="held out",
        percent=True,
        legend_at="bottom",
    )
    yield "Held out", svg, f"Weights of step {result.best_step:,} were kept: the highest mean of these."
