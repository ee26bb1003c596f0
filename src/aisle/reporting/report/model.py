"""The trained model: how its training went, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from aisle.core.page import figure
from aisle.reporting.report.section import Made, Section, paragraph, table
from aisle.reporting.trained import Trained
from aisle.reporting.training_page import training_charts

__all__ = ["model_section"]


def model_section(trained: Trained | None, *, made: Sequence[Made], problem: str = "") -> Section:
    """Tell of the model.

    Args:
        trained: The training; None where there is no model, or none that can be read.
        made: Where it comes from.
        problem: Why a model that is there cannot be read.
    """
    key, title = "model", "Model and training"
    if trained is None:
        return Section(key, title, missing=problem or "No model was trained.", command="aisle train", made=tuple(made))
    charts = "\n".join(figure(*chart, level=3) for chart in training_charts(trained))
    # The hash of the data stands in the section's last line, and is wider than a phone.
    sources = [(name, value) for name, value in trained.sources() if value != trained.data_hash]
    body = f"""{paragraph(f"Parts: {trained.parts()}.")}
<div class="charts">
{charts}
</div>
{table(("what", "value"), trained.figures(), caption="What came of it", numbers_from=2)}
{table(("what", "value"), sources, caption="What was learnt from", numbers_from=2)}"""
    result = trained.result
    finding = (
        f"The model has {trained.parameters:,} parameters and was trained in {result.minutes:.1f} minutes on "
        f"{trained.learnt_from['pairs']:,} pairs; on validation queries it finds "
        f"{', '.join(f'{name} {value:.3f}' for name, value in result.measures.items())}."
    )
    return Section(key, title, body, findings=(finding,), made=tuple(made))
