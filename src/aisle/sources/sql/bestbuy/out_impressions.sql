WITH clicked AS (
    SELECT search_id, product_id, min(clicked_at) AS clicked_at, min(number) AS number
    FROM clicks WHERE reason IS NULL GROUP BY search_id, product_id
)
SELECT search_id, product_id,
    CAST(row_number() OVER (PARTITION BY search_id ORDER BY clicked_at, number) AS INTEGER) AS position, clicked_at
FROM clicked ORDER BY number
