"""A few test queries with what each system shows: to get a feeling for the figures, which they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from aisle.reporting.report.section import Made, Section, paragraph

__all__ = ["Example", "Shown", "examples_section"]

_TOLD = (
    "Drawn by a fixed rule among the test queries of each band, not chosen. They show what the figures are made of; "
    "whoever tunes by them tunes on the test."
)


@dataclass(frozen=True)
class Shown:
    """One product of an answer."""

    title: str
    is_wanted: bool


@dataclass(frozen=True)
class Example:
    """A test query with its answers.

    Attributes:
        query: Its text.
        band: Slice that it stands for; empty where there is none.
        wanted: Titles of what was to be found.
        answers: System → its first products.
        places: System → place of the first product that was to be found; None where it is not among the retrieved.
    """

    query: str
    band: str
    wanted: tuple[str, ...]
    answers: Mapping[str, Sequence[Shown]]
    places: Mapping[str, int | None]


def examples_section(
    examples: Sequence[Example],
    *,
    labelled: str,
    made: Sequence[Made],
    is_simulated: bool,
    problem: str = "",
    command: str = "aisle index",
) -> Section:
    """Show examples.

    Args:
        examples: In the order of their bands.
        labelled: In words, what was to be found.
        made: What answered.
        is_simulated: Whether queries and products are simulated.
        problem: Why there can be none; empty where there can.
        command: What mends the problem.
    """
    key, title = "examples", "Examples"
    if problem:
        return Section(key, title, missing=problem, command=command)
    if not examples:
        return Section(key, title, missing="No example was asked for.", command="aisle report --examples 2")
    simulated = " (simulated)" if is_simulated else ""
    told = paragraph(f"{_TOLD} A tick marks what was to be found: {labelled}{simulated}.")
    body = "\n".join([told, *map(_example, examples)])
    return Section(key, title, body, made=tuple(made), is_simulated=is_simulated)


def _example(one: Example) -> str:
    band = f' <span class="band">{escape(one.band)}</span>' if one.band else ""
    wanted = "; ".join(f"“{escape(title)}”" for title in one.wanted)
    columns = "\n".join(_answer(name, shown, one.places[name]) for name, shown in one.answers.items())
    return f"""<article class="example"><h3>“{escape(one.query)}”{band}</h3>
<p>To be found: {wanted}.</p>
<div class="answers">
{columns}
</div></article>"""


def _answer(name: str, shown: Sequence[Shown], place: int | None) -> str:
    lines = "\n".join(_line(product) for product in shown) or "<li>nothing</li>"
    told = "not retrieved" if place is None else f"first found at place {place:,}"
    return f"<div><h4>{escape(name)} <small>{told}</small></h4>\n<ol>\n{lines}\n</ol></div>"


def _line(product: Shown) -> str:
    tick = ' <b class="tick-mark">✓<span class="unseen"> to be found</span></b>' if product.is_wanted else ""
    return f"<li>{escape(product.title)}{tick}</li>"
