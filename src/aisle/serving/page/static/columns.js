// The columns: one per mode, each filled when its answer arrives; the marks across them follow.

import { card, marks } from "./card.js";
import { byId, element } from "./dom.js";
import { present } from "./modes.js";
import { countOnly, countShared, ranksByProduct } from "./overlap.js";
import { scaleOf } from "./why.js";

const NUM_GHOSTS = 6;

export class Columns {
  #modes;
  #parts = new Map();
  #buttons = new Map();
  // Hits by mode, of the columns that have answered; always in the columns' order, whichever answer came first.
  #answers = new Map();
  #numOpen = 0;
  #k = 0;

  constructor(modes, shown) {
    this.#modes = modes;
    const root = byId("columns");
    root.style.setProperty("--columns", modes.length);
    for (const mode of modes) {
      this.#parts.set(mode, column(mode));
      this.#buttons.set(mode, this.#switchButton(mode));
    }
    root.replaceChildren(...[...this.#parts.values()].map((part) => part.section));
    byId("switch").replaceChildren(...this.#buttons.values());
    this.#show(shown);
    this.#highlightOnTouch(root);
  }

  clear() {
    byId("columns").hidden = byId("switch").hidden = true;
    this.#answers.clear();
    for (const { list } of this.#parts.values()) list.replaceChildren();
  }

  // A new search began: old results fade, and empty columns show where results will stand.
  begin(k) {
    this.#k = k;
    this.#answers.clear();
    this.#numOpen = this.#modes.length;
    byId("columns").hidden = false;
    byId("switch").hidden = this.#modes.length < 2;
    for (const { section, list, only } of this.#parts.values()) {
      section.setAttribute("aria-busy", "true");
      only.textContent = "";
      if (!list.querySelector(".card")) list.replaceChildren(...Array.from({ length: NUM_GHOSTS }, ghost));
    }
    this.#fitRows(NUM_GHOSTS);
  }

  fill(mode, answer) {
    const { list, latency } = this.#parts.get(mode);
    const answers = new Map(this.#answers).set(mode, answer.hits);
    this.#answers = new Map(this.#modes.filter((one) => answers.has(one)).map((one) => [one, answers.get(one)]));
    const meant = answer.corrected ? `as “${answer.corrected}” · ` : "";
    latency.textContent = `${meant}${answer.took_ms.toFixed(1)} ms`;
    const scale = scaleOf(answer.hits);
    list.replaceChildren(...answer.hits.map((hit) => card(hit, mode, scale)));
    if (!answer.hits.length) list.append(element("li", { class: "nothing" }, "No product matches."));
    this.#settle(mode);
  }

  fail(mode, reason) {
    const { list, latency } = this.#parts.get(mode);
    latency.textContent = "";
    list.replaceChildren(element("li", { class: "nothing failed" }, reason));
    this.#settle(mode);
  }

  // What a screen reader hears, and everyone reads, once all columns are there.
  summary() {
    const answered = [...this.#answers.keys()];
    if (!answered.length) return "";
    const counts = answered.map((mode) => `${this.#answers.get(mode).length} ${present(mode).label.toLowerCase()}`);
    const found = `${counts.join(", ")} results.`;
    if (answered.length < 2) return found;
    const ranks = ranksByProduct(this.#answers);
    const numShared = countShared(ranks, answered.length);
    const where = answered.length === 2 ? "both columns" : `all ${answered.length} columns`;
    return `${found} ${numShared} of ${ranks.size} products are in ${where}.`;
  }

  #settle(mode) {
    this.#numOpen -= 1;
    this.#parts.get(mode).section.setAttribute("aria-busy", "false");
    this.#fitRows(Math.max(1, ...[...this.#answers.values()].map((hits) => hits.length)));
    this.#mark();
  }

  // All columns share their rows, so that equal ranks stand on one line.
  #fitRows(num) {
    byId("columns").style.setProperty("--rows", num);
  }

  #mark() {
    const ranks = ranksByProduct(this.#answers);
    const isComplete = this.#numOpen === 0;
    for (const mode of this.#answers.keys()) {
      const { list, only } = this.#parts.get(mode);
      const others = [...this.#answers.keys()].filter((other) => other !== mode);
      for (const item of list.querySelectorAll(".card")) {
        const id = item.dataset.product;
        const places = ranks.get(id);
        item.classList.toggle("is-only", isComplete && others.length > 0 && places.size === 1);
        const onJump = (other) => this.#jump(other, id);
        item.querySelector(".marks").replaceChildren(...marks(places, { mode, others, isComplete, k: this.#k, onJump }));
      }
      only.textContent = isComplete && others.length ? `${countOnly(ranks, mode)} only here` : "";
    }
  }

  #itemsOf(id) {
    return [...byId("columns").querySelectorAll(".card")].filter((item) => item.dataset.product === id);
  }

  #jump(mode, id) {
    this.#show(mode);
    const target = this.#itemsOf(id).find((item) => this.#parts.get(mode).list.contains(item));
    target?.focus({ preventScroll: true });
    target?.scrollIntoView({ block: "center" });
  }

  // A narrow screen holds one column at a time; a wide one shows all, whatever is pressed here.
  #show(shown) {
    for (const mode of this.#modes) {
      this.#parts.get(mode).section.classList.toggle("is-shown", mode === shown);
      this.#buttons.get(mode).setAttribute("aria-pressed", String(mode === shown));
    }
  }

  #switchButton(mode) {
    const { label, tone } = present(mode);
    const button = element("button", { type: "button", "data-tone": tone }, label);
    button.addEventListener("click", () => this.#show(mode));
    return button;
  }

  #highlightOnTouch(root) {
    let lit = [];
    const light = (event) => {
      const id = event.target.closest?.(".card")?.dataset.product;
      for (const item of lit) item.classList.remove("is-lit");
      lit = id === undefined ? [] : this.#itemsOf(id);
      for (const item of lit) item.classList.add("is-lit");
    };
    const dim = () => {
      for (const item of lit) item.classList.remove("is-lit");
      lit = [];
    };
    root.addEventListener("mouseover", light);
    root.addEventListener("focusin", light);
    root.addEventListener("mouseleave", dim);
    root.addEventListener("focusout", dim);
  }
}

function column(mode) {
  const { label, tone, says } = present(mode);
  const latency = element("span", { class: "latency", title: "Time of the search itself, in the service" });
  const only = element("span", { class: "only-count" });
  const list = element("ol", { class: "list" });
  const section = element(
    "section",
    { class: "column", "data-tone": tone, "data-mode": mode, "aria-labelledby": `column-${mode}` },
    element(
      "header",
      { class: "column-head" },
      element("div", { class: "column-line" }, element("h2", { id: `column-${mode}` }, label), latency),
      element("div", { class: "column-line column-note" }, element("p", {}, says), only),
    ),
    list,
  );
  return { section, list, latency, only };
}

function ghost() {
  const bars = ["w-80", "w-40", "w-60"].map((width) => element("span", { class: `ghost-bar ${width}` }));
  return element("li", { class: "ghost", "aria-hidden": "true" }, ...bars);
}
