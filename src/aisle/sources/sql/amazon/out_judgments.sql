SELECT queries.query, qrels.field[2] AS product_id, max(CAST(qrels.field[3] AS DOUBLE)) AS grade, qrels.split,
    count(DISTINCT regexp_extract(qrels.field[1], '^(.+)_[0-9]+$', 1)) AS num_users
FROM qrels JOIN queries ON queries.line_number = CAST(regexp_extract(qrels.field[1], '[0-9]+$') AS BIGINT)
WHERE qrels.reason IS NULL
GROUP BY queries.query, qrels.field[2], qrels.split
ORDER BY min(qrels.place)
