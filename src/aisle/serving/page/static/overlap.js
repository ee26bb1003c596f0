// Which product stands where in the columns. Pure: answers in, ranks out.

// `answers`: Map(mode -> hits). Returns Map(product_id -> Map(mode -> rank)).
export function ranksByProduct(answers) {
  const ranks = new Map();
  for (const [mode, hits] of answers) {
    for (const hit of hits) {
      if (!ranks.has(hit.product_id)) ranks.set(hit.product_id, new Map());
      ranks.get(hit.product_id).set(mode, hit.rank);
    }
  }
  return ranks;
}

// Number of products that all columns hold, and of those that only this column holds.
export function countShared(ranks, numColumns) {
  return [...ranks.values()].filter((places) => places.size === numColumns).length;
}

export function countOnly(ranks, mode) {
  return [...ranks.values()].filter((places) => places.size === 1 && places.has(mode)).length;
}
