-- The queries and actors that the numbers stand for.

COPY (
    SELECT
        queries.query_index,
        queries.text,
        COALESCE(bands.searches, 0)::INTEGER AS searches,
        COALESCE(bands.band, 'unseen') AS band
    FROM queries
    LEFT JOIN bands ON bands.query_index = queries.query_index AND bands.snapshot = $last_snapshot
    ORDER BY queries.query_index
) TO $queries (FORMAT parquet, COMPRESSION zstd);

COPY (
    SELECT actor_index, actor_id FROM actors ORDER BY actor_index
) TO $actors (FORMAT parquet, COMPRESSION zstd);
