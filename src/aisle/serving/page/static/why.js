// What a score is made of, as a small table with bars: both sides of a hybrid, then the parts of the semantic score.

import { element } from "./dom.js";
import { present } from "./modes.js";

const PARTS = { term: "Words", text: "Text", graph: "Neighbours", context: "Context", history: "Past", all: "All parts" };

// The largest amounts of an answer: bars of one column share a scale, so that its results can be compared.
export function scaleOf(hits) {
  const told = hits.map((hit) => hit.explanation).filter(Boolean);
  const largest = (values) => Math.max(Number.EPSILON, ...values.map(Math.abs));
  return {
    side: largest(told.flatMap(({ sides }) => Object.values(sides).map(({ adds }) => adds))),
    part: largest(told.flatMap(({ parts }) => Object.values(parts))),
  };
}

function amount(value) {
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(3);
}

function line({ label, value, scale, tone, note }) {
  const bar = element("span", { class: value < 0 ? "bar takes" : "bar" });
  bar.style.setProperty("--share", String(Math.abs(value) / scale));
  return element(
    "tr",
    { "data-tone": tone },
    element("th", { scope: "row" }, label),
    element("td", { class: "bar-cell", "aria-hidden": "true" }, bar),
    element("td", { class: "amount" }, note && element("span", { class: "place" }, note), amount(value)),
  );
}

export function why(hit, scale) {
  const { explanation } = hit;
  if (!explanation) return null;
  const sides = Object.entries(explanation.sides).map(([name, { adds, rank }]) => {
    const { label, tone } = present(name);
    return line({ label, value: adds, scale: scale.side, tone, note: rank === null ? "not found" : `rank ${rank}` });
  });
  const parts = Object.entries(explanation.parts).map(([name, value]) =>
    line({ label: PARTS[name] ?? name, value, scale: scale.part, tone: "semantic", note: "" }),
  );
  const total = (label, value) =>
    element("tr", { class: "total" }, element("th", { scope: "row", colspan: 2 }, label), element("td", { class: "amount" }, value.toFixed(3)));
  return element(
    "table",
    { class: "why" },
    element("caption", { class: "visually-hidden" }, "What the score is made of"),
    sides.length ? element("tbody", {}, total("Score", hit.score), ...sides) : null,
    parts.length ? element("tbody", {}, total("Semantic score", explanation.semantic_score), ...parts) : null,
  );
}
