// The page: what is asked stands in its address, so that a search can be shared and Back leads to the one before.

import { fetchReadiness, Problem, search } from "./api.js";
import { Columns } from "./columns.js";
import { byId, element } from "./dom.js";
import { inOrder, present } from "./modes.js";

const DEFAULT_K = 24;

const form = byId("search");
const box = byId("query");
const depth = byId("k");
const user = byId("user");
const place = byId("location");
const explain = byId("explain");

let modes = [];
let columns = null;
let underWay = new AbortController();

function readAddress() {
  const parameters = new URLSearchParams(location.search);
  const k = Number(parameters.get("k") ?? DEFAULT_K);
  return {
    query: parameters.get("q"),
    k: Number.isInteger(k) ? k : DEFAULT_K,
    user: parameters.get("user") ?? "",
    location: parameters.get("location") ?? "",
    explain: parameters.get("explain") === "1",
  };
}

function readForm(query) {
  return { query, k: Number(depth.value), user: user.value.trim(), location: place.value.trim(), explain: explain.checked };
}

function addressOf(asked) {
  const parameters = new URLSearchParams({ q: asked.query });
  if (asked.k !== DEFAULT_K) parameters.set("k", asked.k);
  if (asked.user) parameters.set("user", asked.user);
  if (asked.location) parameters.set("location", asked.location);
  if (asked.explain) parameters.set("explain", "1");
  return `?${parameters}`;
}

function requestOf(asked, mode) {
  const { query, k } = asked;
  return { query, k, mode, explain: asked.explain, user_id: asked.user || null, location: asked.location || null };
}

function fillForm(asked) {
  const { query, k } = asked;
  box.value = query ?? "";
  user.value = asked.user;
  place.value = asked.location;
  explain.checked = asked.explain;
  if (![...depth.options].some((option) => Number(option.value) === k)) depth.add(new Option(k, k));
  depth.value = String(k);
}

function showProblem(reason) {
  const problem = byId("problem");
  problem.textContent = reason ?? "";
  problem.hidden = !reason;
}

// One request per mode. Each column is filled as its answer comes; what an earlier search still brings is dropped.
async function runSearch(asked) {
  const { query, k } = asked;
  underWay.abort();
  underWay = new AbortController();
  const { signal } = underWay;
  showProblem(null);
  byId("welcome").hidden = true;
  byId("summary").textContent = "";
  document.title = `${query.trim() || "Search"} · Aisle`;
  columns.begin(k);

  const reasons = await Promise.all(modes.map((mode) => searchMode(requestOf(asked, mode), signal)));
  if (signal.aborted) return;
  if (reasons.every((reason) => reason !== null) && new Set(reasons).size === 1) {
    // The request itself is at fault, not one way of searching: say it once.
    columns.clear();
    showProblem(reasons[0]);
    return;
  }
  byId("summary").textContent = columns.summary();
}

// Returns why it failed, or null.
async function searchMode(request, signal) {
  try {
    const answer = await search(request, signal);
    if (!signal.aborted) columns.fill(request.mode, answer);
    return null;
  } catch (error) {
    if (signal.aborted) return null;
    if (!(error instanceof Problem)) throw error;
    columns.fail(request.mode, error.message);
    return error.message;
  }
}

function welcome() {
  underWay.abort();
  columns.clear();
  showProblem(null);
  byId("summary").textContent = "";
  byId("welcome").hidden = false;
  document.title = "Aisle";
  box.focus();
}

function followAddress() {
  const asked = readAddress();
  fillForm(asked);
  if (asked.query === null) welcome();
  else runSearch(asked);
}

function ask(asked) {
  const address = addressOf(asked);
  // Without columns the service was not ready when the page opened: ask again from the start.
  if (columns === null) return location.assign(address);
  if (address !== location.search) history.pushState(null, "", address);
  fillForm(asked);
  runSearch(asked);
}

function describeCatalogue(info) {
  const parts = [];
  if (info.name) parts.push(String(info.name));
  if (Number.isFinite(info.products)) parts.push(`${info.products.toLocaleString()} products`);
  byId("catalogue").textContent = parts.join(" · ");
}

function offerExamples(examples) {
  if (!Array.isArray(examples) || !examples.length) return;
  const items = examples.map((example) => {
    const query = String(example);
    const link = element("a", { href: addressOf({ query, k: DEFAULT_K }) }, query);
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      ask(readForm(query));
    });
    return element("li", {}, link);
  });
  byId("examples").querySelector("ul").replaceChildren(...items);
  byId("examples").hidden = false;
}

function introduce(modes) {
  const items = modes.map((mode) => {
    const { label, tone, says } = present(mode);
    return element("li", { "data-tone": tone }, element("strong", {}, label), element("span", {}, says));
  });
  byId("ways").replaceChildren(...items);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(readForm(box.value));
});

for (const setting of [depth, explain]) {
  setting.addEventListener("change", () => {
    if (readAddress().query !== null) form.requestSubmit();
  });
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  box.focus();
  box.select();
});

async function start() {
  let readiness;
  try {
    readiness = await fetchReadiness();
    modes = inOrder(readiness.modes);
    describeCatalogue(readiness.info);
    offerExamples(readiness.info.examples);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    showProblem(error.message);
    return;
  }
  columns = new Columns(modes, readiness.default_mode);
  introduce(modes);
  window.addEventListener("popstate", followAddress);
  followAddress();
}

start();
