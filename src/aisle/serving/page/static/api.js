// The service's HTTP interface, as far as the page uses it.

export class Problem extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

const UNREACHABLE = "The service does not answer. Check that it still runs, then search again.";
const KEY = "aisle-key";

// The key lives as long as the tab, and goes nowhere but to the service.
export const keepKey = (key) => sessionStorage.setItem(KEY, key);

function headersOf(options) {
  const key = sessionStorage.getItem(KEY);
  return { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
}

async function fetchJson(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: headersOf(options) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(UNREACHABLE);
  }
  const body = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return null;
  });
  if (!response.ok || body === null) {
    throw new Problem(body?.detail ?? `The service answered ${response.status} without a reason.`, response.status);
  }
  return body;
}

export const fetchReadiness = () => fetchJson("/readyz");

export const search = (request, signal) =>
  fetchJson("/v1/search", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
    signal,
  });
