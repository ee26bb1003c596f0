WITH times AS (
    SELECT search_id, product_id,
        make_timestamptz(min(at_us) FILTER (stage = 1)) AS clicked_at,
        make_timestamptz(min(at_us) FILTER (stage = 2)) AS favorited_at,
        make_timestamptz(min(at_us) FILTER (stage = 3)) AS carted_at,
        make_timestamptz(min(at_us) FILTER (stage = 4)) AS ordered_at
    FROM acted WHERE stage > 0 GROUP BY search_id, product_id
)
SELECT shown.search_id, shown.product_id, CAST(least(shown.position, 2147483647) AS INTEGER) AS position,
    clicked_at, favorited_at,
    carted_at, ordered_at
FROM shown JOIN searches USING (search_id) LEFT JOIN times USING (search_id, product_id)
ORDER BY searches.number, shown.position, shown.product_id
