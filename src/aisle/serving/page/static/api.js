// The service's HTTP interface, as far as the page uses it.

export class Problem extends Error {}

const UNREACHABLE = "The service does not answer. Check that it still runs, then search again.";

async function fetchJson(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(UNREACHABLE);
  }
  const body = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return null;
  });
  if (!response.ok || body === null) {
    throw new Problem(body?.detail ?? `The service answered ${response.status} without a reason.`);
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
