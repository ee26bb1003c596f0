SELECT known.query, qrels.field[2] AS product_id, CAST(qrels.field[3] AS DOUBLE) AS grade, qrels.split,
    qrels.field[1] AS query_id
FROM qrels LEFT JOIN (SELECT query_id, any_value(query) AS query FROM queries GROUP BY query_id) AS known
    ON known.query_id = qrels.field[1]
WHERE qrels.reason IS NULL
ORDER BY qrels.place
