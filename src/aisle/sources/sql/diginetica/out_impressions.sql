SELECT search_id, product_id, any_value(position) AS position,
    min(acted.happened_at) FILTER (acted.action = 'click') AS clicked_at,
    min(acted.happened_at) FILTER (acted.action = 'order') AS ordered_at
FROM shown
LEFT JOIN (SELECT * FROM acted WHERE fate = 'joined to their impressions') AS acted USING (search_id, product_id)
GROUP BY search_id, product_id, shown.number
ORDER BY shown.number, position
