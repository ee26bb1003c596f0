-- The graph as of $snapshot_us: edges of what happened before it, decayed to it, the heaviest ones of every query and
-- of every product. Weights are summed as whole multiples of 1/65536: such sums are exact in any order.
-- Without a half-life nothing decays.

CREATE OR REPLACE TABLE edges AS
SELECT
    query_index,
    product_index,
    sum(round(65536 * weight * COALESCE(pow(0.5, ($snapshot_us - happened_us) / $half_life_us), 1))) AS weight
FROM signals
WHERE happened_us < $snapshot_us
GROUP BY query_index, product_index;

COPY (
    SELECT
        query_index,
        product_index,
        (weight / 65536)::FLOAT AS weight
    FROM edges
    WHERE weight > 0
    QUALIFY row_number() OVER (PARTITION BY query_index ORDER BY weight DESC, product_index) <= $num_neighbours
    ORDER BY query_index, edges.weight DESC, product_index
) TO $neighbours_query (FORMAT parquet, COMPRESSION zstd);

COPY (
    SELECT
        product_index,
        query_index,
        (weight / 65536)::FLOAT AS weight
    FROM edges
    WHERE weight > 0
    QUALIFY row_number() OVER (PARTITION BY product_index ORDER BY weight DESC, query_index) <= $num_neighbours
    ORDER BY product_index, edges.weight DESC, query_index
) TO $neighbours_product (FORMAT parquet, COMPRESSION zstd);
