WITH shown AS (
    SELECT number, search_id, time_index, clicked, purchased, unnest(impressed) AS product_id,
        generate_subscripts(impressed, 1) AS position
    FROM recall WHERE copy = 1
)
SELECT search_id, product_id, CAST(min(position) AS INTEGER) AS position,
    CASE
        WHEN bool_or(coalesce(list_contains(purchased, product_id), false)) THEN 'ordered'
        WHEN bool_or(coalesce(list_contains(clicked, product_id), false)) THEN 'clicked'
        ELSE 'shown'
    END AS stage,
    any_value(time_index) AS order_number
FROM shown
GROUP BY number, search_id, product_id
ORDER BY number, position
