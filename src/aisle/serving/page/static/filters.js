// What results must be like: how it stands in the address, in a request, and in the panel beside the results.

import { byId, element } from "./dom.js";

const LEVEL = " > ";
const MOST_SHOWN = 8;

export const FACETS = ["category", "brand", "shop_id", "location", "in_stock"];

// Facets of which any of some values may be chosen: name of the facet, of the filter, of the parameter in the address.
const CHOICES = [
  { facet: "brand", filter: "brands", parameter: "brand", label: "Brand" },
  { facet: "shop_id", filter: "shop_ids", parameter: "shop", label: "Shop" },
  { facet: "location", filter: "locations", parameter: "place", label: "Ships from" },
];

function price(text) {
  const value = Number(text);
  return text && Number.isFinite(value) && value >= 0 ? value : null;
}

export function readFilters(parameters) {
  const category = parameters.get("category");
  const filters = {
    category: category ? category.split(LEVEL) : [],
    price_min: price(parameters.get("min")),
    price_max: price(parameters.get("max")),
    in_stock: parameters.get("stock") === "1" ? true : null,
  };
  for (const { filter, parameter } of CHOICES) filters[filter] = parameters.getAll(parameter);
  return filters;
}

export function writeFilters(parameters, filters) {
  if (filters.category.length) parameters.set("category", filters.category.join(LEVEL));
  for (const { filter, parameter } of CHOICES) for (const value of filters[filter]) parameters.append(parameter, value);
  if (filters.price_min !== null) parameters.set("min", filters.price_min);
  if (filters.price_max !== null) parameters.set("max", filters.price_max);
  if (filters.in_stock) parameters.set("stock", "1");
}

export const noFilters = () => readFilters(new URLSearchParams());

export function countFilters(filters) {
  const chosen = CHOICES.reduce((sum, { filter }) => sum + filters[filter].length, 0);
  const single = [filters.category.length > 0, filters.price_min !== null, filters.price_max !== null, filters.in_stock];
  return chosen + single.filter(Boolean).length;
}

// The panel. It shows the filters of the search that was asked, and tells `onChange` of those that are wanted.
export class FilterPanel {
  #filters = noFilters();
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
    byId("clear-filters").addEventListener("click", () => this.#change(noFilters()));
    byId("price").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#change({ price_min: price(byId("price-min").value), price_max: price(byId("price-max").value) });
    });
    byId("in-stock").addEventListener("change", (event) => {
      this.#change({ in_stock: event.target.checked ? true : null });
    });
    // A wide screen has room for it; a narrow one gets it folded.
    byId("filters").open = window.matchMedia("(min-width: 821px)").matches;
  }

  fill(filters) {
    this.#filters = filters;
    const count = countFilters(filters);
    byId("filter-count").textContent = count ? String(count) : "";
    byId("clear-filters").hidden = count === 0;
    byId("price-min").value = filters.price_min ?? "";
    byId("price-max").value = filters.price_max ?? "";
    byId("in-stock").checked = filters.in_stock === true;
  }

  // `facets`: by name, a list of {value, count}.
  show(facets) {
    const groups = [this.#categories(facets.category ?? [])];
    for (const choice of CHOICES) groups.push(this.#choices(choice, facets[choice.facet] ?? []));
    byId("facets").replaceChildren(...groups.filter(Boolean));
    byId("stock").hidden = !(facets.in_stock ?? []).length && !this.#filters.in_stock;
  }

  #change(changed) {
    this.#onChange({ ...this.#filters, ...changed });
  }

  // The chosen path, each step of which leads back, and what lies one step below it.
  #categories(counts) {
    const path = this.#filters.category;
    const above = path.map((name, depth) => {
      const isLast = depth === path.length - 1;
      return this.#step(name, path.slice(0, depth), { "aria-pressed": "true", class: isLast ? "step is-chosen" : "step" });
    });
    const prefix = path.length ? path.join(LEVEL) + LEVEL : "";
    const below = counts
      .map(({ value, count }) => ({ name: value.slice(prefix.length), value, count }))
      .filter(({ value, name }) => value.startsWith(prefix) && name && !name.includes(LEVEL));
    const steps = below.map(({ name, count }) => this.#step(name, [...path, name], { class: "step" }, count));
    return group("Category", [...above, ...folded(steps)]);
  }

  #step(name, path, attributes, count) {
    const button = element("button", { type: "button", ...attributes }, element("span", {}, name), amount(count));
    button.addEventListener("click", () => this.#change({ category: path }));
    return element("li", {}, button);
  }

  #choices({ filter, label }, counts) {
    const chosen = this.#filters[filter];
    // What was chosen stays, so that it can be given up, also where nothing matches it any more.
    const lost = chosen.filter((value) => !counts.some((one) => one.value === value)).map((value) => ({ value, count: 0 }));
    const items = [...lost, ...counts].map(({ value, count }) => {
      const box = element("input", { type: "checkbox", checked: chosen.includes(value) });
      box.addEventListener("change", () => {
        this.#change({ [filter]: box.checked ? [...chosen, value] : chosen.filter((one) => one !== value) });
      });
      return element("li", {}, element("label", { class: "choice" }, box, element("span", {}, value), amount(count)));
    });
    return group(label, folded(items));
  }
}

const amount = (count) => (count === undefined ? null : element("span", { class: "count" }, count.toLocaleString()));

function group(label, items) {
  if (!items.length) return null;
  const list = element("ul", {}, ...items);
  return element("fieldset", {}, element("legend", {}, label), list);
}

// The first ones, and the others behind a button.
function folded(items) {
  if (items.length <= MOST_SHOWN + 1) return items;
  const rest = items.slice(MOST_SHOWN);
  for (const item of rest) item.hidden = true;
  const button = element("button", { type: "button", class: "more" }, `${rest.length} more`);
  const more = element("li", {}, button);
  button.addEventListener("click", () => {
    for (const item of rest) item.hidden = false;
    more.remove();
    rest[0].querySelector("button, input").focus();
  });
  return [...items.slice(0, MOST_SHOWN), ...rest, more];
}
