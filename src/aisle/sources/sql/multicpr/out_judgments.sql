SELECT known.query, qrels.field[2] AS product_id, CAST(qrels.field[3] AS DOUBLE) AS grade, qrels.split,
    qrels.field[1] AS query_id
FROM qrels
LEFT JOIN (
    SELECT id, CASE file WHEN 'train queries' THEN 'train' ELSE 'test' END AS split, any_value(text) AS query
    FROM texts WHERE file <> 'corpus' AND reason IS NULL GROUP BY ALL
) AS known ON known.id = qrels.field[1] AND known.split = qrels.split
WHERE qrels.reason IS NULL
ORDER BY qrels.place
