-- How often the sampler draws a product in slice $snapshot: each positive of the slice's searches once an epoch.
-- Searches are numbered by time, so those of the slice are $first_search … $end_search - 1.

COPY (
    SELECT
        product_index,
        (count(*)::DOUBLE / sum(count(*)) OVER ())::FLOAT AS probability,
        (count(*) FILTER (WHERE NOT assisted)::DOUBLE / greatest(1, sum(count(*) FILTER (WHERE NOT assisted)) OVER ()))
            ::FLOAT AS own_probability
    FROM outcomes
    WHERE search_index >= $first_search AND search_index < $end_search AND stage > 0
    GROUP BY product_index
    ORDER BY product_index
) TO $sampling (FORMAT parquet, COMPRESSION zstd);
