// One result in one column.

import { element } from "./dom.js";
import { present } from "./modes.js";
import { why } from "./why.js";

function formatPrice(price, currency) {
  if (typeof price !== "number") return "";
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(price);
  } catch {
    // No currency, or one that is not an ISO code: say the number and whatever the catalogue calls its unit.
    const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
    return [new Intl.NumberFormat(undefined, digits).format(price), currency].filter(Boolean).join(" ");
  }
}

function origin(product) {
  const leaf = Array.isArray(product.category) ? product.category.at(-1) : "";
  const parts = [];
  if (product.brand) parts.push(element("span", { class: "brand" }, product.brand));
  if (leaf) parts.push(element("span", {}, leaf));
  return element("p", { class: "origin" }, ...parts);
}

function description(product) {
  const text = (product.description ?? "").trim();
  return text && text !== product.title ? element("p", { class: "description" }, text) : null;
}

export function card(hit, mode, scale) {
  const { product } = hit;
  const title = product.title || hit.product_id;
  return element(
    "li",
    { class: "card", tabindex: -1, "data-product": hit.product_id, "data-tone": present(mode).tone },
    element("span", { class: "rank" }, element("span", { class: "visually-hidden" }, "Rank "), String(hit.rank)),
    element(
      "div",
      { class: "card-body" },
      element("h3", { title }, title),
      element(
        "div",
        { class: "card-facts" },
        origin(product),
        element("p", { class: "price" }, formatPrice(product.price, product.currency)),
      ),
      description(product),
      why(hit, scale),
      element("div", { class: "marks" }),
    ),
  );
}

// The row under a result: its rank in the other columns, or that no other column has it.
// `places`: Map(mode -> rank) of this product. `others`: modes whose answer is known. `k`: depth of the columns.
export function marks(places, { mode, others, isComplete, k, onJump }) {
  const found = others.filter((other) => places.has(other));
  if (found.length) {
    return found.map((other) => {
      const { label, tone } = present(other);
      const button = element(
        "button",
        { type: "button", class: "mark", "data-tone": tone, "aria-label": `Rank ${places.get(other)} in ${label}: show it there` },
        `${label} ${places.get(other)}`,
      );
      button.addEventListener("click", () => onJump(other));
      return button;
    });
  }
  if (!isComplete || !others.length) return [];
  const { label, tone } = present(mode);
  const why = `No other column has this product in its top ${k}`;
  return [element("span", { class: "only", "data-tone": tone, title: why }, `Only in ${label.toLowerCase()}`)];
}
