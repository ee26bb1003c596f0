SELECT user_id AS actor_id, make_timestamptz(946684800000000 + time_index * 1000000) AS "at", action, product_id, query,
    search_id
FROM outside
ORDER BY number, action, product_id
