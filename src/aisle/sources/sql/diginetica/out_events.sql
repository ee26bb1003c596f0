SELECT coalesce(user_id, session_id) AS actor_id, happened_at AS "at", action, product_id, query,
    CASE WHEN query IS NOT NULL THEN search_id END AS search_id
FROM acted WHERE fate = 'events' ORDER BY file, number
