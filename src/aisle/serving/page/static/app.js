// The page: what is asked stands in its address, so that a search can be shared and Back leads to the one before.

import { fetchReadiness, keepKey, Problem, search } from "./api.js";
import { Columns } from "./columns.js";
import { byId, element } from "./dom.js";
import { FACETS, FilterPanel, noFilters, readFilters, writeFilters } from "./filters.js";
import { inOrder, present } from "./modes.js";

const DEFAULT_K = 24;
const DEFAULT_SORT = "relevance";
const LOOK_AGAIN_MS = 3000;

const form = byId("search");
const box = byId("query");
const depth = byId("k");
const user = byId("user");
const place = byId("location");
const explain = byId("explain");
const sort = byId("sort");
const panel = new FilterPanel((filters) => ask({ ...readForm(box.value), filters }));

let modes = [];
let mainMode = null;
let filters = noFilters();
// Place of the journal at the last search: what comes after it may change the results.
let searchedAt = null;
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
    sort: [...sort.options].some(({ value }) => value === parameters.get("sort")) ? parameters.get("sort") : DEFAULT_SORT,
    filters: readFilters(parameters),
  };
}

function readForm(query) {
  const who = { user: user.value.trim(), location: place.value.trim() };
  return { query, k: Number(depth.value), ...who, explain: explain.checked, sort: sort.value, filters };
}

function addressOf(asked) {
  const parameters = new URLSearchParams({ q: asked.query });
  if (asked.k !== DEFAULT_K) parameters.set("k", asked.k);
  if (asked.user) parameters.set("user", asked.user);
  if (asked.location) parameters.set("location", asked.location);
  if (asked.explain) parameters.set("explain", "1");
  if (asked.sort && asked.sort !== DEFAULT_SORT) parameters.set("sort", asked.sort);
  if (asked.filters) writeFilters(parameters, asked.filters);
  return `?${parameters}`;
}

function requestOf(asked, mode) {
  const { query, k } = asked;
  const who = { user_id: asked.user || null, location: asked.location || null };
  // One answer is enough to count by: the filters are the same for all.
  const facets = mode === mainMode ? FACETS : [];
  return { query, k, mode, explain: asked.explain, sort: asked.sort, filters: asked.filters, facets, ...who };
}

function fillForm(asked) {
  const { query, k } = asked;
  box.value = query ?? "";
  user.value = asked.user;
  place.value = asked.location;
  explain.checked = asked.explain;
  sort.value = asked.sort;
  filters = asked.filters;
  panel.fill(filters);
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
  byId("found").hidden = false;
  byId("changed").hidden = true;
  columns.begin(k);
  lookAgain();

  const reasons = await Promise.all(modes.map((mode) => searchMode(requestOf(asked, mode), signal)));
  if (signal.aborted) return;
  if (reasons.every((reason) => reason !== null) && new Set(reasons).size === 1) {
    // The request itself is at fault, not one way of searching: say it once.
    columns.clear();
    byId("found").hidden = true;
    showProblem(reasons[0]);
    return;
  }
  byId("summary").textContent = columns.summary();
}

// Returns why it failed, or null.
async function searchMode(request, signal) {
  try {
    const answer = await search(request, signal);
    if (signal.aborted) return null;
    columns.fill(request.mode, answer);
    if (request.facets.length) panel.show(answer.facets);
    return null;
  } catch (error) {
    if (signal.aborted) return null;
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) askForKey();
    columns.fail(request.mode, error.message);
    return error.message;
  }
}

function welcome() {
  underWay.abort();
  columns.clear();
  showProblem(null);
  byId("summary").textContent = "";
  byId("found").hidden = byId("changed").hidden = true;
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

function describeCatalogue({ info, state }) {
  const parts = [];
  if (info.name) parts.push(String(info.name));
  parts.push(`${state.num_products.toLocaleString()} products`);
  byId("catalogue").textContent = parts.join(" · ");
  byId("catalogue").title = `Version ${state.version}, in ${state.store_kind}`;
}

// Products come and go while the page is open: it tells how many there are, and that a search may have another answer.
async function look() {
  if (document.hidden || columns === null) return;
  try {
    const readiness = await fetchReadiness();
    describeCatalogue(readiness);
    const { version, journal_head: head } = readiness.state;
    searchedAt ??= `${version} ${head}`;
    const hasAnswer = !byId("found").hidden;
    byId("changed").hidden = !hasAnswer || searchedAt === `${version} ${head}`;
  } catch (error) {
    // The next search says it.
    if (!(error instanceof Problem)) throw error;
  }
}

function lookAgain() {
  searchedAt = null;
  look();
}

function askForKey() {
  byId("key-form").hidden = false;
  byId("key").focus();
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

byId("changed").addEventListener("click", () => ask(readAddress()));

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepKey(byId("key").value.trim());
  location.reload();
});

for (const setting of [depth, explain, sort]) {
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
    describeCatalogue(readiness);
    offerExamples(readiness.info.examples);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) askForKey();
    else showProblem(error.message);
    return;
  }
  mainMode = readiness.default_mode;
  columns = new Columns(modes, readiness.default_mode);
  introduce(modes);
  window.addEventListener("popstate", followAddress);
  setInterval(look, LOOK_AGAIN_MS);
  followAddress();
}

start();
