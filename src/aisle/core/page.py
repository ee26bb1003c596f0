"""The frame of a report: one HTML file without scripts or links, readable on a phone, light and dark."""

from __future__ import annotations

import base64
import hashlib
from html import escape

__all__ = ["figure", "html_page"]

_STYLE = """
:root { --ink: #1d2733; --soft: #5d6875; --line: #e3e7ec; --paper: #ffffff; --s0: #2767d2; --s1: #b0540a;
  --s2: #1c7a53; --s3: #9440b4; --s4: #b03a48; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --soft: #98a3b0; --line: #2e3741; --paper: #151a20; --s0: #6ea4ff; --s1: #ffa857;
    --s2: #5ccb9c; --s3: #d08cf0; --s4: #f08a96; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 1120px; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } p, figcaption { color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 1.5rem;
  margin: 1.5rem 0; }
figure { margin: 0; min-width: 0; } figcaption { font-size: .85rem; } svg { width: 100%; height: auto; }
h2 { font-size: 1rem; margin: 0 0 .3rem; } table + h2 { margin-top: 1.5rem; }
.grid { stroke: var(--line); } .tick, .label { font-size: 11px; fill: var(--soft); }
.legend { font-size: 12px; font-weight: 600; }
.line { fill: none; stroke-width: 2; } .line.s0, .dot.s0 { stroke: var(--s0); } .line.s1, .dot.s1 { stroke: var(--s1); }
.line.s2, .dot.s2 { stroke: var(--s2); } .line.s3, .dot.s3 { stroke: var(--s3); }
.line.s4, .dot.s4 { stroke: var(--s4); }
.s0.bar, .s0.dot, .s0.legend { fill: var(--s0); } .s1.bar, .s1.dot, .s1.legend { fill: var(--s1); }
.s2.bar, .s2.dot, .s2.legend { fill: var(--s2); } .s3.bar, .s3.dot, .s3.legend { fill: var(--s3); }
.s4.bar, .s4.dot, .s4.legend { fill: var(--s4); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; } th, td { padding: .3rem .6rem; text-align: left;
  border-bottom: 1px solid var(--line); vertical-align: top; } .number { text-align: right; white-space: nowrap; }
td.source { color: var(--soft); }
@media (max-width: 600px) {
  .tick, .label { font-size: 15px; } .legend { font-size: 16px; } td { overflow-wrap: anywhere; }
  td:first-child { overflow-wrap: normal; }
}
"""


def html_page(title: str, body: str, *, style: str = "") -> str:
    """Return a whole page. Its own policy lets a browser load nothing and run nothing.

    Args:
        title: Plain words.
        body: HTML, escaped by the caller; without style attributes, which the policy forbids.
        style: CSS after that of all pages.
    """
    css = _STYLE + style
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{escape(title)}</title>
<style>{css}</style></head>
<body>
{body}
</body>
</html>
"""


def figure(title: str, svg: str, caption: str, *, level: int = 2) -> str:
    """Return a drawing with plain words above and below it; `level` is that of its heading."""
    heading = f"<h{level}>{escape(title)}</h{level}>"
    return f"<figure>{heading}\n{svg}\n<figcaption>{escape(caption)}</figcaption></figure>"
