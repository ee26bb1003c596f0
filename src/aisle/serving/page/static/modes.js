// How a mode is presented. A mode that is not listed here is shown by its name, in a neutral colour.

const MODES = {
  lexical: { label: "Lexical", tone: "lexical", says: "Finds the words of the query." },
  semantic: { label: "Semantic", tone: "semantic", says: "Finds what the query means." },
  hybrid: { label: "Hybrid", tone: "hybrid", says: "Fuses words and meaning." },
};

const ORDER = Object.keys(MODES);

export function present(mode) {
  const label = mode.charAt(0).toUpperCase() + mode.slice(1);
  return MODES[mode] ?? { label, tone: "other", says: "" };
}

// Known modes in a fixed order, so that columns do not move between services; others after them, as they come.
export function inOrder(modes) {
  const place = (mode) => (ORDER.includes(mode) ? ORDER.indexOf(mode) : ORDER.length);
  return [...modes].sort((a, b) => place(a) - place(b));
}
