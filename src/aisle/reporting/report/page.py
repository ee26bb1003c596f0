"""The report's page: what it comes to on top, then section by section, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from aisle.core.page import html_page
from aisle.reporting.report.section import Made, Section

__all__ = ["report_page"]

_DIGITS = 12
_SIMULATED = (
    "This shop is simulated: what it sells, and who searches for what, is generated. Every figure on this page is "
    "simulated, and says what would happen there, not in a shop."
)


def report_page(name: str, sections: Sequence[Section], *, written_at: str, version: str, is_simulated: bool) -> str:
    """Return the page.

    Args:
        name: Name of the workspace.
        sections: In order; those that are missing are named with the command that makes them.
        written_at: When, UTC, ISO 8601.
        version: Version of Aisle that writes it.
        is_simulated: Whether the shop's data are simulated: said in the head.
    """
    heading = f"{name}: report{' on a simulated shop' if is_simulated else ''}"
    warning = f'<p class="simulated" role="note">{escape(_SIMULATED)}</p>' if is_simulated else ""
    body = f"""<header>
<h1>{escape(heading)}</h1>
<p>Written {escape(_time(written_at))} by Aisle {escape(version)} from what the workspace holds.</p>
{warning}
</header>
<nav aria-label="Sections"><ul>
{_links(sections)}
</ul></nav>
<main>
{_summary(sections)}
{_missing(sections)}
{"".join(_section(one) for one in sections if not one.missing)}
</main>
<footer><p>Intervals are 95 % throughout. Figures come from the workspace's artefacts as they were written; nothing was
computed again but the examples.</p></footer>"""
    style = (files("aisle.reporting.report") / "report.css").read_text(encoding="utf-8")
    # A number and its unit stay on one line.
    return html_page(heading, body.replace(" %", "&nbsp;%"), style=style)


def _links(sections: Sequence[Section]) -> str:
    return "\n".join(f'<li><a href="#{one.key}">{escape(one.title)}</a></li>' for one in sections if not one.missing)


def _summary(sections: Sequence[Section]) -> str:
    lines = [
        f'<li>{escape(finding)} <a href="#{one.key}" aria-label="To the section {escape(one.title)}">more</a></li>'
        for one in sections
        for finding in one.findings
        if not one.missing
    ]
    if not lines:
        return ""
    return (
        '<section aria-labelledby="short"><h2 id="short">In short</h2>\n<ul>\n' + "\n".join(lines) + "\n</ul></section>"
    )


def _missing(sections: Sequence[Section]) -> str:
    lines = [
        f"<li><strong>{escape(one.title)}</strong>: {escape(one.missing)} "
        f"Make it with <code>{escape(one.command)}</code>.</li>"
        for one in sections
        if one.missing
    ]
    if not lines:
        return ""
    return (
        '<section aria-labelledby="missing"><h2 id="missing">What is not there</h2>\n<ul>\n'
        + "\n".join(lines)
        + "\n</ul></section>"
    )


def _section(one: Section) -> str:
    made = "\n".join(_made(each) for each in one.made)
    footer = f'<footer class="made"><ul>\n{made}\n</ul></footer>' if one.made else ""
    badge = ' <span class="band">simulated</span>' if one.is_simulated else ""
    return f"""<section aria-labelledby="{one.key}"><h2 id="{one.key}">{escape(one.title)}{badge}</h2>
{one.body}
{footer}
</section>
"""


def _made(one: Made) -> str:
    data = f", data {one.data_hash[:_DIGITS]}" if one.data_hash else ""
    told = f"{_time(one.created_at)}, seed {one.seed}{data}, Aisle {one.version}"
    changed = ""
    if one.changed:
        changed = f' <strong class="changed">Changed since: {escape(", ".join(one.changed))}. Run it again.</strong>'
    names = f"<code>{escape(one.command)}</code> made <code>{escape(one.artefact)}</code>"
    return f"<li>{names}: {escape(told)}.{changed}</li>"


def _time(time: str) -> str:
    """Return a time of ISO 8601 to the minute.

    >>> _time("2025-06-10T12:04:10+00:00")
    '2025-06-10 12:04 UTC'
    """
    return f"{time[:10]} {time[11:16]} UTC"
