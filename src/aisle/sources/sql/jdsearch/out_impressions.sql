WITH shown AS (
    SELECT number, search_id, unnest(candidates) AS product_id, unnest(labels) AS label,
        generate_subscripts(candidates, 1) AS position
    FROM behaviour WHERE reason IS NULL
)
SELECT search_id, trim(product_id) AS product_id, CAST(position AS INTEGER) AS position,
    CASE label WHEN 0 THEN 'shown' WHEN 1 THEN 'clicked' WHEN 2 THEN 'carted' WHEN 3 THEN 'ordered'
        ELSE 'label ' || label END AS stage
FROM shown ORDER BY number, position
